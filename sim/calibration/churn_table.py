"""A churn table of one firm, a row a customer with tenure and whether they left: what it tells, and what it lacks."""

import re
from pathlib import Path

import numpy as np

from sim.panel.options import Options
from sim.panel.source import open_table
from sim.panel.table import Table
from sim.panel.types import PanelError
from sim.panel.values import read_numbers, truths
from sim.panel.vocabulary import normalized

LEFT = re.compile(
    r"(is|has|customer)?(churn(ed|er)?|attrition|attritionflag|exited|left|cancell?ed|gekundigt)(flag|label|value)?"
)
TENURE = re.compile(r".*(tenure|monthsonbook|monthsincompany|accountlength|vintage|vertragsdauer|laufzeit).*")
FIRST_YEAR = 12  # months
LEAVERS = re.compile(r"(churned|attrited|left|exited|cancell?ed|inactive).*", re.IGNORECASE)


def what_is_needed(path: Path, options: Options) -> str:
    """A sentence on a churn table; "" where the file is none, or cannot be opened."""
    try:
        table = open_table(path, options)
    except PanelError:
        return ""
    left = next((n for n in table.names if LEFT.fullmatch(normalized(n)) and _leavers(table, n) is not None), None)
    tenure = next((n for n in table.names if TENURE.fullmatch(normalized(n)) and n != left), None)
    if left is None or tenure is None:
        return ""
    gone = _leavers(table, left)
    assert gone is not None
    codes = np.asarray(table.cells[tenure].codes, np.int64)
    months = np.append(read_numbers(table.cells[tenure].categories.tolist()), np.nan)[codes]
    parts = [(f"{100 * gone.mean():.1f} % left")]
    for rows, words in ((months <= FIRST_YEAR, f"{tenure} up to {FIRST_YEAR}"), (months > FIRST_YEAR, "more")):
        parts += [f"{100 * gone[rows].mean():.1f} % of those with {words}"] if rows.any() else []
    return (
        f"a churn table of one firm, with {left} and {tenure} of {len(gone):,} customers ({parts[0]}; "
        f"{', '.join(parts[1:])}). It does not say in how long they left, where they went or where others came from, "
        "so no market can be made of it: give times with providers (customer, provider, start, end; or customer, "
        "month, provider), yours and the others; or take market=mobile or market=bank with your firms' shares "
        "(firms.NAME.share=)"
    )


def _leavers(table: Table, name: str) -> "np.ndarray | None":
    """[rows] whether a customer has left, of a column of two values; None where it does not say."""
    texts = table.cells[name].categories.tolist()
    yes = truths(texts)
    if yes is None and len(texts) == 2:
        named = [LEAVERS.fullmatch(t) is not None for t in texts]
        yes = np.array(named) if sum(named) == 1 else None
    if yes is None or len(texts) != 2:
        return None
    return np.append(np.asarray(yes, bool), False)[np.asarray(table.cells[name].codes, np.int64)]
