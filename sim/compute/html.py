"""A small table in plain HTML, as notebooks show it."""

from collections.abc import Iterable, Sequence
from html import escape


def html_table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A caption, a row of heads and rows of cells as HTML; every text is escaped.

    >>> html_table("Firms", ["firm", "share"], [["A & B", 0.5]])
    '<table><caption>Firms</caption><tr><th>firm</th><th>share</th></tr><tr><td>A &amp; B</td><td>0.5</td></tr></table>'
    """
    lines = [_row("th", heads), *(_row("td", row) for row in rows)]
    return f"<table><caption>{escape(caption)}</caption>{''.join(lines)}</table>"


def with_error(value: float, error: float, digits: int = 3) -> str:
    """A value and its standard error as text; "-" where there is no value, "?" where too few tell the error.

    >>> with_error(0.25, 0.01), with_error(0.25, float("nan"))
    ('0.250 ± 0.010', '0.250 ± ?')
    """
    if value != value:
        return "-"
    return f"{value:.{digits}f} ± {f'{error:.{digits}f}' if error == error else '?'}"


def _row(tag: str, cells: Sequence[object]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"
