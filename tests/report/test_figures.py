"""Figures: what is drawn is what the table says, and the title says it in words."""

import io
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from sim.report import figures
from sim.report.findings import TOO_FEW

SECOND = "The dieselgate costs Colgate 12 % of its customers"
FIRMS = ["colgate", "close_up", "vw"]
SHARES, STICKY = [0.5, 0.3, 0.2], [0.62, 0.58, 0.66]


def table(excess=0.0, error=0.02, firms=FIRMS, shares=SHARES, sticky=STICKY):
    rows = []
    for group in ("all", "segments.ethical"):
        for firm, share, value in zip(firms, shares, sticky, strict=True):
            for metric, v in {"share": share, "stickiness": value, "excess": excess}.items():
                rows.append((group, firm, metric, v, error))
        rows.append((group, "", "polarization", 0.6, error))
    return pd.DataFrame(rows, columns=["group", "firm", "metric", "value", "error"])


def story(firms=FIRMS, weeks=range(0, 52, 4)):
    rows = [
        (week, firm, metric, 0.1 + 0.1 * j + 0.001 * week, 0.01)
        for metric in ("stickiness", "share")
        for week in weeks
        for j, firm in enumerate(firms)
    ]
    return pd.DataFrame(rows, columns=["week", "firm", "metric", "value", "error"])


def words(figure):
    return " ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def drawn(figure, kind):
    buffer = io.BytesIO()
    figures.save(figure, buffer, kind)
    return buffer.getvalue()


def test_headline_draws_everybody_and_points_at_the_focus():
    figure = figures.headline(table(0.01), story(), "colgate", {"dieselgate": 20}, SECOND, "A note.")
    sticky, share, *_ = figure.axes
    assert [round(bar.get_width(), 2) for bar in sticky.patches] == sorted(STICKY)
    assert [label.get_text() for label in sticky.get_yticklabels()] == ["Close up", "Colgate", "VW"]
    assert [to_hex(bar.get_facecolor()).upper() == figures.FOCUS for bar in share.patches] == [False, True, False]
    assert "category 0.61" in words(figure) and "Dieselgate" in words(figure) and "A note." in words(figure)
    assert "50.0 %" in words(figure) and SECOND in words(figure)


def test_titles_fit_and_lie_above_one_another():
    for second in ("", SECOND, f"{SECOND} {'at the worst, ' * 6}5000 weeks after the news"):
        figure = figures.headline(table(0.001, 0.009), story(), "close_up", {}, second, "A note.")
        figure.draw_without_rendering()
        boxes = [t.get_window_extent() for t in figure.texts]
        assert all(box.x1 <= figure.bbox.x1 for box in boxes)
        assert all(above.y0 > below.y1 for above, below in itertools.pairwise(boxes))
        assert min(b.y0 for b in boxes) > max(a.title.get_window_extent().y1 for a in figure.axes)


def test_what_too_few_can_tell_is_pale_and_says_so():
    rare = table(0.01)
    rare.loc[(rare.firm == "vw") & (rare.metric == "stickiness"), "error"] = np.nan
    over_time = story()
    over_time.loc[(over_time.firm == "vw") & (over_time.week < 12), "error"] = np.nan
    figure = figures.headline(rare, over_time, "vw")
    sticky, share, *_ = figure.axes
    assert [bar.get_alpha() for bar in sticky.patches] == [None, None, 0.3]
    assert [t.get_text() for t in sticky.texts[:3]] == ["0.58", "0.62", TOO_FEW]
    assert all(bar.get_alpha() is None for bar in share.patches)
    assert f"without a band: {TOO_FEW}" in words(figure)


def test_headline_leaves_out_the_smallest_but_never_the_focus():
    firms = [f"firm_{n}" for n in range(30)]
    many = table(0.01, firms=firms, shares=np.linspace(0.9, 0.1, 30), sticky=np.linspace(0.5, 0.6, 30))
    figure = figures.headline(many, story(firms), "firm_29", note="Note.")
    assert len(figure.axes[0].patches) == figures.MOST_BARS + 1
    assert "The 16 largest of 30 firms" in words(figure) and "Firm 29" in words(figure)


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_same_table_gives_the_same_file(kind):
    once, again = (drawn(figures.headline(table(), story(), "vw"), kind) for _ in range(2))
    assert once == again and len(once) > 10_000


