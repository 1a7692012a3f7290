"""`python -m sim`: the command line, its help, and its error messages."""

import atexit
import gc
import re
import signal
import sys
import textwrap
from importlib import import_module

from sim.model.declare import ScenarioError, did_you_mean
from sim.report import streams

HELP = """\
How much more often customers use you than your competitors, simulated.

  python -m sim                                           the default market: table, figure, files
  python -m sim market=bank scandal=data_breach           another market, with a scandal
  python -m sim firms.colgate.quality=0.5 people=50000    any setting, by its path
  python -m sim market=FOLDER                             a market of your own: FOLDER/market.yaml
  python -m sim -m segments.habitual.attention=0.2,0.5,1  a run for each value
  python -m sim study=price_ladder                        a study of many runs, on all cores; stopped, it goes on
  python -m sim collect DIR                               the table of a sweep, also of one that was stopped
  python -m sim panel=FILE                                the same figures of a real purchase panel
  python -m sim sample FILE                               write a small simulated panel to try this with; format=long,
                                                          wide, rfm, transactions: as other packages read it
  python -m sim calibrate panel=FILE out=FOLDER           a market of your own, fitted to a panel
  python -m sim predict market=FOLDER history=FILE panel=FILE out=FILE.csv     chances of later purchases
  python -m sim simulate market=FOLDER history=FILE panel=FILE out=FILE.csv    free runs over later purchases
  python -m sim fields [WORD]                             every setting (with WORD in its path)
  python -m sim scandal=new scandal.kind=data             a scandal that is news today, predicted from what is known
  python -m sim forecast CASES.yaml OUT.csv               the same of many, as numbers
  python -m sim odd [FILE]                                the model described in the ODD protocol
  python -m sim countermeasures scandal=data_breach       what would have helped, how much, and what is known of it
  python -m sim scandal=data_breach report=cost.html      the same as one page to send
  python -m sim page [port=8765]                          play a market in the browser

Presets, chosen as GROUP=NAME:
{presets}
To add a member: +firm@firms.NEW=PRESET, +cohort@cohorts.NEW=PRESET; to remove one: ~firm@firms.NAME.

A run writes its files to outputs/DATE/TIME, a sweep to multirun/DATE/TIME/0, 1, ...; hydra.run.dir=FOLDER and
hydra.sweep.dir=FOLDER choose another place. Hydra's own flags work: --cfg job shows the composed config,
--config-dir DIR adds presets of your own, --hydra-help shows the rest.
"""
COMMANDS = {  # the first word, and the function that takes the others and returns the exit status
    "calibrate": "sim.calibration.main:calibrate_main",
    "collect": "sim.report.collect:main",
    "countermeasures": "sim.report.countermeasures:main",
    "fields": "sim.report.field_table:main",
    "forecast": "sim.casebook.forecast:main",
    "odd": "sim.report.odd:main",
    "page": "sim.page:main",
    "predict": "sim.calibration.main:predict_main",
    "sample": "sim.panel.sample:main",
    "simulate": "sim.calibration.main:simulate_main",
}
atexit.register(gc.freeze)  # a process that ends need not search the 150,000 objects of the compiler for garbage
MOST_COMPLAINTS = 50  # that are printed at once
PLACES = {name: f"{name}@{name}s.NAME" for name in ("firm", "segment", "cohort", "kind")}


def main() -> int:
    """Run the command line.

    Returns 0 when done, 1 where runs of a sweep failed, 2 after an error in the arguments, 128 + signal when stopped.
    """
    with streams.streams():
        try:
            status = command(sys.argv[1:])
            sys.stdout.flush()
            return status
        except KeyboardInterrupt as stop:
            print(str(stop) or "stopped; the unfinished run was not written", file=sys.stderr)
            return 128 + getattr(stop, "number", signal.SIGINT)
        except Exception as error:
            wrong = complaints(error)
            if not wrong:
                raise
            head = "" if len(wrong) == 1 else f"{len(wrong)} things are wrong:\n  "
            print(head + "\n  ".join(wrong), file=sys.stderr)
            return 2


def command(arguments: list[str]) -> int:
    """Carry out the arguments; returns the exit status, raises what is wrong with them."""
    if {"-h", "--help"} & set(arguments):
        print(help_text())
        return 0
    if arguments and arguments[0] in COMMANDS:
        if arguments[0] == "countermeasures":
            arguments = _of_new_scandal(arguments)
        module, name = COMMANDS[arguments[0]].split(":")
        return int(getattr(import_module(module), name)(arguments[1:]))
    panels = [a for a in arguments if a.lstrip("+").startswith("panel=") and a != "panel=null"]
    if panels:
        return _panel(panels, [a for a in arguments if a not in panels])
    if any(a.partition("=")[0] == "study" for a in arguments):
        from sim.report.study_task import main as study_main

        return study_main(arguments)
    from sim.report.hydra_task import launch

    if "scandal=new" in arguments:
        from sim.study.composition import remembered
        from sim.study.presets import PRESET_GROUPS

        then = "The same in full, over all draws; the table of firms is of the draw in the middle"
        with remembered(PRESET_GROUPS):
            told, draws = _new_scandal(arguments, then)
            return launch(told, draws) if draws else 0
    _refuse_astray(arguments)
    return launch(arguments)


def _refuse_astray(arguments: list[str]) -> None:
    """Refuse arguments of a new scandal where none is asked for."""
    if any(a.lstrip("+").startswith(("scandal.", "observed")) for a in arguments):
        from sim.casebook.question import astray
        from sim.report.folders import refuse

        refuse(astray(arguments))


