"""Designs: which arms there are, and everything that is wrong with a study before its first run."""

import numpy as np
import pandas as pd
import pytest

from sim import study
from sim.model.declare import ScenarioError
from sim.model.fields import Firm, Scenario
from sim.model.scenario import change, to_dict
from sim.study import work
from sim.study.designs import differences
from tests.markets import market

PRICE, QUALITY = "firms.f0.price", "firms.f0.quality"


@pytest.fixture(scope="module")
def base():
    return market({"people": 300, "weeks": 13})


@pytest.fixture
def no_runs(monkeypatch):
    monkeypatch.setattr(work, "simulate", lambda *a, **k: pytest.fail("simulated"))


def cells(design):
    return [arm.cells for arm in design.arms]


def test_a_latin_hypercube_is_even_in_each_axis_and_the_same_for_one_seed():
    ranges = {PRICE: (0.8, 1.2), QUALITY: (-1, 1)}
    design = study.latin_hypercube(ranges, 20, seed=3)
    points = np.array(cells(design))
    for column, (low, high) in zip(points.T, ranges.values(), strict=True):
        assert sorted(np.floor((column - low) / (high - low) * 20).astype(int)) == list(range(20))
    assert cells(study.latin_hypercube(ranges, 20, seed=3)) == cells(design) != cells(study.latin_hypercube(ranges, 20))


def test_sobol_points_fill_every_quarter_evenly():
    points = np.array(cells(study.sobol({PRICE: (0, 1), QUALITY: (0, 1)}, 16)))
    assert np.histogram2d(*points.T, bins=2, range=[[0, 1], [0, 1]])[0].tolist() == [[4, 4], [4, 4]]
    with pytest.raises(ScenarioError, match="points: 20 is no power of 2, which a Sobol sequence needs; 16 or 32"):
        study.sobol({PRICE: (0, 1)}, 20)


def test_whole_numbers_of_a_spread_design_are_whole(base):
    table = study.run(base, study.latin_hypercube({"people": (100, 200), PRICE: (0.9, 1.1)}, 3), quiet=True)
    assert table["people"].dtype == int and table[PRICE].dtype == float and not table.error.any()


def test_zipped_axes_go_together(base):
    table = study.run(base, study.zipped({PRICE: [0.9, 1.1], QUALITY: [1.0, 1.0]}), replications=1, quiet=True)
    assert table[[PRICE, QUALITY]].to_numpy().tolist() == [[0.9, 1.0], [1.1, 1.0]]
    with pytest.raises(ScenarioError, match=r"zipped: .* there are firms.f0.price 2, firms.f0.quality 1"):
        study.zipped({PRICE: [0.9, 1.1], QUALITY: [1.0]})


def test_a_frame_a_csv_file_and_a_list_of_changes_are_the_same_design(base, tmp_path):
    rows = [{PRICE: 0.9, "scandals.x": {"week": 3, "firm": "f1"}}, {PRICE: 1.1, "scandals.x": {"week": 4}}]
    frame = pd.DataFrame(rows)
    frame.assign(**{"scandals.x": ['{"week": 3, "firm": "f1"}', '{"week": 4}']}).to_csv(tmp_path / "d.csv", index=False)
    tables = [study.run(base, d, replications=1, quiet=True) for d in (rows, frame, str(tmp_path / "d.csv"))]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    pd.testing.assert_frame_equal(tables[0], tables[2])
    assert not tables[0].error.any() and tables[0]["scandals.x"].nunique() == 2


def test_scenarios_by_name_are_changes_or_whole_scenarios(base):
    better = change(base, {QUALITY: 1.0})
    table = study.run(base, {"today": {}, "better": {QUALITY: 1.0}, "same": better}, replications=1, quiet=True)
    assert table.scenario.tolist() == ["today", "better", "same"]
    assert table["share.f0"][0] < table["share.f0"][1] == table["share.f0"][2]
    other = change(base, {"firms": dict(reversed(to_dict(base)["firms"].items())), "segments.b": {}})
    assert change(base, differences(base, other)) == other and list(change(base, differences(base, other)).firms) == [
        *other.firms
    ]


