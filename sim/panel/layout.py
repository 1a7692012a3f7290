"""How a text file is laid out: encoding, separator, lines before the header, header."""

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from sim.panel import vocabulary
from sim.panel.options import Options

LEGACY = {  # encodings of text files before UTF-8
    "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "cp932": "Shift JIS (Japanese)",
    "cp949": "Windows-949 (Korean)",
}
COMMENTS = ("#", "%", "//")
MOST_LINES = 20  # in a cell
SEPARATORS = (",", ";", "\t", "|", "^", "~", "\x01")


@dataclass
class Layout:
    """How a text file is laid out."""

    encoding: str
    separator: str
    skip: int  # lines before the header (or before the first row, where there is none)
    names: list[str] | None  # of the header, where pandas should not read it
    header: bool
    notes: list[str]


def encoding_of(head: bytes) -> str | None:
    """UTF-8, or UTF-16 or UTF-32 by their marks or zeros; None for what is no text."""
    for mark, name in ((b"\xff\xfe\x00\x00", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if head.startswith(mark):
            return name
    if b"\0" not in head:
        return "utf-8-sig"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 2 * 0.7 and min(even, odd) < len(head) // 2 * 0.1:
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def legacy_encoding(head: bytes) -> str:
    """Of text that is not UTF-8: the encoding in which most names of columns are known; Western European in doubt."""
    best, most = "cp1252", 0
    for encoding in ("cp1252", *LEGACY):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        cells = {cell.strip(" \"'") for line in text.splitlines()[:MOST_LINES] for cell in re.split(r"[,;\t|]", line)}
        known = sum(not cell.isascii() and _is_usual(cell) for cell in cells)
        if known > most:
            best, most = encoding, known
    return best


def _is_usual(name: str) -> bool:
    """Whether a column of that name is known: of customers, brands, times, amounts or a status."""
    text = vocabulary.normalized(name)
    tiers = (
        *vocabulary.CUSTOMER,
        *vocabulary.BRAND,
        vocabulary.QUANTITY,
        vocabulary.PRICE,
        vocabulary.STATUS,
        vocabulary.ORDER,
    )
    return any(re.fullmatch(p, text) for patterns in tiers for p in patterns) or any(
        re.fullmatch(f"{vocabulary.WHEN}*{word}{vocabulary.WHEN}*", text)
        for _, word in vocabulary.MOMENT
        if len(word) > 2
    )


def layout_of(text: str, whole: bool, encoding: str, options: Options) -> Layout:
    """Separator, header and the lines before it, seen from the beginning of the file."""
    lines = text.splitlines()
    lines = lines if whole else lines[:-1] or lines
    notes: list[str] = []
    skip, separator = 0, ""
    if lines and lines[0].strip().strip('"').lower().startswith("sep="):
        declared = lines[0].strip(' "\ufeff')[4:]
        separator, skip = declared if len(declared) == 1 else "", 1
    comments = []
    while skip < len(lines) and (not lines[skip].strip() or lines[skip].lstrip().startswith(COMMENTS)):
        comments += [(skip, lines[skip])] if lines[skip].strip() else []
        skip += 1
    body = [line for line in _whole_lines(lines[skip:], 200) if line.strip()]
    separator = separator or _separator(body)
    cells = [split_line(line, separator) for line in body]
    counts = [len(row) for row in cells]
    usual = Counter(counts).most_common(1)[0][0] if counts else 1
    before = _header_line(cells, usual)
    if 0 < before <= 20 and "".join(body[:before]).count('"') % 2 == 0:
        at = lines.index(body[before].split("\n")[0], skip)
        notes.append(f"{before} line{'s' * (before > 1)} before the header left aside ({body[0].strip()[:40]!r}).")
        skip, body, counts = at, body[before:], counts[before:]
    header = _has_header(body, separator) if options.header is None else options.header == "yes"
    names = _names(body, counts, separator, header)
    if not header and comments:
        words = split_line(comments[-1][1].lstrip().lstrip("#%/").strip(), separator)
        if len(words) == usual and options.header is None:
            header, names, skip = True, _distinct(words), skip - 1
            notes.append("The names of the columns are taken from the comment line above the first row.")
    return Layout(encoding, separator, skip, names, header, notes)


def is_quoted_whole(lines: list[str]) -> bool:
    """Whether every line, as a whole, is in quotes: "customer,date,brand"."""
    filled = [line.strip() for line in lines[:20] if line.strip()]
    inside = [line[1:-1].replace('""', "") for line in filled]
    quoted = all(
        len(line) > 2 and line[0] == line[-1] == '"' and '"' not in i for line, i in zip(filled, inside, strict=True)
    )
    return (
        quoted and len(filled) > 1 and any(all(i.count(s) == inside[0].count(s) > 1 for i in inside) for s in ",;\t|")
    )


def _whole_lines(lines: list[str], most: int) -> list[str]:
    """The first lines, each with those that belong to it because a quote is open: addresses have several lines."""
    whole, used = [], 0
    while used < min(len(lines), most):
        many = 1
        if lines[used].count('"') % 2:  # a quote that is never closed is a sign of inches or so
            closed = (n for n in range(2, MOST_LINES + 1) if "\n".join(lines[used : used + n]).count('"') % 2 == 0)
            many = next(closed, 1)
        whole.append("\n".join(lines[used : used + many]))
        used += many
    return whole


def _header_line(cells: list[list[str]], usual: int) -> int:
    """The first line as long as most, and as full: lines above it are a title. R writes a header one cell shorter."""
    filled = [sum(bool(c.strip()) for c in row) for row in cells]
    full = Counter(filled).most_common(1)[0][0] if filled else 1
    for i, row in enumerate(cells):
        longer = i == 0 and len(row) == usual + 1 > 2 and not row[-1].strip()  # it alone ends with a separator
        if (len(row) == usual > 1 or longer) and filled[i] > min(full, usual) / 2:
            shorter = i > 0 and len(cells[i - 1]) == usual - 1 > 1 and any(map(_figure, row))
            return i - shorter
    return 0


def _names(body: list[str], counts: list[int], separator: str, header: bool) -> list[str] | None:
    """Names where pandas would misread the header: rows that begin with their number, or that end with a separator."""
    if not body:
        return None
    if not header:
        return [str(i + 1) for i in range(Counter(counts).most_common(1)[0][0])]
    first, rest = split_line(body[0], separator), counts[1:]
    if (joined := joined_names(first, split_line(body[1], separator) if len(body) > 2 else [])) is not None:
        return joined
    if rest and all(n == len(first) - 1 for n in rest) and not first[-1].strip():
        return _distinct(first[:-1])
    if rest and all(n == len(first) + 1 for n in rest):
        rows = [split_line(line, separator) for line in body[1:]]
        if all(not row[-1].strip() for row in rows):
            return _distinct([*first, ""])
        if len({row[0] for row in rows}) == len(rows):
            return _distinct(["", *first])
    return None


def joined_names(first: list[str], second: list[str]) -> list[str] | None:
    """The names of two lines of header, the first of kinds and the second of brands; None where there is one line.

    >>> joined_names(["hh", "choice", "price", "price"], ["", "", "aro", "bel"])
    ['hh', 'choice', 'price_aro', 'price_bel']
    """
    first, second = [c.strip() for c in first], [c.strip() for c in second]
    if len(first) != len(second) or any(map(_figure, second)):
        return None
    above = first[:1]  # a merged cell holds for the empty ones on its right
    for one, below in zip(first[1:], second[1:], strict=True):
        above.append(one or (above[-1] if below else ""))
    several = [bool(one) and above.count(one) > 1 for one in above]
    names = [f"{a}_{b}" if s else a for a, b, s in zip(above, second, several, strict=True)]
    alone = [not b for b, s in zip(second, several, strict=True) if not s]
    under = [bool(b) for b, s in zip(second, several, strict=True) if s]
    return names if alone and all(alone) and under and all(under) and len(set(names)) == len(names) else None


def _distinct(names: list[str]) -> list[str]:
    return [n if n not in names[:i] else f"{n}.{i + 1}" for i, n in enumerate(names)]


def split_line(line: str, separator: str) -> list[str]:
    """The cells of a line."""
    plain, mark = (" ".join(line.split()), " ") if separator == r"\s+" else (line, separator)
    try:
        return next(csv.reader(io.StringIO(plain), delimiter=mark), [])
    except csv.Error:  # a cell longer than that module takes
        return plain.split(mark)


def _separator(body: list[str]) -> str:
    """The one by which the header and most lines have the same number of cells, and more than one."""

    def fit(separator: str) -> tuple[float, int]:
        counts = [len(split_line(line, separator)) for line in body[:100]]
        agree = np.mean([n in (counts[0], counts[0] + 1) for n in counts]) if counts and counts[0] > 1 else 0.0
        return (round(float(agree), 1), counts[0] if counts else 0)

    best = max(SEPARATORS, key=fit, default=",")
    if fit(best)[0] > 0:
        return best
    if body and fit(r"\s+")[0] >= 0.9:
        return r"\s+"

    def usual(separator: str) -> tuple[int, int]:  # where a title lies above the header
        counts = Counter(n for n in (len(split_line(line, separator)) for line in body[:100]) if n > 1)
        cells, lines = counts.most_common(1)[0] if counts else (0, 0)
        return lines, cells

    return max(SEPARATORS, key=usual)


def _has_header(body: list[str], separator: str) -> bool:
    """Whether the first line holds names: no cell of it is a number or date, or comes again among the values below."""
    rows = [[c.strip() for c in split_line(line, separator)] for line in body[:100]]
    if len(rows) < 2 or len(rows[0]) < 2:
        return True
    first, below = rows[0], [r for r in rows[1:] if len(r) == len(rows[0]) and r != rows[0]]
    if not below:
        return True
    columns = list(zip(*below, strict=True))
    figures = [
        _figure(name) and sum(map(_figure, column)) > len(column) / 2
        for name, column in zip(first, columns, strict=True)
    ]
    again = [bool(name) and name in column for name, column in zip(first, columns, strict=True)]
    return not ((any(figures) and not _wide_dates(first)) or all(again))


def _figure(cell: str) -> bool:
    return bool(cell) and sum(c.isdigit() for c in cell) >= max(1, len(cell) / 2) and cell[0] in "0123456789-+."


def _wide_dates(first: list[str]) -> bool:
    """Names such as customer, 2021-01, 2021-02: a column a month."""
    return (
        len(first) > 3
        and sum(map(_figure, first)) >= len(first) - 2
        and not _figure(first[0])
        and len(set(first)) == len(first)
    )
