"""A run on disk: one Parquet file with a row for every count that is not zero, which carries its own scenario.

Columns: `counter` (a field of the tally), `replication`, `group`, `week`, `window`, `segment`, `cohort`, `firm`
(the one used, joined or had at the end), `other` (the one left, had at the start or also used), `scandal`, `outcome`
(of the visit before), `uses` (so many, or from so many on), `what` is counted, and its `count`. A column is null where
the counter has no such axis; a firm is "" where it is nobody. `sim.measure.tally` says what each counter means.
"""

import hashlib
import json
import math
import platform
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.compute.files import write_atomic
from sim.engine.loop import Run
from sim.measure.shares import Share
from sim.measure.tally import FIXED, LARGEST, TENURE, Count, Event, Tally, empty_tally
from sim.model.fields import Scenario
from sim.model.scenario import build, to_dict

FORMAT = "3"  # raised when a column, a bin, a counter or a field of the scenario changes its name or meaning
MARK = "stickiness.run"  # key of the format in the metadata, which makes a Parquet file a run
BINS = {
    "LARGEST": LARGEST,
    "FIXED": FIXED,
    "TENURE": TENURE.tolist(),
}  # of sim.measure.tally, in which counts were made
KEYS = ("scenario", "shares", "seed", "groups", "bins", "versions", "revision", "notes")  # of the metadata, as JSON
DIGEST = "digest"  # key in the metadata of what tells that something is missing or was edited
ROWS, ROWS_A_BYTE = (
    1 << 24,
    64,
)  # that a file may hold in any case, and for each of its bytes: more is no run but a trap
ROOM, ROOM_A_ROW = 1 << 28, 1 << 14  # counts that a tally may have room for, likewise; those that stay 0 take no memory
FIRST = "replication group"
AXES = {  # of each counter after FIRST; segment and cohort make the cell of the tally
    "people": "segment cohort",
    "flow": "week segment cohort left joined",
    "event": "week segment cohort firm event",
    "news": "week segment cohort scandal hearing",
    "window": "window segment cohort firm measure",
    "both": "window segment cohort firm other",
    "buyers": "window segment cohort uses",
    "transitions": "window segment cohort left joined",
    "faithful": "window segment cohort",
    "tenure": "segment cohort firm tenure staying",
    "standing": "window segment cohort firm tenure",
    "after": "segment cohort firm outcome staying",
}
NAMED = {"left": "other", "joined": "firm", "tenure": "uses", "event": "what", "hearing": "what"}
COLUMN = NAMED | {"measure": "what", "staying": "what"}  # of an axis, where it is called otherwise
INTEGERS = f"{FIRST} week window uses".split()
COLUMNS = f"{FIRST} week window segment cohort firm other scandal outcome uses what".split()


class StoreError(ValueError):
    """A file that is not what it should be, or a run that cannot be written, and why."""


def save(run: Run, path: str | Path, notes: Mapping[str, Any] | None = None) -> Path:
    """Write the run to one Parquet file, whole or not at all; the same run gives the same bytes.

    `notes` (all that JSON can hold, say the time of day) join the metadata. People's state is not kept.
    Raises StoreError when tally and scenario do not belong together, OSError when the folder takes no files.
    """
    s, groups = run.scenario, len(run.tally.people) // run.scenario.replications
    told = (to_dict(s), run.shares, s.seed, groups, BINS, versions(), revision(), dict(notes or {}))
    about = _encoded({MARK: FORMAT, **dict(zip(KEYS, told, strict=True))})
    about[DIGEST.encode()] = _digest(run.tally, about).encode()
    return _write(_table(run, groups).replace_schema_metadata(about), path)


