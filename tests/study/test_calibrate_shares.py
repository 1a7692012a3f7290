"""Presence solved for stated shares: out of sample, once, with what error is left."""

import json
from dataclasses import replace

import numpy as np
import pytest

from sim import study
from sim.measure import estimates, metrics
from sim.measure.shares import Share
from sim.model.scenario import build, change
from sim.report.result import Finished
from sim.report.terminal import presence_lines
from sim.study import calibrate_shares as solver
from sim.study import presence, presence_store
from sim.study.calibrate_shares import calibrate_shares, key_of, reference_market
from sim.study.measures import Measure, measured
from sim.study.presets import compose, presets, scenario_and_shares
from sim.study.simulation import simulate
from sim.study.twins import twins
from tests.markets import market, own_values
from tests.runs import run_of

STATED = {"firms.f0.share": 0.4, "firms.f1.share": 0.2}


@pytest.fixture(autouse=True)
def few(tmp_path, monkeypatch):
    """Solved on 40,000 people, and kept where nobody else looks."""
    monkeypatch.setattr(solver, "SIZES", (40_000, 80_000))
    monkeypatch.setattr(presence_store, "folder", lambda: tmp_path / "cache" / "presence")
    monkeypatch.setattr(presence_store, "_solved", {})


def key(s):
    return key_of(reference_market(s, solver.asked_shares(s)))


def share(run, weeks=slice(None)):
    found = estimates.estimate(metrics.share, estimates.pooled(run.tally, weeks=weeks))
    return metrics.with_presence(found, list(run.scenario.firms), run.shares)


@pytest.mark.parametrize(
    "changes",
    [
        {"people": 1000, "replications": 40},
        {"people": 1000, "replications": 20, "seed": 5, "weeks": 104, "burn_in": 0},
        {"people": 20_000, "consumer.rate": 0.1, "market.taste_concentration": 1.0},
        {"people": 4000, "replications": 4, "market.regime": "provider", "consumer.attention": 0.2},
        {
            **{"people": 4000, "replications": 4, "market.taste_law": "normal", "market.price_weight_sd": 0.8},
            **{"firms.f0.price": 1.3, "firms.f1.price": 0.8, "firms.f2.feature": 1.0, "consumer.feature_weight": 0.7},
            "taste_covariance": {"f0": {"f0": 1.5, "f1": 0.8, "price_weight": -0.4}, "f1": {"f1": 1.0}},
        },
        {
            "people": 4000,
            "replications": 4,
            "market.taste_law": "normal",
            "firms.f0.price": 1.2,
            "consumer.consideration_size": 2.0,
        },
    ],
)
def test_stated_shares_are_reached_by_people_that_they_were_not_solved_on(changes):
    run = simulate(market({**STATED, **changes}))
    value, error = share(run)
    asked = [s.asked for s in run.shares.values()]
    assert asked[:2] == pytest.approx([0.4, 0.2]) and sum(asked) == pytest.approx(1)
    assert np.abs((value - asked) / error).max() < 3.5
    assert error.max() < 0.01


@pytest.mark.parametrize(("people", "seeds"), [(1000, 30), (20_000, 12)])
def test_misses_are_as_large_as_the_printed_errors(people, seeds):
    base, shares = calibrate_shares(market({**STATED, "people": people, "weeks": 26}))
    z = []
    for seed in range(seeds):
        run = simulate(change(base, {"seed": 100 + seed}))
        run.shares = shares
        value, error = share(run)
        z.append((value - [s.asked for s in shares.values()]) / error)
    assert 0.8 < np.square(z).mean() ** 0.5 < 1.2


