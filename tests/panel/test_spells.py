"""Histories of providers as registers, insurers and shops of subscriptions write them."""

import pytest

from sim import panel

READ = {  # header, rows of a customer c, months of a customer
    "begin_only": ("customer_id,provider,start_date", "{c},A,2021-01-01\n{c},B,2021-07-01", 6 + 1),
    "from_to_in_dutch": ("klantnr;aanbieder;van;tot", "{c};A;01-01-2021;30-06-2021\n{c};B;01-07-2021;heden", 6 + 1),
    "periods_of_bills": (
        "user_id,service,period_start,period_end",
        "{c},A,2021-01-01,2021-01-31\n{c},A,2021-02-01,2021-02-28\n{c},B,2021-03-01,2021-03-31",
        3,
    ),
    "last_month_is_in": ("id,insurer,from_month,to_month", "{c},A,2021-01,2021-06\n{c},B,2021-07,", 6 + 1),
    "last_quarter_is_in": ("id,insurer,from,to", "{c},A,2021-Q1,2021-Q2\n{c},B,2021-Q3,", 6 + 1),
    "last_year_is_in": ("id,insurer,from_year,to_year", "{c},A,2015,2016\n{c},B,2017,", 24 + 1),
    "last_month_is_out": ("id,insurer,from_month,to_month", "{c},A,2021-01,2021-07\n{c},B,2021-07,", 6 + 1),
    "duration_in_german": (
        "Kunde;Anbieter;Beginn;Laufzeit",
        "{c};A;01.01.2021;6 Mon.\n{c};B;01.07.2021;1 Jahr",
        6 + 12,
    ),
}


@pytest.mark.parametrize("name", READ)
def test_spells(name, tmp_path):
    header, lines, months = READ[name]
    (tmp_path / "spells.csv").write_text("\n".join([header, *(lines.format(c=c) for c in range(1, 7))]))
    read = panel.read(tmp_path / "spells.csv")
    assert read.provider and read.brands == ("A", "B") and len(read.hh) == 6 * months
    assert (read.t[1:] > read.t[:-1])[read.hh[1:] == read.hh[:-1]].all()


def test_a_start_beside_the_month_of_a_row_is_no_spell(tmp_path):
    lines = [f"{c},2021-0{m},A,2019-01-01" for c in range(6) for m in range(1, 5)]
    (tmp_path / "months.csv").write_text(
        "\n".join(["customer,month,provider,start_date", *lines, "1,2021-05,B,2021-05-01"])
    )
    read = panel.read(tmp_path / "months.csv")
    assert read.columns["time"] == "month" and len(read.hh) == 25
