"""What one visitor has on the page: a stage of their own, what they have set, and the frame seen last.

Steps, events and reading take turns under one lock, so that nothing is read of a week half lived; play is a thread
that steps, reads and rests, and ends when the visitor leaves.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import solara

from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.page import limits
from sim.page.charts import View
from sim.page.export import linked
from sim.page.frame import Frame, seen
from sim.page.game import FIRST, Game, is_lever, preset
from sim.page.picture import Picture
from sim.page.serve import give_back

REST, FRAME = 0.05, 0.2  # seconds: the least rest of the play thread, the least time of a frame
MANY, SAID = 6, 300  # complaints about a link, and characters of each, that are repeated
SPEEDS = (1, 2, 5, 10, 20)  # weeks a second


class Session:
    """One visitor's market and page. `frame` is None until the first market lives."""

    def __init__(self) -> None:
        self.game: Game | None = None
        self.picture: Picture | None = None
        self.start: Scenario | None = None  # the preset, with what a link said of it
        self.lock = threading.RLock()
        self.closed = False
        self.thread: threading.Thread | None = None
        self.generation = solara.reactive(0)  # how many markets have begun
        self.scandal_flags = solara.reactive(0)  # how often the scenario has changed since
        self.frame: solara.Reactive[Frame | None] = solara.reactive(None)
        self.playing = solara.reactive(False)
        self.busy = solara.reactive("")
        self.problems: solara.Reactive[list[str]] = solara.reactive([])
        self.market = solara.reactive(FIRST)
        self.people = solara.reactive(10_000)
        self.seed = solara.reactive(1)
        self.speed = solara.reactive(5)
        self.view = solara.reactive(View(""))
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
                    told = [f"this link cannot be restored: {c[:SAID]}" for c in error.complaints]
                    self.problems.value = told[:MANY] + [f"and {len(told) - MANY} more"] * (len(told) > MANY)
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
            if self.closed:  # left before it began
                return
            base = self.start or preset(self.market.value)
            now = {"people": self.people.value, "seed": self.seed.value, **self.settings.value}
            scenario = change(base, now)
            limits.check(scenario)
            limits.PLACES.take(self, scenario)
            self.game = self.picture = None  # the old one's memory first
            self.game = Game(scenario)
            self.picture = Picture(self.game)
            self.start = base
            self.picked.value, self.tip.value = None, ""
            view = self.view.value
            firm = view.firm if view.firm in scenario.firms else scenario.focus
            self.view.value = View(firm, view.group if view.group in self.game.groups() else "", view.segments)
            self.draw()
            self.generation.value += 1

    def close(self) -> None:
        """The visitor has left: stop, and let go of the people."""
        self.closed = True
        with self.lock:
            self.game = self.picture = self.start = None
            limits.PLACES.leave(self)
        give_back()

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
                said = f"this went wrong, and is a fault of the page ({type(error).__name__}); Reset starts afresh"
                self.problems.value = [said]
                self.playing.value = False

    # ------------------------------------------------------------ the weeks

    def step(self, many: int = 1) -> None:
        """Some weeks, then what is to be seen."""
        with self._heard(), self.lock:
            if self.game is not None:
                for _ in range(many):
                    self.game.step()
                self.draw()

    def play(self) -> None:
        """Step and draw until paused."""
        if not self.playing.value and self.game is not None:
            self.playing.value = True
            self.thread = threading.Thread(target=self._play, daemon=True)
            self.thread.start()

    def pause(self) -> None:
        self.playing.value = False

    def _play(self) -> None:
        took = FRAME  # seconds of the last round: where frames are slow, more weeks are lived between them
        while not self.closed and self.playing.value:
            if self.game is None or self.game.over:
                self.playing.value = False
            began, every = time.perf_counter(), max(FRAME, 1 / self.speed.value)
            self.step(max(1, round(self.speed.value * max(every, min(took, 2)))))
            time.sleep(max(REST, every - (time.perf_counter() - began)))
            took = time.perf_counter() - began

    # ------------------------------------------------------------ what visitors do

    def act(self, event: Callable[[Game], None]) -> None:
        """An event by hand."""
        self.problems.value = []
        with self._heard(), self.lock:
            if self.game is not None:
                event(self.game)
                self.scandal_flags.value += 1
                self.draw()

    def set(self, path: str, value: Any) -> None:
        """A lever acts from the coming week on; a trait waits for the reset. What cannot be is said and not done."""
        if self.start is None or self.game is None:
            return
        wanted = {**self.settings.value, path: value}
        with self._heard(), self.lock:
            self.settings.value = wanted
            change(self.start, wanted)
            self.problems.value = []
            if is_lever(self.game.start, path):
                self.game.pull(path, float(value))
                self.scandal_flags.value += 1
                self.draw()

    def value(self, path: str, declared: Any) -> Any:
        """What a field is set to."""
        return self.settings.value.get(path, declared)

    def waiting(self) -> list[str]:
        """What has been set and waits for the reset."""
        return [p for p in self.settings.value if self.game and not is_lever(self.game.start, p)]

    # ------------------------------------------------------------ who and what

    def look(self, **what: Any) -> None:
        """Another firm or group in view."""
        with self._heard(), self.lock:
            self.view.value = View(**{**vars(self.view.value), **what})
            self.draw()

    def point(self, seat: Any) -> None:
        """Hover: say who it is."""
        self.tip.value = "\n".join(f"{k}: {v}" for k, v in self._who(seat).items())

    def pick(self, seat: Any) -> None:
        """Click: keep them in view."""
        with self.lock:
            self.picked.value = self.picture.number(seat) if self.picture else None
            self.draw()

    def _who(self, seat: Any) -> dict[str, str]:
        with self.lock:
            number = self.picture.number(seat) if self.picture else None
            return self.game.person(number) if self.game and number is not None else {}

    def draw(self) -> None:
        """What is to be seen of the stage as it stands, all at once."""
        if self.game and self.picture and not self.closed:
            self.frame.value = seen(self.game, self.picture, self.view.value, self.picked.value)
