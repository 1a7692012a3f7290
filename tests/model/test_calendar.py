"""A calendar says what the same moves by hand say, to the bit, and everything that is wrong with a file is said."""

import numpy as np
import pandas as pd
import pytest

from sim import study
from sim.engine.loop import simulate
from sim.model.declare import ScenarioError
from sim.model.levers import levers_at
from sim.model.scenario import change
from sim.model.timeline import make_world
from sim.study.store import load, save
from sim.study.twins import twins
from tests.engine.test_same_bits import WORLDS, digest
from tests.markets import market

STEPS = [  # week, firm, lever, value
    (0, "f0", "price", 1.2),
    (4, "f0", "price", 0.85),
    (4, "f0", "feature", 1.0),
    (6, "f0", "price", 1.2),
    (6, "f0", "feature", 0.0),
    (3, "f4", "display", 0.5),
    (9, "f4", "price", 1.4),
]
BASE = {"moves": {}, "consumer.feature_weight": 0.7, "consumer.display_weight": 0.5, "consumer.attention": 0.6}


def written(path, frame):
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    return str(path)


def sparse():
    """A row where something changes."""
    rows = pd.DataFrame(STEPS, columns=["week", "firm", "lever", "value"])
    return rows.pivot(index=["week", "firm"], columns="lever", values="value").reset_index()


@pytest.mark.parametrize("world", WORLDS)
def test_it_is_the_same_moves_by_hand_to_the_bit(world, tmp_path):
    base = market({**WORLDS[world], **BASE})
    moves = {f"m{n}": {"week": w, "firm": f, "lever": c, "value": v} for n, (w, f, c, v) in enumerate(STEPS)}
    by_hand = digest(simulate(change(base, {"moves": moves})).tally)
    whole = sparse().set_index(["week", "firm"]).unstack().reindex(range(base.weeks)).ffill().stack(future_stack=True)
    forms = {"a.csv": sparse(), "b.parquet": sparse(), "c.csv": sparse()[::-1], "d.csv": whole.reset_index()}
    for name, frame in forms.items():
        scenario = change(base, {"calendar": written(tmp_path / name, frame)})
        assert digest(simulate(scenario).tally) == by_hand, name
    assert by_hand != digest(simulate(base).tally)


def test_moves_win_over_it_and_the_burn_in_is_before_it(tmp_path):
    scenario = market({**BASE, "firms.f0.price": 1.1, "calendar": written(tmp_path / "c.csv", sparse())})
    scenario = change(scenario, {"moves.own": {"firm": "f0", "value": 2.0, "week": 5, "weeks": 3}})
    prices = [levers_at(scenario, week)["f0"].price for week in range(-1, 10)]
    assert prices == [1.1, *[1.2] * 4, 0.85, *[2.0] * 3, 1.2, 1.2]
    assert make_world(scenario).firms["feature"][:, 0].tolist()[:9] == [0, 0, 0, 0, 0, 1, 1, 0, 0]


def test_a_run_may_end_before_its_calendar(tmp_path):
    path = written(tmp_path / "c.csv", sparse())
    whole, short = (market({**BASE, "weeks": 6 + n, "window": 3, "calendar": path}) for n in (4, 0))
    assert [levers_at(short, w) for w in range(6)] == [levers_at(whole, w) for w in range(6)]
    assert simulate(short).tally.people.sum() > 0


def test_prices_can_be_on_top_of_the_firms_own(tmp_path):
    own = market(BASE).firms["f0"].price
    added = (
        sparse().assign(price=lambda f: f.price - own).rename(columns={"price": "price_change"}).query("firm == 'f0'")
    )
    scenario = market({**BASE, "calendar": written(tmp_path / "added.csv", added)})
    for price in (own, own + 0.25):
        dearer = change(scenario, {"firms.f0.price": price})
        prices = [levers_at(dearer, week)["f0"].price - price for week in (-1, 0, 4, 6)]
        assert prices == pytest.approx([0, 1.2 - own, 0.85 - own, 1.2 - own])
    with pytest.raises(ScenarioError, match=r"firms\.f0\.price 0\.1 and price_change -0\.15 are outside 0 to 10"):
        change(scenario, {"firms.f0.price": 0.1})


def test_a_lever_that_the_calendar_hides_is_refused(tmp_path):
    scenario = market({**BASE, "calendar": written(tmp_path / "c.csv", sparse())})
    with pytest.raises(
        ScenarioError, match=r"firms\.f0\.price: has no effect from week 0 on, as the calendar .* a move"
    ):
        change(scenario, {"firms.f0.price": 0.9})
    assert change(scenario, {"firms.f4.feature": 0.9, "firms.f1.price": 0.9}).firms["f1"].price == 0.9