@pytest.mark.parametrize("horizon", [{"weeks": 26, "burn_in": 13}, {"weeks": 156, "burn_in": 0}])
def test_shares_are_those_of_the_weeks_that_count_where_they_drift(horizon):
    """A firm that is hard to leave grows: what gives it its share in a year gives it another in three."""
    held = {"market.regime": "provider", "consumer.attention": 0.05, "firms.f1.switching_cost": 1.7, "people": 20_000}
    run = simulate(market({**STATED, **held, **horizon}))
    value, error = share(run)
    assert np.abs((value - [s.asked for s in run.shares.values()]) / error).max() < 3.5


def test_the_printed_error_holds_dice_and_presence_and_that_of_twins_the_dice():
    run = simulate(market({**STATED, "people": 4000}))
    alone = estimates.estimate(metrics.share, estimates.pooled(run.tally)).error
    table = run.table().query("group == 'all'").set_index(["metric", "firm"])
    solved = [s.uncertainty for s in run.shares.values()]
    assert table.loc["share"].error.to_numpy() == pytest.approx(np.hypot(alone, solved), rel=0.02)
    assert (
        table.loc["penetration"].error > estimates.estimate(metrics.penetration, estimates.pooled(run.tally)).error
    ).all()
    found = measured(run, Measure(("share",)))
    assert found.rows[0, found.columns.index("share.f0.error")] == table.loc["share", "f0"].error
    pair = twins(run.scenario, {"firms.f0.quality": 0.0})
    assert not pair.difference(metrics.share).error.any()


def test_what_shares_do_not_depend_on_changes_no_presence():
    base = market(STATED)
    events = {"scandals.leak": {"firm": "f0", "week": 3}, "moves.cut": {"firm": "f1", "week": 3, "value": 0.5}}
    same = {"title": "T", "seed": 9, "people": 77, "replications": 3, "window": 4, "focus": "f3", "firms.f0.group": "g"}
    unused = {"kinds.ethics.care": 3.0, "market.residue": 0.5, "segments.all.action": 3.0, "market.survey": 0.5}
    assert key(change(base, {**events, **same, **unused, "firms.f0.presence": 7.0})) == key(base)


@pytest.mark.parametrize(
    "changes",
    [
        {"weeks": 51},
        {"burn_in": 12},
        {"firms.f0.share": 0.41},
        {"firms.f5.presence": 0.5},
        {"firms.f5.quality": 0.1},
        {"consumer.rate": 0.3},
        {"segments.all.rate": 1.1},
        {"mechanisms.trust": False},
        {"network.kind": "none"},
        {"firms.f0.touchpoints.app.use": 0.5},
    ],
)
def test_what_they_depend_on_does(changes):
    assert key(change(market(STATED), changes)) != key(market(STATED))


def test_the_order_of_firms_is_part_of_the_market():
    base = market(STATED)
    assert key(replace(base, firms=dict(reversed(base.firms.items())))) != key(base)


def test_a_changed_rule_is_another_market(monkeypatch):
    before = key(market(STATED))
    monkeypatch.setattr(solver, "rules_digest", lambda: "other")
    assert key(market(STATED)) != before


def test_presence_depends_on_no_seed_and_on_how_many_people_only_by_the_size_of_the_estimate():
    one, two = (calibrate_shares(market({**STATED, "seed": seed}))[0] for seed in (1, 2))
    assert one.firms == two.firms
    assert solver.enough(market({"people": 40_000})) == 40_000
    assert solver.enough(market({"people": 500, "replications": 100})) == 80_000
    assert solver.enough(market({"people": 10**6})) == 80_000


def test_few_rounds_are_enough():
    stated = market(STATED)
    asked = solver.asked_shares(stated)
    found = solver.solve(reference_market(stated, asked), asked, 40_000)
    assert found.people == 40_000 and sum(found.rounds) <= 7
    assert (np.abs(found.reached - asked) <= 0.25 * np.array(found.error)).all()
    assert solver.still_holds(reference_market(stated, asked), found)
    assert not solver.still_holds(reference_market(change(stated, {"firms.f0.quality": 0.5}), asked), found)


