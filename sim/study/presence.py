"""`python -m sim.study.presence [WORD ...]` brings the presence that is shipped up to date.

WORDs limit what is solved to settings that contain one of them; people=NUMBER is on how many people at least.
"""

import sys

from sim.study import calibrate_shares as solver
from sim.study import presence_store
from sim.study.presence_store import Entry
from sim.study.presets import presets, uncalibrated

HORIZONS: tuple[list[str], ...] = ([], ["weeks=26", "window=13"])  # of each market: its own weeks, and a short run


def settings() -> list[list[str]]:
    """The overrides whose presence is shipped: each market, over its own horizon and over a short one."""
    return [[f"market={market}", *horizon] for horizon in HORIZONS for market in presets("market")]


def remake(words: list[str]) -> None:
    """Write the shipped file anew: entries that still hold get the key of today's rules, the others are solved.

    An entry holds if its presence still gives the same counts. The file is written after every setting.
    """
    sizes = [int(word.partition("=")[2]) for word in words if word.startswith("people=")]
    least = max(sizes, default=solver.SIZES[0])
    names = [word for word in words if not word.startswith("people=")]
    old, new = presence_store.read_shipped(), dict[str, Entry]()
    for overrides in settings():
        name = " ".join(overrides)
        wanted = not names or any(word in name for word in names)
        key, entry = _entry(overrides, name, old | new, least, wanted)
        if entry:
            new[key] = entry
            presence_store.write_shipped(old | new)
    presence_store.write_shipped(new)


def _entry(
    overrides: list[str], name: str, known: dict[str, Entry], least: int, wanted: bool
) -> tuple[str, Entry | None]:
    """The key of a setting and its entry: a known one if it still holds, one solved now if it is wanted, or None."""
    scenario = uncalibrated(*overrides)
    asked = solver.asked_shares(scenario)
    reference = solver.reference_market(scenario, asked)
    key = solver.key_of(reference)
    entries = (entry for k, entry in known.items() if k == key or entry["of"] == name)
    found = next(map(presence_store.solved_of, entries), None)
    if found and key not in known and not solver.still_holds(reference, found):
        found = None
    if wanted and (not found or found.people < least):
        found = solver.solve(reference, asked, least)
        print(f"{name}: rounds {found.rounds}, errors up to {100 * max(found.error):.3f} points", flush=True)
    return key, {"of": name, **found._asdict()} if found else None


if __name__ == "__main__":
    remake(sys.argv[1:])
