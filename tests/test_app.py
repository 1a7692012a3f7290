"""The page: played without a browser, and in a real one."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

solara = pytest.importorskip("solara", reason="the page needs the extra `page`")
pytest.importorskip("mesa", reason="the page needs the extra `page`")

import ipyvuetify as v  # noqa: E402

from sim.app import Page, export, pictures  # noqa: E402
from sim.app import stage as stages  # noqa: E402
from sim.app.serve import serve  # noqa: E402
from sim.app.stage import Stage  # noqa: E402
from sim.app.visit import Visit, headline  # noqa: E402
from sim.scenario import ScenarioError, change  # noqa: E402
from sim.store import load  # noqa: E402
from tests.test_same import digest  # noqa: E402

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SHORT = {"people": 1000, "burn_in": 13}
STRONG = {"severity": 6.0, "reach": 0.95, "action": 5.0}


def small(changes=None):
    return Stage(change(stages.preset(stages.FIRST), {**SHORT, **(changes or {})}))


def played(weeks=20, changes=None):
    stage = small(changes)
    for _ in range(weeks):
        stage.step()
    return stage


def until(done, seconds=30):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


# ---------------------------------------------------------------- the stage


def test_the_twin_lives_on_without_the_last_event_only():
    stage = played(6)
    control = stage.market.fork()
    stage.scandal("data_breach", "colgate", **STRONG)
    assert stage.compared() is None
    for _ in range(8):
        stage.step()
        control.step()
    assert np.array_equal(stage.twin.life.people.one, control.life.people.one)
    found = stage.compared()
    assert found.lost > found.won and found.net < 0
    assert found.share[0] < 0 < found.share[1]
    j = 0
    ours, theirs = (m.life.people.one["last"] == j for m in (stage.market, stage.twin))
    assert found.net == ours.sum() - theirs.sum()
    assert f"cost Colgate {-found.net}" in headline(stage)


def test_a_second_event_moves_the_twin_or_keeps_it():
    stage = played(3)
    stage.scandal("data_breach", "colgate")
    stage.step()
    stage.move("price", "colgate", 0.8, "price cut", keep_twin=True)
    assert stage.last.words == "data breach" and not stage.twin.life.scenario.scandals
    stage.step()
    stage.apologise("colgate")
    assert stage.last.words == "apology for the data breach" and len(stage.twin.life.scenario.scandals) == 1
    assert [words for _, words in stage.marks()] == ["data breach", "price cut", "response"]


def test_a_lever_is_pulled_in_the_twin_too():
    stage = played(2)
    stage.scandal("outage", "macleans")
    stage.step()
    stage.pull("firms.colgate.price", 1.3)
    for market in (stage.market, stage.twin):
        assert market.competitor["colgate"].price == 1.3


def test_there_is_nothing_to_apologise_for():
    with pytest.raises(ScenarioError, match="nothing to apologise for"):
        small().apologise("colgate")


def test_every_preset_scandal_can_break_anywhere():
    stage = small()
    for kind in stages.presets("scandal"):
        stage.scandal(kind, "macleans")
    stage.step()
    assert len(stage.scenario.scandals) == len(stages.presets("scandal"))


def test_many_people_are_drawn_as_some_of_them():
    stage = small({"people": 3000})
    places, heads = pictures.seats(stage, most=1000)
    assert (places >= 0).sum() == 1000 and sum(many for _, _, many in heads) == 3000


# ---------------------------------------------------------------- take home


def test_the_exported_scenario_gives_the_same_numbers(tmp_path):
    stage = played(15)
    stage.scandal("data_breach", "colgate", **STRONG)
    for _ in range(5):
        stage.step()
    (tmp_path / "mine/market").mkdir(parents=True)
    (tmp_path / "mine/market/played.yaml").write_text(export.scenario_yaml(stage), encoding="utf-8")
    folder = f"hydra.run.dir={tmp_path / 'out'}"
    command = [sys.executable, "-m", "sim", "--config-dir", str(tmp_path / "mine"), "market=played", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert digest(load(tmp_path / "out/run.parquet").tally) == digest(export.lived(stage).tally)
    (tmp_path / "run.parquet").write_bytes(export.run_parquet(stage))
    assert digest(load(tmp_path / "run.parquet").tally) == digest(export.lived(stage).tally)


def test_a_link_restores_the_scenario():
    stage = played(3, {"segments.habitual.attention": 0.5})
    stage.scandal("data_breach", "macleans")
    market, restored = export.linked(export.link(stages.FIRST, stage))
    assert market == stages.FIRST and restored == stage.scenario


@pytest.mark.parametrize("query", ["?market=nope", "?firms.colgate.price=99", "?firms.nope.price=1&people=x"])
def test_a_bad_link_is_a_sentence(query):
    with pytest.raises(ScenarioError):
        export.linked(query)


def test_data_are_tidy():
    lines = export.data_csv(played(14)).decode().splitlines()
    assert lines[0] == "weeks_lived,firm,metric,value"
    assert any(line.startswith("13,colgate,stickiness,") for line in lines)


def test_serve_says_what_is_wrong():
    for bad in (["port=99999"], ["port=x"], ["nonsense"]):
        with pytest.raises(ScenarioError, match="page:"):
            serve(bad)


# ---------------------------------------------------------------- the page without a browser


class Rendered:
    """The page, with what tests press and read."""

    def __init__(self):
        stages.preset(stages.FIRST)
        self.visits = []
        made = Visit.__init__

        def noted(visit):
            made(visit)
            self.visits.append(visit)

        Visit.__init__ = noted
        try:
            _, self.rc = solara.render(solara.AppLayout(children=[Page()]), handle_error=False)
        finally:
            Visit.__init__ = made
        self.visit = self.visits[-1]
        self.ready()

    def ready(self):
        until(lambda: self.visit.frame.value is not None and not self.visit.busy.value)

    def press(self, label):
        def enabled():
            buttons = [w for w in self.rc.find(v.Btn).widgets if label in map(str, w.children)]
            return [b for b in buttons if not b.disabled]

        until(enabled)
        enabled()[0].click()

    def select(self, label, value):
        [found] = [w for w in self.rc.find(v.Select).widgets if w.label == label]
        found.v_model = value

    def said(self):
        return [str(w.children) for w in self.rc.find(v.Alert).widgets]


@pytest.fixture
def page():
    rendered = Rendered()
    rendered.select("People", 1000)
    rendered.ready()
    yield rendered
    rendered.rc.close()


def test_play_a_market(page):
    page.press("Step")
    assert page.visit.frame.value.week == 1 and page.visit.stage.start.people == 1000
    page.press("Break the scandal")
    assert "data breach at Colgate happens in week 1" in page.visit.frame.value.headline
    for _ in range(3):
        page.press("Step")
    assert page.visit.stage.compared() is not None and "so far" in page.visit.frame.value.headline
    page.press("Play")
    until(lambda: page.visit.frame.value.week > 6)
    page.press("Pause")
    page.visit.thread.join(5)
    page.press("Reset")
    page.ready()
    assert page.visit.frame.value.week == 0 and page.visit.stage.twin is None and not page.visit.problems.value


def test_another_preset_and_other_eyes(page):
    page.select("Market", "mobile")
    page.ready()
    assert page.visit.stage.start.title == stages.preset("mobile").title
    page.press("Step")
    before = page.visit.frame.value
    page.visit.dark.value = True
    until(lambda: page.visit.frame.value.weeks != before.weeks, 10)
    assert page.visit.frame.value.week == before.week
    segment = next(iter(page.visit.stage.start.segments))
    page.select("People in view", segment)
    until(lambda: page.visit.group.value == segment, 10)


def test_a_wrong_combination_says_what_is_wrong(page):
    page.visit.set("window", 500)
    until(lambda: any("window: 500 is longer than weeks" in text for text in page.said()), 10)
    page.visit.set("window", 13)
    until(lambda: not page.said(), 10)
    page.press("Apologise")
    until(lambda: any("nothing to apologise for" in text for text in page.said()), 10)


def test_levers_act_at_once_and_traits_at_reset(page):
    page.press("Step")
    page.visit.set("firms.colgate.price", 1.5)
    assert page.visit.stage.market.competitor["colgate"].price == 1.5
    page.visit.set("segments.habitual.attention", 0.25)
    assert page.visit.waiting() == ["segments.habitual.attention"]
    assert page.visit.stage.start.segments["habitual"].attention != 0.25
    page.press("Reset")
    page.ready()
    assert page.visit.stage.start.segments["habitual"].attention == 0.25
    assert page.visit.stage.start.firms["colgate"].price == 1.5


def test_every_group_of_knobs_opens(page):
    for title in ("Levers of a firm", "Traits of a segment", "Typical consumer", "Category", "Mechanisms on and off"):
        page.press(title)
        until(lambda: page.rc.find(v.Slider).widgets, 10)
    page.press("Levers of a firm")

    def price():
        return [w for w in page.rc.find(v.Slider).widgets if w.v_model == 1.0 and w.max == 4.0]

    until(price, 10)
    price()[0].fire_event("change", 1.25)
    assert page.visit.settings.value and set(page.visit.settings.value.values()) == {1.25}


def test_a_person_tells_who_they_are(page):
    visit = page.visit
    y, x = np.argwhere(visit.places[0] >= 0)[5]
    down, across = visit.places[0].shape
    at = {"x": (x + 0.5) / across, "y": (y + 0.5) / down}
    visit.point(at)
    assert "segment: ethical" in visit.tip.value
    visit.pick(at)
    assert visit.picked.value == visit.places[0][y, x]


def test_two_visitors_have_a_market_each_and_give_it_back():
    one, two = Rendered(), Rendered()
    one.press("Step")
    assert (one.visit.frame.value.week, two.visit.frame.value.week) == (1, 0)
    one.press("Play")
    one.rc.close()
    one.visit.thread.join(5)
    assert one.visit.stage is None and not one.visit.thread.is_alive()
    assert two.visit.stage is not None
    two.rc.close()


# ---------------------------------------------------------------- the page in a real browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The page as `stickiness page` serves it."""
    if find_spec("playwright") is None or CHROMIUM is None:
        pytest.skip("no playwright or no chromium")
    if find_spec("solara_assets") is None and not list((Path(sys.prefix) / "share/solara/cdn").glob("*vue*")):
        pytest.skip("no solara-assets: the page would fetch its files from the internet")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path_factory.mktemp("page") / "log").open("w")
    command = [sys.executable, "-m", "sim", "page", f"port={port}"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    try:
        until(lambda: _answers(f"http://127.0.0.1:{port}/readyz"), 60)
        yield f"http://127.0.0.1:{port}/"
    finally:
        os.killpg(server.pid, 15)
        server.wait(10)


def _answers(url):
    try:
        return urllib.request.urlopen(url, timeout=2).status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        found = p.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield found
        found.close()


def visitor(browser, address, wrong, scheme="light", width=1280):
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True)
    tab.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    tab.on("pageerror", lambda e: wrong.append(str(e)))
    tab.goto(address)
    tab.wait_for_selector(".firms", timeout=60_000)
    return tab


