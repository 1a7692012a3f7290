"""The command line: a table and five files that load back to the same numbers, or a sentence and nothing."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim import __main__ as cli
from sim.engine.loop import Run
from sim.measure import estimates, metrics
from sim.model.scenario import build
from sim.report import answer_text, odd, plausible, result
from sim.study import store
from sim.study.answer import answer
from sim.study.presets import compose, forced, scenario, scenario_and_shares
from tests.runs import run_of

ROOT = Path(__file__).parents[2]
SMALL = ["people=500", "weeks=26", "burn_in=13"]
HERE = ["hydra.run.dir=out"]


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Call `python -m sim ARGUMENTS` in an empty folder: exit status, stdout, stderr."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["stickiness", *arguments])
        status = cli.main()
        return status, *capsys.readouterr()

    monkeypatch.chdir(tmp_path)
    return call


def process(*arguments, cwd, **kwargs):
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "sim", *arguments], cwd=cwd, env=env, text=True, stdout=-1, stderr=-1, **kwargs
    )


def left_in(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


# What a run leaves


def test_a_run_leaves_a_table_and_files_that_load_back_to_the_same_numbers(command, tmp_path):
    status, out, _ = command(*SMALL, *HERE)
    run = store.load("out/run.parquet")
    table, again = pd.read_parquet("out/metrics.parquet"), run.table()
    assert status == 0
    pd.testing.assert_frame_equal(table, again)
    pd.testing.assert_frame_equal(
        pd.read_csv("out/metrics.csv", keep_default_na=False, na_values=[""]).fillna({"firm": ""}), table
    )
    assert set(left_in(tmp_path)) == {f"out/{name}" for name in result.FILES}
    assert Path("out/stickiness.png").read_bytes()[:4] == b"\x89PNG"
    colgate = table.query("group == 'all' and firm == 'colgate' and metric == 'stickiness'").iloc[0]
    assert f"{colgate.value:.2f} ±{(colgate.high - colgate.low) / 2:.2f}" in out
    for words in ("colgate *", "ethical", "Dirichlet", "presence was solved", "written to out"):
        assert words in out
    ours = run_of(SMALL)  # and Python lives the same
    assert ours.scenario == run.scenario and ours.shares == run.shares
    assert all(np.array_equal(a, b) for a, b in zip(ours.tally, run.tally, strict=True))


def test_a_sweep_has_a_folder_a_value_and_a_summary(command):
    path = "segments.habitual.attention"
    status, out, _ = command("-m", *SMALL, f"{path}=0.2,0.5,1", "hydra.sweep.dir=out")
    runs = dict(store.load_all("out"))
    assert status == 0
    assert [r.scenario.segments["habitual"].attention for r in runs.values()] == [0.2, 0.5, 1.0]
    assert [p.parent.name for p in runs] == ["0", "1", "2"]
    summary = out[out.index("the sweep") :].splitlines()
    assert path in summary[1] and [line.split()[:2] for line in summary[2:5]] == [
        [v, "colgate"] for v in ("0.2", "0.5", "1")
    ]


def test_a_provider_market_with_age_groups_a_scandal_and_a_lever(command):
    story = ["market=bank", "scandal=data_breach", "lever=price_cut", "ages=three"]
    status, out, _ = command(*story, "people=500", "weeks=104", "burn_in=13", *HERE)
    assert status == 0 and "lloyds *" in out and "  middle, %" in out
    assert {"all", "segments.ethical", "cohorts.old"} <= set(pd.read_parquet("out/metrics.parquet")["group"])
    svg = Path("out/stickiness.svg").read_text(encoding="utf-8")
    assert "<svg" in svg and result.event_weeks(store.load("out/run.parquet").scenario) == {
        "data_breach (scandal)": 26,
        "price (price 0.9)": 26,
    }


# What events changed


def test_a_run_with_events_leads_with_its_answer(command, tmp_path):
    status, out, _ = command("scandal=outage", "people=2000", "weeks=52", "burn_in=13", "base=5000", *HERE)
    table = pd.read_csv("out/answer.csv")
    assert status == 0 and out.index("customers") < out.index("Toothpaste in Britain")
    assert set(left_in(tmp_path)) == {f"out/{name}" for name in (*result.FILES, *result.ANSWER_FILES)}
    pd.testing.assert_frame_equal(pd.read_parquet("out/answer.parquet"), table, check_dtype=False)
    run = store.load("out/run.parquet")
    drawn = plausible.worlds(run.scenario, None)
    same = answer(run.scenario, drawn.worlds, 5000, run.shares, source=drawn.source)
    pd.testing.assert_frame_equal(answer_text.table(same), table, check_dtype=False)
    svg = "".join(re.findall(r"<!-- (.*?) -->", Path("out/answer.svg").read_text(encoding="utf-8")))
    said = answer_text.sentence(same)
    assert said in " ".join(out.split()) and said in svg
    assert said in "".join(re.findall(r"<!-- (.*?) -->", Path("out/stickiness.svg").read_text(encoding="utf-8")))


@pytest.mark.parametrize("off", ["mechanisms.scandal=false", "scandals.a.reach=0"])
def test_where_nobody_acts_otherwise_that_is_no_proof_that_nothing_happened(off, command):
    _, out, _ = command("+scandals.a.week=3", "+scandals.a.harmed_share=0", off, *SMALL, *HERE)
    said = " ".join(out.split())
    assert re.search(
        r"Colgate: no change in customers detected after the a; between -\S*[1-9]\S* and \+\S*[1-9]\S* %", said
    )


def test_no_events_no_answer():
    assert not result.comparable(scenario(*SMALL))
    only = {"firms": {"one": {"presence": 1.0}}, "segments": {"all": {}}, "scandals": {"a": {"week": 3}}}
    assert not result.comparable(build(only)), "a customer who leaves has nowhere to go"


def test_a_run_of_few_says_what_cannot_be_told_and_keeps_the_values(command):
    status, out, _ = command("market=bank", "people=200", "weeks=52", "burn_in=13", *HERE)
    table = pd.read_csv("out/metrics.csv")
    unknown = table[table.value.notna() & table.error.isna()]
    assert (table.low.isna() == table.error.isna()).all()
    assert status == 0 and "too few to tell" in out and len(unknown) > 10
    assert "±0.00 " not in out and "in metrics.csv, or on a wider terminal" in out and "…" not in out


# The reference market


def presence(settled):
    return [f.presence for f in settled.firms.values()]


def test_a_value_on_the_command_line_moves_shares():
    """Presence is that of the reference market, so that better quality is not solved away."""
    plain, better = scenario_and_shares(SMALL), scenario_and_shares([*SMALL, "firms.colgate.quality=3"])
    assert presence(plain[0]) == presence(better[0]) and plain[1] == better[1]
    assert better[0].firms["colgate"].quality == 3

    shares = [
        metrics.share(estimates.pooled(run_of([*SMALL, *more]).tally)).sum(0)
        for more in ([], ["firms.colgate.quality=3"])
    ]
    assert shares[1][0] > 1.1 * shares[0][0]


def test_shares_of_the_reference_are_those_asked_for():
    _, shares = scenario_and_shares(["firms.colgate.share=0.35", "firms.other.share=0.04", *SMALL])
    assert shares["colgate"][0] == pytest.approx(0.35)
    assert all(abs(s.asked - s.reached) < s.error < 0.002 for s in shares.values())


def test_a_given_presence_is_kept():
    given, plain = scenario(*SMALL, "firms.colgate.presence=0.9"), scenario(*SMALL)
    assert given.firms["colgate"].presence == 0.9
    assert presence(given)[1:] == presence(plain)[1:]


def test_a_scandal_brings_its_market_and_leaves_the_reference_alone():
    small = ["people=2000", "weeks=60", "burn_in=13", "window=13"]
    shocked, calm = (scenario(overrides, *small) for overrides in ("scandal=dieselgate_us", "market=cars_us"))
    assert shocked.focus == "vw" and "dieselgate" in shocked.scandals and not calm.scandals
    assert presence(shocked) == presence(calm)


def test_a_new_firm_takes_part():
    entrant = ["+firm@firms.newcomer=premium", "firms.newcomer.share=0.04", "firms.other.share=0.1", *SMALL]
    settled, shares = scenario_and_shares(entrant)
    assert shares["newcomer"][0] == pytest.approx(0.04) and settled.firms["newcomer"].presence < 0.2


@pytest.mark.parametrize(
    ("argument", "passed_on"),
    [
        ("firms.colgate.quality=1", "++firms.colgate.quality=1"),
        ("people=10", "++people=10"),
        ("+firms.new.share=0.1", "+firms.new.share=0.1"),
        ("~firms.boots", "~firms.boots"),
        ("market=bank", "market=bank"),
        ("segment@segments.ethical=habitual", "segment@segments.ethical=habitual"),
        ("hydra.run.dir=out", "hydra.run.dir=out"),
        ("hydra/launcher=joblib", "hydra/launcher=joblib"),
        ("-m", "-m"),
    ],
)
def test_what_hydra_is_given(argument, passed_on):
    assert forced(argument) == passed_on


# What is wrong


PRESETS = {
    "duplicate": "scandals:\n  a: {firm: colgate}\n  a: {firm: gibbs}\n",
    "unclosed": "scandals: {a: {firm: colgate}\n",
    "dangling": 'scandals: {a: {firm: "${nowhere}"}}\n',
}
OWN = ["--config-dir", "presets"]
WRONG = {
    "firms.colgate.qualty=1": "firms.colgate.qualty: unknown; did you mean quality?",
    "firms.colgat.quality=1": "firms.colgat: unknown; did you mean colgate?",
    "firms.colgate.touchpoints.sho.use=1": "firms.colgate.touchpoints.sho: unknown; did you mean shop?",
    "peple=10": "peple: unknown; did you mean people?",
    "scandall=outage": "scandall: unknown; did you mean scandal?",
    "people=many": "people: 'many' is not a number",
    "people=10.5": "people: 10.5 is not a whole number",
    "firms.colgate.quality=nan": "firms.colgate.quality: nan is not a finite number",
    "market.memory_rate=2": "market.memory_rate: 2 is outside 0 to 1",
    "weeks=0 people=-3": "2 things are wrong:\n  people: -3 is outside",
    "firms.colgate=3": "firms.colgate: 3 is not a set of named values",
    "market.regime=provder": "market.regime: 'provder' is not known; did you mean provider?",
    "market=toothpaste": "market: 'toothpaste' is no preset; did you mean toothpaste_uk?",
    "scandal=dieselgat_us": "scandal: 'dieselgat_us' is no preset; did you mean dieselgate_us?",
    "segment=ethical": "Did you mean to override one of segment@segments.ethical",
    "people=[1": "people=[1: cannot be read as NAME=VALUE",
    "people": "'people': not a setting; write NAME=VALUE",
    "~firms.nobody": "'firms.nobody' does not exist",
    "hydra.nonsense=1": "'hydra.nonsense'",
    "scandal=outage scandals.outage.week=500": "scandals.outage.week: 500 is beyond the last week (103)",
    "focus=colgat": "focus: 'colgat' is no firm; did you mean colgate?",
    "network.kind=file network.edges=nowhere.csv people=50": "network.edges: cannot read nowhere.csv",
    "hydra.run.dir=a_file/below": "a_file/below: Not a directory",
    "-m hydra.sweep.dir=a_file/below seed=1,2 people=50": "a_file/below: Not a directory",
    "-m segments.habitual.attention=0.2,70 market=bank,bnk": "market: 'bnk' is no preset; did you mean bank?",
    "-m segments.habitual.attention=0.2,70 seed=1,-1": "2 things are wrong:\n  segments.habitual.attention: 70",
    "panel=nowhere.csv": "nowhere.csv",
    "panel=nowhere.csv people=10": "people=10: a panel is measured as it is",
    "panel=a_file": "a_file",
    "fields nonsense": "fields: no path contains nonsense",
    "--config-dir nowhere": "nowhere' not found",
    "--config-dir presets scandal=duplicate": "duplicate.yaml, line 4: found duplicate key a",
    "--config-dir presets scandal=unclosed": "unclosed.yaml, line 3: expected ',' or '}'",
    "--config-dir presets scandal=dangling": "scandals.a.firm: Interpolation key 'nowhere' not found",
    "-m --config-dir presets scandal=dangling seed=1,2": "scandals.a.firm: Interpolation key 'nowhere' not found",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_what_is_wrong_is_said_in_a_sentence_and_nothing_is_left(arguments, command, tmp_path):
    (tmp_path / "a_file").touch()
    (tmp_path / "presets" / "scandal").mkdir(parents=True)
    for name, text in PRESETS.items():
        (tmp_path / "presets" / "scandal" / f"{name}.yaml").write_text(f"# @package _global_\n{text}", encoding="utf-8")
    before = left_in(tmp_path)
    status, out, err = command(*arguments.split())
    assert status == 2 and not out
    assert WRONG[arguments] in err
    assert "Traceback" not in err and "HYDRA_FULL_ERROR" not in err and len(err.splitlines()) < 5
    assert left_in(tmp_path) == before and not list(tmp_path.glob("o*"))


def test_a_disk_that_fills_up_leaves_nothing_of_the_run_and_all_of_the_rest(command, monkeypatch, tmp_path):
    def full(frame, path, metadata=None):
        raise OSError(28, "No space left on device", str(path))

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    monkeypatch.setattr(store, "write_table", full)
    status, _, err = command(*SMALL, *HERE)
    assert status == 2 and "metrics.parquet: No space left on device" in err
    assert left_in(tmp_path) == ["out/mine.txt"]


def test_an_error_of_ours_is_seen_in_full(command, monkeypatch, tmp_path):
    monkeypatch.setattr(Run, "table", lambda run: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        command(*SMALL, *HERE)
    assert left_in(tmp_path) == []


# A whole process


def test_an_interrupt_leaves_nothing(tmp_path):
    """Ctrl-C in the middle: status 130, a word, no traceback."""
    process(*SMALL, cwd=tmp_path / "..").wait(120)  # compiling is not interrupted at every moment
    running = process("people=1000000", "weeks=2000", cwd=tmp_path, preexec_fn=_interruptible)
    while "simulating" not in running.stderr.readline():
        assert running.poll() is None
    time.sleep(6)  # past its imports, where Python may swallow an interrupt
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert err == "stopped; the unfinished run was not written\n"
    assert left_in(tmp_path) == []


def _interruptible():
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_run_and_an_error_in_a_process_of_their_own(tmp_path):
    good, bad = process(*SMALL, cwd=tmp_path), process("weeks=0", cwd=tmp_path)
    out, err = good.communicate(timeout=120)
    assert good.returncode == 0, err
    assert "written to outputs" in out
    assert err.splitlines()[-1] == "simulating 26 weeks of 500 people ..."
    assert bad.communicate(timeout=60) == ("", "weeks: 0 is outside 1 to 5200 weeks\n") and bad.returncode == 2


def test_help_is_quick_and_lists_every_preset(tmp_path):
    started = time.perf_counter()
    out, _ = process("--help", cwd=tmp_path).communicate(timeout=60)
    assert time.perf_counter() - started < 2
    assert {"dieselgate_us", "toothpaste_uk", "segment@segments.NAME", "three"} <= set(out.split())


# The words


def test_fields_are_every_declared_number(command):
    status, out, _ = command("fields", "attention")
    assert status == 0 and "segments.NAME.attention" in out and "0 to 10" in out and "#16-22" in out
    paths = [path for path, _ in odd.vocabulary()]
    assert len(paths) == len(set(paths)) > 120
    assert {"firms.NAME.touchpoints.NAME.failure_rate", "moves.NAME.lever", "mechanisms.habit", "seed"} <= set(paths)


def test_the_composed_config_can_be_shown(command):
    status, out, _ = command("--cfg", "job", "--package", "firms.colgate", "firms.colgate.price=1.5")
    assert status == 0 and "price: 1.5" in out


def test_compose_gives_plain_values_and_the_choices():
    config, choices = compose(["scandal=dieselgate_us"])
    assert choices["market"] == "cars_us" and type(config["firms"]) is dict and "hydra" not in config


def test_a_sample_is_a_panel_that_can_be_measured(command, tmp_path):
    status, out, _ = command("sample", "mine.csv", "market=toothpaste_uk")
    assert status == 0 and "mine.csv" in out
    status, out, _ = command("panel=mine.csv")
    assert status == 0 and "colgate" in out
    assert {"mine.csv"} < set(left_in(tmp_path)) and any(n.endswith("metrics.csv") for n in left_in(tmp_path))
