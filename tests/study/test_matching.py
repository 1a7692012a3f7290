"""History matching on a market of two lines of arithmetic, where what must come out is known."""

import math

import numpy as np
import pytest

from sim.study.matching import GOOD, MOST_MISS, Target, Trial, match, miss_of, seen, stepped
from sim.study.priors import uniform

PATHS = ["a", "b", "idle"]
TARGETS = {"sum": Target(1.2, 1.4), "difference": Target(0.1, 0.3)}


def evaluate(asked):
    """The quantities are the sum and the difference of two uniform numbers; a third does nothing."""
    found = []
    for _, u, _ in asked:
        values = {"sum": u["a"] + u["b"], "difference": u["a"] - u["b"]}
        found.append(Trial(u, values, miss_of([TARGETS[n].miss(v, 0.0) for n, v in values.items()])))
    return found


def run(many=200, first=400, waves=12, key="x"):
    said = []
    return *match(PATHS, evaluate, many, first, waves, said.append, key), said


def test_worlds_go_where_what_was_measured_is_and_an_idle_number_keeps_its_prior():
    kept, start, said = run()
    assert len(kept) == 200 and len(start) == 400 and len(said) > 3
    assert max(w.miss for w in kept) <= GOOD < np.median([w.miss for w in start])
    a, b, idle = (np.array([w.chances[p] for w in kept]) for p in PATHS)
    assert a.mean() == pytest.approx(0.75, abs=0.03) and b.mean() == pytest.approx(0.55, abs=0.03)
    assert idle.mean() == pytest.approx(0.5, abs=0.07) and idle.std() == pytest.approx(12**-0.5, abs=0.04)
    assert len({w.chances["idle"] for w in kept}) > 0.8 * len(kept), "no relatives in what nothing depends on"
    assert all(w.found["sum"] == w.chances["a"] + w.chances["b"] for w in kept)


def test_the_same_key_gives_the_same_worlds_and_another_others():
    first, second, other = run()[0], run()[0], run(key="y")[0]
    assert first == second != other


def test_numbers_that_something_depends_on_are_seen():
    assert seen(run(waves=0)[1]) == {"a", "b"}


def test_a_step_leaves_uniform_what_is_uniform():
    children = np.array([stepped({"a": uniform(n, "a")}, f"child {n}", 0.5)["a"] for n in range(3000)])
    parents = np.array([uniform(n, "a") for n in range(3000)])
    deciles = np.histogram(children, np.linspace(0, 1, 11))[0]
    assert ((deciles - 300) ** 2 / 300).sum() < 21.7, "chi-square of 9 degrees, 1 %"
    assert np.corrcoef(children, parents)[0, 1] == pytest.approx(math.sqrt(0.75), abs=0.03)


def test_what_no_world_gives_decides_nothing():
    def beyond(asked):
        return [Trial(u, {}, miss_of([Target(9.0, 9.1).miss(u["a"], 0.0), 0.0])) for _, u, _ in asked]

    kept, start = match(PATHS, beyond, 50, 100, 3, lambda line: None, "z")
    assert {w.miss for w in (*kept, *start)} == {MOST_MISS / math.sqrt(2)}
    assert np.std([w.chances["a"] for w in kept]) > 0.2


def test_waves_end_where_hardly_a_child_is_taken():
    def lucky(asked):
        return [Trial(u, {}, 2.0 if parent is None else 9.0) for _, u, parent in asked]

    said = []
    kept, _ = match(PATHS, lucky, 10, 20, 9, said.append, "w")
    assert len(said) == 2 and all(w.miss == 2.0 for w in kept)
