"""The parts of the page: the game, what is shown, the files, and the page itself without a browser."""

import base64
import sys
import time

import numpy as np
import pytest

from sim.measure import estimates

solara = pytest.importorskip("solara", reason="the page needs the extra `page`")
pytest.importorskip("mesa", reason="the page needs the extra `page`")

import ipyvuetify as v  # noqa: E402

from sim import __main__ as cli  # noqa: E402
from sim.measure import metrics  # noqa: E402
from sim.model.declare import ScenarioError  # noqa: E402
from sim.model.scenario import change  # noqa: E402
from sim.page import export, figure_export, limits, people  # noqa: E402
from sim.page import game as games  # noqa: E402
from sim.page.captions import event_summary, firm_rows  # noqa: E402
from sim.page.charts import View, charts, flow  # noqa: E402
from sim.page.events import changed  # noqa: E402
from sim.page.game import Game  # noqa: E402
from sim.page.layout import Page  # noqa: E402
from sim.page.limits import UPLOAD  # noqa: E402
from sim.page.picture import MOST_DRAWN, Picture  # noqa: E402
from sim.page.serve import serve  # noqa: E402
from sim.page.session import Session  # noqa: E402
from sim.page.upload import Upload  # noqa: E402
from sim.report.findings import INTERVAL  # noqa: E402
from sim.study.store import load  # noqa: E402
from tests.engine.test_same_bits import digest  # noqa: E402

SHORT = {"people": 1000, "burn_in": 13}
STRONG = {"severity": 6.0, "reach": 0.95, "action": 5.0}


def small(changes=None):
    return Game(change(games.preset(games.FIRST_MARKET), {**SHORT, **(changes or {})}))


def played(weeks=20, changes=None):
    game = small(changes)
    for _ in range(weeks):
        game.step()
    return game


def until(done, seconds=180):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


# ---------------------------------------------------------------- the game


def test_the_table_of_firms_says_what_the_sentence_says():
    game = played(6)
    game.scandal("data_breach", "colgate", **STRONG)
    assert game.compared() is None
    for _ in range(8):
        game.step()
    found = game.compared()
    net = found.won - found.lost
    assert found.share[0] < 0 < found.share[1] and net < 0
    assert f"cost Colgate {-net}" in event_summary(game)["text"]
    assert event_summary(game)["figures"][0]["big"] == f"{net:+,}" == firm_rows(game)[0]["versus"]


def test_there_is_nothing_to_apologise_for():
    with pytest.raises(ScenarioError, match="nothing to apologize for"):
        small().apologize("colgate")


def test_too_many_people_for_a_page_are_refused():
    with pytest.raises(ScenarioError, match="more than the page plays"):
        small({"people": 100_000_000})


def test_every_preset_scandal_can_break_anywhere():
    game = small()
    for kind in games.presets("scandal"):
        game.scandal(kind, "macleans")
    game.step()
    assert len(game.scenario.scandals) == len(games.presets("scandal"))


# ---------------------------------------------------------------- what is shown


def test_everybody_has_a_mark_in_the_shape_of_their_segment():
    game = played(5)
    picture = Picture(game)
    drawn, firm = picture.picture(), people.last(game.market)
    shown = np.frombuffer(base64.b64decode(drawn["market"]), np.uint8)
    assert drawn["individual"] and sorted(picture.order) == list(range(1000))
    assert np.array_equal((shown & 127).astype(int) - 1, firm[picture.order])
    assert np.array_equal(shown > 127, people.anchored(game.market)[picture.order])
    assert [segment["people"] for segment in drawn["segments"]] == np.bincount(people.cell(game.market)).tolist()
    assert picture.number(3) == picture.order[3] and picture.number(None) is None and picture.number(1000) is None


