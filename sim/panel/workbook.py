"""Opens a sheet of an Excel or OpenDocument workbook as a Table."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.model.declare import did_you_mean
from sim.panel.layout import joined_names
from sim.panel.options import Options
from sim.panel.table import Table, from_frame
from sim.panel.types import PanelError

if TYPE_CHECKING:
    import pandas as pd

NEEDS = {".xls": "xlrd", ".ods": "odfpy"}


def open_workbook(path: Path, options: Options) -> Table:
    """The sheet that is named, or the one with most rows; its header is the first row that is as full as most."""
    import pandas as pd

    try:
        sheets = pd.read_excel(path, sheet_name=None, header=None, dtype=object)
    except ImportError:
        package = NEEDS.get(path.suffix.lower(), "openpyxl")
        how = "pip install 'stickiness[excel]'" if package == "openpyxl" else f"pip install {package}"
        raise PanelError([f"{path}: a workbook needs the package {package}: {how}; or save the sheet as CSV"]) from None
    except Exception as error:  # each engine has its own
        raise PanelError([f"{path}: cannot be read as a workbook ({' '.join(str(error).split())[:120]})"]) from None
    full = {str(name): frame for name, frame in sheets.items() if frame.shape[0] > 1 and frame.shape[1] > 1}
    if options.sheet is not None and options.sheet not in full:
        raise PanelError(
            [f"panel.sheet={options.sheet}: there is no such sheet with a table{did_you_mean(options.sheet, full)}"]
        )
    if not full:
        raise PanelError([f"{path}: no sheet has a table; a panel has a header and a row a purchase"])
    name = options.sheet or max(full, key=lambda n: len(full[n]))
    notes = []
    if options.sheet is None and (together := _together(full)) is not None:
        shown = ", ".join(list(full)[:4]) + (", .." if len(full) > 4 else "")
        return from_frame(
            together, [f"The {len(full)} sheets {shown} are read as one; panel.sheet=NAME reads one of them."]
        )
    if len(full) > 1 and options.sheet is None:
        others = ", ".join(n for n in full if n != name)
        notes.append(f"The sheet {name} is read, not {others}; panel.sheet=NAME reads another.")
    return from_frame(_under_header(full[name]), notes)


def _under_header(frame: "pd.DataFrame") -> "pd.DataFrame":
    full = frame.notna().sum(axis=1)
    top = int((full >= full.mode().max()).to_numpy().argmax())
    if (
        top
        and full.iloc[top - 1] > max(1, full.iloc[top] / 2)
        and all(isinstance(c, str) for c in frame.iloc[top - 1].dropna())
    ):
        top -= 1  # names lack where the rows are numbered, say
    names, body = _texts(frame, top), frame.iloc[top + 1 :].dropna(how="all")
    for first in (top - 1, top):  # a header of two rows
        if 0 <= first < len(frame) - 1 and (joined := joined_names(_texts(frame, first), _texts(frame, first + 1))):
            names, body = joined, frame.iloc[first + 2 :].dropna(how="all")
    body.columns = [n or f"column {i + 1}" for i, n in enumerate(names)]
    return body.loc[:, body.notna().any() | np.array([bool(n) for n in names])].infer_objects()


def _texts(frame: "pd.DataFrame", row: int) -> list[str]:
    return [str(c) if c == c and c is not None else "" for c in frame.iloc[row]]


def _together(sheets: "dict[str, pd.DataFrame]") -> "pd.DataFrame | None":
    """Sheets with the same header, as where each month has its own, one after another; None where they differ."""
    import pandas as pd

    tables = [_under_header(frame) for frame in sheets.values()]
    same = len(tables) > 1 and all(list(t.columns) == list(tables[0].columns) for t in tables)
    return pd.concat(tables, ignore_index=True) if same else None
