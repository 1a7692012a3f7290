"""No counter wraps: uses in a window are right at the ends of what may be declared, of people and of households."""

import copy
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from numba import njit

from sim import panel
from sim.compute.random import poisson
from sim.engine.loop import advance, end_week, initialize, simulate, step_week
from sim.measure.tally import FIXED, TENURE, Count
from sim.mesa import Market
from sim.model.scenario import build, change
from sim.model.state import BOND, CARRY, CARRY_WEEKS, LONGEST, PERSON, USED, USES_A_WEEK, make_people, window_counts
from sim.panel import purchases
from sim.panel.types import Panel
from tests.engine.test_same_bits import digest, elsewhere

HEAVY = {  # eighty uses a week, the most there are, nearly all of them of one firm
    "people": 40,
    "weeks": 260,
    "window": 260,
    "burn_in": 0,
    "consumer": {"rate": 10.0},
    "segments": {"a": {"rate": 100.0}},
    "cohorts": {"old": {"rate": 100.0}},
    "market": {"rate_shape": 100.0},
    "firms": {"x": {"presence": 9.0}, "y": {}},
    "network": {"kind": "none"},
}


@njit
def _most(first, last, step):
    """The most uses of any mean in `first` to `last` steps of 2**-17, at the highest draw."""
    most = np.int32(0)
    for n in range(first, last, step):
        most = max(most, poisson(np.float32(n) * np.float32(2**-17), np.uint32(0xFFFFFFFF)))
    return most


def test_a_week_holds_no_more_uses_than_counters_are_made_for():
    """Every float32 from 64 to 80 in their whole number of steps, a sample below, and what counts as 80."""
    assert _most(79 << 17, (80 << 17) + 1, 1) == USES_A_WEEK
    assert max(_most(1, 79 << 17, 97), _most(10_000 << 17, (10_000 << 17) + 1, 1)) <= USES_A_WEEK
    assert CARRY + CARRY_WEEKS * USES_A_WEEK <= USED and CARRY_WEEKS > 0


def test_an_ordinary_person_is_as_small_as_ever():
    people = make_people(1000, 5)
    assert PERSON.itemsize == 24 and BOND.itemsize == 24
    assert sum(a.nbytes for a in people) == 1000 * (33 + 24 * 5)
    for window, regime, rows in ((124, "repertoire", 0), (125, "repertoire", 40), (520, "provider", 0)):
        [shard] = initialize(build({**HEAVY, "weeks": window, "window": window, "market": {"regime": regime}}))
        assert len(shard.people.carried) == rows


ENDS = {
    "most": {},
    "longest window": {"weeks": 520, "window": 520, "people": 33},
    "burn-in of another phase": {"burn_in": 333, "weeks": 400, "window": 200},
    "two equal firms": {"firms": {"x": {}, "y": {}}},
    "many firms": {"firms": {f"f{j}": {} for j in range(64)}, "people": 3},
    "unequal people": {"market": {"rate_shape": 0.05}, "weeks": 520, "window": 520, "segments": {"a": {"rate": 1.0}}},
    "fewer people than groups": {"people": 1, "weeks": 410, "window": 205},
    "provider": {"market": {"regime": "provider"}, "weeks": 520, "window": 520},
    "short window": {"weeks": 124, "window": 124},
}