def test_many_people_are_a_density():
    game = small({"people": MOST_DRAWN + 2000, "burn_in": 4})
    picture = Picture(game)
    inside, anchored = np.frombuffer(base64.b64decode(picture.picture()["market"]), np.int32).reshape(2, -1)
    assert not picture.picture()["individual"] and picture.number(3) is None
    assert inside.sum() == (people.last(game.market) >= 0).sum() and (anchored <= inside).all()
    assert inside.reshape(3, 9, -1).sum(axis=(0, 2)).tolist() == game.customers().tolist()


def test_charts_show_what_the_metrics_say():
    game = played(30)
    _, share, sticky, *_ = charts(game, View("colgate"))
    found = game.market.tally.flow.sum(axis=(0, 2))[26:30].sum(axis=0)[:, 1:].sum(axis=0)
    assert share["lines"][-1]["y"][-1] == pytest.approx(found[0] / found.sum(), abs=1e-4)
    assert sticky["lines"][-1]["x"] == [13, 26]  # the window that is open is left out
    [ended] = [line["y"][1] for line in sticky["lines"] if line["name"] == "Macleans"]
    table = estimates.estimate(metrics.pair_index, estimates.by_window(game.market.tally))
    assert ended == pytest.approx(table.value[1, 1], abs=1e-4)
    low, high = (sticky["lines"][-1][edge][1] for edge in ("low", "high"))
    assert high - low == pytest.approx(2 * INTERVAL * table.error[1, 0], abs=3e-4)


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize(
    ("weeks", "view"), [(0, View("colgate")), (3, View("boots", "ethical")), (14, View("other", "", True))]
)
def test_every_chart_shows_something_or_says_why_not(weeks, view):
    game = played(weeks)
    if weeks:
        game.scandal("data_breach", "boots")
        game.step()
    found, moved = charts(game, view), flow(game, view)
    for chart in found:
        assert chart["wait"] or chart["lines"] or chart["bars"], chart["title"]
        assert all(len(line["x"]) == len(line["y"]) for line in chart["lines"])
    assert moved["rows"] or moved["wait"]
    files = {figure_export.saved(figure_export.figure(found, moved, "x"), kind)[:5] for kind in ("png", "svg")}
    assert files == {b"\x89PNG\r", b"<?xml"}


def test_age_groups_can_be_looked_at():
    game = small({"cohorts": {"young": {}, "old": {"rate": 1.5}}})
    game.step()
    assert game.groups() == ["", "ethical", "skeptical", "habitual", "young", "old"]
    assert game.cells("old") == [1, 3, 5] and game.cells("ethical") == [0, 1]
    trust = charts(game, View("colgate", "old"))[3]["lines"][-1]["y"]
    assert trust == pytest.approx(game.history.mean_trust([1, 3, 5])[:, 0], abs=1e-4)
    assert game.person(0)["age"] in ("young", "old")


def test_a_frame_does_not_grow_dearer_with_the_weeks():
    game = played(170)
    found = charts(game, View("colgate"))
    assert max(len(line["x"]) for chart in found for line in chart["lines"]) <= 157
    assert {tuple(chart["x"]) for chart in found} == {(14, 170)}


# ---------------------------------------------------------------- files and links


def test_the_exported_scenario_gives_the_same_numbers(tmp_path, monkeypatch, capsys):
    game = played(15)
    game.scandal("data_breach", "colgate", **STRONG)
    for _ in range(5):
        game.step()
    (tmp_path / "mine/market").mkdir(parents=True)
    (tmp_path / "mine/market/played.yaml").write_text(export.scenario_yaml(game), encoding="utf-8")
    folder = f"hydra.run.dir={tmp_path / 'out'}"
    monkeypatch.setattr(sys, "argv", ["stickiness", "--config-dir", str(tmp_path / "mine"), "market=played", folder])
    assert cli.main() == 0, capsys.readouterr().err
    assert digest(load(tmp_path / "out/run.parquet").tally) == digest(export.finished_run(game).tally)
    (tmp_path / "run.parquet").write_bytes(export.run_parquet(game))
    assert digest(load(tmp_path / "run.parquet").tally) == digest(export.finished_run(game).tally)


