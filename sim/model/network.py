"""A stored network of people: read from a file or made from a graph, and checked."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sim.model.declare import ScenarioError
from sim.model.fields import Scenario

LARGEST_FILE, LONGEST_LINE = 2 << 30, 10_000  # bytes of a file of edges, and characters of its first line


Links = tuple[np.ndarray, np.ndarray]  # starts [people + 1] and recipients [links], int64


def stored_links(s: Scenario) -> Links:
    """(starts, recipients) of the scenario's edge file; empty for the small world, which is computed.

    Raises ScenarioError for a file that cannot be read, or whose links are not among the people.
    """
    if s.network.kind != "file":
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    path = Path(s.network.edges)
    try:
        edges = _read_edges(path)
    except (OSError, ValueError) as error:
        row = re.search(r"at row (\d+)(.*with \d+ columns)?", str(error))  # NumPy would quote what stands there
        wrong = f"row {int(row[1]) + (not row[2])} does not begin with the numbers of two people" if row else error
        raise ScenarioError([f"network.edges: cannot read {path}: {wrong}"]) from None
    return links(edges, s.people)


def _read_edges(path: Path) -> np.ndarray:
    """The first two columns of a text file; ValueError or OSError when it has none, or more than can be meant."""
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise ValueError("not a regular file")
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError(f"larger than {LARGEST_FILE >> 20} MiB")
    with open(path, encoding="utf-8-sig") as file:
        lines = iter(partial(file.readline, LONGEST_LINE), "")
        first = next((line for line in lines if line.partition("#")[0].strip()), "")
        if not first or len(first) == LONGEST_LINE:
            raise ValueError(f"a line of more than {LONGEST_LINE:,} characters" if first else "it is empty")
        file.seek(0)
        comma = "," if path.suffix == ".csv" else None
        return np.loadtxt(file, dtype=np.int64, ndmin=2, usecols=(0, 1), delimiter=comma)


def links(graph: Any, people: int) -> Links:
    """(starts, recipients) from an edge array [links, 2], a scipy sparse matrix or a networkx graph.

    Row i of the matrix, or the edges (i, j), lead to the recipients of person i; an undirected graph leads both ways.
    Raises ScenarioError with everything that is wrong with them.
    """
    from scipy import sparse

    if hasattr(graph, "edges") and hasattr(graph, "nodes"):
        graph = _matrix(graph, people)
    elif not sparse.issparse(graph):
        edges = _edges(graph, people)
        once = np.ones(len(edges), bool)
        graph = sparse.csr_array((once, (edges[:, 0], edges[:, 1])), shape=(people, people))
    if graph.shape != (people, people):
        shape = " x ".join(map(str, graph.shape))
        raise ScenarioError([f"network: {shape} links for {people} people"])
    csr = sparse.csr_array(graph, copy=True)
    csr.eliminate_zeros()
    return checked_links((csr.indptr, csr.indices), people, "network.edges")


def _matrix(graph: Any, people: int) -> Any:
    import networkx

    outside = [node for node in graph.nodes if not (isinstance(node, int | np.integer) and 0 <= node < people)]
    if outside or len(graph) != people:
        found = f"{len(graph)} nodes" + (f", among them {outside[0]!r}" if outside else "")
        raise ScenarioError([f"network: the nodes of the graph are not 0 to {people - 1}, one a person: {found}"])
    return networkx.to_scipy_sparse_array(graph, nodelist=range(people), weight=None, format="csr")


def _edges(graph: object, people: int) -> np.ndarray:
    wants = "an edge array [links, 2], a scipy sparse matrix or a networkx graph"
    if not isinstance(graph, np.ndarray):
        raise ScenarioError([f"network: {type(graph).__name__} is not {wants}"])
    if graph.ndim != 2 or graph.shape[1] != 2 or graph.dtype.kind not in "iu":
        raise ScenarioError(
            [f"network: an array {list(graph.shape)} of {graph.dtype} is not {wants}, of whole numbers"]
        )
    outside = graph[(graph < 0) | (graph >= people)]
    if len(outside):
        raise ScenarioError([f"network.edges: person {outside[0]} is not among 0 to {people - 1}"])
    return graph


def checked_links(network: object, people: int, path: str = "network") -> Links:
    """(starts, recipients) as the kernel reads them, or one ScenarioError with all that is wrong.

    The recipients of person i are recipients[starts[i] : starts[i + 1]].
    """
    wants = "(starts, recipients), two arrays as `sim.model.network.links(graph, people)` makes them of a graph"
    if not (isinstance(network, tuple | list) and len(network) == 2):
        raise ScenarioError([f"{path}: {type(network).__name__} is not {wants}"])
    try:
        arrays = [np.asarray(rows) for rows in network]
    except ValueError:  # rows of unlike lengths
        raise ScenarioError([f"{path}: these are not {wants}"]) from None
    found = dict(zip(("starts", "recipients"), arrays, strict=True))
    wrong = [
        f"{path}.{name}: {list(rows.shape)} of {rows.dtype}; a row of whole numbers is needed"
        for name, rows in found.items()
        if rows.ndim != 1 or rows.dtype.kind not in "iu"
    ]
    wrong = wrong or [f"{path}.{complaint}" for complaint in _wrong_links(found, people)]
    if wrong:
        raise ScenarioError(wrong)
    starts, recipients = (np.require(rows, np.int64, ["C", "W"]) for rows in arrays)
    return starts, recipients


def _wrong_links(found: dict[str, np.ndarray], people: int) -> list[str]:
    """What is wrong with two rows of whole numbers as a network."""
    starts, recipients = found["starts"], found["recipients"]
    wrong = [f"starts: {len(starts)} of them; {people + 1} are needed, one more than people"] * (
        len(starts) != people + 1
    )
    outside = recipients[(recipients < 0) | (recipients >= people)]
    if len(outside):
        wrong.append(f"recipients: person {outside[0]} is not among 0 to {people - 1}")
    falls = np.flatnonzero(starts[1:] < starts[:-1])
    if len(falls):
        wrong.append(f"starts: they fall after place {falls[0]}, from {starts[falls[0]]} to {starts[falls[0] + 1]}")
    if len(starts) and (starts[0] != 0 or starts[-1] != len(recipients)):
        wrong.append(f"starts: from {starts[0]} to {starts[-1]}; they go from 0 to {len(recipients)}, the recipients")
    if wrong:
        return wrong
    degree = np.diff(starts).astype(np.int64)
    own = np.flatnonzero(recipients == np.repeat(np.arange(people), degree))
    if len(own):
        wrong.append(
            f"recipients: {len(own)} send to themselves, first person {recipients[own[0]]}; leave such links out"
        )
    return wrong