def load(path: str | Path) -> Run:
    """The run in a file, its tally the one that was saved, bit for bit; StoreError when there is none.

    Rows that are missing, were edited or are there twice are an error, and so is a file that would take far more
    memory than it is long.
    """
    about = describe(path)
    if about["bins"] != BINS:
        raise StoreError(f"{path}: counted in the bins {about['bins']}, and this version has {BINS}; simulate again")
    rows = _read(path, lambda file: _rows_of(file, Path(path).stat().st_size))
    try:
        scenario = build(about["scenario"])
        tally = _tally(rows, scenario, about["groups"])
        # a run of before presence had an error does not know it
        shares = {name: Share(*map(float, (*told, "nan")[:3])) for name, told in about["shares"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, MemoryError, pa.ArrowException) as error:
        raise StoreError(f"{path}: not a run of this version: {_first_line(error)}") from error
    told = _encoded(read_metadata(path))
    digest = told.get(DIGEST.encode())  # of which older files have none
    everybody = scenario.people * scenario.replications
    if tally.people.sum() != everybody if digest is None else digest.decode() != _digest(tally, told):
        raise StoreError(f"{path}: part of it is missing or was edited; it is not the run that was saved")
    return Run(scenario, tally, shares)


def load_all(folder: str | Path) -> Iterator[tuple[Path, Run]]:
    """Every run below a folder with its path, in the order of names (2 before 10); other tables are passed over."""
    if not Path(folder).is_dir():
        raise StoreError(f"{folder}: no such folder")
    for path in sorted(Path(folder).rglob("*.parquet"), key=_natural):
        if MARK in read_metadata(path):
            yield path, load(path)


def describe(path: str | Path) -> dict[str, Any]:
    """What a run says of itself, without its counts: what stands under KEYS."""
    about = read_metadata(path)
    if MARK not in about:
        raise StoreError(f"{path}: a Parquet file, but not a run written by sim.study.store.save")
    if about[MARK] != FORMAT:
        raise StoreError(
            f"{path}: a run in format {about[MARK]}, and this version reads format {FORMAT}; simulate again, "
            f"or read it with what wrote it: {about.get('versions', 'unknown')}"
        )
    try:
        return {key: json.loads(about[key]) for key in KEYS}
    except (KeyError, ValueError, RecursionError) as error:
        raise StoreError(f"{path}: a run whose metadata are incomplete or damaged: {_first_line(error)}") from error


def read_metadata(path: str | Path) -> dict[str, str]:
    """The key/value metadata of any Parquet file, without its rows."""
    found = _read(path, lambda file: file.metadata.metadata) or {}
    try:
        return {key.decode(): value.decode() for key, value in found.items()}
    except UnicodeDecodeError as error:
        raise StoreError(f"{path}: its metadata are damaged: {error}") from error


def write_table(frame: Any, path: str | Path, metadata: Mapping[str, Any] | None = None) -> Path:
    """Write a pandas DataFrame to Parquet, whole or not at all; `metadata` that is not text goes in as JSON."""
    table = pa.Table.from_pandas(frame)
    return _write(table.replace_schema_metadata(_encoded(metadata or {}) | table.schema.metadata), path)


def versions() -> dict[str, str]:
    """What computes here: packages, Python, machine."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in ("stickiness", "numpy", "numba", "pyarrow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@cache
def revision() -> dict[str, Any] | None:
    """The commit this package is run from and whether its files differ from it; None outside a working tree."""
    try:
        _git("ls-files", "--error-unmatch", "__init__.py")  # fails when installed inside another repository
        return {"commit": _git("rev-parse", "HEAD"), "dirty": _git("status", "--porcelain", "--", ".") != ""}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*words: str) -> str:
    command, here = ["git", "--no-optional-locks", *words], Path(__file__).resolve().parent
    return subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=10, check=True).stdout.strip()


def _natural(path: Path) -> list[Any]:
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", str(path))]


def _encoded(about: Mapping[str, Any]) -> dict[bytes, bytes]:
    return {k.encode(): (v if isinstance(v, str) else json.dumps(v)).encode() for k, v in about.items()}


def _write(table: pa.Table, path: str | Path) -> Path:
    options = {"compression": "zstd", "write_page_checksum": True}
    return write_atomic(path, lambda file: pq.write_table(table, file, **options))


def _read(path: str | Path, what: Callable[[Any], Any]) -> Any:
    try:
        if Path(path).exists() and not Path(path).is_file():  # a pipe would be waited for
            raise OSError("it is no regular file")
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return what(file)
    except FileNotFoundError as error:
        raise StoreError(f"{path}: no such file") from error
    except (OSError, ValueError, OverflowError, MemoryError, pa.ArrowException) as error:
        raise StoreError(f"{path}: not a whole Parquet file, or not one that can be read: {error}") from error


def _rows_of(file: pq.ParquetFile, size: int) -> pa.Table:
    if file.metadata.num_rows > ROWS + ROWS_A_BYTE * size:
        raise OSError(f"{file.metadata.num_rows:,} rows in {size:,} bytes")
    return file.read()


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _digest(tally: Tally, about: Mapping[bytes, bytes]) -> str:
    """SHA-256 over the metadata, and over where counts are and what they are; zeros are left out, as in the file."""
    digest = hashlib.sha256(b"\0".join(about[key.encode()] for key in KEYS))
    for counts in tally:
        flat = counts.reshape(-1)
        where = np.flatnonzero(flat)
        digest.update(where.astype("<i8").tobytes() + flat[where].astype("<i8").tobytes())
    return digest.hexdigest()


def _labels(s: Scenario, groups: int) -> dict[str, Sequence[Any]]:
    """What the positions along each axis are called."""
    firms = list(s.firms)
    return {
        "replication": range(s.replications),
        "group": range(groups),
        "week": range(s.weeks),
        "window": range(s.weeks // s.window),
        "segment": list(s.segments),
        "cohort": list(s.cohorts),
        **{"firm": firms, "other": firms, "left": ["", *firms], "joined": ["", *firms]},
        "scandal": list(s.scandals) if s.mechanisms.scandal else [],
        "outcome": ["fine", "minor", "minor_complained", "major", "major_complained"],
        "uses": list(range(LARGEST)),
        "tenure": TENURE.tolist(),
        "event": [event.name.lower() for event in Event],
        "measure": [count.name.lower() for count in Count],
        "hearing": ["heard", "acted", "bought_more"],
        "staying": ["again", "elsewhere"],
    }


def _zeros(s: Scenario, labels: Mapping[str, Sequence[Any]]) -> tuple[Tally, dict[str, np.ndarray]]:
    """An empty tally of the scenario, and the same memory with one axis for each word of FIRST and AXES."""
    size = [len(labels[axis]) for axis in ("window", "firm", "scandal", "group")]
    tally = empty_tally(s.weeks - 1, size[0], len(s.cells), size[1], size[2], size[3] * s.replications)
    return tally, {c: getattr(tally, c).reshape([len(labels[axis]) for axis in _axes(c)]) for c in AXES}


def _axes(counter: str) -> list[str]:
    return f"{FIRST} {AXES[counter]}".split()


def _table(run: Run, groups: int) -> pa.Table:
    labels = _labels(run.scenario, groups)
    empty, tidy = _zeros(run.scenario, labels)
    for counter, zeros, counts in zip(Tally._fields, empty, run.tally, strict=True):
        if counts.shape != zeros.shape or counts.dtype != zeros.dtype:
            raise StoreError(f"{counter}: {counts.dtype}{counts.shape} is no tally of {zeros.dtype}{zeros.shape}")
    words = {"counter": list(AXES)} | {c: _words(c, labels) for c in COLUMNS if c not in INTEGERS}
    return pa.concat_tables(_rows(c, getattr(run.tally, c).reshape(tidy[c].shape), labels, words) for c in AXES)


def _words(column: str, labels: Mapping[str, Sequence[Any]]) -> list[Any]:
    """All that a column may hold, whichever axis it stands for."""
    return list(dict.fromkeys(word for axis in labels if COLUMN.get(axis, axis) == column for word in labels[axis]))


def _rows(counter: str, counts: np.ndarray, labels: Mapping[str, Any], words: Mapping[str, Any]) -> pa.Table:
    """Those of `counts` that are not zero, in the order of its axes."""
    where = np.nonzero(counts)
    many = len(where[0])
    columns = {"counter": np.full(many, list(AXES).index(counter), np.int32)}
    columns |= dict.fromkeys(COLUMNS, pa.nulls(many, pa.int32()))
    for axis, at in zip(_axes(counter), where, strict=True):
        name = COLUMN.get(axis, axis)
        values = labels[axis] if name in INTEGERS else [words[name].index(label) for label in labels[axis]]
        columns[name] = np.array(values, np.int32)[at]
    for name, known in words.items():
        columns[name] = pa.DictionaryArray.from_arrays(columns[name], pa.array(known, pa.string()))
    return pa.table(columns | {"count": counts[where]})


def _tally(table: pa.Table, scenario: Scenario, groups: int) -> Tally:
    """The tally whose rows these are, in whatever order and encoding they come."""
    labels = _labels(scenario, groups)
    room = sum(math.prod(len(labels[axis]) for axis in _axes(counter)) for counter in AXES)
    if groups < 1 or room > ROOM + ROOM_A_ROW * len(table):
        raise StoreError(f"groups: {len(table):,} rows in {groups} groups are no tally of this scenario")
    tally, tidy = _zeros(scenario, labels)
    if not pa.types.is_integer(table["count"].type) or table["count"].null_count:
        raise StoreError("count: not a column of whole numbers")
    counts = table["count"].cast(pa.int64()).to_numpy()
    columns = {name: _codes(table[name]) for name in ("counter", *COLUMNS)}
    counters = _places(columns["counter"], list(AXES), slice(None))
    for c, counter in enumerate(AXES):
        rows = np.flatnonzero(counters == c)
        at = tuple(_places(columns[COLUMN.get(axis, axis)], labels[axis], rows) for axis in _axes(counter))
        if any((axis < 0).any() for axis in at):
            raise StoreError(f"{counter}: counts of something the scenario does not have")
        tidy[counter][at] = counts[rows]
    if sum(np.count_nonzero(counter) for counter in tally) != len(table):
        raise StoreError("rows that count nothing, are there twice, or belong to no counter")
    return tally


def _codes(column: pa.ChunkedArray) -> tuple[np.ndarray, list[Any]]:
    encoded = column.dictionary_encode().unify_dictionaries().combine_chunks()
    return encoded.indices.fill_null(-1).to_numpy(), encoded.dictionary.to_pylist()


def _places(coded: tuple[np.ndarray, list[Any]], labels: Sequence[Any], rows: Any) -> np.ndarray:
    """Where along an axis the rows lie; -1 where its labels do not say."""
    codes, words = coded
    place = {label: i for i, label in enumerate(labels)}
    return np.array([*(place.get(word, -1) for word in words), -1])[codes[rows]]
