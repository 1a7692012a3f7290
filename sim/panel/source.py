"""Opens a file of any kind as a Table of text; nothing is interpreted here."""

import bz2
import codecs
import gzip
import io
import lzma
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from sim.panel.layout import LEGACY, Layout, encoding_of, is_quoted_whole, layout_of, legacy_encoding
from sim.panel.options import Options
from sim.panel.table import Table, encoded, from_frame
from sim.panel.types import PanelError

MOST_ROWS, MOST_BYTES = 20_000_000, 2 << 30
HEAD = 1 << 18  # bytes looked at to see what the file is
MOST_RAGGED = 0.1  # of the lines may have more cells than the header
PACKED: dict[bytes, Callable[[Path], io.BufferedIOBase]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}

OTHERS = {
    b"%pdf": "a PDF file",
    b"<": "an HTML or XML file",
    b"{": "a JSON file",
    b"[{": "a JSON file",
    b"[\n": "a JSON file",
    b"$fl2": "an SPSS file",
    b"rdx": "an R file",
}


def open_table(path: Path, options: Options) -> Table:
    """The table in a file; PanelError if it is none."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        if not head.strip():
            raise PanelError([f"{path}: the file is empty; it needs a header and one row a purchase"])
        return _opened(path, head, options)
    except FileNotFoundError:
        raise PanelError([f"{path}: there is no such file"]) from None
    except (OSError, EOFError, zipfile.BadZipFile, lzma.LZMAError, zlib.error) as error:
        raise PanelError([f"{path}: cannot be read ({_short(error)})"]) from None


def _short(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split())[:120]


def _opened(path: Path, head: bytes, options: Options) -> Table:
    if head.startswith(b"PAR1") or path.suffix.lower() in (".parquet", ".pq"):
        return _parquet(path)
    if head.startswith(b"\xd0\xcf\x11\xe0") or _is_workbook(path, head):
        from sim.panel.workbook import open_workbook

        return open_workbook(path, options)
    for start, kind in OTHERS.items():
        if head.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(start):
            raise PanelError([f"{path}: {kind}; a panel is a CSV, Excel or Parquet file: save or export it as one"])
    for magic, opener in PACKED.items():
        if head.startswith(magic):
            with opener(path) as file:
                content = _bounded(file, path)
            return _text(path, content[:HEAD], content, options)
    if head.startswith(b"PK\x03\x04"):
        content = _from_zip(path)
        return _text(path, content[:HEAD], content, options)
    return _text(path, head, path, options)


def _is_workbook(path: Path, head: bytes) -> bool:
    if not head.startswith(b"PK\x03\x04"):
        return False
    names = zipfile.ZipFile(path).namelist()
    return "xl/workbook.xml" in names or "content.xml" in names


def _from_zip(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        files = [i for i in archive.infolist() if not i.is_dir() and not i.filename.startswith("__MACOSX")]
        if len(files) != 1:
            shown = ", ".join(i.filename for i in files[:5])
            raise PanelError(
                [f"{path}: holds {len(files)} files ({shown}); unpack it and give the one with the purchases"]
            )
        with archive.open(files[0]) as file:
            return _bounded(file, path)


def _bounded(file: IO[bytes] | io.BufferedIOBase, path: Path) -> bytes:
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise PanelError([f"{path}: unpacks to more than {MOST_BYTES >> 30} GB; give a part of it"])
    return content


def _parquet(path: Path) -> Table:
    import pandas as pd
    import pyarrow.parquet as pq

    try:
        rows = pq.ParquetFile(path).metadata.num_rows
        _check_rows(path, rows)
        frame = pd.read_parquet(path)
    except PanelError:
        raise
    except Exception as error:  # pyarrow has many
        raise PanelError([f"{path}: cannot be read as parquet ({_short(error)})"]) from None
    if not isinstance(frame.index, pd.RangeIndex) or frame.index.name is not None:
        frame = frame.reset_index()
    return from_frame(frame, [])


def _check_rows(path: Path, rows: int) -> None:
    if rows > MOST_ROWS:
        many = f"{rows:,}" if rows > MOST_ROWS + 1 else f"more than {MOST_ROWS:,}"
        raise PanelError([f"{path}: {many} rows; at most {MOST_ROWS:,} are read: take a random part of the customers"])


def _text(path: Path, head: bytes, source: Path | bytes, options: Options) -> Table:
    encoding = options.encoding or encoding_of(head)
    if encoding is None:
        raise PanelError([f"{path}: not a text file; a panel is a CSV, Excel or Parquet file"])
    said = ""
    if encoding == "utf-8-sig" and not options.encoding and not _is_utf8(head):
        encoding = legacy_encoding(head)
        named = LEGACY.get(encoding, "Windows-1252 (Western European)")
        said = f"The file is not UTF-8; it is read as {named}; panel.encoding=NAME says otherwise."
    text = head.decode(encoding, "replace")
    if is_quoted_whole(text.splitlines()):
        content = source.read_bytes() if isinstance(source, Path) else source
        lines = content.decode(encoding, "replace").splitlines()
        source = "\n".join(line.strip()[1:-1].replace('""', '"') for line in lines).encode()
        text, encoding = source[:HEAD].decode(), "utf-8"
    layout = layout_of(text, len(head) < HEAD, encoding, options)
    layout.notes += [said] if said else []
    try:
        return _parsed(path, source, layout)
    except UnicodeDecodeError as error:
        if options.encoding:
            raise PanelError(
                [f"{path}: is not {options.encoding} ({_short(error)}); panel.encoding names another"]
            ) from None
        layout.encoding = "cp1252"
        layout.notes.append("The file is not UTF-8; it is read as Windows-1252 (Western European).")
        return _parsed(path, source, layout)


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # a letter may be cut off at the end
    except UnicodeDecodeError:
        return False
    return True


def _parsed(path: Path, source: Path | bytes, layout: Layout) -> Table:
    import pandas as pd

    options: dict[str, object] = {
        "sep": layout.separator,
        "encoding": layout.encoding,
        "encoding_errors": "replace" if layout.encoding == "cp1252" or layout.encoding in LEGACY else "strict",
        "skiprows": layout.skip + (layout.header and layout.names is not None),
        "dtype": "string[pyarrow]",
        "keep_default_na": False,
        "index_col": False,
        "nrows": MOST_ROWS + 1,
        "on_bad_lines": "warn",
        "compression": None,
        "skipinitialspace": True,
    }
    options |= {"names": layout.names, "header": None} if layout.names is not None else {"header": 0}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            frame = pd.read_csv(source if isinstance(source, Path) else io.BytesIO(source), **options)
        except pd.errors.EmptyDataError:
            raise PanelError([f"{path}: the file is empty; it needs a header and one row a purchase"]) from None
        except pd.errors.ParserError as error:
            raise PanelError([f"{path}: not a CSV file ({_short(error)})"]) from None
    _check_rows(path, len(frame))
    ragged = _ragged(path, caught, len(frame))
    notes = list(layout.notes)
    if ragged:
        notes.append(f"{ragged} line{'s' * (ragged > 1)} with more cells than the header left out.")
    names = ["" if str(n).startswith("Unnamed: ") else " ".join(str(n).split()).strip("'") for n in frame.columns]
    names = [n if n or names.index("") == i else f"column {i + 1}" for i, n in enumerate(names)]
    rows = len(frame)
    table = Table(
        names, {n: encoded(frame.pop(old)) for n, old in zip(names, list(frame), strict=True)}, rows, notes=notes
    )
    table.first_line = layout.skip + 1 + layout.header
    table.header, table.comma = layout.header, layout.separator == ";"
    return table


def _ragged(path: Path, caught: list[warnings.WarningMessage], rows: int) -> int:
    """Lines left out for having more cells than the header; PanelError where that is no slip."""
    ragged = sum(str(w.message).count("Skipping line") for w in caught)
    longer = any("does not match length of data" in str(w.message) for w in caught)
    if longer or ragged > MOST_RAGGED * (rows + ragged):
        many = "the lines" if longer else f"{ragged} of {rows + ragged} lines"
        advice = "cells with a separator in them, such as decimal commas, need quotes, or another separator"
        raise PanelError([f"{path}: not a CSV file: {many} have more cells than the header; {advice}"])
    return ragged
