"""What one visitor has on the page: a stage of their own, what they have set, and the pictures drawn last.

Steps, events and drawing take turns under one lock, so that nothing is drawn of a week half lived; play is a thread
that steps, draws and rests, and ends when the visitor leaves.
"""

import base64
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import numpy as np
import solara

from sim.app.export import linked
from sim.app.pictures import colours, people, png, seats, weeks
from sim.app.stage import FIRST, Stage, is_lever, preset
from sim.figures import INTERVAL
from sim.scenario import Scenario, ScenarioError, change

REST, FRAME = 0.1, 0.3  # seconds: the least rest of the play thread, the least time of a picture
SPEEDS = (1, 2, 5, 10, 20)  # weeks a second


@dataclass(frozen=True)
class Frame:
    """What is to be seen after a step."""

    week: int
    people: str
    weeks: str
    table: str
    headline: str
    drawn_of: str


class Visit:
    """One visitor's market and page. `frame` is None until the first market lives."""

    def __init__(self) -> None:
        self.stage: Stage | None = None
        self.lock = threading.RLock()
        self.closed = False
        self.thread: threading.Thread | None = None
        self.start: Scenario | None = None  # the preset, with what a link said of it
        self.dark = solara.reactive(False)
        self.curtain = solara.reactive(0)  # how many markets have begun
        self.places: tuple[np.ndarray, Any] | None = None
        self.cost: tuple[float, float] = (0.0, 0.0)  # seconds of the last step and of the last picture
        self.frame: solara.Reactive[Frame | None] = solara.reactive(None)
        self.playing = solara.reactive(False)
        self.busy = solara.reactive("")
        self.problems: solara.Reactive[list[str]] = solara.reactive([])
        self.market = solara.reactive(FIRST)
        self.people = solara.reactive(10_000)
        self.seed = solara.reactive(1)
        self.speed = solara.reactive(5)
        self.firm = solara.reactive("")
        self.group = solara.reactive("")
        self.settings: solara.Reactive[dict[str, Any]] = solara.reactive({})
        self.keep_twin = solara.reactive(False)
        self.tip = solara.reactive("")
        self.picked: solara.Reactive[int | None] = solara.reactive(None)

    # ------------------------------------------------------------ begin and end

    def open(self, query: str = "") -> None:
        """The first market of the visit: that of a link, or the first preset."""
        self._in_thread(partial(self._open, query))

    def _open(self, query: str) -> None:
        with self._heard():
            if query:
                try:
                    self.market.value, self.start = linked(query)
                    self.people.value, self.seed.value = self.start.people, self.start.seed
                except ScenarioError as error:
                    self.problems.value = [f"this link cannot be restored: {c}" for c in error.complaints]
            self._raise_curtain()

    def choose(self, market: str) -> None:
        """Another preset."""
        self.market.value, self.start = market, None
        self.settings.value = {}
        self.reset()

    def reset(self) -> None:
        """From week 0 again, with everything that was set and without what happened by hand."""
        self.pause()
        self.problems.value = []
        self._in_thread(self._reset)

    def _reset(self) -> None:
        with self._heard():
            self._raise_curtain()

    def _raise_curtain(self) -> None:
        with self.lock:
            base = self.start or preset(self.market.value)
            now = {"people": self.people.value, "seed": self.seed.value, **self.settings.value}
            scenario = change(base, now)
            self.stage = self.places = None  # the old one's memory first
            self.stage = Stage(scenario)
            self.start = base
            self.places = seats(self.stage)
            self.picked.value, self.tip.value = None, ""
            if self.firm.value not in scenario.firms:
                self.firm.value = scenario.focus
            if self.group.value not in scenario.segments:
                self.group.value = ""
            self.draw()
            self.curtain.value += 1

    def close(self) -> None:
        """The visitor has left: stop, and let go of the people."""
        self.closed = True
        with self.lock:
            self.stage = self.places = self.start = None

    def _in_thread(self, work: Callable[[], None]) -> None:
        self.busy.value = "The people are born and live the weeks before week 0 …"

        def run() -> None:
            try:
                work()
            finally:
                if not self.closed:
                    self.busy.value = ""

        threading.Thread(target=run, daemon=True).start()

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """What is wrong becomes sentences on the page."""
        try:
            yield
        except ScenarioError as error:
            self.problems.value = error.complaints
        except MemoryError:
            self.problems.value = ["there is not enough memory for so many people; choose fewer"]
        except Exception as error:
            if not self.closed:
                logging.getLogger(__name__).exception("the page")
                self.problems.value = [f"this went wrong, and is a fault of the page: {error}; Reset starts afresh"]
                self.playing.value = False

    # ------------------------------------------------------------ the weeks

    def step(self, many: int = 1) -> None:
        """Some weeks, then a picture."""
        with self._heard(), self.lock:
            if self.stage is None:
                return
            begin = time.perf_counter()
            for _ in range(many):
                self.stage.step()
            lived = time.perf_counter()
            self.draw()
            self.cost = ((lived - begin) / many, time.perf_counter() - lived)

    def play(self) -> None:
        """Step and draw until paused."""
        if not self.playing.value and self.stage is not None:
            self.playing.value = True
            self.thread = threading.Thread(target=self._play, daemon=True)
            self.thread.start()

    def pause(self) -> None:
        self.playing.value = False

    def _play(self) -> None:
        took = FRAME  # seconds of the last round: where drawing is slow, more weeks are lived between pictures
        while not self.closed and self.playing.value:
            began, every = time.perf_counter(), max(FRAME, 1 / self.speed.value)
            self.step(max(1, round(self.speed.value * max(every, min(took, 2)))))
            time.sleep(max(REST, every - (time.perf_counter() - began)))
            took = time.perf_counter() - began

    # ------------------------------------------------------------ what visitors do

    def act(self, event: Callable[[Stage], None]) -> None:
        """An event by hand."""
        self.problems.value = []
        with self._heard(), self.lock:
            if self.stage is not None:
                event(self.stage)
                self.draw()

    def set(self, path: str, value: Any) -> None:
        """A lever acts from the coming week on; a trait waits for the reset. What cannot be is said and not done."""
        if self.start is None or self.stage is None:
            return
        wanted = {**self.settings.value, path: value}
        with self._heard(), self.lock:
            self.settings.value = wanted
            change(self.start, wanted)
            self.problems.value = []
            if is_lever(self.stage.start, path):
                self.stage.pull(path, float(value))
                self.draw()

    def value(self, path: str, declared: Any) -> Any:
        """What a field is set to."""
        return self.settings.value.get(path, declared)

    def waiting(self) -> list[str]:
        """What has been set and waits for the reset."""
        return [p for p in self.settings.value if self.stage and not is_lever(self.stage.start, p)]

    # ------------------------------------------------------------ who and what

    def row(self, at: dict[str, float]) -> int | None:
        """The person at a place of the picture, each axis from 0 to 1."""
        places = self.places
        if places is None:
            return None
        down, across = places[0].shape
        y, x = min(down - 1, int(at["y"] * down)), min(across - 1, int(at["x"] * across))
        found = int(places[0][y, x])
        return found if found >= 0 else None

    def point(self, at: dict[str, float]) -> None:
        """Hover: say who it is."""
        row = self.row(at)
        self.tip.value = "" if row is None else "\n".join(f"{k}: {v}" for k, v in self.who(row).items())

    def pick(self, at: dict[str, float]) -> None:
        """Click: keep them in view."""
        self.picked.value = self.row(at)

    def who(self, row: int) -> dict[str, str]:
        with self.lock:
            return self.stage.person(row) if self.stage else {}

    def look(self) -> None:
        """Draw again: another theme, firm or group is in view."""
        with self._heard(), self.lock:
            if self.stage is not None:
                self.draw()

    def draw(self) -> None:
        """Pictures and words of the stage as it stands; they appear at once."""
        stage, places = self.stage, self.places
        if stage is None or places is None or self.closed:
            return
        drawn, everybody = int((places[0] >= 0).sum()), stage.start.people
        some = "" if drawn >= everybody else f"every {-(-everybody // drawn)}th of {everybody:,} people is drawn"
        self.frame.value = Frame(
            stage.week,
            _source(people(stage, *places, self.dark.value)),
            _source(weeks(stage, self.firm.value, self.group.value, self.dark.value)),
            firm_table(stage, self.firm.value, self.dark.value),
            headline(stage),
            some,
        )