def test_designs_are_added(base):
    both = study.grid({PRICE: [1.0], QUALITY: [0.0, 1.0]}) + study.grid({QUALITY: [1.0, 2.0], PRICE: [1.0]})
    assert cells(both) == [(1.0, 0.0), (1.0, 1.0), (1.0, 2.0)] and repr(both).startswith("<Design of 3 arms by")
    with pytest.raises(ScenarioError, match="designs: one is by"):
        both + study.grid({PRICE: [1.0]})


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("people", np.array([300, 200])),
        ("people", np.array([300, 200], np.uint16)),
        (QUALITY, np.linspace(0, 1, 2)),
        (QUALITY, np.array([0, 0.5], np.float32)),
        ("mechanisms.habit", np.array([True, False])),
        ("market.regime", np.array(["repertoire", "provider"])),
        ("seed", (np.int32(n) for n in (1, 2))),
        ("scandals.x", [{"week": np.int64(3)}, {"week": np.int64(4), "severity": np.float64(2)}]),
        ("firms.f9", [Firm(presence=0.1), Firm(presence=0.2)]),
    ],
)
def test_values_of_numpy_and_dataclasses_are_values(base, tmp_path, path, values):
    values = list(values)
    found = study.run(base, {path: iter(values)}, folder=tmp_path, replications=2, quiet=True)
    assert not found.error.any() and found.shape[0] == 4 and found[path].nunique() == 2
    assert not {type(v) for v in found[path].tolist()} - {int, float, bool, str}
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "study.parquet"), found)
    apart = study.paired(found, path, values[0], "share.f0")
    assert len(apart) == 1 and np.isfinite(apart.difference).all() and apart.failed.item() == 0


def test_a_column_of_words_and_numbers_can_be_kept(base, tmp_path):
    base = change(base, {"scandals.x": {"week": 5}})
    found = study.run(base, {"scandals.x": [None, {"week": 3}]}, folder=tmp_path, replications=1, quiet=True)
    assert found["scandals.x"].tolist() == ["null", '{"week": 3}']


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"firms.f00.quality": [0, 1]}, "firms.f00.quality: unknown; did you mean f0?"),
        ({"firms.f00": [{"quality": 0}]}, "firms.f00: unknown; did you mean f0?"),
        ({"consumer.rat": [1, 2]}, "consumer.rat: unknown; did you mean rate?"),
        ({"people": [-1, 0, 5]}, "people: -1 is outside 1 to .*\npeople: 0 is outside"),
        ({"window": [13], "weeks": [5]}, r"window: 13 is longer than weeks \(5\)"),
        ({"market.regime": "provider"}, "market.regime: 'provider' is not a row of values"),
        ({"people": 300}, "people: 300 is not a row of values"),
        ({"people": []}, "people: no values"),
        ({"people": [300, 300.0]}, "people: 300.0 stands there twice"),
        ({"replications": [1, 2]}, "replications: no axis"),
        ({"people": 3, "seed": [], "weeks": "1"}, "people: (.|\n)*seed: (.|\n)*weeks: "),
        ([{PRICE: 1.0, QUALITY: 0}, {PRICE: 1.1}], "row 2: firms.f0.quality has no value; each arm says all"),
        ([{PRICE: 1.0}, {PRICE: 1.1, QUALITY: 0}], "row 1: firms.f0.quality has no value"),
        (pd.DataFrame({PRICE: [1.0, np.nan]}), "row 2: firms.f0.price has no value"),
        ([], "design: no rows"),
        ("nowhere.csv", "nowhere.csv: cannot be read as CSV"),
        ([("a", {}), ("a", {})], "scenarios: 'a' stands there twice"),
        (3, "design: 3 is none"),
        (pd.DataFrame({PRICE: [1.0, 2.0, 1.0, 2.0]}), r"row 3: is row 1 again \(and 1 more are twice\)"),
        (pd.DataFrame([[1.0, 2.0]], columns=[PRICE, PRICE]), "firms.f0.price: is a column twice"),
        ({QUALITY: {0.0, 1.0}}, r"firms.f0.quality: {0.0, 1.0} is not a row of values in an order"),
        ([Scenario()], "scenarios: number 1 has no name; give them as {name: changes or Scenario}"),
    ],
)
def test_designs_that_make_no_study_are_said_before_the_first_run(base, no_runs, tmp_path, asked, sentence):
    with pytest.raises(ScenarioError, match=sentence):
        study.run(base, asked, folder=tmp_path, quiet=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"{PRICE},{PRICE}\n1,2\n", "firms.f0.price: is a column twice"),
        (f"{PRICE};{QUALITY}\n1;2\n", "its columns are parted by semicolons; commas are wanted"),
        (f",{PRICE}\n0,1\n", "column 1 has no name"),
        ("", "cannot be read as CSV: No columns"),
    ],
)
def test_csv_files_that_are_no_design(base, no_runs, tmp_path, text, sentence):
    (tmp_path / "design.csv").write_text(text)
    with pytest.raises(ScenarioError, match=sentence):
        study.run(base, tmp_path / "design.csv", quiet=True)


