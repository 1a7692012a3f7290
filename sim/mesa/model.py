"""The market as a Mesa model: one replication of a scenario, week by week."""

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import mesa
import numpy as np
from mesa.space import SingleGrid

from sim.engine.loop import CORES, THREADED, Run, advance, close_window, end_week, initialize, one_by_one, step_week
from sim.measure.estimates import Estimate, estimate, pooled
from sim.measure.metrics import market_metrics
from sim.measure.tally import Tally
from sim.mesa.agents import Competitor, Consumer
from sim.mesa.arguments import MOST_AGENTS, Reporter, check, declared, reporters_of
from sim.mesa.events import event, result, rewrite, room, so_far
from sim.mesa.readings import columns, now, of_firms, read
from sim.model.declare import did_you_mean
from sim.model.fields import Firm, Scenario
from sim.model.scenario import change
from sim.model.timeline import levers_at

YEAR = 52


class Market(mesa.Model):
    """A market that Mesa can step, collect, select from, draw and put on a page.

    `base` is a Scenario, nested values as for `build`, or None for the market that `python -m sim` lives. Keywords
    change it by dotted path with `__` for `.`: `Market(people=500, segments__habitual__attention=0.5, seed=7)`.
    `activation` is "kernel" or "agents". Agents are made for up to 100,000 people, or as `agents` says; without them
    `market.agents` holds the competitors only. `endless` goes on beyond the scenario's weeks. `agent_reporters` are
    those of Mesa: the name of an attribute, a function of the agent, a method, or [function, [parameters]]; they are
    meant for consumers, and give None for competitors who lack what is asked. `network` is (starts, listeners), see
    `world.links`.

    The seed of every draw is `rng` (a whole number, or a generator that gives one), or `seed`, or the scenario's: two
    markets with the same are the same. In `mesa.batch_run` vary `seed`, not `iterations` (the same run again) and not
    `parameters={"rng": ...}` (which Mesa 3.5 drops). The scenario as it stands is `market.shard.scenario`; Mesa 3.5
    has a `market.scenario` of its own, which is not used, and passes one on Reset, which is left aside.
    """

    def __init__(
        self,
        base: Scenario | Mapping[str, Any] | None = None,
        *,
        activation: str = "kernel",
        agents: bool | None = None,
        consumer_class: type[Consumer] = Consumer,
        competitor_class: type[Competitor] = Competitor,
        endless: bool = False,
        collect: bool = True,
        agent_reporters: Mapping[str, Reporter] | None = None,
        network: tuple[np.ndarray, np.ndarray] | None = None,
        rng: Any = None,
        **kwargs: Any,
    ):
        scenario, reporters = declared(base, rng, kwargs), reporters_of(agent_reporters)
        made = scenario.people <= MOST_AGENTS if agents is None else agents
        check(activation, made, scenario.people, consumer_class, competitor_class)
        super().__init__(rng=scenario.seed)
        self.activation, self.endless, self.collecting = activation, endless, collect
        self.agents_made = 0  # numbers of agents, for Mesa 3.3
        self._consumer_class = consumer_class
        self._live: Callable[[int], None] | None = None
        self._now: tuple[int, Tally] | None = None
        self._read: tuple[int, dict[str, float]] | None = None
        self._open(scenario, network)
        self.competitor = {name: competitor_class(self, name) for name in scenario.firms}
        self.grid = self._settle_people(scenario.people) if made else None
        self.datacollector = self._collector(reporters)

    def _open(self, scenario: Scenario, network: Any) -> None:
        """People are born and live the burn-in."""
        [self.shard] = initialize(scenario, network=network)
        self.shard.tally = room(self.shard.tally, scenario, len(self.shard.world.scandals))
        if scenario.burn_in == 0:
            close_window(self.shard, -1, True)
        with self._threads() as pool:
            for _ in range(scenario.burn_in):
                advance([self.shard], pool)
        self.firms, self.cells = list(scenario.firms), scenario.cells

    def _settle_people(self, people: int) -> SingleGrid:
        """An agent for each row, on a grid: rows of the ring of neighbors, one above the other."""
        width = int(np.ceil(np.sqrt(people)))
        grid = SingleGrid(width, -(-people // width), torus=False)
        for agent in self._consumer_class.create_agents(self, people, list(range(people))):
            grid.place_agent(agent, (agent.row % width, agent.row // width))
        return grid

    def _collector(self, agent_reporters: Mapping[str, Any]) -> mesa.DataCollector:
        names = columns(self.shard.scenario, self.scandals)
        return mesa.DataCollector({name: partial(_reading, name) for name in names}, agent_reporters)

    # ------------------------------------------------------------ the week

    def step(self) -> None:
        """One week: firms act, people live it, then hear one another; what there is to read is collected.

        After the last week nothing happens but a warning: Mesa 3.5 would never step again after an error.
        """
        if self.week >= self.shard.scenario.weeks:
            said = f"week {self.week - 1} was the last: market.extend(weeks), or Market(endless=True)"
            warnings.warn(said, UserWarning, stacklevel=2)
            return
        self.competitors.do("step")
        if self.activation == "agents":
            self._live_by_agents()
        else:
            with self._threads() as pool:
                step_week(self.shard, pool)
        end_week([self.shard])
        if self.endless:
            self._reach(self.week)
        self.running = self.week < self.shard.scenario.weeks
        if self.collecting:
            self.datacollector.collect(self)

    def _live_by_agents(self) -> None:
        try:
            with one_by_one(self.shard) as self._live:
                self.consumers.shuffle_do("step")
        finally:
            self._live = None

    def live(self, row: int) -> None:
        """The person of a row lives the week that is being stepped: what `Consumer.step` does."""
        if self._live is None:
            raise RuntimeError("a consumer lives when the market steps, under activation='agents'")
        self._live(row)

    def _threads(self) -> AbstractContextManager[ThreadPoolExecutor | None]:
        many = self.shard.scenario.people >= THREADED
        return ThreadPoolExecutor(CORES) if many else nullcontext()

    # ------------------------------------------------------------ who, and how it stands

    @property
    def week(self) -> int:
        """The coming week; so many have been lived."""
        return self.shard.week

    @property
    def consumers(self) -> Any:
        """The AgentSet of the people; empty where they have no agents."""
        return self._set_of(self._consumer_class)

    @property
    def competitors(self) -> Any:
        """The AgentSet of the firms; `market.competitor[name]` is one of them."""
        return self._set_of(type(self.competitor[self.firms[0]]))

    def _set_of(self, kind: type) -> Any:
        found = self.agents_by_type.get(kind)
        return self.agents.select(lambda _: False) if found is None else found

    @property
    def scandals(self) -> list[str]:
        """The scandals of the story by number; none where the mechanism is off."""
        return list(self.shard.scenario.scandals)[: len(self.shard.world.scandals)]

    @property
    def firms_now(self) -> dict[str, Firm]:
        """The firms as their moves will have left them in the coming week."""
        return levers_at(self.shard.scenario, self.week)

    @property
    def now(self) -> Tally:
        """Counts of the week just lived and of the open window so far, for any metric: `pooled(market.now, cells)`."""
        if self._now is None or self._now[0] != self.week:
            self._now = (self.week, now(self.shard))
        return self._now[1]

    @property
    def tally(self) -> Tally:
        """Counts of all weeks lived and windows ended, as `simulate` would return them."""
        return so_far(self.shard)

    @property
    def readings(self) -> dict[str, float]:
        """Every metric as of the week just lived, by column: see `sim.mesa.readings`; empty before the first."""
        if self._read is None or self._read[0] != self.week:
            found = read(self.shard, self.now, self.scandals) if self.week > 0 else {}
            self._read = (self.week, found)
        return self._read[1]

    def measure(self, metric: str, cells: Sequence[int] | None = None) -> Estimate:
        """A metric as of now with its error, over firms where it has them, of some cells (default: everybody)."""
        known = {**of_firms(self.shard.scenario), **market_metrics()}
        if metric not in known:
            raise ValueError(f"{metric!r} is no metric{did_you_mean(metric, known)}")
        return estimate(known[metric], pooled(self.now, cells))

    # ------------------------------------------------------------ the story

    def add_event(self, kind: str, name: str, /, **fields: Any) -> None:
        """A scandal, a move of a lever or an apology (kind), from the coming week or a later `week` on.

        The fields are those of the scenario's Scandal or Move; an apology has `response`, the share of the loss that
        it takes away, and the name of its scandal. The event becomes part of `market.shard.scenario`, and the market
        goes on as if it had been declared there from the start.
        """
        self._reach(fields.get("week", self.week))
        self._rewrite(event(self.shard, kind, name, fields))

    def extend(self, weeks: int) -> None:
        """Let the story go on for so many weeks more."""
        self._rewrite({"weeks": self.shard.scenario.weeks + weeks})
        self.running = True

    def _reach(self, week: int) -> None:
        """Where the market is endless, a horizon beyond this week."""
        if self.endless and week >= self.shard.scenario.weeks:
            self.extend(week - self.shard.scenario.weeks + YEAR)

    def _rewrite(self, changes: Mapping[str, Any]) -> None:
        rewrite(self.shard, change(self.shard.scenario, changes))
        for name in self.scandals:
            column = f"awareness.{name}"
            if column not in self.datacollector.model_reporters:
                rows = len(next(iter(self.datacollector.model_vars.values())))
                self.datacollector.model_reporters[column] = partial(_reading, column)
                self.datacollector.model_vars[column] = [float("nan")] * rows
        self._now = self._read = None

    def fork(self) -> "Market":
        """A twin that shares nothing: the same people in the same week, with the same draws to come."""
        return copy.deepcopy(self)

    def result(self) -> Run:
        """What was lived, as `simulate` would return it, with the scenario that gives the same from the start."""
        return result(self.shard)


def _reading(column: str, market: Market) -> float:
    return market.readings.get(column, float("nan"))
