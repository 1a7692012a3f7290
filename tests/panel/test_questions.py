"""What a file leaves open is asked, and the advice works word for word; quantities, Parquet and workbooks."""

import zipfile

import pandas as pd
import pytest

from sim import panel
from tests.panel.panels import BOUGHT, PLAIN, rows, several

ASKED = {
    "day_or_month": (
        rows("customer,date,brand", lambda c, w, b: (c, f"0{w}/0{w + 1}/2021", b)),
        "panel.dates=dmy (2021-02-01), panel.dates=mdy (2021-01-02)",
    ),
    "first_of_months": (
        rows("customer,date,brand", lambda c, w, b: (c, f"01.0{w}.2021".replace(".", "-"), b)),
        "panel.dates=mdy",
    ),
    "status_unknown": (
        rows("customer,date,brand,status", lambda c, w, b: (c, f"2021-0{w}-03", b, "Q" if w == 1 else "paid")),
        "panel.bought=paid,Q",
    ),
    "views_only": (
        rows("customer,date,brand,event_type", lambda c, w, b: (c, f"2021-0{w}-03", b, "view")),
        "panel.bought=view",
    ),
    "codes_of_events": (
        several(
            "user_id,item,behavior_type,time",
            lambda c, w, b: [(c, b, e, f"2014-12-0{w} {e:02d}") for e in (1, 2, 3, 4)],
        ),
        "behavior_type: are rows with 1, 2, 3, 4 purchases?",
    ),
    "no_header": (PLAIN.split("\n", 1)[1], "looks like a purchase, not like names of columns"),
    "no_header_words": ("k1;3 Jan 2021;Aro\n" * 2 + "k2;4 Feb 2021;Bel\n" * 2, "looks like a purchase"),
    "which_brand": (rows("customer,date,color", lambda c, w, b: (c, f"2021-0{w}-03", b)), "panel.brand=COLUMN"),
    "id_of_the_row": (
        "id,date,brand\n" + "".join(f"{i},2021-01-0{i},Aro\n" for i in range(1, 9)),
        "numbers the rows and not the customers",
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_is_not_clear_is_asked(name, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content, question = ASKED[name]
    (tmp_path / "panel.csv").write_text(content)
    assert panel.main("panel.csv") == 2
    streams = capsys.readouterr()
    assert question in streams.err and not streams.out
    assert [p.name for p in tmp_path.iterdir()] == ["panel.csv"]


def test_advice_can_be_followed_word_for_word(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = rows("customer,date,color", lambda c, w, b: (c, f"0{w}/0{w + 1}/2021", b))
    (tmp_path / "panel.csv").write_text(content)
    assert panel.main("panel.csv") == 2
    assert panel.main("panel.csv", ["panel.brand=color"]) == 2
    advice = capsys.readouterr().err.split("say which: ")[1].split(" ")[0]
    assert panel.main("panel.csv", ["panel.brand=color", advice]) == 0
    assert panel.main("panel.csv", ["brand=color", "panel.dates=mdy"]) == 0
    assert "24 purchases" in capsys.readouterr().out


def test_options_are_checked_all_at_once(capsys):
    wrong = [
        "panel.costumer=x",
        "panel.top=many",
        "panel.dates=dmmy",
        "people=10",
        "panel.split=",
        "panel.size=2",
        "size=3",
    ]
    assert panel.main("nowhere.csv", wrong) == 2
    said = capsys.readouterr().err
    for sentence in (
        "panel.costumer: unknown; did you mean customer?",
        "panel.top: 'many' is not a whole number",
        "panel.dates: 'dmmy' is not known; did you mean dmy?",
        "people=10: a panel is measured as it is",
        "panel.split: has no value",
        "size: given twice",
    ):
        assert sentence in said


def test_quantities_are_given_beside_purchases(tmp_path):
    content = rows("customer,week,brand,quantity", lambda c, w, b: (c, w, b, 9 if b == "Cim" else 1))
    (tmp_path / "panel.csv").write_text(content)
    found = panel.measure(tmp_path / "panel.csv").set_index(["firm", "metric"]).value
    assert found["Cim", "share"] == pytest.approx(4 / 24)
    assert found["Cim", "unit_share"] == pytest.approx(36 / 56)


def test_lines_add_up_their_quantities(tmp_path):
    content = several(
        "customer,date,brand,article,quantity",
        lambda c, w, b: [(c, f"2021-0{w}-03", b, a, q) for a, q in (("x", 2), ("y", 3))],
    )
    (tmp_path / "panel.csv").write_text(content)
    assert (panel.read(tmp_path / "panel.csv").quantity == 5).all()


def test_parquet_with_an_index_dates_and_missing_ids(tmp_path):
    frame = pd.DataFrame(BOUGHT, columns=["customer", "week", "brand"])
    frame["date"] = pd.Timestamp("2021-01-01") + pd.to_timedelta(7 * frame.week, unit="D")
    frame["customer"] = frame.customer.where(frame.week < 4).astype(float)
    frame.set_index(["customer", "date"]).drop(columns="week").to_parquet(tmp_path / "panel.parquet")
    p = panel.read(tmp_path / "panel.parquet")
    assert list(p.households) == list("123456") and len(p.hh) == 18 and str(p.origin) == "2021-01-08"


def test_a_workbook(tmp_path):
    pytest.importorskip("openpyxl")
    frame = pd.DataFrame(BOUGHT, columns=["Kunde", "Datum", "Marke"])
    frame["Datum"] = pd.Timestamp("2021-01-01") + pd.to_timedelta(7 * frame.Datum, unit="D")
    with pd.ExcelWriter(tmp_path / "panel.xlsx") as writer:
        pd.DataFrame({"note": ["made by us"]}).to_excel(writer, sheet_name="About", index=False)
        frame.to_excel(writer, sheet_name="Orders", index=False, startrow=3)
    p = panel.read(tmp_path / "panel.xlsx")
    assert (len(p.households), len(p.hh), str(p.origin)) == (6, 24, "2021-01-08")
    with pytest.raises(panel.PanelError, match="did you mean Orders"):
        panel.read(tmp_path / "panel.xlsx", sheet="Order")


def test_a_workbook_without_its_package_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(pd, "read_excel", lambda *a, **k: (_ for _ in ()).throw(ImportError("no openpyxl")))
    with zipfile.ZipFile(tmp_path / "panel.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(panel.PanelError, match=r"needs the package openpyxl: pip install 'stickiness\[excel\]'"):
        panel.read(tmp_path / "panel.xlsx")
