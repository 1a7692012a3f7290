"""A scenario's own posterior: draws of its numbers, which plausible worlds are made of."""

import pandas as pd
import pytest

from sim.model.declare import ScenarioError
from sim.model.scenario import add, change
from sim.study import worlds
from sim.study.calibrate_shares import key_of
from tests.markets import market

PRESET = {
    "consumer.price_weight": 2.0,
    "consumer.habit_weight": 0.4,
    "firms.f0.presence": 0.6,
    "firms.f1.presence": 0.4,
}
FIRMS = {"firms": {"f0": {"presence": 0.6}, "f1": {"presence": 0.4}}}
DRAWS = [(1.5, 0.3, 0.6, 0.5), (2.5, 0.5, 0.6, 0.3)]


@pytest.fixture
def own(tmp_path):
    """A market of two firms with two draws of four numbers."""
    pd.DataFrame([PRESET.values(), *DRAWS], columns=list(PRESET)).to_csv(tmp_path / "draws.csv", index=False)
    return market({**FIRMS, **PRESET, "posterior": str(tmp_path / "draws.csv")})


def test_its_worlds_are_its_draws_each_as_a_whole(own):
    found = worlds.plausible(own, 3)
    assert [tuple(w[p] for p in PRESET) for w in found.worlds] == [*DRAWS, DRAWS[0]]
    assert "posterior of the market's own panel for 3 numbers" in found.source, "one is the same in all draws"
    assert found.worlds[0]["consumer.voice"] != found.worlds[2]["consumer.voice"], "not in the panel: from its prior"
    assert change(own, dict(found.worlds[0])).posterior_sha256 == own.posterior_sha256


def test_a_number_given_otherwise_is_not_the_panels(own):
    found = worlds.plausible(change(own, {"consumer.price_weight": 3.0}), 2)
    assert not {w["consumer.price_weight"] for w in found.worlds} & {1.5, 2.5}
    assert [w["consumer.habit_weight"] for w in found.worlds] == [0.3, 0.5] and "for 2 numbers" in found.source


def test_a_firm_may_come_or_go(own):
    grown = add(own, "firms.newcomer", {"presence": 0.2, "enters": 9})
    assert [w["firms.f1.presence"] for w in worlds.plausible(grown, 2).worlds] == [0.5, 0.3]
    left = worlds.plausible(change(grown, {"firms.f1": None}), 2).worlds
    assert [w["consumer.price_weight"] for w in left] == [1.5, 2.5] and "firms.f1.presence" not in left[0]


def test_shares_are_solved_the_same_with_it_and_without(own):
    assert key_of(own) == key_of(change(own, {"posterior": ""}))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("consumer.prise_weight\n1\n2\n", "column consumer.prise_weight: is no number of the scenario; did you mean"),
        ("consumer.price_weight\n1\n99\n", "column consumer.price_weight: 99 is outside 0 to 20"),
        ("consumer.price_weight\n1\nmuch\n", "column consumer.price_weight: not all are numbers"),
        ("consumer.price_weight\n1\n", "has no draws"),
        (None, "cannot read"),
    ],
)
def test_a_file_that_is_none_is_refused(content, said, tmp_path):
    path = tmp_path / "draws.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ScenarioError, match="posterior: ") as caught:
        market({**FIRMS, "posterior": str(path)})
    assert said in str(caught.value)


def test_another_content_is_refused(own, tmp_path):
    with pytest.raises(ScenarioError, match="not the file"):
        worlds.own_worlds(change(own, {"posterior_sha256": "0" * 64}))