def _source(figure: Any) -> str:
    return "data:image/png;base64," + base64.b64encode(png(figure)).decode()


def headline(stage: Stage) -> str:
    """What the last event did, in a sentence."""
    last = stage.last
    if last is None:
        return ""
    firm, found = _title(last.firm), stage.compared()
    if found is None:
        return f"The {last.words} at {firm} happens in week {stage.week}. Step or play to see what it does."
    if found.net:
        did = f"{'cost' if found.net < 0 else 'won'} {firm} {abs(found.net):,} customer{'s' * (abs(found.net) != 1)}"
    else:
        did = f"has changed nothing in {firm}'s number of customers"
    detail = f"{found.lost:,} use another firm who would be here, {found.won:,} the other way round"
    share, error = (100 * v for v in found.share)
    points = f"share {share:+.2f} ± {INTERVAL * error:.2f} points since week {last.week}"
    index = f"stickiness {found.stickiness[0]:+.3f} ± {INTERVAL * found.stickiness[1]:.3f} in this window"
    told = [detail, points] + ([index] if np.isfinite(found.stickiness[0]) else [])
    return f"The {last.words} {did} so far: {'; '.join(told)}."


def firm_table(stage: Stage, firm: str, dark: bool) -> str:
    """Firms with their colour, customers, share, stickiness and trust as HTML: legend and reading in one."""
    firms, palette = list(stage.start.firms), colours(list(stage.start.firms), dark)
    customers, trust = stage.customers(), stage.trust[-1][0]
    sticky = stage.stickiness() if stage.week else None
    rows = []
    for j in np.argsort(-customers, kind="stable"):
        index = "–"
        if sticky is not None and np.isfinite(sticky.value[j] + sticky.error[j]):
            index = f"{sticky.value[j]:.2f}<small> ± {INTERVAL * sticky.error[j]:.2f}</small>"
        part = customers[j] / max(1, customers.sum())
        mark = f'<span class="chip" style="background:{palette[j]}"></span>'
        focus = ' class="focus"' if firms[j] == firm else ""
        rows.append(
            f"<tr{focus}><td>{mark}{escape(_title(firms[j]))}</td><td>{customers[j]:,}</td><td>{100 * part:.1f} %</td>"
            f"<td>{index}</td><td>{trust[j]:.2f}</td></tr>"
        )
    head = "<tr><th>firm</th><th>customers</th><th>of all</th><th>stickiness</th><th>trust</th></tr>"
    return f'<table class="firms">{head}{"".join(rows)}</table>'


def _title(name: str) -> str:
    return name.replace("_", " ").title()