def test_a_link_restores_the_same_page_to_the_digit():
    game = played(3, {"segments.habitual.attention": 0.5})
    game.scandal("data_breach", "macleans", **STRONG)
    game.move("price", "colgate", 1.2, "price up 20 %")
    for _ in range(9):
        game.step()
    game.apologize("macleans")
    game.set_events(changed(game.events, game.events[1], on=False))
    query = export.link(games.FIRST_MARKET, game, {"firm": "macleans", "lines": "segments"})
    state = export.linked(query)
    assert state.view == {"firm": "macleans", "lines": "segments"} and len(query) < 1500
    again = Game(state.scenario, state.week, state.off)
    assert event_summary(again) == event_summary(game) and firm_rows(again) == firm_rows(game)
    assert [(e.key, e.on) for e in again.events] == [(e.key, e.on) for e in game.events]
    assert export.link(games.FIRST_MARKET, again, state.view) == query


@pytest.mark.parametrize("query", ["?week=x", "?week=99999999999", "?market=in_a_file"])
def test_a_state_that_cannot_be_is_a_sentence(query):
    with pytest.raises(ScenarioError):
        export.linked(query)


def test_a_file_comes_in_parts_and_no_more_than_is_allowed():
    upload, coded = Upload(), [base64.b64encode(x).decode() for x in (b"one,", b"two")]
    assert upload.add({"n": 0, "of": 2, "name": "a.csv", "data": coded[0]}) is None
    assert upload.add({"n": 1, "of": 2, "name": "a.csv", "data": coded[1]}) == ("a.csv", b"one,two")
    for wrong in ({"n": 1, "of": 2, "data": ""}, "x", {"n": 0, "of": 1, "data": "%"}):
        with pytest.raises(ScenarioError):
            upload.add(wrong)
    large = base64.b64encode(bytes(UPLOAD + 1)).decode()
    with pytest.raises(ScenarioError, match="more than"):
        upload.add({"n": 0, "of": 1, "name": "a", "data": large})
    assert not upload.parts


@pytest.mark.parametrize("query", ["?market=nope", "?firms.colgate.price=99", "?firms.nope.price=1&people=x"])
def test_a_bad_link_is_a_sentence(query):
    with pytest.raises(ScenarioError):
        export.linked(query)


def test_data_are_tidy():
    game = played(2)
    game.scandal("data_breach", "colgate", **STRONG)
    for _ in range(12):
        game.step()
    lines = export.data_csv(game).decode().splitlines()
    assert lines[0] == "week,group,firm,metric,value,error,twin"
    [row] = [line.split(",") for line in lines if line.startswith("13,everybody,colgate,share,")]
    value, error, twin = map(float, row[4:])
    assert 0 < error < 0.1 and twin > value > 0
    for said in (
        "12,everybody,colgate,stickiness,",
        "12,ethical,colgate,stickiness,",
        "13,skeptical,boots,negative_wom,",
    ):
        assert sum(line.startswith(said) for line in lines) == 1


def test_serve_says_what_is_wrong():
    for bad in (["port=99999"], ["port=x"], ["nonsense"]):
        with pytest.raises(ScenarioError, match="page:"):
            serve(bad)


# ---------------------------------------------------------------- the page without a browser


