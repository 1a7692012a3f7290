"""Dates as programs and people of several countries write them, and columns of time that tell too little."""

import numpy as np
import pytest

from sim import panel
from sim.panel.dates import date_text, read_times
from tests.panel.panels import BOUGHT, Case, check, rows
from tests.panel.test_kinds import date

WRITTEN = (
    "20-JAN-23 03.49.00.000000000 PM|Fri Jan 20 15:49:00 CET 2023|/Date(1674229740000)/|20230120T154900Z"
    "|20230120 15:49|"
    "20 janv. 2023 à 15:49|20 de enero de 2023|20 sty 2023|20 stycznia 2023|20. ledna 2023|20 ocak 2023|20 января 2023|"
    "2023年1月20日|2023-01-20 15:49:00 Europe/Amsterdam|Friday, January 20, 2023|Fri, 20 Jan 2023 15:49:00 +0000|"
    "20th of January 2023|20 Jan '23|2023-020|2023020|20/01/2023 15:49 h|20/01/2023 03:49:00 p. m.|15:49:00 20/01/2023|"
    "15:49 Jan 20, 2023|w/c 20 Jan 2023|Fri Jan 20 15:49:00 +0000 2023|20.01.2023 um 15:49 Uhr"
)


def test_forms_of_a_date():
    read = {t: read_times([t], np.ones(1), None, True) for t in WRITTEN.split("|")}
    assert {t: found.question for t, found in read.items() if found.question} == {}
    assert {t for t, found in read.items() if not found.dates or date_text(found.values[0]) != "2023-01-20"} == set()


READ = {
    "day_of_year": Case(
        rows("customer,year,doy,brand", lambda c, w, b: (c, 2021, 7 * w, b)), 6, 24, said="2021-01-07 to 2021-01-28"
    ),
    "dates_of_no_usual_name": Case(
        rows("t_dat,customer_id,article_id", lambda c, w, b: (date(5 - w), c, b)),
        *(6, 24, 3, "t_dat is taken for the time"),
    ),
    "dates_before_year_and_week": Case(
        rows(
            "HSHD_NUM,PURCHASE_,WEEK_NUM,YEAR,BRAND", lambda c, w, b: (c, f"0{w}-JAN-21", 53 if w < 4 else 1, 2021, b)
        ),
        *(6, 24, 3, "2021-01-01 to 2021-01-04"),
    ),
    "born_on_a_date": Case(
        rows("customer,geburtstag,brand", lambda c, w, b: (c, f"19{c + 80}-01-01", b)), 6, 24, said="no column of time"
    ),
    "member_once": Case(
        rows("customer,enrolled,brand", lambda c, w, b: (c, f"2021-0{c}-05", b)), 6, 24, said="no column of time"
    ),
    "ordered_before_invoiced": Case(
        rows("customer,invoice date,order date,brand", lambda c, w, b: (c, date(w, 9), date(w), b)),
        *(6, 24, 3, "Time is taken from the column order date, not from invoice date"),
    ),
}


@pytest.mark.parametrize("name", READ)
def test_columns_of_time(name, tmp_path):
    check(READ[name], tmp_path)


@pytest.mark.parametrize(("name", "last"), [("week", 52), ("month", 12)])
def test_weeks_that_begin_anew_are_asked_about(name, last, tmp_path):
    lines = [f"{c},{(w + last - 3) % last + 1},{b}" for c, w, b in BOUGHT]
    (tmp_path / "panel.csv").write_text("\n".join([f"customer,{name},brand", *lines]))
    with pytest.raises(panel.PanelError, match=rf"{name}: begins anew after {last} .* say panel\.time=none"):
        panel.read(tmp_path / "panel.csv")
    in_order = panel.read(tmp_path / "panel.csv", time="none")
    assert [in_order.brands[j] for j in in_order.y] == [b for _, _, b in BOUGHT]