def button(tab, name):
    return tab.get_by_role("button", name=name, exact=True)


def week(tab):
    return int(re.search(r"week (\d+)\.", tab.locator(".verdict").inner_text())[1])


def customers(tab, firm):
    return int(tab.locator(".firms tr", has_text=firm).locator("td").nth(1).inner_text().replace(",", ""))


def test_a_newcomer_fires_a_breach_and_reads_what_it_cost(address, browser, tmp_path):
    wrong = []
    query = "?market=toothpaste_uk&people=2000&consumer.rate=2.0&burn_in=13&consumer.action=1.0"
    tab = visitor(browser, address + query, wrong)
    button(tab, "Step").click()
    until(lambda: week(tab) == 1)
    button(tab, "Break the scandal").click()
    tab.get_by_text("happens in week 1").wait_for()
    button(tab, "Play").click()
    until(lambda: week(tab) > 14)
    button(tab, "Pause").click()
    until(lambda: button(tab, "Step").is_enabled())
    verdict = tab.locator(".verdict").inner_text()
    assert re.search(r"cost Colgate \d+ customers? so far", verdict), verdict
    assert re.search(r"share -\d", verdict), verdict
    assert customers(tab, "Colgate") > 0
    tab.locator(".people img").hover(position={"x": 60, "y": 100})
    tab.locator(".people-tip").wait_for()
    with tab.expect_download() as download:
        button(tab, "Scenario, YAML").click()
    download.value.save_as(tmp_path / "played.yaml")
    assert "data_breach_w1" in (tmp_path / "played.yaml").read_text()
    link = tab.get_by_text("Link to this scenario").get_attribute("href")
    assert "people=2000" in link and "data_breach" in link
    tab.screenshot(path=tmp_path / "breach.png", full_page=True)
    button(tab, "Reset").click()
    until(lambda: week(tab) == 0)
    tab.close()
    assert not wrong


def test_two_visitors_dark_and_wide(address, browser, tmp_path):
    wrong = []
    query = "?people=1000&burn_in=0"
    one, two = (visitor(browser, address + query, wrong, scheme, 1920) for scheme in ("dark", "light"))
    button(one, "Step").click()
    until(lambda: week(one) == 1)
    assert week(two) == 0
    button(one, "Levers of a firm").click()
    thumb = one.locator(".knob .v-slider__thumb-container").first
    thumb.focus()
    one.keyboard.press("ArrowRight")
    one.screenshot(path=tmp_path / "dark.png", full_page=True)
    two.screenshot(path=tmp_path / "light.png", full_page=True)
    for tab in (one, two):
        tab.close()
    assert not wrong


def test_a_link_that_makes_no_sense_is_a_sentence(address, browser):
    wrong = []
    tab = visitor(browser, address + "?market=nope", wrong)
    tab.get_by_text("this link cannot be restored").wait_for()
    tab.close()
    assert not wrong
