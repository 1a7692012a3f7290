"""The command `sample`: writes purchases of simulated households, in the shape that is asked for."""

import os
from collections.abc import Sequence

from sim import panel
from sim.compute.files import unwritable
from sim.model.declare import ScenarioError
from sim.panel.formats import OF_ONE_FIRM, check_format

NAMED = ("format", "firm", "truth")
USAGE = "sample: needs the name of a file to write, as in: sample mine.csv market=toothpaste_uk"


def main(arguments: Sequence[str]) -> int:
    """Write a file: `sample FILE [format=long] [firm=NAME] [truth=FILE] [any settings]`.

    300 households in two years, or `people` and `weeks` as given. ScenarioError lists everything that is wrong.
    """
    from sim.report.flags import empty
    from sim.report.signals import stoppable
    from sim.study.presets import scenario

    if not arguments or "=" in arguments[0] or not arguments[0].strip():
        raise ScenarioError([USAGE])
    named = {name: value for name, _, value in (a.partition("=") for a in arguments[1:]) if name in NAMED}
    settings = [a for a in arguments[1:] if a.partition("=")[0] not in NAMED]
    files = [arguments[0], *([named["truth"]] if named.get("truth") else [])]
    wrong = [f"{f}: is there already; choose another name" for f in files if os.path.lexists(f)]
    wrong += [f"{f}: cannot be written: {why}" for f in files if not os.path.lexists(f) and (why := unwritable(f))]
    wrong += empty(arguments[1:])
    wrong += ["truth: is the file of the purchases"] if len(set(files)) < len(files) else []
    if wrong:
        raise ScenarioError(wrong)
    with stoppable():
        market = scenario(*settings)
        check_format(named.get("format", "panel"), named.get("firm"), list(market.firms))
        given = {a.partition("=")[0].lstrip("+") for a in settings}
        size = {"households": market.people} if "people" in given else {}
        size |= {"weeks": market.weeks} if "weeks" in given else {}
        sampled = panel.small(market, **size)
        frame = panel.simulated(sampled)
        format = named.get("format", "panel")
        path = panel.write(frame, sampled, arguments[0], format, named.get("firm"), named.get("truth"))
    bought = frame.purchases
    made = f"{len(bought):,} purchases of {bought.hh.nunique()} households written to {path}"
    of = f", a row a customer of {named.get('firm', market.focus)}" if format == OF_ONE_FIRM else ""
    hint = f"; try: panel={path}" if format == "panel" else f" ({format}{of})"
    print(made + hint)
    if named.get("truth"):
        print(f"their tastes, rates, price weights and segments: {named['truth']}")
    return 0