@pytest.mark.parametrize("end", ENDS)
def test_a_window_counts_what_was_lived(end):
    """Counts of a window against those of people, as they stand before it is closed, in Python's whole numbers."""
    scenario = build({**HEAVY, **ENDS[end]})
    [shard] = initialize(scenario)
    expected = np.zeros((scenario.weeks // scenario.window, len(scenario.firms), 7), object)
    before = np.zeros((scenario.people, len(scenario.firms)), np.int64)
    if scenario.burn_in == 0:
        end_of_burn_in(shard)
    while shard.week < scenario.weeks:
        step_week(shard)
        uses, n = window_counts(shard.people)
        assert (
            (n >= before).all() and (uses == n.sum(axis=1)).all() and (uses - before.sum(axis=1) <= USES_A_WEEK).all()
        )
        ends = shard.week % scenario.window == scenario.window - 1
        before = np.zeros_like(n) if ends or shard.week == -1 else n
        if ends and shard.week >= 0:
            expected[shard.week // scenario.window] = reference(n)
        end_week([shard])
    wanted = [Count.USERS, Count.USES, Count.CATEGORY, Count.PAIRS, Count.ALL_PAIRS, *SHUFFLED]
    assert (shard.tally.window.sum(axis=(0, 2))[..., wanted] == expected).all()
    np.testing.assert_array_equal(
        shard.tally.window[..., Count.USES].sum(), shard.tally.flow[:, 1 : 1 + len(expected) * scenario.window].sum()
    )
    before, again = (shard.tally.window[:, 1:, ..., c].sum() for c in (Count.BEFORE, Count.REPEATERS))
    used = [[(row > 0) for row in window[:, 0]] for window in expected]
    assert before >= again >= 0 and (before > 0) == any(any(window) for window in used[:-1])


SHUFFLED = (Count.SHUFFLED, Count.SHUFFLED_FOLLOWED)


def end_of_burn_in(shard):
    from sim.engine.loop import close_window

    close_window(shard, -1, True)


def reference(n):
    """[firm, ...] users, uses, category, pairs, all pairs and the two shuffled counts of uses n [person, firm]."""
    n = n.astype(object)
    total = n.sum(axis=1, keepdims=True)
    used = n > 0
    whole = np.where(total > 0, total, 1)
    counts = [
        used,
        n,
        total * used,
        n * (n - 1),
        n * (total - 1) * used,
        FIXED * n * (n - 1) // whole,
        FIXED * n * (total - 1) * used // whole,
    ]
    return np.stack([c.astype(object).sum(axis=0) for c in counts], axis=-1)


LONG = {**HEAVY, "weeks": 130, "window": 130, "people": 70}


@pytest.mark.parametrize(("threads", "shards"), [(2, 1), (1, 3), (2, 7)])
def test_threads_and_shards(threads, shards):
    one, other = (simulate(build(LONG), *split, keep_people=True) for split in ((1, 1), (threads, shards)))
    assert digest(one.tally) == digest(other.tally)
    assert digest(one.people[0]) == digest(other.people[0])


SMALL = {**HEAVY, "people": 1, "weeks": 130, "window": 130}


@pytest.mark.parametrize("environment", [{"NUMBA_DISABLE_JIT": "1"}, {"STICKINESS_CHECKED": "1"}])
def test_plain_python_and_the_checked_mode(environment, tmp_path):
    here = digest(simulate(build(SMALL)).tally)
    assert elsewhere(sys.executable, SMALL, tmp_path, of="sim.model.scenario.build", **environment) == here


def test_a_shard_is_saved_copied_and_read_in_the_middle_of_a_window():
    [shard] = initialize(build(LONG))
    end_of_burn_in(shard)
    for _ in range(126):
        advance([shard])
    assert shard.people.carried.sum() > 0
    others = copy.deepcopy(shard), pickle.loads(pickle.dumps(shard))
    for one in (shard, *others):
        while one.week < one.scenario.weeks:
            advance([one])
    assert len({digest(one.tally) for one in (shard, *others)}) == 1
    assert shard.people.carried.sum() == 0


def test_those_of_a_long_window_begin_a_short_one_and_the_reverse():
    long, short = build({**LONG, "weeks": 140}), build({**LONG, "weeks": 26, "window": 26})
    kept = simulate(long, 1, keep_people=True)
    for scenario in (long, short):
        tally = simulate(scenario, 1, start=kept.people).tally
        lived = tally.flow[:, : scenario.weeks // scenario.window * scenario.window].sum()
        assert tally.window[..., Count.USES].sum() == lived > 0
    [shard] = initialize(long, start=simulate(short, 1, keep_people=True).people[0])
    assert len(shard.people.carried) == long.people


@pytest.mark.parametrize("activation", ["kernel", "agents"])
def test_agents_read_all_their_uses(activation):
    market = Market(change(build({**SMALL, "people": 2}), {"weeks": 260, "window": 260}), activation=activation)
    for _ in range(250):
        market.step()
    for consumer in market.consumers:
        flow = [consumer.bond(firm).count for firm in market.firms]
        assert consumer.uses == sum(flow) > USED and max(flow) > USED
    read = sum(market.now.window[..., Count.USES].sum(axis=(0, 1, 2)))
    assert read == sum(consumer.uses for consumer in market.consumers) == market.tally.flow.sum()


def test_a_simulated_panel_has_every_purchase():
    scenario = build({**SMALL, "people": 3, "weeks": 260, "window": 26})
    table, tally = purchases(scenario), simulate(scenario).tally
    assert len(table) == tally.flow.sum() > 3 * USED
    bought = table.choice.value_counts().reindex(["x", "y"]).to_numpy()
    np.testing.assert_array_equal(bought, tally.flow.sum(axis=(0, 1, 2, 3))[1:])


# ---------------------------------------------------------------- households


def households(*lists):
    """A panel of households that buy these brands, by number, in this order."""
    y = np.concatenate([np.asarray(bought, np.int64) for bought in lists])
    hh = np.repeat(np.arange(len(lists)), [len(bought) for bought in lists])
    return Panel(tuple("abc"[: int(y.max()) + 1]), np.arange(len(lists)), hh, np.arange(len(y), dtype=float), y)


def turns(many, of=2):
    return np.arange(many) % of


@pytest.mark.parametrize("many", [CARRY - 1, CARRY, CARRY + 1, USED, USED + 1, 20_000, 65_536, 10**5, 4_000_000])
def test_a_household_may_buy_any_number_of_times(many):
    made = households(turns(many), turns(5), [1, 1], turns(many // 3, 3) // 2)
    n = np.bincount(made.hh * 2 + made.y, minlength=2 * len(made.households)).reshape(-1, 2)
    tally = panel.tally(made)
    wanted = [Count.USERS, Count.USES, Count.CATEGORY, Count.PAIRS, Count.ALL_PAIRS, *SHUFFLED]
    assert (tally.window.sum(axis=(0, 1, 2))[:, wanted] == reference(n)).all()
    assert tally.window[..., [Count.ADJACENT, Count.SWITCHED]].sum() == len(made.y) - len(made.households)


def test_windows_of_many_purchases_follow_each_other():
    made = households(turns(60_000), np.zeros(50_000, int), turns(7))
    window = np.concatenate([np.arange(60_000) // 20_000, np.arange(50_000) // 20_000, np.zeros(7, int)])
    tally = panel.tally(made, window)
    for w in range(3):
        now = window == w
        n = np.bincount(made.hh[now] * 2 + made.y[now], minlength=6).reshape(3, 2)
        assert (tally.window.sum(axis=(0, 2))[w, :, :7][:, [0, 1, 2, 5, 6]] == reference(n)[:, :5]).all()
    repeaters = tally.window.sum(axis=(0, 2))[..., Count.REPEATERS]
    np.testing.assert_array_equal(repeaters, [[0, 0], [2, 1], [2, 1]])


@pytest.mark.parametrize("many", [LONGEST, LONGEST + 1, LONGEST + 5, 140_000])
def test_a_long_run_of_one_brand_keeps_its_tenure(many):
    """Purchases in a row since joining stop at the last bin, and do not begin anew."""
    tally = panel.tally(households([0] * many + [1], turns(3)))
    tenure = tally.tenure.sum(axis=(0, 1))[0]
    bins = np.diff([*TENURE, many + 1])  # after 1, 2, .. many in a row
    bins[0] = 0
    np.testing.assert_array_equal(tenure.sum(axis=-1) - np.bincount([1], minlength=len(TENURE)), bins)
    assert tenure[-1, 1] == 1


def test_a_file_with_a_great_household_is_read(tmp_path):
    """A chain's anonymous household: its purchases count, and shares stay where they are."""
    hh, turn = np.repeat([0, 1, 2], [100_000, 4, 4]), turns(100_008)
    path = tmp_path / "panel.csv"
    pd.DataFrame({"hh": hh, "t": np.arange(len(hh)), "choice": np.where(turn, "a", "b")}).to_csv(path, index=False)
    measured = panel.measure(path).query("firm == 'a'").set_index("metric").value
    assert measured.stickiness == pytest.approx(0, abs=1e-3) and measured.category_requirements == pytest.approx(0.5)
