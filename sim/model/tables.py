"""Files of columns that a scenario names, read once and known by their content: a calendar, people to start from."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.model.declare import ScenarioError

if TYPE_CHECKING:
    import pyarrow as pa

LARGEST_FILE = 2 << 30  # bytes
ROWS, ROWS_A_BYTE = 1 << 24, 64  # that any file may hold, and for each of its bytes
KEPT = 8  # files whose columns are kept in memory

Columns = dict[str, np.ndarray]  # name -> float64, nan where nothing is given, or text, "" where nothing is given

_kept: OrderedDict[str, Columns] = OrderedDict()  # by the SHA-256 of a file
_lock = threading.Lock()


def columns_of(field: str, path: str, sha256: str = "") -> tuple[str, Columns]:
    """SHA-256 and columns of a CSV (with commas) or Parquet file; `field` is the scenario's, for errors.

    With `sha256` the content must be that one: it is taken from memory if it was read before, and ScenarioError says so
    if the file has another. Raises ScenarioError, too, for a file that cannot be read.
    """
    found = kept(sha256)
    if found is not None:
        return sha256, found
    try:
        content = _bytes_of(Path(path))
        own = hashlib.sha256(content).hexdigest()
        columns = kept(own) or _parsed(content)
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        said = getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0]
        raise ScenarioError([f"{field}: cannot read {path}: {said}"]) from None
    if sha256 not in ("", own):
        raise ScenarioError([f"{field}: {path} is not the file that this scenario was made with: its content differs"])
    keep({own: columns})
    return own, columns


def kept(sha256: str) -> Columns | None:
    """The columns of a file that was read before; None if they are not in memory."""
    with _lock:
        if sha256 in _kept:
            _kept.move_to_end(sha256)
        return _kept.get(sha256)


def keep(files: Mapping[str, Columns]) -> None:
    """Keep columns in memory by the SHA-256 of their files, and let go of those used longest ago."""
    with _lock:
        for sha256, columns in files.items():
            _kept[sha256] = columns
            _kept.move_to_end(sha256)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)


def _bytes_of(path: Path) -> bytes:
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise ValueError("not a regular file")
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError(f"larger than {LARGEST_FILE >> 20} MiB")
    return path.read_bytes()


def _parsed(content: bytes) -> Columns:
    import pyarrow as pa
    from pyarrow import csv
    from pyarrow import parquet as pq

    buffer = pa.BufferReader(content)
    if content.startswith(b"PAR1"):
        file = pq.ParquetFile(buffer)
        if file.metadata.num_rows > ROWS + ROWS_A_BYTE * len(content):
            raise ValueError(f"{file.metadata.num_rows:,} rows in {len(content):,} bytes")
        table = file.read()
    else:
        table = csv.read_csv(buffer)
    names = [name for name in table.column_names if not name.startswith("__index_level_")]  # pandas' row numbers
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"column {twice[0]} is there twice")
    return {name: _values(name, table.column(name)) for name in names}


def _values(name: str, column: "pa.ChunkedArray") -> np.ndarray:
    import pyarrow as pa

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    numeric = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal, pa.types.is_null)
    if any(is_kind(kind) for is_kind in numeric):
        if pa.types.is_boolean(kind):
            column = column.cast(pa.int8())
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return np.array([word or "" for word in column.to_pylist()], np.str_)
    raise ValueError(f"column {name} holds neither numbers nor text, but {kind}")
