"""The page in a real browser, as a visitor meets it; screenshots stay in outputs/page."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, contextmanager
from html import unescape
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("solara", reason="the page needs the extra `page`")

from sim.study.store import load
from tests.page.test_own_data import purchases

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "outputs" / "page"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FILES = Path(os.environ.get("SOLARA_ASSETS_PROXY_CACHE_DIR", Path(sys.prefix) / "share/solara/cdn")) / "@widgetti"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run"
    " --disable-background-networking --disable-component-update --disable-sync"
)
LIVELY = "?market=toothpaste_uk&people=2000&consumer.rate=2.0&burn_in=13&consumer.action=1.0"

pytestmark = pytest.mark.skipif(
    find_spec("playwright") is None or CHROMIUM is None, reason="no playwright or no chromium to drive"
)


def until(done, seconds=180):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


@contextmanager
def served(log, command, port, **env):
    """The page as a command serves it."""
    with log.open("w") as out:
        server = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=out, start_new_session=True, env={**os.environ, **env}
        )
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


def free_port():
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The page as `stickiness page` serves it."""
    if not FILES.is_dir():
        pytest.skip("no solara-assets: the page would fetch its files from the internet")
    port, log = free_port(), tmp_path_factory.mktemp("page") / "log"
    with served(log, [sys.executable, "-m", "sim", "page", f"port={port}"], port) as found:
        yield found
    assert "Traceback" not in log.read_text(), log.read_text()[-3000:]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as p:
        found = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield found
        found.close()


DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def opened(browser, width=1280, height=900):
    """A tab that waits long: other work may keep the machine busy."""
    tab = browser.new_page(viewport={"width": width, "height": height}, accept_downloads=True)
    tab.set_default_timeout(180_000)
    return tab


def visitor(browser, address, wrong):
    tab = opened(browser)
    tab.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    tab.on("pageerror", lambda e: wrong.append(str(e)))
    tab.on(
        "request", lambda r: None if r.url.startswith(("http://127.0.0.1", "data:", "blob:")) else wrong.append(r.url)
    )
    tab.goto(address)
    tab.wait_for_selector(".firms")  # rules may have to be compiled first
    return tab


def button(tab, name):
    return tab.get_by_role("button", name=name, exact=True)


def week(tab):
    return int(re.search(r"week (\d+)\.", tab.locator(".summary").inner_text())[1])


def query(tab):
    """What the address bar says; `tab.url` is renewed only when something else is asked of the tab."""
    return tab.evaluate("location.search")


def firm(tab, name):
    """Customers, and the difference from the twin where there is one."""
    cells = tab.locator(".firms tr", has_text=name).locator("td").all_inner_texts()
    return [int(cell.split()[0].replace(",", "").replace("−", "-")) for cell in cells[1 : len(cells) - 3]]


def played(tab, weeks):
    button(tab, "Play").click()
    until(lambda: week(tab) >= weeks)
    button(tab, "Pause").click()
    until(lambda: button(tab, "Step").is_enabled())


def take_home(tab, label, path):
    with tab.expect_download() as download:
        button(tab, label).click()
    download.value.save_as(path)
    return path


def test_a_newcomer_fires_a_breach_and_reads_what_it_cost(address, browser, tmp_path):
    wrong = []
    tab = visitor(browser, address + LIVELY, wrong)
    button(tab, "Step").click()
    until(lambda: week(tab) == 1)
    button(tab, "Start the scandal").click()
    tab.get_by_text("still to come").wait_for()
    played(tab, 15)
    verdict = tab.locator(".summary").inner_text()
    cost = int(re.search(r"cost Colgate (\d+) customers? so far", verdict)[1])
    assert re.search(r"−\d+\.\d+ ± \d+\.\d+\s+points of share since week 1", verdict), verdict
    _, against_twin = firm(tab, "Colgate")
    assert against_twin == -cost < 0
    assert tab.locator(".mark", has_text="data breach").count() >= 5  # on every chart of the weeks
    button(tab, "difference").click()
    tab.locator(".people canvas").hover(position={"x": 60, "y": 28})
    tab.locator(".people .tip", has_text="in the twin:").wait_for()
    tab.screenshot(path=SHOTS / "breach.png", full_page=True)

    yaml = take_home(tab, "Scenario, YAML", tmp_path / "played.yaml")
    for label, name in (("Data, CSV", "played.csv"), ("Figure, PNG", "weeks.png"), ("Figure, SVG", "weeks.svg")):
        assert take_home(tab, label, SHOTS / name).stat().st_size > 1000
    run = load(take_home(tab, "Run, Parquet", tmp_path / "run.parquet"))
    assert "data_breach:" in yaml.read_text() and run.scenario.weeks == week(tab)

    link = tab.get_by_text("Link to this state").get_attribute("href")
    assert "people=2000" in link and "data_breach" in link and query(tab) == link
    sent = visitor(browser, address + link, wrong)  # another browser, the same verdict to the digit
    assert sent.locator(".summary").inner_text() == tab.locator(".summary").inner_text()
    assert sent.locator(".firms").inner_text() == tab.locator(".firms").inner_text()
    sent.close()
    button(tab, "Reset").click()
    until(lambda: week(tab) == 0)
    tab.close()
    assert not wrong


