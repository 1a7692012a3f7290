"""What a visitor has asked, the options they have saved, and the answers: computed in a thread, shown when ready."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import solara

from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.page import decide
from sim.page.decide import Decision, Money
from sim.report.html_report import Report
from sim.study.options import Option

if TYPE_CHECKING:
    from sim.page.session import Session

LABELS = "ABCDEFGH"  # of saved options


class Questions:
    """The questions of one visitor."""

    def __init__(self, session: "Session"):
        self.session = session
        self.decision: solara.Reactive[Decision | None] = solara.reactive(None)
        self.saved: solara.Reactive[dict[str, Scenario]] = solara.reactive({})
        self.options: solara.Reactive[Sequence[Option]] = solara.reactive(())
        self.money = solara.reactive(Money())
        self.busy = solara.reactive("")
        self.problems: solara.Reactive[list[str]] = solara.reactive([])

    def forget(self) -> None:
        """Another market: nothing is asked, nothing saved."""
        self.decision.value, self.saved.value, self.options.value, self.problems.value = None, {}, (), []

    def ask(self) -> None:
        """What did the events cost?"""
        self._in_thread("Simulating with and without the events, in plausible worlds", self._ask)

    def try_all(self) -> None:
        """What would have helped?"""
        self._in_thread("Trying every countermeasure", self._try_all)

    def save(self) -> None:
        """Keep the market as it stands as the next option, and compare all that are kept."""
        self._in_thread("Comparing the options", self._save)

    def remove(self, label: str) -> None:
        """Forget an option."""
        self.saved.value = {name: s for name, s in self.saved.value.items() if name != label}
        self._in_thread("Comparing the options", self._compare)

    def set_money(self, **changed: float | int | Mapping[str, float]) -> None:
        """Set customers, worth or costs; figures in customers are scaled to them at the next question."""
        self.money.value = replace(self.money.value, **changed)

    @property
    def current(self) -> bool:
        """Whether the answer shown is that of the market as it stands."""
        found, game = self.decision.value, self.session.game
        return bool(found and game and game.active and found.scenario == decide.question(game))

    def report(self) -> Report:
        """The report of the market as it stands, answered first if it has not been; ScenarioError if it cannot be."""
        if not self.current:
            self._ask()
        found = self.decision.value
        if found is None:
            raise ScenarioError(["there is nothing to report yet"])
        return decide.report(found, self.shown, self.money.value)

    @property
    def shown(self) -> Sequence[Option]:
        """The options on the board: those saved, or the countermeasures that were tried."""
        found = self.decision.value
        return self.options.value or (found.options if found else ())

    def _asked(self) -> tuple[str, Scenario]:
        game = self.session.game
        if game is None:
            raise ScenarioError(["the market is not ready yet"])
        with self.session.lock:
            return self.session.market.value, decide.question(game)

    def _ask(self) -> None:
        market, told = self._asked()
        game = self.session.game
        self.decision.value = decide.decided(market, told, game.events if game else (), self.money.value)

    def _try_all(self) -> None:
        if not self.current:
            self._ask()
        found = self.decision.value
        if found is not None:
            self.options.value = ()
            self.decision.value = decide.tried(found, self.money.value)

    def _save(self) -> None:
        market, told = self._asked()
        free = [label for label in LABELS if label not in self.saved.value]
        if not free:
            raise ScenarioError([f"{len(LABELS)} options are kept already; remove one first"])
        kept = {**self.saved.value, free[0]: told}
        self.options.value = decide.board(market, kept, self.money.value)
        self.saved.value = kept

    def _compare(self) -> None:
        self.options.value = decide.board(self.session.market.value, self.saved.value, self.money.value)

    def _in_thread(self, what: str, work: Callable[[], None]) -> None:
        if self.busy.value:
            return
        self.busy.value = f"{what} …"

        def run() -> None:
            try:
                self.problems.value = []
                work()
            except ScenarioError as error:
                self.problems.value = error.complaints
            except Exception as error:
                logging.getLogger(__name__).exception("the page")
                self.problems.value = [f"an error of the page, not yours ({type(error).__name__})"]
            finally:
                if not self.session.closed:
                    self.busy.value = ""

        threading.Thread(target=run, daemon=True).start()
