"""One population in many processes: the same bytes as in one, also when some of them are killed on the way."""

import hashlib

import numpy as np
import pytest

from sim.engine import cluster
from sim.engine.loop import simulate
from sim.model.declare import ScenarioError
from sim.model.scenario import change
from tests.engine.test_same_bits import ROOT, WORLDS, digest
from tests.markets import market


@pytest.fixture(scope="module")
def ray():
    """Two processors of a cluster of our own."""
    ray = pytest.importorskip("ray", reason="ray is not installed: pip install -e '.[cluster]'")
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield ray
    ray.shutdown()


@pytest.mark.parametrize(
    ("world", "shards"), [("repertoire", 1), ("repertoire", 2), ("provider", 3), ("repertoire", 7)]
)
def test_any_number_of_processes(ray, world, shards):
    scenario = market(WORLDS[world])
    here, there = simulate(scenario, 1, keep_people=True), cluster.simulate(scenario, shards, keep_people=True)
    assert digest(there.tally) == digest(here.tally)
    assert digest(there.people[0]) == digest(here.people[0])


def killing(monkeypatch, ray, week):
    """Gives progress(done, of) that kills an actor of the first run in a week; the weeks it was told; all runs."""
    runs, heard, run = [], [], cluster.ActorPool.run

    def watched(pool, *arguments):
        runs.append(pool)
        return run(pool, *arguments)

    def progress(done, of):
        heard.append(done)
        if done == week and len(runs) == 1:
            ray.kill(runs[0].actors[-1])

    monkeypatch.setattr(cluster.ActorPool, "run", watched)
    return progress, heard, runs


def test_a_killed_actor_is_replaced_from_the_last_checkpoint(ray, monkeypatch, tmp_path):
    scenario = market(WORLDS["repertoire"])
    progress, heard, runs = killing(monkeypatch, ray, 20)
    there = cluster.simulate(scenario, 3, checkpoint=tmp_path, every=5, progress=progress)
    assert digest(there.tally) == digest(simulate(scenario, 1).tally)
    assert len(runs) == 2 and heard.count(1) == 1 and heard[-1] == 39
    assert not list(tmp_path.glob("*.shard"))


def test_without_a_folder_it_starts_again_and_a_stored_network_is_used(ray, monkeypatch):
    scenario = market(WORLDS["repertoire"])
    steps = np.random.default_rng(1).integers(1, 600, 1800)
    network = np.arange(601) * 3, (np.repeat(np.arange(600), 3) + steps) % 600
    progress, heard, runs = killing(monkeypatch, ray, 20)
    there = cluster.simulate(scenario, 2, network=network, progress=progress)
    assert digest(there.tally) == digest(simulate(scenario, 1, network=network).tally)
    assert len(runs) == 2 and heard.count(1) == 2


def test_the_same_call_goes_on_where_its_driver_died(ray, tmp_path):
    scenario, heard = change(market(WORLDS["repertoire"]), {"replications": 2}), []

    def stop(done, of):
        if done == 59:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cluster.simulate(scenario, 1, checkpoint=tmp_path, every=6, progress=stop)
    there = cluster.simulate(scenario, 1, checkpoint=tmp_path, every=6, progress=lambda done, of: heard.append(done))
    assert heard[39] in (39 + 18 + 1, 39 + 24 + 1)
    assert digest(there.tally) == digest(simulate(scenario, 1).tally)


@pytest.mark.parametrize("shards", [0, 33])
def test_a_shard_is_whole_folds(shards):
    with pytest.raises(ScenarioError, match=f"shards: {shards} is not among 1 to 32"):
        cluster.simulate(market(), shards)


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ScenarioError, match="pip install"):
        cluster.simulate(market({"people": 40, "weeks": 13}), 2)


def test_the_version_is_that_of_the_whole_package():
    """Machines that differ in any file, the rules included, must not work together."""
    files = sorted((ROOT / "sim").rglob("*.py"))
    assert cluster.source() == hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest()


def test_presence_is_solved_before(ray):
    with pytest.raises(ScenarioError, match=r"^firms\.f0\.share: presence is not solved .* call sim\.simulate"):
        cluster.simulate(change(market(), {"firms.f0.share": 0.4}), 2)
