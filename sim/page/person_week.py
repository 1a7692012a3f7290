"""A person's last week in words: which rule of the model did something, and what it moved."""

from typing import NamedTuple

import numpy as np

from sim.mesa import Market
from sim.model.state import AWARE, SWITCHES, flag_table
from sim.page.names import in_words, title

LEAST = 0.005  # change of a number that is told
MOVED = {"trust": "trust", "habit": "habit", "memory": "memory of experience", "regret": "regret"}


class Snapshot(NamedTuple):
    """The records of one person at one time."""

    one: np.void
    bonds: np.ndarray
    aware: np.ndarray
    acts: np.ndarray


def snapshot(market: Market, number: int) -> Snapshot:
    """A copy of what the market holds of a person."""
    people = market.people
    flags = (np.array(flag_table(people, what)[number]) for what in (AWARE, SWITCHES))
    return Snapshot(people.one[number].copy(), people.bonds[number].copy(), *flags)


def told(market: Market, before: Snapshot, after: Snapshot) -> dict[str, str]:
    """{rule: what it did in the week between}, in the order of the rules; only what did something."""
    used = int(before.one["seen"]) != int(after.one["seen"])
    found = {"need": "used the category" if used else "did not need the category"}
    if used:
        found["choose"] = _choice(market, before, after)
    learned = [text for j in range(len(market.firms)) for text in _learned(market, before, after, j)]
    if learned:
        found["learn"] = "; ".join(learned)
    if used and after.one["message"]:
        sign, j = np.sign(after.one["message"]), abs(int(after.one["message"])) - 1
        found["tell"] = f"spread a {'good' if sign > 0 else 'bad'} word about {title(market.firms[j])}"
    heard = [in_words(n) for k, n in enumerate(market.scandals) if _new(before.aware, after.aware, k)]
    if heard:
        found["hear"] = f"first heard of the {', '.join(heard)}"
    acts = [in_words(n) for k, n in enumerate(market.scandals) if _new(before.acts, after.acts, k)]
    if acts:
        found["act"] = f"from now on acts on the {', '.join(acts)}"
    return {f"last week, {rule}": text for rule, text in found.items()}


def _choice(market: Market, before: Snapshot, after: Snapshot) -> str:
    """Which firm was used, and whether that was decided then or before."""
    old, new = int(before.one["last"]), int(after.one["last"])
    name = title(market.firms[new]) if new >= 0 else "none"
    target = int(after.one["target"])
    if new == old:
        leaving = f"; decided to leave for {title(market.firms[target])}, not done yet" if target >= 0 else ""
        return f"stayed with {name}{leaving}"
    came = f"from {title(market.firms[old])} to {name}" if old >= 0 else f"to {name}"
    return f"went {came}{', as decided before' if int(before.one['target']) == new else ''}"


def _learned(market: Market, before: Snapshot, after: Snapshot, j: int) -> list[str]:
    texts = []
    for name, words in MOVED.items():
        old, new = float(before.bonds[j][name]), float(after.bonds[j][name])
        if abs(new - old) > LEAST:
            texts.append(f"{words} at {title(market.firms[j])} {old:.2f} to {new:.2f}")
    return texts


def _new(before: np.ndarray, after: np.ndarray, k: int) -> bool:
    return bool(k < len(after) and after[k] and not (k < len(before) and before[k]))