def test_it_is_solved_once(monkeypatch):
    first = calibrate_shares(market(STATED))
    monkeypatch.setattr(solver, "solve", None)
    assert calibrate_shares(market(STATED)) == first
    monkeypatch.setattr(presence_store, "_solved", {})
    assert calibrate_shares(market(STATED)) == first, "from the file"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"presence": []}', b"\xff\xfe", b"null"])
def test_a_broken_entry_is_solved_again(content, monkeypatch):
    first = calibrate_shares(market(STATED))
    (path,) = presence_store.folder().iterdir()
    path.write_bytes(content)
    monkeypatch.setattr(presence_store, "_solved", {})
    assert calibrate_shares(market(STATED)) == first
    assert json.loads(path.read_text())["people"] == 40_000


def test_without_a_place_to_keep_it_it_works(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(presence_store, "folder", lambda: tmp_path / "file" / "presence")
    assert calibrate_shares(market(STATED))[1]["f0"].asked == pytest.approx(0.4)


def test_every_preset_is_shipped_and_up_to_date():
    choices = [[f"market={m}"] for m in presets("market")] + [[f"scandal={s}"] for s in presets("scandal")]
    for chosen in [*presence.settings(), *choices, ["lever=price_cut"], ["people=300", "seed=7"]]:
        market_of = compose(chosen)[1]["market"]
        stated = study.uncalibrated(f"market={market_of}", *[c for c in chosen if c.startswith(("weeks", "window"))])
        found = presence_store.shipped().get(key(stated))
        assert found, f"{' '.join(chosen)}: presence is out of date; python -m sim.study.presence makes it anew"
        assert found.people >= 200_000
        assert (np.abs(found.reached - solver.asked_shares(stated)) <= 0.25 * np.array(found.error)).all()


def test_a_shipped_preset_is_not_solved(monkeypatch):
    monkeypatch.setattr(solver, "solve", None)
    for overrides in (
        ["market=cars_de"],
        ["scandal=dieselgate_us", "people=500"],
        ["weeks=26", "firms.colgate.price=2"],
    ):
        assert scenario_and_shares(overrides)[1]


def test_a_shipped_market_solved_again_is_the_same_to_the_bit():
    stated = study.uncalibrated("market=cars_de")
    asked, shipped = solver.asked_shares(stated), presence_store.shipped()[key(stated)]
    again = solver.solve(reference_market(stated, asked), asked, shipped.people)
    assert again.presence == shipped.presence and again.mark == shipped.mark


EDGES = {
    "a share of a few uses": ({"firms.f0.share": 1e-4}, 1e-4),
    "a share of no use": ({"firms.f0.share": 1e-6}, 5e-6),
    "nearly a monopoly": ({"firms.f0.share": 0.99}, 0.001),
    "outspoken tastes": ({"firms.f0.share": 0.01, "market.taste_concentration": 0.05}, 0.002),
    "no tastes": ({"firms.f0.share": 0.5, "mechanisms.taste": False}, 0.002),
    "one week": ({"firms.f0.share": 0.3, "weeks": 1, "window": 1, "burn_in": 0}, 0.01),
}


@pytest.mark.parametrize("name", EDGES)
def test_at_the_edges_of_what_can_bepresence_lines(name):
    changes, error = EDGES[name]
    solved, shares = calibrate_shares(market({"weeks": 26, **changes}))
    assert shares["f0"].uncertainty < error
    assert abs(shares["f0"].reached - shares["f0"].asked) <= 1.1 * shares["f0"].error
    assert all(1e-9 <= firm.presence <= 1 for firm in solved.firms.values())


def test_sixty_small_firms():
    firms = {f"s{j}": {"share": 0.01} for j in range(30)} | {f"t{j}": {"share": 0.001} for j in range(20)}
    base = build({"people": 2000, "weeks": 13, "burn_in": 0, "segments": {"all": {}}, "firms": {"big": {}} | firms})
    _, shares = calibrate_shares(base)
    z = [(s.reached - s.asked) / s.error for s in shares.values()]
    assert np.abs(z).max() < 1.1 and shares["big"].asked == pytest.approx(0.68)


def test_what_no_presence_gives_is_said_and_is_no_error():
    hopeless = {"firms.f0.share": 0.5, "firms.f0.price": 10.0, "consumer.price_weight": 20.0}
    run = simulate(market({"weeks": 13, "people": 500, **hopeless}))
    run.shares["f0"] = Share(0.5, 0.1, 0.001)
    said = presence_lines(Finished([], run, None, presence_store.folder()))
    assert "f0: no presence gives 50.00 %, as asked for; 10.00 % it is" in said


def test_where_nobody_uses_anything_that_is_said():
    rare = {"consumer.rate": 0.001, "segments.all.rate": 0.001, "weeks": 1, "window": 1, "burn_in": 0}
    with np.errstate(all="raise"):
        _, shares = calibrate_shares(market({**STATED, **rare}))
    assert np.isnan(shares["f0"].reached)
    told = simulate(market({"people": 10, "weeks": 1, "window": 1}))
    told.shares = shares
    assert "nobody used anything" in presence_lines(Finished([], told, None, presence_store.folder()))[0]


def test_people_of_a_stored_network_hear_one_another(tmp_path):
    edges = tmp_path / "edges.csv"
    edges.write_text("\n".join(f"{i},{(i + 1) % 2000}" for i in range(2000)))
    stored = {"network.kind": "file", "network.edges": str(edges), "people": 2000}
    _, shares = calibrate_shares(market({**STATED, **stored}))
    assert shares["f0"].uncertainty < 0.004
    before = key(market({**STATED, **stored}))
    edges.write_text("0,1\n")
    assert key(market({**STATED, **stored})) != before


def test_the_terminal_says_the_error_of_the_shares():
    run = run_of(["market=cars_de", "people=500"])
    (line,) = presence_lines(Finished([], run, None, presence_store.folder()))
    worst = max(run.shares.values(), key=lambda s: s.uncertainty)
    assert f"{100 * worst.uncertainty:.2f} points" in line and "the errors above include it" in line


@pytest.mark.parametrize(("firm", "rest"), [("packaged", "market=toothpaste_uk"), ("digital", "market=retail_us")])
def test_an_entrant_comes_to_its_share(firm, rest):
    """Presence is solved with all firms in the market; nobody uses one before it enters."""
    had = {"market=toothpaste_uk": 0.14, "market=retail_us": 0.25}[rest]
    new = [f"+firm@firms.newco={firm}", "firms.newco.share=0.095", f"firms.other.share={had - 0.095}"]
    run = run_of([rest, "people=8000", "weeks=104", "window=13", *new, "firms.newco.enters=26"])
    before, soon, later = (share(run, weeks).value[-1] for weeks in (slice(26), slice(26, 39), slice(78, 104)))
    assert before == 0 and 0.02 < soon < later and later == pytest.approx(0.095, abs=0.025)


def test_stated_shares_are_reached_by_given_people_whatever_their_calendar(tmp_path, monkeypatch):
    """The reference market has no calendar; with people of one file it is solved on all their draws."""
    own = own_values(tmp_path) | {"people": 4000, "replications": 6, "weeks": 26, "burn_in": 4}
    base = change(market({"segments.other": {}, "cohorts": {"young": {}, "old": {}}}), own | STATED)
    still = change(base, {"calendar": ""})
    assert key(base) == key(still)
    run = simulate(still)
    value, error = share(run)
    assert (abs(value[:2] - [0.4, 0.2]) < 3 * error[:2]).all() and error[:2].max() < 0.012, (value, error)
    moved = tmp_path / "elsewhere.parquet"
    moved.write_bytes((tmp_path / "people.parquet").read_bytes())
    assert key(change(base, {"population": str(moved)})) == key(base)
