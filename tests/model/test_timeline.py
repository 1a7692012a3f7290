"""From scenario to arrays: networks, moves, mechanisms that are off, what is told to whom."""

import networkx as nx
import numpy as np
import pytest
from scipy import sparse

from sim.engine.loop import advance, initialize, simulate
from sim.measure.tally import Event
from sim.model.declare import ScenarioError
from sim.model.network import links, stored_links
from sim.model.scenario import change
from sim.model.state import AWARE, flag_table
from sim.model.timeline import make_world
from sim.model.word_of_mouth import degree, recipient
from tests.engine.test_same_bits import digest
from tests.markets import called, market

N = 400
TALK = {
    "people": N,
    "consumer.rate": 2.0,
    "market.positive_wom": 1.0,
    "scandals.x": {"firm": "f0", "week": 3, "reach": 0.1},
}


def small_world(people: int, neighbors: int = 8, rewiring: float = 0.1) -> np.ndarray:
    """Listeners of everybody, [person, link], read from the addresses."""
    world = make_world(market({"people": people, "network.neighbors": neighbors, "network.rewiring": rewiring}))
    hears, many = called(recipient), called(degree)
    return np.array([[hears(world, (1, 0), i, link) for link in range(many(world, i))] for i in range(people)])


def test_the_small_world_is_a_ring_with_shortcuts():
    ring = np.array([[1, -1, 2, -2, 3, -3, 4, -4]])
    hearers = small_world(2000)
    near = (hearers - np.arange(2000)[:, None] - ring) % 2000 == 0
    assert abs(1 - near.mean() - 0.1) < 3 * np.sqrt(0.1 * 0.9 / near.size)
    astray = hearers[~near]
    assert np.bincount(astray // 500, minlength=4) == pytest.approx(len(astray) / 4, rel=0.2)
    assert (small_world(50, 4, 0.0) - np.arange(50)[:, None] - ring[:, :4]).__mod__(50).max() == 0


def test_a_graph_an_edge_file_and_a_matrix_are_the_same_network(tmp_path):
    graph = nx.watts_strogatz_graph(N, 6, 0.2, seed=1)
    matrix = sparse.csr_matrix(nx.to_numpy_array(graph, nodelist=range(N)))
    both_ways = np.array([(i, j) for a, b in graph.edges for i, j in ((a, b), (b, a))])
    np.savetxt(tmp_path / "edges.txt", both_ways, fmt="%d")
    runs = [simulate(market(TALK), network=links(g, N)) for g in (graph, matrix, both_ways)]
    runs.append(simulate(market({**TALK, "network.kind": "file", "network.edges": str(tmp_path / "edges.txt")})))
    assert len({digest(run.tally) for run in runs}) == 1
    assert digest(runs[0].tally) != digest(simulate(market(TALK)).tally)


def test_news_spreads_along_the_links_only():
    chain = np.array([(i, i + 1) for i in range(N - 1)])
    scandal = {"firm": "f0", "week": 0, "reach": 0.0, "contagion": 0.95}
    run = simulate(market({"people": N, "scandals.x": scandal}), network=links(chain, N), keep_people=True)
    assert not flag_table(run.people[0], AWARE).any(), "nobody starts a rumor without a broadcast"
    scandal |= {"reach": 0.02, "news_weeks": 1}
    told = simulate(market({"people": N, "scandals.x": scandal}), network=links(chain, N), keep_people=True)
    informed = flag_table(told.people[0], AWARE)[:, 0]
    starts = np.flatnonzero(informed & ~np.r_[False, informed[:-1]])
    alone = simulate(market({"people": N, "scandals.x": scandal, "network.kind": "none"}), keep_people=True)
    sources = flag_table(alone.people[0], AWARE)[:, 0]
    assert sources[starts].all(), "every run of the informed begins with one who heard the broadcast"
    assert informed.sum() > sources.sum()


@pytest.mark.parametrize(
    ("graph", "sentence"),
    [
        (np.array([[0, N]]), f"person {N} is not among 0 to {N - 1}"),
        (np.array([[-1, 3]]), "person -1 is not among"),
        (sparse.eye(3, format="csr"), f"3 x 3 links for {N} people"),
    ],
)
def test_a_network_of_other_people_is_refused(graph, sentence):
    with pytest.raises(ScenarioError, match=sentence):
        links(graph, N)


def test_an_empty_file_of_edges_is_refused(tmp_path):
    (tmp_path / "none.txt").write_text("\n")
    with pytest.raises(ScenarioError, match="it is empty"):
        stored_links(market({"network.kind": "file", "network.edges": str(tmp_path / "none.txt")}))


def test_moves_hold_from_their_week_to_their_end():
    base = market({"moves.a": {"firm": "f1", "lever": "effort", "value": 0.5, "week": 4, "weeks": 3}})
    effort = make_world(base).firms["effort"][:, 1]
    np.testing.assert_array_equal(np.flatnonzero(effort) - 1, [4, 5, 6])
    point = change(base, {"moves.a": {"lever": "touchpoints.app.failure_rate", "value": 0.8, "weeks": 0}})
    failing = make_world(point).failures["failing"][:, 1, 0]
    assert failing[:5] == pytest.approx(0.05) and failing[5:] == pytest.approx(0.8)


def test_an_outage_lowers_what_is_delivered_while_it_lasts():
    scandal = {"firm": "f2", "week": 5, "kind": "service", "outage": 1.5, "outage_weeks": 2}
    quality = make_world(market({"scandals.x": scandal})).firms["quality"]
    assert quality[6:8, 2] == pytest.approx(-1.5)
    assert not np.delete(quality, [6, 7], axis=0).any() and not quality[:, [0, 1, 3]].any()


def test_friction_keeps_and_deters():
    base = {"people": 3000, "market.regime": "provider", "consumer.attention": 0.3}
    free, held = (simulate(market({**base, "firms.f0.switching_cost": f})).tally for f in (0.0, 1.7))
    assert not free.event[..., Event.CAPTIVE].any() and held.event[..., 0, Event.CAPTIVE].any()
    joined = [t.flow[..., 2:, 1].sum() for t in (free, held)]
    left = [t.flow[..., 1, 2:].sum() for t in (free, held)]
    assert held.event[..., 0, Event.NEGATIVE_WOM].sum() > free.event[..., 0, Event.NEGATIVE_WOM].sum()
    assert left[1] < 0.7 * left[0] and joined[1] < joined[0]


def test_the_recovery_paradox_is_in_satisfaction_only():
    base = {"people": 3000, "consumer.rate": 1.0, "market.complain_major": 1.0, "market.complain_minor": 1.0,
            "firms.f0.recovery_days": 0.0, "firms.f0.recovery_adequacy": 1.0}  # fmt: skip
    plain, pleased = (simulate(market({**base, "market.recovery_paradox": p})).tally for p in (0.0, 2.0))
    assert pleased.event[..., 0, Event.SATISFIED].sum() > plain.event[..., 0, Event.SATISFIED].sum()
    np.testing.assert_array_equal(pleased.flow, plain.flow)


def test_the_people_of_a_life_keep_their_memory_small():
    shard = initialize(market())[0]
    firms = len(shard.scenario.firms)
    a_person = sum(rows.nbytes for rows in shard.people) / shard.scenario.people
    assert a_person <= 24 * firms + 40


def test_nobody_lives_past_the_last_week():
    shard = initialize(market({"people": 50, "weeks": 2, "window": 2, "burn_in": 0}))[0]
    for _ in range(2):
        advance([shard])
    with pytest.raises(RuntimeError, match="week 2 is beyond the last"):
        advance([shard])


@pytest.mark.parametrize("shards", [1, 3])
def test_a_run_may_begin_with_the_people_of_another(shards):
    before = simulate(market({"people": 300, "burn_in": 4, "consumer.rate": 2.0}), keep_people=True)
    later = market({"people": 300, "burn_in": 0, "scandals.x": {"firm": "f0", "week": 1}})
    parts = initialize(later, shards=shards, start=before.people[0])
    one = np.concatenate([shard.people.one for shard in parts])
    bonds = np.concatenate([shard.people.bonds for shard in parts])
    for name in ("taste", "habit", "trust", "memory"):
        np.testing.assert_array_equal(bonds[name], before.people[0].bonds[name])
    np.testing.assert_array_equal(one["last"], before.people[0].one["last"])
    assert not any(shard.people.scandal_flags.any() for shard in parts) and not bonds["count"].any()
    runs = [simulate(later, shards=n, start=before.people) for n in (1, shards)]
    assert digest(runs[0].tally) == digest(runs[1].tally)
    with pytest.raises(ScenarioError, match="start"):
        initialize(change(later, {"people": 200}), start=before.people[0])
