"""The state of one visitor: their game, the parameters they have set, and the last frame.

Steps, events and reading take turns under one lock, so that no incomplete week is read; play is a thread that steps,
reads and waits, and ends when the visitor leaves.
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
from sim.page.events import GameEvent, changed, removed
from sim.page.export import PageState, link, linked
from sim.page.frame import Frame, make_frame
from sim.page.game import FIRST_MARKET, Game, is_lever, preset
from sim.page.own_data import OwnData
from sim.page.picture import Picture
from sim.page.questions import Questions
from sim.page.serve import release_memory
from sim.study.answer import NO_EVENTS

PAUSE, FRAME = 0.05, 0.2  # seconds: the shortest pause of the play thread, the shortest time of a frame
PROBLEMS, LENGTH = 6, 300  # complaints about a link that are shown, and characters of each
TOO_LONG = "?market=in_a_file"  # the address of a state that is longer than an address takes
MOST_UNDO = 20  # changes of the events that can be taken back
SPEEDS = (1, 2, 5, 10, 20)  # weeks a second


class Session:
    """One visitor's game and page. `frame` is None until the first game is ready."""

    def __init__(self) -> None:
        self.game: Game | None = None
        self.picture: Picture | None = None
        self.start: Scenario | None = None  # the preset, with the changes of a link
        self.lock = threading.RLock()
        self.closed = False
        self.thread: threading.Thread | None = None
        self.generation = solara.reactive(0)  # how many games have begun
        self.scenario_changes = solara.reactive(0)  # how often the scenario has changed since
        self.frame: solara.Reactive[Frame | None] = solara.reactive(None)
        self.playing = solara.reactive(False)
        self.busy = solara.reactive("")
        self.problems: solara.Reactive[list[str]] = solara.reactive([])
        self.market = solara.reactive(FIRST_MARKET)
        self.people = solara.reactive(10_000)
        self.seed = solara.reactive(1)
        self.speed = solara.reactive(5)
        self.view = solara.reactive(View(""))
        self.settings: solara.Reactive[dict[str, Any]] = solara.reactive({})
        self.wrong: solara.Reactive[dict[str, str]] = solara.reactive({})  # what is wrong with a field, beside it
        self.undo: solara.Reactive[tuple[tuple[GameEvent, ...], ...]] = solara.reactive(())
        self.state = solara.reactive("")  # the state as a query string
        self.address = solara.reactive("")  # the same, or TOO_LONG
        self.questions = Questions(self)
        self.own: solara.Reactive[OwnData | None] = solara.reactive(None)
        self.tip = solara.reactive("")
        self.picked: solara.Reactive[int | None] = solara.reactive(None)

    # ------------------------------------------------------------ begin and end

    def open(self, query: str = "") -> None:
        """The first market of the session: that of a link, or the first preset."""
        self._in_thread(partial(self._open, query))

    def _open(self, query: str) -> None:
        """Show a state; of several that were asked for, one after another, the last stays."""
        with self._problems_shown(), self.lock:
            if query and self.address.value not in ("", query):
                return
            state = None
            if query:
                try:
                    state = linked(query)
                    self.market.value, self.start = state.market, state.scenario
                    self.people.value, self.seed.value, self.settings.value = (
                        state.scenario.people,
                        state.scenario.seed,
                        {},
                    )
                except ScenarioError as error:
                    found = [f"this link cannot be restored: {c[:LENGTH]}" for c in error.complaints]
                    more = [f"and {len(found) - PROBLEMS} more"] if len(found) > PROBLEMS else []
                    self.problems.value = found[:PROBLEMS] + more
            self._start_game(state)

    def opened(self, name: str, content: bytes) -> None:
        """The visitor opened a file with a state."""
        self.moved(content.decode("utf-8", "replace").strip())

    def moved(self, query: str) -> None:
        """The visitor went back or forward, or opened a file: show what the address says."""
        if query != self.address.value:
            self.playing.value = False
            self.problems.value, self.address.value = [], query
            self._in_thread(partial(self._open, query))

    def choose(self, market: str) -> None:
        """Another preset."""
        self.market.value, self.start = market, None
        self.questions.forget()
        self.restore()

    def restore(self) -> None:
        """Every parameter as the preset has it, from week 0."""
        self.settings.value, self.start = {}, None
        self.seed.value = preset(self.market.value).seed
        self.reset()

    def reset(self) -> None:
        """From week 0 again, with every parameter that was set and without events."""
        self.pause()
        self.problems.value = []
        self.wrong.value = {}
        self._in_thread(self._reset)

    def _reset(self) -> None:
        with self._problems_shown():
            self._start_game()

    def _start_game(self, state: PageState | None = None) -> None:
        """A new game: without events, or with those of a link, played as far as it says."""
        with self.lock:
            if self.closed:  # the visitor left before it began
                return
            base = self.start or preset(self.market.value)
            if state is None:
                base = change(base, NO_EVENTS)
            now = {"people": self.people.value, "seed": self.seed.value, **self.settings.value}
            scenario = change(base, now)
            limits.check_limits(scenario)
            limits.CAPACITY.reserve(self, scenario)
            self.game = self.picture = None  # frees the old one's memory first
            game = Game(scenario, state.week if state else 0, state.off if state else ())
            self.start = change(base, NO_EVENTS)
            self.picked.value, self.tip.value, self.undo.value = None, "", ()
            asked = state.view if state else {}
            linked_view = View(asked.get("firm", ""), asked.get("group", ""), asked.get("lines") == "segments")
            view = linked_view if state else self.view.value
            firm = view.firm if view.firm in scenario.firms else scenario.focus
            self.view.value = View(firm, view.group if view.group in game.groups() else "", view.segments)
            self.game, self.picture = game, Picture(game)
            self.generation.value += 1  # controls of this game, before anything of it is shown
            self.draw()
            self.note()

    def note(self) -> None:
        """Put the state into the address bar."""
        if self.game is None or self.closed:
            return
        view = self.view.value
        shown = {"firm": view.firm, "group": view.group, "lines": "segments" * view.segments}
        if view.firm == self.game.start.focus:
            shown["firm"] = ""
        found = link(self.market.value, self.game, shown)
        self.state.value = found
        self.address.value = found if len(found) <= limits.ADDRESS else TOO_LONG

    def close(self) -> None:
        """The visitor has left: stop, and release the memory."""
        self.closed = True
        with self.lock:
            self.game = self.picture = self.start = None
            self.questions.forget()
            if self.own.value:
                self.own.value.forget()
            limits.CAPACITY.release(self)
        release_memory()

    def _in_thread(self, work: Callable[[], None]) -> None:
        self.busy.value = "Preparing: drawing the people and simulating the weeks before week 0 …"

        def run() -> None:
            try:
                work()
            finally:
                if not self.closed:
                    self.busy.value = ""

        threading.Thread(target=run, daemon=True).start()

    @contextmanager
    def _problems_shown(self) -> Iterator[None]:
        """Errors inside become sentences on the page."""
        try:
            yield
        except ScenarioError as error:
            self.problems.value = error.complaints
        except MemoryError:
            self.problems.value = ["there is not enough memory for so many people; choose fewer"]
        except Exception as error:
            if not self.closed:
                logging.getLogger(__name__).exception("the page")
                text = f"an error of the page, not yours ({type(error).__name__}); Reset begins again"
                self.problems.value = [text]
                self.playing.value = False

    # ------------------------------------------------------------ the weeks

    def step(self, many: int = 1) -> None:
        """Some weeks, then a new frame."""
        with self._problems_shown(), self.lock:
            if self.game is not None:
                for _ in range(many):
                    self.game.step()
                self.draw()
                if not self.playing.value:
                    self.note()

    def play(self) -> None:
        """Step and draw until paused."""
        if not self.playing.value and self.game is not None:
            self.playing.value = True
            self.thread = threading.Thread(target=self._play, daemon=True)
            self.thread.start()

    def pause(self) -> None:
        """Stop playing."""
        if self.playing.value:
            self.playing.value = False
            self.note()

    def _play(self) -> None:
        took = FRAME  # seconds of the last round: where frames are slow, more weeks are simulated between them
        while not self.closed and self.playing.value:
            if self.game is None or self.game.over:
                self.playing.value = False
            began, every = time.perf_counter(), max(FRAME, 1 / self.speed.value)
            self.step(max(1, round(self.speed.value * max(every, min(took, 2)))))
            time.sleep(max(PAUSE, every - (time.perf_counter() - began)))
            took = time.perf_counter() - began

    # ------------------------------------------------------------ events and parameters

    def act(self, event: Callable[[Game], None]) -> None:
        """Change the events by hand; an error is shown and changes nothing."""
        self.problems.value = []
        with self._problems_shown(), self.lock:
            if self.game is not None:
                before = self.game.events
                event(self.game)
                self.undo.value = (*self.undo.value, before)[-MOST_UNDO:]
                self._changed()

    def _changed(self) -> None:
        self.settings.value = {path: self.value(path, value) for path, value in self.settings.value.items()}
        self.scenario_changes.value += 1
        self.draw()
        self.note()

    def edit(self, event: GameEvent, **values: Any) -> None:
        """Move an event in time, switch it on or off, or change a value of it."""
        self.act(lambda game: game.set_events(changed(game.events, event, **values)))

    def remove(self, event: GameEvent) -> None:
        """Take an event out of the list."""
        self.act(lambda game: game.set_events(removed(game.events, event)))

    def take_back(self) -> None:
        """Undo the last change of the events."""
        if not self.undo.value:
            return
        *rest, last = self.undo.value
        with self._problems_shown(), self.lock:
            if self.game is not None:
                self.game.set_events(last)
                self.undo.value = tuple(rest)
                self._changed()

    def set(self, path: str, value: Any) -> None:
        """Set a parameter: a lever acts from the coming week on, a trait at the next Reset.

        What is wrong with a value is said beside its field, and the value is not kept.
        """
        if self.start is None or self.game is None:
            return
        wanted = {**self.settings.value, path: value}
        others = {p: text for p, text in self.wrong.value.items() if p != path}
        try:
            change(self.start, wanted)
        except ScenarioError as error:
            self.wrong.value = {**others, path: "; ".join(error.complaints)[:LENGTH]}
            return
        self.wrong.value = others
        if is_lever(self.game.start, path):
            self.act(lambda game: game.set_lever(path, float(value)))
        self.settings.value = wanted

    def value(self, path: str, declared: Any) -> Any:
        """The value of a parameter: of a lever as the coming week has it, else as set, or as declared."""
        if self.game and is_lever(self.game.start, path):
            return type(declared)(self.game.lever(path))
        return self.settings.value.get(path, declared)

    def waiting(self) -> list[str]:
        """The parameters that are set and act at the next reset."""
        return [p for p in self.settings.value if self.game and not is_lever(self.game.start, p)]

    # ------------------------------------------------------------ view

    def change_view(self, **shown: str | bool) -> None:
        """Show another firm or group."""
        with self._problems_shown(), self.lock:
            self.view.value = View(**{**vars(self.view.value), **shown})
            self.draw()
            self.note()

    def point(self, position: Any) -> None:
        """Hover: show the person at a position."""
        self.tip.value = "\n".join(f"{k}: {v}" for k, v in self._person_at(position).items())

    def pick(self, position: Any) -> None:
        """Click: keep this person in view."""
        with self.lock:
            self.picked.value = self.picture.number(position) if self.picture else None
            if self.game:
                self.game.watch(self.picked.value)
            self.draw()

    def _person_at(self, position: Any) -> dict[str, str]:
        with self.lock:
            number = self.picture.number(position) if self.picture else None
            return self.game.person(number) if self.game and number is not None else {}

    def draw(self) -> None:
        """Make the frame of the game as it stands."""
        if self.game and self.picture and not self.closed:
            self.frame.value = make_frame(self.game, self.picture, self.view.value, self.picked.value)
