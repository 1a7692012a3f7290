"""The words of the command line: flags anywhere, as in Hydra itself, and values that were forgotten."""

import os
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from sim import panel
from sim.model import scenario
from sim.model.declare import ScenarioError
from sim.report.flags import ordered
from tests.report.test_folders import SMALL

WORDS = SMALL[2:]


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        ("seed=1,2 people=300 -m", "seed=1,2 people=300 -m"),
        ("-m seed=1,2 people=300", "seed=1,2 people=300 -m"),
        ("seed=1,2 -m people=300 --multirun", "seed=1,2 people=300 -m --multirun"),
        ("people=300 --cfg job", "people=300 --cfg job"),
        ("--cfg=job people=300", "people=300 --cfg job"),
        ("-c job people=300 -p firms", "people=300 -c job -p firms"),
        ("people=300 -m hydra/launcher=basic ~lever", "people=300 hydra/launcher=basic ~lever -m"),
        ("--config-dir a=b people=300 -cd people", "people=300 --config-dir a=b -cd people"),
        ("seed=1 --multi --config-d here", "seed=1 --multirun --config-dir here"),
        ("--info people=300", "people=300 --info"),
        ("--info searchpath people=300", "people=300 --info searchpath"),
    ],
)
def test_flags_may_stand_anywhere(given, passed_on):
    assert ordered(given.split()) == passed_on.split()


LINES = {
    "seed=1,2 {} -m": 2,
    "{} --multirun seed=1,2": 2,
    "seed=1,2 -m hydra/launcher=basic {}": 2,
    "{} hydra.mode=MULTIRUN seed=1,2": 2,
    "{} seed=3 --run": 0,
    "{} -m seed=range(1,4)": 3,
}


@pytest.mark.parametrize("line", LINES)
def test_a_sweep_wherever_its_flag_stands(line, command):
    folders = ["hydra.sweep.dir=out", "hydra.run.dir=out"]
    status, _, err = command(*line.format(" ".join(WORDS)).split(), *folders, "--config-dir", "p")
    assert status == 0, err
    assert {n for n in os.listdir("out") if n.isdecimal()} == {str(n) for n in range(LINES[line])}


@pytest.mark.parametrize("line", ["people=300 --cfg job", "--cfg job people=300", "-m people=300 --cfg job"])
def test_the_composed_config_is_shown_wherever_the_flag_stands(line, command):
    status, out, err = command(*line.split())
    if "-m" in line:
        assert (status, out, err) == (2, "", "--multirun and --cfg exclude each other; give one of them\n")
    else:
        assert status == 0 and "\npeople: 300\n" in out


WRONG = {
    "people=300 --multirum": "--multirum: no such flag; did you mean --multirun?",
    "--cfg jobs": "--cfg: 'jobs' is none of job, hydra, all",
    "people=300 --config-dir": "--config-dir: a value is missing",
    "people=300 --resolve": "--resolve: goes with --cfg only",
    "people=300 -m=3": "-m=3: -m takes no value",
    "-m 5 people": "'5': not a setting",
    # several values
    "segments.habitual.attention=0.2,0.5": "attention=0.2,0.5: several values are a run for each, with -m",
    "market=bank,cars_us": "with -m",
    "seed=range(1,5)": "with -m",
    "people=choice(10,20)": "with -m",
    "sample x.csv seed=1,2": "with -m",
    "scandal=data_breach,null market=bank": "with -m",
    # values that were forgotten
    "panel=": "panel: no file is given (an unset variable?)",
    "+panel=": "panel: no file is given",
    "panel= people=50": "people=50: a panel is measured as it is",
    "market=": "market: no value is given (an unset variable?)",
    "scandal=": "scandal: no value is given",
    "people=": "people: no value is given",
    "firms.colgate.price=": "firms.colgate.price: no value is given",
    "hydra.run.dir=": "hydra.run.dir: no value is given",
    "-m seed=1,2 ages=": "ages: no value is given",
    "people= seed= market=bank": "2 things are wrong:\n  people: no value is given",
    "sample x.csv market=": "market: no value is given",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_sentence_and_no_file(line, command):
    status, out, err = command(*line.split())
    assert (status, out) == (2, "") and WRONG[line] in err and "Traceback" not in err and len(err) < 400, err
    assert os.listdir() == ["p"]


def test_a_name_in_blanks_is_no_name(command):
    for words in (["panel= "], ["sample", " "], ["sample", ""], ["odd", ""]):
        status, out, err = command(*words)
        assert (status, out) == (2, "") and len(err.splitlines()) == 1
    assert os.listdir() == ["p"]


def test_what_hydra_itself_refuses_has_the_status_of_a_mistake(command):
    with pytest.raises(SystemExit) as end:
        command("people=300", "--package", "nowhere", "--cfg", "job")
    assert end.value.code == 2


# A complaint that crosses processes


def complain(kind):
    raise kind(["a.b: 1 is wrong", "c: 2 is wrong"])


@pytest.mark.parametrize("kind", [ScenarioError, panel.PanelError])
def test_a_complaint_reads_the_same_in_another_process(kind):
    here = kind(["a.b: 1 is wrong", "c: 2 is wrong"])
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        there = pool.submit(complain, kind).exception()
    for error in (there, pickle.loads(pickle.dumps(here))):
        assert type(error) is kind and str(error) == str(here) and error.complaints == here.complaints


def test_a_complaint_of_a_scenario_does_too():
    with pytest.raises(ScenarioError) as found:
        scenario.build({"people": -1, "seed": -1})
    again = pickle.loads(pickle.dumps(found.value))
    assert again.complaints == found.value.complaints and len(again.complaints) > 1
