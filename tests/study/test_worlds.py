"""The kept worlds of a market: whose they are, what of a scenario they change, and that the shipped ones are whole."""

import math

import numpy as np
import pytest

from sim import study
from sim.model.declare import ScenarioError
from sim.model.scenario import change
from sim.study import over_worlds, worlds
from sim.study.presets import presets
from sim.study.priors import priors_of
from tests.markets import market

HEAD = "# kept for a test\nworld,miss,consumer.voice,consumer.exposure,firms.f0.presence,firms.f1.presence\n"


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Two worlds of a market of two firms."""
    told = market({"firms": {"f0": {"presence": 0.6}, "f1": {"presence": 0.4}}, "consumer.voice": 0.7})
    own = f"preset,0.5,0.7,{told.consumer.exposure},0.6,0.4\n"
    (tmp_path / "two.csv").write_text(HEAD + own + "0,0.9,1.5,0.9,0.7,0.3\n1,1.0,0.6,0.8,0.5,0.5\n")
    monkeypatch.setattr(worlds, "FOLDER", tmp_path)
    worlds.shipped.cache_clear()
    yield told
    worlds.shipped.cache_clear()


def test_a_market_with_kept_worlds_is_asked_in_them(kept):
    found = worlds.plausible(kept, 3)
    assert [w["consumer.voice"] for w in found.worlds] == [1.5, 0.6, 1.5], "each is used again where more are asked for"
    assert [w["firms.f0.presence"] for w in found.worlds] == [0.7, 0.5, 0.7]
    assert found.source.startswith("kept for two: ") and "(2 in all, used 2 times)" in found.source
    assert found.worlds[0]["consumer.loss_aversion"] != found.worlds[2]["consumer.loss_aversion"], "not in the file"


def test_a_number_that_the_user_gives_is_not_written_over(kept):
    own = change(kept, {"consumer.voice": 0.9, "firms.f0.presence": 0.9})
    found = worlds.plausible(own, 2).worlds
    assert not {w["consumer.voice"] for w in found} & {1.5, 0.6} and "firms.f0.presence" not in found[0]
    assert [w["consumer.exposure"] for w in found] == [0.9, 0.8]


def test_a_market_without_kept_worlds_is_asked_in_draws_from_the_priors(kept):
    other = market()
    found = worlds.plausible(other, 2)
    assert found.source == worlds.PRIOR and len(found.worlds) == 2
    assert found.worlds[0].keys() == priors_of(other).keys()


@pytest.mark.parametrize("text", ["", HEAD, HEAD + "0,1,1,1,1,1\n", HEAD + "preset,x,1,1,1,1\n", "a\nb\n"])
def test_a_file_of_something_else_is_refused(tmp_path, text):
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(ScenarioError, match="is no file of worlds"):
        worlds.read(tmp_path / "bad.csv")


@pytest.mark.parametrize("kept", worlds.shipped(), ids=lambda k: k.name)
def test_shipped_worlds_are_of_a_market_and_possible_in_it(kept):
    assert kept.name in presets("market") and len(kept.worlds) >= 20 and "worlds" in kept.about
    told = study.uncalibrated(f"market={kept.name}")
    assert worlds.kept_for(told) == kept
    unsolved = {f"firms.{n}.share": None for n in told.firms}
    solved = change(told, unsolved | {p: v for p, v in kept.preset.items() if p.endswith(".presence")})
    found = worlds.plausible(solved, 8)
    assert found.source.startswith("kept for") and len(found.worlds) == 8
    assert all(math.isfinite(miss) for miss in kept.misses)
    spread = np.array([[w[p] for p in kept.preset] for w in kept.worlds]).std(axis=0)
    assert (spread > 0).mean() > 0.9, "worlds differ"
    assert np.median(kept.misses) < 3


def test_of_numbers_that_do_nothing_hardly_any_is_said_to_decide():
    said = 0
    for seed in range(40):
        draw = np.random.default_rng(seed)
        some = [{f"consumer.x{n}": float(x) for n, x in enumerate(draw.random(120))} for _ in range(21)]
        said += bool(over_worlds.decisive(draw.standard_normal(21), some))
    assert said <= 6, "one in twenty is what chance may say"


def test_a_number_that_decides_is_named_and_rivals_stand_together():
    draw = np.random.default_rng(1)
    names = ["firms.a.ease", "firms.b.ease", "firms.c.ease", *(f"consumer.x{n}" for n in range(60))]
    some = [dict(zip(names, draw.random(63).tolist(), strict=True)) for _ in range(40)]
    effect = np.array([w["firms.b.ease"] + w["firms.c.ease"] - 3 * w["consumer.x7"] for w in some])
    found = dict(over_worlds.decisive(effect, some, "a"))
    assert next(iter(found)) == "consumer.x7" and found["consumer.x7"] < -0.5
    assert set(found) <= {"consumer.x7", "firms.*.ease (rivals)"}


def test_a_world_that_is_used_again_is_not_counted_again():
    draw = np.random.default_rng(5)
    some = [{f"consumer.x{n}": float(x) for n, x in enumerate(draw.random(60))} for _ in range(10)]
    own = [{**world, "scandals.s.action": float(a)} for world in 10 * some for a in draw.random(1)]
    effect = np.tile(draw.standard_normal(10), 10)
    once = over_worlds.decisive(effect[:10], some)
    assert [name for name, _ in over_worlds.decisive(effect, own)] == [name for name, _ in once] == []