class Rendered:
    """The page, with what tests press and read."""

    def __init__(self):
        games.preset(games.FIRST_MARKET)
        self.sessions = []
        made = Session.__init__

        def noted(session):
            made(session)
            self.sessions.append(session)

        Session.__init__ = noted
        try:
            _, self.rc = solara.render(solara.AppLayout(children=[Page()]), handle_error=False)
        finally:
            Session.__init__ = made
        self.session = self.sessions[-1]
        self.ready()

    def ready(self):
        until(lambda: self.session.frame.value is not None and not self.session.busy.value)

    def press(self, label):
        def pressed():
            for button in self.rc.find(v.Btn).widgets:
                if label in map(str, button.children) and not button.disabled:
                    try:
                        button.click()
                        return True
                    except ValueError as error:  # another thread draws: its handler comes a moment after the button
                        if "not found in widget" not in str(error):
                            raise
            return False

        until(pressed)

    def unfold(self, title):
        """Press the header of a group, and wait until it is drawn open: another press acts on what is drawn."""
        self.press(title)
        until(lambda: any(title in b.children and "down" in str(b.children[0]) for b in self.rc.find(v.Btn).widgets))

    def select(self, label, value):
        [found] = [w for w in self.widgets() if w.has_trait("values") and w.label == label]
        found.vue_pick(value)

    def widgets(self):
        """Those that are made from a .vue file of the page."""
        return self.rc.find(v.VuetifyTemplate).widgets

    def numbers(self):
        return [w for w in self.widgets() if w.has_trait("wrong")]

    def said(self):
        return [str(w.children) for w in self.rc.find(v.Alert).widgets]


@pytest.fixture
def page():
    rendered = Rendered()
    rendered.select("People", "1,000")
    rendered.ready()
    yield rendered
    rendered.rc.close()


def test_play_a_market(page):
    page.press("Step")
    assert page.session.frame.value.week == 1 and page.session.game.start.people == 1000
    page.press("Start the scandal")
    assert "data breach at Colgate (week 1): still to come" in page.session.frame.value.summary["text"]
    for _ in range(3):
        page.press("Step")
    assert page.session.game.compared() is not None and "so far" in page.session.frame.value.summary["text"]
    page.press("Play")
    until(lambda: page.session.frame.value.week > 6)
    page.press("Pause")
    page.session.thread.join(60)
    page.press("Reset")
    page.ready()
    assert page.session.frame.value.week == 0 and not page.session.game.events and not page.session.problems.value


def test_another_preset_and_another_view(page):
    page.select("Market", "mobile")
    page.ready()
    assert page.session.game.start.title == games.preset("mobile").title
    page.press("Step")
    page.press("Start the scandal")
    assert [e.firm for e in page.session.game.events] == [page.session.game.start.focus]
    segment = next(iter(page.session.game.start.segments))
    page.select("People in view", segment)
    until(lambda: page.session.view.value.group == segment)
    page.select("Lines are", "segments")
    until(lambda: page.session.view.value.segments)
    lines = page.session.frame.value.charts[1]["lines"]  # with the event, and without it
    assert list(dict.fromkeys(line["name"] for line in lines)) == list(page.session.game.start.segments)


def test_a_wrong_value_is_said_beside_its_field_and_not_kept(page):
    page.unfold("Seed, window and burn-in")
    page.session.set("window", 500)
    until(lambda: any("window: 500 is longer than weeks" in w.wrong for w in page.numbers()))
    assert "window" not in page.session.settings.value
    page.press("Reset")  # works while a field is wrong
    page.ready()
    until(lambda: not any(w.wrong for w in page.numbers()))
    assert not page.session.problems.value and page.session.game.start.window != 500
    page.press("Apologize")
    until(lambda: any("nothing to apologize for" in text for text in page.said()))


def test_defaults_come_back_from_any_state(page):
    page.session.set("segments.habitual.attention", 0.25)
    page.press("Step")
    page.press("Start the scandal")
    page.press("Defaults")
    page.ready()
    assert page.session.game.start.segments == games.preset(games.FIRST_MARKET).segments
    assert not page.session.game.events and not page.session.settings.value


def test_what_was_done_can_be_undone(page):
    page.press("Start the scandal")
    page.press("Outage")
    assert len(page.session.game.events) == 2
    page.press("Undo")
    assert [e.name for e in page.session.game.events] == ["data_breach"]
    page.session.edit(page.session.game.events[0], week=3)
    assert page.session.game.events[0].week == 3
    page.press("Undo")
    assert page.session.game.events[0].week == 0