@pytest.mark.parametrize("many", [0, 1.5, "3", True])
def test_replications_that_are_none_and_words_of_keep_are_said_together(base, no_runs, many):
    with pytest.raises(ScenarioError) as error:
        study.run(base, {PRICE: [1.0]}, replications=many, keep="all", metrics=["shre"], quiet=True)
    assert [text.partition(":")[0] for text in error.value.complaints] == ["replications", "keep", "metrics"]
    with pytest.raises(ScenarioError, match=r"is no Scenario; sim.build makes one"):
        study.run({"people": 300}, {PRICE: [1.0]})


def test_one_metric_and_one_group_may_be_words_and_numbers_may_be_numpys(base):
    ours = study.run(base, {PRICE: [1.0]}, metrics="share", groups="all", replications=np.int64(1), quiet=True)
    theirs = study.run(base, {PRICE: [1.0]}, metrics=["share"], groups=["all"], replications=1, quiet=True)
    assert ours.equals(theirs) and "share.f0" in ours
    assert len(study.sobol({PRICE: (0.9, 1.1)}, np.int64(4)).arms) == 4


def test_everything_wrong_with_a_study_is_said_at_once(base, no_runs, tmp_path):
    with pytest.raises(ScenarioError) as error:
        study.run(
            base,
            {PRICE: [1.0, -1.0], "firms.nobody.price": [1.0], "people": range(1, 11)},
            metrics=["shre", "stickiness", "stickiness"],
            groups=["segments.al"],
            keep="weekly",
            replications=100_000,
            workers=0,
            folder=tmp_path,
        )
    said = "\n".join(error.value.complaints)
    for words in (
        "20 arms x 100,000 replications are 2,000,000 runs; say yes=True",
        "workers: 0",
        "firms.f0.price: -1.0 is outside",
        "firms.nobody.price: unknown",
        "metrics: 'shre' is none; did you mean share?",
        "metrics: 'stickiness' needs a whole window",
        "metrics: 'stickiness' stands there twice",
        "groups: 'segments.al' is none",
    ):
        assert words in said
    assert not list(tmp_path.iterdir())
    with pytest.raises(ScenarioError, match="window: varied, and a column of what is kept"):
        study.run(base, {"window": [13]}, keep="windows")


def test_old_names_say_the_new_one():
    with pytest.raises(AttributeError, match=r"study.sweep is gone; it is study.run now"):
        _ = study.sweep