def test_two_visitors_do_not_touch_each_other(address, browser):
    wrong = []
    one, two = (visitor(browser, address + "?people=1000&burn_in=0", wrong) for _ in "12")
    button(one, "Step").click()
    until(lambda: week(one) == 1)
    assert week(two) == 0
    button(one, "Levers of a firm").click()
    price = one.locator(".parameter", has_text="price [index]")
    price.locator("input[type=range]").focus()
    for _ in range(5):
        one.keyboard.press("ArrowRight")
    one.locator(".mark", has_text="colgate price").first.wait_for()
    until(lambda: "moves.colgate_price.value=1.05" in query(one))
    assert float(price.locator("input[type=number]").input_value()) == 1.05  # shown before any further step
    button(two, "Levers of a firm").click()
    price = two.locator(".parameter", has_text="price [index]")
    assert float(price.locator("input[type=number]").input_value()) == 1 and two.locator(".mark").count() == 0
    for tab in (one, two):
        tab.close()
    assert not wrong


def test_it_fits_the_screen_in_dark_and_light(address, browser):
    wrong = []
    tab = visitor(browser, address + "?people=2500&burn_in=13&consumer.action=0.6", wrong)
    played(tab, 3)
    button(tab, "Start the scandal").click()
    played(tab, 16)
    for width, height in ((1280, 900), (1920, 1080)):
        tab.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)
            tab.locator(f".v-application.theme--{scheme}").wait_for()
            tab.evaluate(DRAWN)  # the canvas, again
            tab.screenshot(path=SHOTS / f"{scheme}_{width}.png", full_page=True)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        charts = [tab.locator(".weeks figure").nth(n).bounding_box() for n in range(7)]
        assert all(200 < c["width"] <= width - c["x"] for c in charts)
    tab.close()
    assert not wrong


OPENS = """address => new Promise(done => {
  const line = new WebSocket(address.replace('http', 'ws') + 'jupyter/api/kernels/k1/channels?session_id=s1');
  line.onopen = () => { line.close(); done('open'); };
  line.onerror = () => done('refused');
})"""


def test_another_site_does_not_connect(address, browser):
    tab = browser.new_page()
    tab.route("http://evil.example/*", lambda route: route.fulfill(body="<p>hello</p>", content_type="text/html"))
    tab.goto("http://evil.example/")
    assert tab.evaluate(OPENS, address) == "refused"
    tab.goto("about:blank")  # whose origin is null
    assert tab.evaluate(OPENS, address) == "refused"
    tab.goto(address + "readyz")
    assert tab.evaluate(OPENS, address) == "open"
    tab.close()


def axe(tab, where):
    """No violation that axe-core knows of, in light and in dark."""
    source = files("axe_playwright_python") / "axe.min.js"
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        tab.locator(f".v-application.theme--{scheme}").wait_for()
        tab.add_style_tag(content="* { transition: none !important; animation: none !important }")
        tab.evaluate(DRAWN)
        tab.evaluate(source.read_text(encoding="utf-8"))
        found = tab.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
        told = [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found]
        assert not told, f"{where}, {scheme}: {told}"


BANK = "?market=bank&people=1000&burn_in=26"
CONTENT = {"Your customers and money": "label:has-text('Worth of a customer')"}  # what a group shows


@pytest.mark.skipif(find_spec("axe_playwright_python") is None, reason="no axe to check with: the extra `browser`")
def test_everybody_can_use_it(address, browser):
    wrong = []
    tab = visitor(browser, address + BANK, wrong)
    assert tab.locator("h1").count() == 1 and tab.locator("html").get_attribute("lang") == "en"
    assert "user-scalable=no" not in tab.locator("meta[name=viewport]").get_attribute("content")
    axe(tab, "as it opens")
    button(tab, "Start the scandal").focus()
    tab.keyboard.press("Enter")  # by keyboard, and where the focus is can be seen
    tab.get_by_text("still to come").wait_for()
    button(tab, "Step").focus()
    tab.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert tab.evaluate(outline) != "none"
    button(tab, "Step").focus()
    tab.keyboard.press("Enter")
    until(lambda: week(tab) == 1)
    tab.locator(".people canvas").focus()
    tab.keyboard.press("ArrowDown")
    tab.locator(".people .tip", has_text="segment:").wait_for()
    tab.keyboard.press("Enter")
    tab.locator(".person", has_text="trust in it").wait_for()
    for group in ("Levers of a firm", "Typical consumer", "Mechanisms on and off", "Your customers and money"):
        button(tab, group).click()
        tab.locator(CONTENT.get(group, ".parameter")).first.wait_for()
        axe(tab, group)
    button(tab, "What did it cost?").click()
    tab.locator(".verdict").wait_for()
    button(tab, "Save as A").click()
    tab.locator(".board").wait_for()
    axe(tab, "answered")
    tab.locator("input[accept='.csv,.tsv,.txt']").set_input_files(
        files=[{"name": "mine.csv", "mimeType": "text/csv", "buffer": purchases()}]
    )
    tab.get_by_text("Your data: mine.csv").wait_for()
    tab.locator(".own", has_text="60 households").wait_for()
    until(lambda: button(tab, "Fit a market to it").is_enabled())
    axe(tab, "own data")
    tab.close()
    assert not wrong


