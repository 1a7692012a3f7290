"""Who hears whom, given from outside: whatever is wrong with it is said, all at once, before anybody reads it."""

import networkx as nx
import numpy as np
import pytest
from scipy import sparse

from sim.engine import cluster
from sim.engine.loop import initialize, simulate
from sim.mesa import Market
from sim.model.declare import ScenarioError
from sim.model.network import checked_links, links, stored_links
from tests.engine.test_same_bits import digest
from tests.markets import market

N = 40
RING = np.arange(N + 1), (np.arange(N) + 1) % N


def scenario():
    return market({"people": N, "weeks": 4, "window": 4, "burn_in": 0, "network.neighbors": 2})


def ring(**changed):
    """The pair of a ring, with one value of `starts` or `recipients` at a place changed."""
    arrays = {"starts": RING[0].copy(), "recipients": RING[1].copy()}
    for name, (place, value) in changed.items():
        arrays[name][place] = value
    return arrays["starts"], arrays["recipients"]


PAIRS = {
    "two starts": ((np.array([0, 10]), np.arange(10)), "starts: 2 of them; 41 are needed"),
    "one start too few": ((RING[0][:-1], RING[1]), "starts: 40 of them; 41 are needed"),
    "one start too many": ((np.append(RING[0], N), RING[1]), "starts: 42 of them; 41 are needed"),
    "empty": ((np.zeros(0, int), np.zeros(0, int)), "starts: 0 of them"),
    "a fall": (ring(starts=(7, 30)), "starts: they fall after place 7, from 30 to 8"),
    "a start below 0": (ring(starts=(0, -5)), "starts: from -5 to 40; they go from 0 to 40"),
    "a start far out": (ring(starts=(N, 10**12)), "starts: from 0 to 1000000000000"),
    "recipients missing": ((RING[0], RING[1][:-3]), "starts: from 0 to 40; they go from 0 to 37, the recipients"),
    "a listener too many": (ring(recipients=(3, N)), "recipients: person 40 is not among 0 to 39"),
    "a listener below 0": (ring(recipients=(3, -1)), "recipients: person -1 is not among 0 to 39"),
    "a self-link": (ring(recipients=(3, 3)), "recipients: 1 send to themselves, first person 3"),
    "fractions": ((RING[0], RING[1] + 0.5), r"recipients: \[40\] of float64; a row of whole numbers"),
    "floats": ((RING[0].astype(float), RING[1]), r"starts: \[41\] of float64"),
    "two axes": ((RING[0], RING[1].reshape(2, -1)), r"recipients: \[2, 20\] of int64"),
    "switches": ((RING[0], RING[1] > 3), "recipients: .* of bool"),
    "unlike rows": (([[1], [1, 2]], RING[1]), r"not \(starts, recipients\)"),
    "text": (("ab", "cd"), "a row of whole numbers is needed"),
    "one array": (np.stack([RING[1], RING[1]]), r"ndarray is not \(starts, recipients\)"),
    "three arrays": ((*RING, RING[0]), r"tuple is not \(starts, recipients\)"),
    "a graph": (nx.cycle_graph(N), r"Graph is not \(starts, recipients\).*links\(graph, people\)"),
    "a name": ("edges.txt", r"str is not \(starts, recipients\)"),
    "nothing of the kind": (3, r"int is not \(starts, recipients\)"),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_bad_pair_of_arrays_is_a_sentence(name):
    pair, sentence = PAIRS[name]
    with pytest.raises(ScenarioError, match=rf"(?m)^network.*{sentence}"):
        checked_links(pair, N)


@pytest.mark.parametrize(
    "enter",
    [
        lambda pair: simulate(scenario(), network=pair),
        lambda pair: initialize(scenario(), network=pair, shards=3),
        lambda pair: Market(scenario(), network=pair),
        lambda pair: cluster.simulate(scenario(), 1, network=pair),
    ],
    ids=["simulate", "begin", "Market", "cluster"],
)
def test_it_is_said_wherever_a_network_enters(enter):
    for pair, _ in (PAIRS["two starts"], PAIRS["three arrays"], PAIRS["a listener below 0"]):
        with pytest.raises(ScenarioError, match="network"):
            enter(pair)


def test_all_that_is_wrong_is_said_at_once():
    starts, recipients = np.append(RING[0], N), np.append(RING[1], N + 7)
    starts[3] = 30
    with pytest.raises(ScenarioError) as caught:
        checked_links((starts, recipients), N)
    assert len(caught.value.complaints) == 4


@pytest.mark.parametrize(
    "pair",
    [
        tuple(rows.astype(np.int32) for rows in RING),
        tuple(rows.astype(np.uint64) for rows in RING),
        tuple(rows.tolist() for rows in RING),
        list(RING),
        tuple(np.repeat(rows, 2)[::2] for rows in RING),
        tuple(np.frombuffer(rows.tobytes(), rows.dtype) for rows in RING),
    ],
    ids=["int32", "uint64", "lists", "a list", "strided", "read-only"],
)
def test_whole_numbers_of_any_make_are_the_same_network(pair):
    here, there = (simulate(scenario(), network=p) for p in (RING, pair))
    assert digest(here.tally) == digest(there.tally)


def labeled(*nodes):
    graph = nx.Graph()
    graph.add_nodes_from(nodes)
    return graph


GRAPHS = {
    "too few nodes": (nx.cycle_graph(N - 1), "the nodes of the graph are not 0 to 39, one a person: 39 nodes"),
    "names": (nx.relabel_nodes(nx.cycle_graph(N), str), "40 nodes, among them '0'"),
    "from 1": (nx.relabel_nodes(nx.cycle_graph(N), lambda n: n + 1), "among them 40"),
    "a node of 0.5": (labeled(*range(N - 1), 0.5), "among them 0.5"),
    "self-links": (nx.Graph([*((n, (n + 1) % N) for n in range(N)), (3, 3)]), "1 send to themselves, first person 3"),
    "a matrix of others": (sparse.eye(3, format="csr"), "3 x 3 links for 40 people"),
    "self-links of a matrix": (sparse.eye(N, format="coo"), "40 send to themselves, first person 0"),
    "one column": (np.arange(N), r"an array \[40\] of int64 is not an edge array"),
    "three columns": (np.ones((4, 3), int), r"an array \[4, 3\] of int64"),
    "fractions": (np.array([[0.5, 1]]), "of float64 is not an edge array .*of whole numbers"),
    "a list": ([[0, 1]], "list is not an edge array"),
    "a name": ("edges.txt", "str is not an edge array"),
    "nothing": (None, "NoneType is not an edge array"),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_what_is_no_network_of_these_people_is_a_sentence(name):
    graph, sentence = GRAPHS[name]
    with pytest.raises(ScenarioError, match=sentence):
        links(graph, N)


def test_stored_zeros_and_weights_are_no_links_and_nothing_given_is_changed():
    matrix = sparse.csr_array((np.array([0.0, 2.0]), (np.array([0, 1]), np.array([5, 6]))), shape=(N, N))
    starts, recipients = links(matrix, N)
    assert recipients.tolist() == [6] and starts[:3].tolist() == [0, 0, 1] and matrix.nnz == 2
    weighted = nx.Graph()
    weighted.add_nodes_from(range(N))
    weighted.add_edge(0, 1, weight=0)
    assert links(weighted, N)[1].tolist() == [1, 0]
    many = np.array([[0, 1]] * 256)
    assert links(many, N)[1].tolist() == [1]


def test_a_file_with_a_self_link_is_refused(tmp_path):
    (tmp_path / "edges.txt").write_text("0 1\n3 3\n")
    told = market({"people": N, "network.kind": "file", "network.edges": str(tmp_path / "edges.txt")})
    with pytest.raises(ScenarioError, match=r"^network.edges.recipients: 1 send to themselves, first person 3"):
        stored_links(told)
