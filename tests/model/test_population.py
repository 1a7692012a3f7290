"""People to start from: which draw and person each is, what is given and what is drawn, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from sim.engine.loop import initialize, simulate
from sim.model.declare import ScenarioError
from sim.model.scenario import change
from sim.model.state import STEP
from tests.engine.test_same_bits import digest
from tests.markets import market

TASTES = [f"taste.f{j}" for j in range(6)]


def frame(persons=5, draws=1):
    rng = np.random.default_rng(7)
    found = pd.DataFrame({"draw": np.repeat(range(draws), persons), "person": np.tile(range(persons), draws)})
    for name in TASTES:
        found[name] = rng.normal(size=len(found))
    return found


def starting(tmp_path, table, changes=None, replication=0):
    """The people of a market before their first week."""
    table.to_parquet(tmp_path / "people.parquet")
    changes = {"people": 10, "market.taste_law": "normal", **(changes or {})}
    scenario = market({**changes, "population": str(tmp_path / "people.parquet")})
    return initialize(scenario, replication)[0].people


def own_tastes(people, scenario=None):
    presence = np.array([0.3, 0.25, 0.2, 0.15, 0.07, 0.03])
    return people.bonds["taste"] - np.log(presence / presence.sum())


def test_replication_r_has_draw_r_and_more_people_begin_anew(tmp_path):
    table = frame(5, 3)
    for r in range(7):
        tastes = own_tastes(starting(tmp_path, table, replication=r))
        own = table[table.draw == r % 3][TASTES].to_numpy()
        np.testing.assert_allclose(tastes, np.concatenate([own, own]), atol=1e-5)


def test_fewer_people_are_taken_in_equal_steps(tmp_path):
    table = frame(50)
    tastes = own_tastes(starting(tmp_path, table))
    np.testing.assert_allclose(tastes, table[TASTES].to_numpy()[::5], atol=1e-5)


def test_the_order_of_rows_does_not_matter(tmp_path):
    table = frame(5, 3)
    one, other = (
        starting(tmp_path, table, replication=1),
        starting(tmp_path, table.sample(frac=1, random_state=1), None, 1),
    )
    assert digest(one) == digest(other)


def test_people_who_begin_anew_have_the_same_tastes_and_other_dice(tmp_path):
    frame(5).to_parquet(tmp_path / "people.parquet")
    changes = {"people": 10, "market.taste_law": "normal", "consumer.rate": 3.0}
    run = simulate(market({**changes, "population": str(tmp_path / "people.parquet")}), keep_people=True)
    memory = run.people[0].bonds["memory"]
    assert (memory[:5] != memory[5:]).any(axis=1).all()


def test_what_is_given_is_the_state_at_week_0_and_the_rest_is_drawn(tmp_path):
    table = frame(5).assign(
        **{
            "price_weight": [0.5, 1, 2, np.nan, 4],
            "rate": [1.0, 2, 3, 4, np.nan],
            "last": ["f3", "f0", "", "f5", "f1"],
        },
        **{"habit.f1": [0.0, 0.2, 0.4, np.nan, 1.0], "uses.f2": [0, 1, 2, 50, np.nan], "familiarity.f3": 0.0},
        **{"segment": ["all", "other", "all", "other", ""], "cohort": ["old", "young", "old", "old", "young"]},
    )
    more = {"segments.other": {}, "cohorts": {"young": {"rate": 2.0}, "old": {}}, "burn_in": 0, "consumer.rate": 0.5}
    people = starting(tmp_path, table, more)
    drawn = starting(tmp_path, table[["draw", "person", *TASTES]], {**more, "market.price_weight_sd": 0.3})
    assert people.price_factor[:3].tolist() == [0.5, 1, 2] and people.price_factor[4] == 4
    assert people.price_factor[3] == 1  # no price weights of one's own but those given
    assert people.cell[:4].tolist() == [1, 2, 1, 3] and people.cell[4] == drawn.cell[4]
    assert people.rate[:4].tolist() == [0.5, 2 * 0.5 * 2.0, 1.5, 2.0]
    assert (
        people.one["last"][[0, 1, 3, 4]].tolist() == [3, 0, 5, 1] and (people.one["home"] == people.one["last"]).all()
    )
    np.testing.assert_allclose(people.bonds["habit"][[0, 1, 2, 4], 1], [0.0, 0.2, 0.4, 1.0])
    known = people.bonds["familiarity"][:5].astype(float) * float(STEP)
    np.testing.assert_allclose(known[:4, 2], 1 - 0.9 ** np.array([0, 1, 2, 50]), atol=1e-4)
    assert people.bonds["trust"][0, 2] == np.float32(0.6) and people.bonds["memory"][0, 2] == 0  # never used
    assert known[0, 3] == pytest.approx(0.1, abs=1e-4), "the firm used last was used once at least"
    assert (known[1:5, 3] == 0).all()
    assert len(set(drawn.price_factor.tolist())) == 10


def test_a_firm_that_enters_has_tastes_as_in_any_market_and_one_that_leaves_is_forgotten(tmp_path):
    table = frame(5).assign(last="f2")
    entered = starting(tmp_path, table, {"firms.new": {"presence": 1.0}, "market.taste_sd": 0.5, "people": 1000})
    own = entered.bonds["taste"][:, 6] - np.log(0.5)
    assert abs(own.mean()) < 0.06 and own.std() == pytest.approx(0.5, rel=0.08)
    base = market({"people": 10, "population": str(tmp_path / "people.parquet")})
    left = initialize(change(base, {"firms.f2": None}))[0].people
    assert (left.one["last"] < 5).all() and left.bonds.shape == (10, 5)


def test_without_taste_or_price_nobody_differs(tmp_path):
    table = frame(5).assign(price_weight=3.0)
    people = starting(tmp_path, table, {"mechanisms.taste": False})
    np.testing.assert_allclose(own_tastes(people), 0, atol=1e-6)
    off = {"mechanisms.price": False, "firms.f0.price": 2.0}
    tallies = [
        simulate(market({"people": 200, **off, "population": str(path)})).tally
        for path in (
            tmp_path / "people.parquet",
            written(tmp_path / "plain.parquet", table.drop(columns="price_weight")),
        )
    ]
    assert digest(tallies[0]) == digest(tallies[1])


def written(path, table):
    table.to_parquet(path)
    return path


@pytest.mark.parametrize(
    ("change_of", "says"),
    [
        (lambda f: f.drop(columns=TASTES), ["columns: no taste.FIRM"]),
        (lambda f: f.rename(columns={"taste.f0": "taste.g0"}), ["column taste.g0: unknown; did you mean taste.f0?"]),
        (lambda f: f.assign(prise_weight=1.0), ["column prise_weight: unknown; did you mean price_weight?"]),
        (lambda f: f.assign(price_weight=-1.0), ["column price_weight, row 1: -1 is outside 0 to 1e+06 (and 5 more)"]),
        (lambda f: f.assign(**{"habit.f1": 1.5}), ["column habit.f1, row 1: 1.5 is outside 0 to 1"]),
        (lambda f: f.assign(last="f9"), ["column last: 'f9' is no firm"]),
        (lambda f: f.assign(last=1), ["column last: not text"]),
        (lambda f: f.assign(**{"taste.f0": "x"}), ["column taste.f0: not all numbers"]),
        (lambda f: f.assign(segment="al"), ["column segment: 'al' is no segment; did you mean all?"]),
        (lambda f: f.assign(person=0), ["4 rows are of a draw and person that are there already"]),
        (lambda f: f.iloc[:-1], ["draws of 2 to 3 persons; each must have the same number"]),
        (lambda f: f.assign(draw=0.5), ["column draw: not all are whole numbers"]),
        (lambda f: f.iloc[:0], ["no rows"]),
    ],
)
def test_what_is_no_population_is_refused(change_of, says, tmp_path):
    with pytest.raises(ScenarioError) as caught:
        starting(tmp_path, change_of(frame(3, 2)), {"people": 0})
    said = [c for c in caught.value.complaints if c.startswith("population: ")]
    assert len(caught.value.complaints) == len(said) + 1 and all(w in "\n".join(said) for w in says), said


def test_a_segment_alone_does_not_say_the_cell(tmp_path):
    with pytest.raises(ScenarioError, match="column cohort: missing; with segment it says"):
        starting(tmp_path, frame().assign(segment="all"), {"cohorts": {"young": {}, "old": {}}})
