"""Reads text as numbers or as yes and no, in one way for a whole column."""

import re

import numpy as np

TRUE = {
    "1",
    "true",
    "t",
    "yes",
    "y",
    "ja",
    "j",
    "oui",
    "o",
    "si",
    "sí",
    "sim",
    "vero",
    "verdadero",
    "wahr",
    "waar",
    "vrai",
    "x",
    "chosen",
    "selected",
}
FALSE = {"0", "false", "f", "no", "n", "nein", "nee", "non", "não", "nao", "falso", "falsch", "onwaar", "faux", ""}
FALSE |= {"not chosen", "not selected", "unchosen"}
MONEY = re.compile(r"[^\d.,+\-()eE]|(?<![\d.,])[eE]|[eE](?![+\-\d])")
NO_CENTS = re.compile(r"(?<=\d)[.,/][\-\u2013\u2014]+\s*$|(?<=[^\W\d_])\.")  # 5,- and 500/-; the point of Fr. and kr.
COUNTED = re.compile(
    r"(?<=\d)\s*(?:st(?:ü|ue|u)ck|stuks|pieces?|units?|each|pezz[io]|unidad(?:es)?|unit[ée]s?|packs?)$", re.I
)
FIGURES = re.compile(r"[+\-]?\d+(?:\.\d+)?(?:[eE][+\-]?\d+)?|[+\-]?\.\d+")
POINTED = re.compile(r"[+\-]?[1-9]\d{0,2}(?:\.\d{3})+")
CREDIT = re.compile(r"\s*(?:cr\.?(?![a-z.$])(.*\d.*)|(.*\d.*?)(?<![a-z])cr\.?)\s*", re.IGNORECASE)  # CR 2.50, 2.50 CR
GROUPED = re.compile(r"[+\-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")


def read_numbers(texts: list[str], decimal: str | None = None, comma: bool = False) -> np.ndarray:
    """[len(texts)] numbers; nan for what is none. Signs of money and blanks between digits are left aside.

    CR, for credit, is a minus where some numbers are without it. `decimal` is point or comma where the user says so;
    else it is decided over all texts. `comma`: whether, in doubt, commas are decimal, as where semicolons separate
    columns.

    >>> read_numbers(["$1,234.50", "(3)", "2.50 CR", "none"])
    array([1234.5,   -3. ,   -2.5,    nan])
    >>> read_numbers(["€ 5,-", "5,50 kr.", "-2,00 Stück"])
    array([ 5. ,  5.5, -2. ])
    """
    credit = np.array(credited(texts), bool)
    texts = [next(filter(None, CREDIT.fullmatch(t).groups())) if c else t for t, c in zip(texts, credit, strict=True)]  # type: ignore[union-attr]
    texts = [t if t.isdecimal() else COUNTED.sub("", NO_CENTS.sub("", t)) for t in texts]
    bare = [MONEY.sub("", t.replace("\u2212", "-")) for t in texts]
    bare = ["-" + t[1:-1] if t.startswith("(") and t.endswith(")") else t for t in bare]
    bare = [t[-1] + t[:-1] if t.endswith("-") and len(t) > 1 else t for t in bare]
    known = [t if _words(original) == 0 else "" for t, original in zip(bare, texts, strict=True)]
    decimals = decimal == "comma" if decimal else _decimal_commas(known, comma)
    plain = [t.replace(".", "").replace(",", ".") if decimals else t.replace(",", "") for t in known]
    values = np.array([float(t) if FIGURES.fullmatch(t) else np.nan for t in plain])
    return np.where(credit, -np.abs(values), values)


def credited(texts: list[str]) -> list[bool]:
    """Which numbers are marked as a credit; none if all are, for then CR is the sign of money.

    >>> credited(["2.50 CR", "3.00", "CR 1"]), credited(["CR 2.50"])
    ([True, False, True], [False])
    """
    marked = ["cr" in t.lower() and CREDIT.fullmatch(t) is not None for t in texts]
    every = all(marked)
    return [m and not every for m in marked]


def _words(text: str) -> int:
    """Letters beyond those of a currency."""
    return max(0, sum(c.isalpha() for c in text) - 3)


def _decimal_commas(texts: list[str], comma: bool) -> bool:
    """Whether commas are decimal: where one comes last and is not followed by exactly three digits."""
    with_comma = [t for t in texts if "," in t]
    if not with_comma:  # 950 and 1.250
        points = [t for t in texts if "." in t]
        return comma and 0 < len(points) < len(texts) and all(POINTED.fullmatch(t) for t in points)
    last = [t for t in with_comma if t.rfind(",") > t.rfind(".")]
    if not last:
        return False
    if any(not GROUPED.fullmatch(t) for t in last):
        return all(t.count(",") == 1 for t in last)
    return comma


def truths(texts: list[str]) -> np.ndarray | None:
    """[len(texts)] bool of yes and no in any of several languages; None if some text is neither."""
    if len(texts) > len(TRUE | FALSE):
        return None
    plain = [t.strip().lower() for t in texts]
    plain = [t[:-2] if t.endswith(".0") else t for t in plain]
    if not plain or any(t not in TRUE | FALSE for t in plain):
        return None
    return np.array([t in TRUE for t in plain])