def test_the_address_is_the_state_and_going_back_shows_an_earlier_one(page):
    session = page.session
    page.press("Start the scandal")
    for _ in range(4):
        page.press("Step")
    there, said = session.address.value, session.frame.value.summary
    assert "week=4" in there and "data_breach" in there
    page.press("Service campaign, 13 weeks")
    page.press("Step")
    assert session.address.value != there and session.frame.value.summary != said
    session.moved(there)
    page.ready()
    assert session.address.value == there and session.frame.value.summary == said


def test_a_long_state_becomes_a_file(page, monkeypatch):
    monkeypatch.setattr(limits, "ADDRESS", 100)
    page.press("Start the scandal")
    assert page.session.address.value == "?market=in_a_file" and len(page.session.state.value) > 100
    page.session.opened("state.txt", page.session.state.value.encode())
    page.ready()
    assert [e.name for e in page.session.game.events] == ["data_breach"]


def test_levers_act_at_once_and_traits_at_reset(page):
    page.press("Step")
    page.session.set("firms.colgate.price", 1.5)
    assert page.session.game.market.competitor["colgate"].price == 1.5
    page.session.set("segments.habitual.attention", 0.25)
    assert page.session.waiting() == ["segments.habitual.attention"]
    assert page.session.game.start.segments["habitual"].attention != 0.25
    assert [e.key for e in page.session.game.events] == ["move.colgate_price"]
    page.press("Reset")
    page.ready()
    assert page.session.game.start.segments["habitual"].attention == 0.25
    assert page.session.game.start.firms["colgate"].price == 1.5


def test_every_group_of_parameters_opens(page):
    for title in ("Levers of a firm", "Traits of a segment", "Typical consumer", "Category", "Mechanisms on and off"):
        page.unfold(title)
        until(lambda: page.numbers() or page.rc.find(v.Switch).widgets)
    page.unfold("Levers of a firm")

    def price():
        return [w for w in page.numbers() if w.label.startswith("price [")]

    until(price)
    price()[0].vue_put(1.25)
    until(lambda: [w.value for w in price()] == [1.25])
    assert set(page.session.settings.value.values()) == {1.25}
    page.press("Undo")
    until(lambda: [w.value for w in price()] == [1])
    page.press("Change the price")  # by 10 %, as another event
    until(lambda: [w.value for w in price()] == [1.1])


def test_a_person_tells_who_they_are(page):
    session = page.session
    session.point(5)
    assert "segment: ethical" in session.tip.value and f"person: {session.picture.order[5]}" in session.tip.value
    session.pick(5)
    assert session.picked.value == session.picture.order[5] and session.frame.value.person["segment"] == "ethical"
    session.pick(None)
    assert session.picked.value is None and not session.frame.value.person


def test_a_persons_week_is_told_by_the_rules_that_did_something():
    game = played(2)
    game.scandal("data_breach", "colgate", **STRONG)
    weeks = {}
    for number in range(40):
        game.watch(number)
        game.step()
        weeks |= {rule: text for rule, text in game.person(number).items() if rule.startswith("last week, ")}
    assert {"last week, need", "last week, choose", "last week, learn"} <= set(weeks)
    game.watch(7)
    for _ in range(8):
        before, heard = people.person(game.market, 7), "first heard" in str(game.last_week)
        game.step()
        after = people.person(game.market, 7)
        stayed = "did not need" in game.last_week["last week, need"]
        assert not stayed or before["last used"] == after["last used"], heard
    game.watch(None)
    game.step()
    assert not any(rule.startswith("last week") for rule in game.person(7))


def test_two_visitors_have_a_market_each_and_give_it_back():
    one, two = Rendered(), Rendered()
    one.press("Step")
    assert (one.session.frame.value.week, two.session.frame.value.week) == (1, 0)
    one.press("Play")
    one.rc.close()
    one.session.thread.join(60)
    assert one.session.game is None and not one.session.thread.is_alive()
    assert two.session.game is not None
    two.rc.close()