def _of_new_scandal(arguments: list[str]) -> list[str]:
    """The arguments of countermeasures, with a new scandal as the draw in the middle has it."""
    if "scandal=new" not in arguments:
        _refuse_astray(arguments)
        return arguments
    place = [a for a in arguments if a.startswith("out=")]
    then = "What would help, in the draw in the middle"
    told, draws = _new_scandal([a for a in arguments[1:] if a not in place], then)
    if not draws:
        raise ScenarioError(["countermeasures: no loss can be set in this market, so none can be averted"])
    return [arguments[0], *told, *place]


def _new_scandal(arguments: list[str], then: str) -> tuple[list[str], list[dict[str, float]]]:
    """Say what is to be expected of a new scandal; the arguments of a run of the middle draw, and all draws, if any.

    `then` is what comes next, in words.
    """
    from sim.casebook.question import answer, asked_of_market
    from sim.report.folders import refuse
    from sim.report.html_report import taken
    from sim.report.signals import stoppable
    from sim.study.presets import scenario

    question = asked_of_market(arguments)
    reports = [a for a in question.others if a not in question.settings]
    refuse([c for report in reports for c in taken(report.partition("=")[2])])
    with stoppable():
        drawn, text = answer(scenario(*question.settings), question)
    print(text)
    if drawn is None:
        return [], []
    print(f"\n{then}:", flush=True)
    return [*question.others, *(f"{path}={value:.6g}" for path, value in drawn.middle.items())], drawn.changes


def _panel(panels: list[str], others: list[str]) -> int:
    """Measure the panel that is named; exactly one may be."""
    from sim import panel
    from sim.panel.options import parse

    path = panels[0].partition("=")[2]
    wrong = [f"{extra}: one panel at a time; give panel=FILE once" for extra in panels[1:]]
    if not path.strip():
        wrong.append("panel: no file is given (an unset variable?); write panel=FILE")
    if wrong:
        try:
            parse(others)
        except panel.PanelError as error:
            wrong += str(error).splitlines()
        raise ScenarioError(wrong)
    return int(panel.main(path, others))


def help_text() -> str:
    """The help, with the presets of conf/."""
    from sim.study.presets import PRESET_GROUPS, presets

    rows = []
    for group in PRESET_GROUPS:
        first = f"  {PLACES.get(group, group):<24}"
        rows.append(textwrap.fill(" ".join(presets(group)), 110, initial_indent=first, subsequent_indent=" " * 26))
    return HELP.format(presets="\n".join(rows))


def complaints(error: BaseException) -> list[str]:
    """What is wrong, a sentence each; nothing for an error of the program itself, which is shown in full."""
    if isinstance(error, ScenarioError):
        first, rest = error.complaints[:MOST_COMPLAINTS], error.complaints[MOST_COMPLAINTS:]
        return [*first, f"and {len(rest):,} more"] if rest else first
    if isinstance(error, RecursionError):
        return ["nested too deep, or values or presets that lead back to themselves"]
    if type(error).__module__.partition(".")[0] in ("hydra", "omegaconf", "yaml"):
        return [_foreign(error).replace("++", "").replace("base_customers", "base")]
    if isinstance(error, ValueError) and "Config group override" in str(error):  # Hydra has no class for it
        return ["a preset is chosen by its name, as in market=bank; a group cannot be nothing, a number or a mapping"]
    if isinstance(error, OSError):
        return [f"{error.filename or 'file'}: {error.strerror or error}"]
    if isinstance(error, MemoryError):
        return ["people: more than fit into memory; fewer people, or more replications, would do"]
    return [str(error)] if type(error).__name__ in ("StoreError", "PanelError") else []


def _foreign(error: BaseException) -> str:
    """An error of Hydra, OmegaConf or PyYAML in one sentence, with what may have been meant."""
    text, mark = str(error), getattr(error, "problem_mark", None)
    preset = re.search(r"Could not find '([^']+)/([^']+)'", text)
    if preset:
        from sim.study.presets import presets

        group, name = preset[1], preset[2]
        if group.partition("/")[0] == "market":
            group, _, name = f"{group}/{name}".partition("/")
        known = presets(group)
        folder = f", and {name} no folder with a market.yaml" if "/" in name else ""
        return f"{group}: {name!r} is no preset{folder}{did_you_mean(name, known) if known else ''}"
    if type(error).__name__ == "OverrideParseException":
        how = "brackets and quotes come in pairs, commas between values"
        return f"{getattr(error, 'override', text)}: cannot be read as NAME=VALUE; {how}"
    several = re.match(r"Ambiguous value for argument '(.+)'$|Sweep parameters '(.+)' require", text, re.MULTILINE)
    if several:
        value = several[1] or several[2]
        return f"{value}: several values are a run for each, with -m; or one list, [A,B], or one text in quotes"
    if mark is not None:
        return f"{mark.name}, line {mark.line + 1}: {getattr(error, 'problem', text)}"
    again = re.match(r"Multiple values for (\w+)\. To override a value use 'override \w+: (.+)'", text)
    if again:
        return f"{again[1]}: is chosen already; write {again[1]}={again[2]}, without +"
    lines = [line.strip() for t in (text, str(error.__cause__ or "")) for line in t.splitlines()[:1]]
    lines += [line for line in text.splitlines()[1:] if line.startswith("Did you mean")]
    place = getattr(error, "full_key", "") or ""
    return (f"{place}: " if place else "") + "; ".join(dict.fromkeys(line.rstrip(".") for line in lines if line))


if __name__ == "__main__":
    sys.exit(main())