@pytest.mark.parametrize("width", [1280, 390])
def test_a_director_decides_in_a_few_clicks(address, browser, tmp_path, width):
    """Breach at a bank, cost by segment with interval, best of the countermeasures, report saved."""
    wrong, clicks = [], 0
    tab = opened(browser, width, 844)
    tab.on("pageerror", lambda e: wrong.append(str(e)))
    tab.goto(address + "?market=toothpaste_uk&people=1000&burn_in=13")
    tab.wait_for_selector(".firms")

    def click(name):
        nonlocal clicks
        button(tab, name).click()
        clicks += 1

    phone = width < 960
    if phone and not button(tab, "Start the scandal").is_visible():
        click("Controls")
    tab.get_by_label("Market", exact=True).select_option("bank")
    clicks += 2
    tab.get_by_text("Bank accounts, week 0").wait_for()
    until(lambda: "market=bank" in query(tab))
    click("Start the scandal")
    tab.get_by_text("still to come").wait_for()
    if phone:
        button(tab, "Start the scandal").wait_for(state="hidden")  # the controls close by themselves
    click("What did it cost?")
    tab.locator(".verdict").wait_for()
    assert re.search(r"skeptical, %\s+[−+]\d", tab.locator(".answer").first.inner_text())
    click("Try all countermeasures")
    tab.locator(".board").wait_for()
    with tab.expect_download() as download:
        click("Report to send")
    path = tmp_path / "report.html"
    download.value.save_as(path)
    tab.screenshot(path=SHOTS / f"decided_{width}.png", full_page=True)
    said = tab.locator(".verdict").inner_text().rstrip(".")
    assert clicks <= 12 and tab.evaluate("document.documentElement.scrollWidth") <= width
    text = path.read_text(encoding="utf-8")
    assert f"<h1>{said}</h1>" in text
    tab.close()
    assert not wrong
    if phone:
        return
    line = unescape(re.search(r"<code>python -m sim (.*?)</code>", text)[1])
    command = [sys.executable, "-m", "sim", *shlex.split(line), f"hydra.run.dir={tmp_path / 'out'}"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert said in " ".join(done.stdout.split())  # the terminal says the same, to the digit


def test_many_people_are_a_density_that_tells(address, browser):
    wrong = []
    tab = visitor(browser, address + "?people=20000&burn_in=13", wrong)
    button(tab, "Step").click()
    until(lambda: week(tab) == 1)
    tab.locator(".people canvas").hover(position={"x": 66, "y": 24})
    tab.locator(".people .tip", has_text="people used Colgate last").wait_for()
    tab.screenshot(path=SHOTS / "density.png", full_page=True)
    tab.close()
    assert not wrong


@pytest.mark.parametrize(
    ("query", "says"),
    [("?market=nope", "this link cannot be restored"), ("?people=1000&window=500", "longer than weeks")],
)
def test_what_makes_no_sense_is_a_sentence(address, browser, query, says):
    wrong = []
    tab = visitor(browser, address + query, wrong)
    tab.locator(".problem", has_text=says).wait_for()
    assert not tab.get_by_text("Traceback").count()
    tab.close()
    assert not wrong


def test_a_page_without_its_files_says_so(browser, tmp_path):
    """Served as `solara run sim/app.py`, where neither the server nor the browser has them."""
    port = free_port()
    command = [sys.executable, "-m", "solara", "run", "sim/app.py", "--port", str(port), "--no-open", "--production"]
    with served(tmp_path / "log", command, port, SOLARA_ASSETS_PROXY_CACHE_DIR=str(tmp_path / "none")) as found:
        tab = browser.new_page()
        tab.route(re.compile("^https:"), lambda route: route.abort())
        tab.goto(found)
        words = "getComputedStyle(document.querySelector('#pre-rendered-html-present'), '::after')"
        assert "pip install solara-assets" in tab.evaluate(words + ".content")
        until(lambda: tab.evaluate(words + ".opacity") == "1", 10)
        tab.screenshot(path=SHOTS / "without_its_files.png")
        tab.close()
    assert "pip install solara-assets" in (tmp_path / "log").read_text()