def test_everything_wrong_with_a_file_is_said_at_once(tmp_path):
    frame = pd.DataFrame(
        [
            *[(0, "f0", 1.0, 0), (0, "f0", 1.1, 0), (5200, "f1", 1.0, 0), (-1, "f1", 1.0, 0), (2, "g1", 1.0, 0)],
            *[(3, "f2", -0.5, 0), (4, "f2", 1.0, 1.5), (4.5, "f3", 1.0, 0)],
        ],
        columns=["week", "firm", "price", "feature"],
    )
    path = written(tmp_path / "c.csv", frame)
    with pytest.raises(ScenarioError) as caught:
        market({"calendar": path, "people": 0})
    assert [c.replace(f"calendar: {path}: ", "") for c in caught.value.complaints] == [
        "people: 0 is outside 1 to 2.14748e+09 people",
        "row 2: f0 in week 0 is there already",
        "row 3: week 5200 is outside 0 to 5199",
        "row 4: week -1 is outside 0 to 5199",
        "row 5: 'g1' is no firm; known: f0, f1, f2, f3, f4, f5",
        "row 6: price -0.5 is outside 0 to 10",
        "row 7: feature 1.5 is outside 0 to 1",
        "row 8: week 4.5 is outside 0 to 5199",
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("week,firm\n0,f0\n", "columns: none of price, feature, display, price_change"),
        ("week,firm,price,price_change\n0,f0,1,0\n", "columns: price and price_change; give one of them"),
        ("week,brand,price\n0,f0,1\n", "column firm: missing"),
        ("week,firm,prise\n0,f0,1\n", "column prise: unknown; did you mean price?"),
        ("week,firm,price\nmon,f0,1\n", "column week: not all are numbers"),
        ("week,firm,price,price\n0,f0,1,1\n", "column price is there twice"),
        ("", "cannot read"),
        (None, "cannot read {}: No such file or directory"),
    ],
)
def test_a_file_that_is_none(content, says, tmp_path):
    path = tmp_path / "c.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ScenarioError) as caught:
        market({"calendar": str(path)})
    assert says.format(path) in str(caught.value)


def test_of_very_many_wrong_rows_the_first_are_said(tmp_path):
    frame = pd.DataFrame({"week": range(30), "firm": "f0", "price": -1.0})
    with pytest.raises(ScenarioError) as caught:
        market({"calendar": written(tmp_path / "c.csv", frame)})
    assert len(caught.value.complaints) == 21 and caught.value.complaints[-1].endswith("and 10 more")


def test_a_stored_run_says_which_file_it_had_and_no_other_is_taken(tmp_path):
    scenario = market({**BASE, "people": 200, "calendar": written(tmp_path / "c.csv", sparse())})
    path = save(simulate(scenario), tmp_path / "run.parquet")
    kept = load(path).scenario
    assert len(kept.calendar_sha256) == 64 and kept == scenario
    changed = sparse().assign(price=lambda f: f.price * 1.1)
    written(tmp_path / "c.csv", changed)
    assert change(kept, {"calendar": kept.calendar}).calendar_sha256 != kept.calendar_sha256  # asked for anew
    study_of_old = change(kept, {"people": 201})
    assert digest(simulate(kept).tally) == digest(load(path).tally)  # still in memory
    from sim.model import calendar, tables

    tables._kept.clear()
    calendar._steps.cache_clear()
    assert load(path).scenario == kept, "a run can be read without its file"
    for scenario in (kept, study_of_old):
        with pytest.raises(
            ScenarioError, match=r"^calendar: .*c\.csv is not the file that this scenario was made with"
        ):
            simulate(scenario)


def test_sweeps_and_twins_take_the_new_numbers(tmp_path):
    base = market({**BASE, "people": 400, "weeks": 26, "firms.f1.feature": 1.0, "firms.f0.price": 1.3})
    table = study.run(base, {"market.price_weight_sd": [0.0, 0.8], "consumer.feature_weight": [0.0, 1.0]}, quiet=True)
    shares = table[[c for c in table.columns if c.startswith("share")]]
    assert len(table) == 4 and len(shares.drop_duplicates()) == 4
    other = written(tmp_path / "c.csv", pd.DataFrame({"week": [0], "firm": ["f1"], "price": [2.0]}))
    both = twins(base, {"calendar": other})
    from sim.measure import metrics

    value, error = both.difference(metrics.share)
    assert value[1] < -3 * error[1] < 0
    assert np.isfinite(twins(base, {"market.price_weight_sd": 0.8}).difference(metrics.share).value).all()
