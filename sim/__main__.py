"""`python -m sim`: the command line, its help, and its error messages."""

import os
import re
import signal
import sys
import textwrap
from importlib.util import find_spec

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
WIDE = 160  # columns from which a table of fields has one line a field
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
    named = {"fields": fields, "odd": odd, "sample": sample, "page": page, "collect": collect}
    named |= {"countermeasures": countermeasures, "forecast": forecast}
    if arguments and arguments[0] in named:
        return named[arguments[0]](arguments[1:])
    if arguments and arguments[0] in ("calibrate", "predict", "simulate"):
        from sim.calibration.main import run

        return run(arguments[0], arguments[1:])
    panels = [a for a in arguments if a.lstrip("+").startswith("panel=") and a != "panel=null"]
    if panels:
        return _panel(panels, [a for a in arguments if a not in panels])
    if any(a.partition("=")[0] == "study" for a in arguments):
        from sim.report.study_task import main as study_main

        return study_main(arguments)
    from sim.report.hydra_task import launch

    if "scandal=new" in arguments:
        return launch(*_new_scandal(arguments))
    if any(a.lstrip("+").startswith(("scandal.", "observed")) for a in arguments):
        from sim.casebook.question import astray
        from sim.report.folders import refuse

        refuse(astray(arguments))
    return launch(arguments)


def _new_scandal(arguments: list[str]) -> tuple[list[str], list[dict[str, float]]]:
    """Say what is to be expected of a new scandal; the arguments of a run of the middle draw, and all draws."""
    from sim.casebook.question import answer, asked
    from sim.report.signals import stoppable
    from sim.study.presets import scenario, uncalibrated

    others = asked(arguments).others
    question = asked(arguments, uncalibrated(*others).market.regime)
    with stoppable():
        drawn, text = answer(scenario(*others), question)
    print(text)
    print("\nThe same in full, over all draws; the table of firms is of the draw in the middle:", flush=True)
    return [*others, *(f"{path}={value:.6g}" for path, value in drawn.middle.items())], drawn.changes


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


def sample(arguments: list[str]) -> int:
    """Write the purchases of simulated households: 300 in two years, or `people` and `weeks` as given."""
    from sim.panel.sample import main as run

    return run(arguments)


def _taken(name: str) -> list[str]:
    """The complaint about a file that would be overwritten."""
    return [f"{name}: is there already; choose another name"] if os.path.lexists(name) else []


def collect(arguments: list[str]) -> int:
    """Write and show the table of a sweep, also of one that was stopped or ran on another machine."""
    from sim.report.collect import main as collect_main

    return collect_main(arguments)


def help_text() -> str:
    """The help, with the presets of conf/."""
    from sim.study.presets import PRESET_GROUPS, presets

    rows = []
    for group in PRESET_GROUPS:
        first = f"  {PLACES.get(group, group):<24}"
        rows.append(textwrap.fill(" ".join(presets(group)), 110, initial_indent=first, subsequent_indent=" " * 26))
    return HELP.format(presets="\n".join(rows))


def fields(words: list[str]) -> int:
    """Print every field whose path contains all words: default, plausible spread, range, meaning, source and basis."""
    from rich.table import Table

    from sim.study.defaults import vocabulary
    from sim.study.priors import describe

    found = [(path, d) for path, d in vocabulary() if all(word in path for word in words)]
    if not found:
        raise ScenarioError([f"fields: no path contains {' and '.join(words)}"])
    console = streams.console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("path", "default", "P10 to P90", "range, unit", "meaning (source; basis of the spread)"):
        table.add_column(head, overflow="fold", no_wrap=head in ("path", "default"))
    for path, d in found:
        default = "" if d.default is None else str(d.default)
        (spread, basis), allowed = describe(path), d.allowed if d.low is not None or d.choices else ""
        why = "; ".join(filter(None, (d.source, basis)))
        row = [path, default, spread, f"{allowed} {d.unit}".strip(" -"), f"{d.about} ({why})" if why else d.about]
        if console.width >= WIDE:
            table.add_row(*row)
        else:  # two lines a field
            numbers = (f"default {row[1]}" * bool(row[1]), f"P10 to P90 {spread}" * bool(spread), row[3])
            console.print(f"{path}  {'; '.join(filter(None, numbers))}", style="bold")
            console.print(textwrap.indent(textwrap.fill(row[4], console.width - 4), "    "))
    if table.row_count:
        console.print(table)
    console.print("P10 to P90: four in five plausible values; why: conf/priors.yaml", style="dim")
    return 0


def forecast(words: list[str]) -> int:
    """Write the forecasts of the cases of a file, from attributes known on the day."""
    from sim.casebook import forecast

    return forecast.main(words)


def odd(words: list[str]) -> int:
    """Print the model's description in the ODD protocol, or write it to a file."""
    if len(words) > 1:
        raise ScenarioError([f"odd: {' '.join(words)!r} is more than the name of one file"])
    from sim.report.odd import odd as description

    if words:
        from sim.compute.files import write_atomic

        if not words[0].strip() or _taken(words[0]):
            raise ScenarioError(_taken(words[0]) or ["odd: the name of the file is empty"])
        write_atomic(words[0], description().encode(), new=True)
        print(f"the model's description is in {words[0]}")
    else:
        print(description(), end="")
    return 0


def countermeasures(arguments: list[str]) -> int:
    """Print and write what would have helped against a scandal."""
    from sim.report.countermeasures import main as run

    return run(arguments)


def page(arguments: list[str]) -> int:
    """Serve the page until stopped."""
    missing = [name for name in ("solara", "mesa") if find_spec(name) is None]
    if missing:
        raise ScenarioError([f"page: {' and '.join(missing)} missing; pip install -e '.[page]'"])
    from sim.page.serve import serve

    return int(serve(arguments))


def complaints(error: BaseException) -> list[str]:
    """What is wrong, a sentence each; nothing for an error of the program itself, which is shown in full."""
    if isinstance(error, ScenarioError):
        first, rest = error.complaints[:MOST_COMPLAINTS], error.complaints[MOST_COMPLAINTS:]
        return [*first, f"and {len(rest):,} more"] if rest else first
    if isinstance(error, RecursionError):
        return ["nested too deep, or values or presets that lead back to themselves"]
    if type(error).__module__.partition(".")[0] in ("hydra", "omegaconf", "yaml"):
        return [_foreign(error).replace("++", "")]
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
    lines = [line.strip() for t in (text, str(error.__cause__ or "")) for line in t.splitlines()[:1]]
    lines += [line for line in text.splitlines()[1:] if line.startswith("Did you mean")]
    place = getattr(error, "full_key", "") or ""
    return (f"{place}: " if place else "") + "; ".join(dict.fromkeys(line.rstrip(".") for line in lines if line))


if __name__ == "__main__":
    sys.exit(main())