def test_an_empty_story_and_nothing_known_of_errors_are_drawn():
    unknown = table(np.nan, np.nan)
    assert drawn(figures.headline(unknown, story(weeks=[]), "vw"), "png")
    assert drawn(figures.series(story(weeks=[3]), "share"), "png")


@pytest.mark.parametrize("weeks", [[], [26]])
def test_less_than_two_windows_show_no_change_and_say_so(weeks):
    figure = figures.headline(table(0.01), story(weeks=weeks), "vw", {"outage": 20})
    over_time = figure.axes[2]
    assert "Fewer than two windows" in words(figure) and len(over_time.lines) == 1  # the mark of the event


def test_series_has_a_panel_a_firm_with_a_band():
    figure = figures.series(story(), "share", "vw", {"outage": 10})
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [p.get_title(loc="left") for p in panels] == ["Colgate", "Close up", "VW"]
    assert all(len(p.collections) == 1 and len(p.lines) == 2 for p in panels)
    assert "dashed: Outage in week 10" in words(figure)


def test_sweep_has_a_line_for_every_other_value():
    axis, other = "segments.habitual.attention", "market.exit_rate"
    rows = [(a, b, a + b, 0.1) for b in (0.1, 0.2, 0.3) for a in (1.0, 0.2, 0.5)]
    frame = pd.DataFrame(rows, columns=[axis, other, "stickiness", "stickiness.error"])
    axes = figures.sweep(frame, axis, "stickiness", [other]).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        f"market exit rate {b}" for b in (0.1, 0.2, 0.3)
    ]
    assert axes.get_xlabel() == axis and len(axes.containers) == 3
    line = axes.containers[0].lines[0]
    assert line.get_xdata().tolist() == [0.2, 0.5, 1.0] and line.get_ydata() == pytest.approx([0.3, 0.6, 1.1])


def test_side_by_side_puts_dots_on_ticks():
    value, expected = np.array([0.2, 0.1]), np.array([0.21, 0.12])
    axes = figures.side_by_side({"penetration": (value, value / 10, expected)}, ["colgate", "boots"]).axes[0]
    ticks, dots = axes.lines[0], axes.containers[0].lines[0]
    assert ticks.get_xdata().tolist() == expected.tolist() and dots.get_xdata().tolist() == value.tolist()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Colgate", "Boots"]


def test_no_figure_opens_a_screen():
    code = "import sys, sim.report.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0


TIDY = pd.DataFrame(
    [
        (m, a, w, x, x * (a == "one") - m, 0.1)
        for m in (0, 1)
        for a in ("one", "two")
        for w in ("a", "b")
        for x in (0, 1)
    ],
    columns=["market", "arm", "world", "week", "value", "error"],
)


def test_dots_have_a_line_a_row_and_a_color_a_kind():
    one = TIDY[(TIDY.week == 1)]
    figure = figures.dots(one[one.world == "a"], "arm", "market", title="a finding", label="points")
    (axes,) = figure.axes
    assert [t.get_text() for t in axes.get_yticklabels()] == ["One", "Two"] and len(axes.containers) == 2
    np.testing.assert_allclose(axes.containers[0].lines[0].get_xdata(orig=False), [1, 0])
    low, high = np.sort(axes.containers[0].lines[2][0].get_segments()[0][:, 0])
    assert high - low == pytest.approx(2 * figures.INTERVAL * 0.1)
    assert "a finding" in words(figure) and "points" in words(figure)
    assert len(figures.dots(one, "arm", "world", "market").axes) == 2


def test_curves_have_a_color_for_the_first_and_a_dash_for_the_second():
    left, right = figures.curves(TIDY, "week", ["arm", "world"], "market", "a finding", ("week", "points")).axes
    styles = {(to_hex(line.get_color()), line.get_linestyle()) for line in left.lines[:4]}
    assert len(styles) == 4 and len({color for color, _ in styles}) == 2
    np.testing.assert_allclose(right.lines[0].get_ydata(orig=False), [-1, 0])
    assert len(figures.curves(TIDY[TIDY.arm == "one"], "week", ["world"], "market").axes[0].lines) == 3
    above = figures.curves(TIDY.assign(value=TIDY.value + 9), "week", ["arm", "world"], "market").axes[0]
    assert len(above.lines) == 4, "no line at zero where nothing is near it"
