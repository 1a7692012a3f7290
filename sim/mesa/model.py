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
from mesa.agent import AgentSet
from mesa.space import SingleGrid

from sim.engine.loop import CORES, THREADED, Run, advance, close_window, end_week, initialize, one_by_one, step_week
from sim.measure.estimates import Estimate, estimate, pooled
from sim.measure.tally import Tally
from sim.mesa.agents import Competitor, Consumer
from sim.mesa.arguments import MOST_AGENTS, Reporter, check_arguments, model_reporters_of, reporters_of, scenario_of
from sim.mesa.events import add_move, completed_tally, event_changes, replace_scenario, resize_tally, result
from sim.mesa.readings import now, of_firms, of_market, read_all, reading_columns, weekly_reading, window_reading
from sim.model.declare import did_you_mean
from sim.model.fields import Firm, Scenario
from sim.model.levers import levers_at
from sim.model.network import links
from sim.model.scenario import change
from sim.model.state import People

EXTENSION = 52  # weeks by which an endless market is extended


class Market(mesa.Model):
    """A market that Mesa can step, collect data from, draw and show on a page.

    `base` is a Scenario, nested values as for `build`, or None for the market of `python -m sim`. Keywords change it by
    dotted path with `__` for `.`: `Market(people=500, segments__habitual__attention=0.5, seed=7)`. `activation` is
    "kernel" or "agents". Agents are made for up to 100,000 people, or as `agents` says; without them `market.agents`
    holds the competitors only. `endless` goes on beyond the scenario's weeks. `agent_reporters` are those of Mesa: the
    name of an attribute, a function of the agent, a method, or [function, [parameters]]; they are meant for consumers,
    and give None for competitors who lack what is asked. `model_reporters` are those of Mesa too, and come beside the
    readings. `network` is a networkx graph with nodes 0 to people - 1, a
    scipy sparse matrix, an array of edges, or the pair that `sim.model.network.links` makes of one.

    The seed of every draw is `rng` (a whole number, or a generator that gives one), or `seed`, or the scenario's: two
    markets with the same seed are the same. In `mesa.batch_run` vary `seed`, not `iterations` (the same run again) and
    not `parameters={"rng": ...}` (which Mesa 3.5 drops). `market.scenario_now` is the scenario with all events so far,
    `market.people` the state arrays; Mesa 3.5 has a `market.scenario` of its own, which is not used, and passes one on
    Reset, which is ignored.

    >>> market = Market(people=200, weeks=13, burn_in=0, seed=1)
    >>> market.step()
    >>> market.week, len(market.consumers), bool(market.competitor["colgate"].share() > 0)
    (1, 200, True)
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
        model_reporters: Mapping[str, Reporter] | None = None,
        agent_reporters: Mapping[str, Reporter] | None = None,
        network: Any = None,
        rng: Any = None,
        **kwargs: Any,
    ):
        scenario, reporters = scenario_of(base, rng, kwargs), reporters_of(agent_reporters)
        made = scenario.people <= MOST_AGENTS if agents is None else agents
        check_arguments(activation, made, scenario.people, consumer_class, competitor_class)
        super().__init__(rng=scenario.seed)
        self.activation, self.endless, self.collecting = activation, endless, collect
        self.agents_made = 0  # numbers of agents, for Mesa 3.3
        self._consumer_class = consumer_class
        self._step_one: Callable[[int], None] | None = None
        self._now: tuple[int, Tally] | None = None
        self._read: tuple[int, dict[str, float]] | None = None
        self._initialize(scenario, network)
        self.competitor = {name: competitor_class(self, name) for name in scenario.firms}
        self.grid = self._place_consumers(scenario.people) if made else None
        self.datacollector = self._collector(model_reporters, reporters)

    def _initialize(self, scenario: Scenario, network: Any) -> None:
        """Draw the people and simulate the burn-in."""
        if network is not None and not isinstance(network, tuple | list):
            network = links(network, scenario.people)
        [self.shard] = initialize(scenario, network=network)
        self.shard.tally = resize_tally(self.shard.tally, scenario, len(self.shard.world.scandals))
        if scenario.burn_in == 0:
            close_window(self.shard, -1, True)
        with self._threads() as pool:
            for _ in range(scenario.burn_in):
                advance([self.shard], pool)
        self.firms, self.cells = list(scenario.firms), scenario.cells

    def _place_consumers(self, people: int) -> SingleGrid:
        """An agent for each person, on a grid: the ring of neighbors, line by line."""
        width = int(np.ceil(np.sqrt(people)))
        grid = SingleGrid(width, -(-people // width), torus=False)
        for agent in self._consumer_class.create_agents(self, people, list(range(people))):
            grid.place_agent(agent, (agent.row % width, agent.row // width))
        return grid

    def _collector(
        self, model_reporters: Mapping[str, Reporter] | None, agent_reporters: Mapping[str, Any]
    ) -> mesa.DataCollector:
        names = reading_columns(self.scenario_now, self.scandals)
        own = model_reporters_of(model_reporters, names)
        return mesa.DataCollector({**{name: partial(_reading, name) for name in names}, **own}, agent_reporters)

    # ------------------------------------------------------------ step

    def step(self) -> None:
        """One week: firms act, people act, messages are exchanged, data are collected.

        After the last week nothing happens but a warning: Mesa 3.5 would never step again after an error.
        """
        if self.week >= self.scenario_now.weeks:
            text = f"week {self.week - 1} was the last: market.extend(weeks), or Market(endless=True)"
            warnings.warn(text, UserWarning, stacklevel=2)
            return
        self.competitors.do("step")
        if self.activation == "agents":
            self._step_by_agents()
        else:
            with self._threads() as pool:
                step_week(self.shard, pool)
        end_week([self.shard])
        if self.endless:
            self._extend_to(self.week)
        self.running = self.week < self.scenario_now.weeks
        if self.collecting:
            self.datacollector.collect(self)

    def _step_by_agents(self) -> None:
        try:
            with one_by_one(self.shard) as self._step_one:
                self.consumers.shuffle_do("step")
        finally:
            self._step_one = None

    def step_person(self, row: int) -> None:
        """Simulate the current week of one person: what `Consumer.step` does."""
        if self._step_one is None:
            raise RuntimeError("a consumer steps when the market steps, under activation='agents'")
        self._step_one(row)

    def _threads(self) -> AbstractContextManager[ThreadPoolExecutor | None]:
        many = self.scenario_now.people >= THREADED
        return ThreadPoolExecutor(CORES) if many else nullcontext()

    # ------------------------------------------------------------ state and measurement

    @property
    def week(self) -> int:
        """The coming week; so many have been simulated since the burn-in."""
        return self.shard.week

    @property
    def scenario_now(self) -> Scenario:
        """The scenario as it stands, with all events and moves so far."""
        return self.shard.scenario

    @property
    def people(self) -> People:
        """The state arrays: `people.one` has a record per person, `people.bonds` one per person and firm."""
        return self.shard.people

    @property
    def consumers(self) -> AgentSet:
        """The AgentSet of the people; empty where they have no agents."""
        return self._set_of(self._consumer_class)

    @property
    def competitors(self) -> AgentSet:
        """The AgentSet of the firms; `market.competitor[name]` is one of them."""
        return self._set_of(type(self.competitor[self.firms[0]]))

    def _set_of(self, kind: type) -> AgentSet:
        found = self.agents_by_type.get(kind)
        return self.agents.select(lambda _: False) if found is None else found

    @property
    def scandals(self) -> list[str]:
        """The scandals of the scenario by number; none where the mechanism is off."""
        return list(self.scenario_now.scandals)[: len(self.shard.world.scandals)]

    @property
    def firms_now(self) -> dict[str, Firm]:
        """The firms as their moves will have left them in the coming week."""
        return levers_at(self.scenario_now, self.week)

    @property
    def now(self) -> Tally:
        """Counts of the last week and of the open window so far, for any metric: `pooled(market.now, cells)`."""
        if self._now is None or self._now[0] != self.week:
            self._now = (self.week, now(self.shard))
        return self._now[1]

    @property
    def tally(self) -> Tally:
        """Counts of all complete weeks and windows, as `simulate` would return them."""
        return completed_tally(self.shard)

    @property
    def readings(self) -> dict[str, float]:
        """Every metric as of the last week, by column: see `sim.mesa.readings`; empty before the first week."""
        if self._read is None or self._read[0] != self.week:
            found = read_all(self.shard, self.now, self.scandals) if self.week > 0 else {}
            self._read = (self.week, found)
        return self._read[1]

    def weekly(self, metric: str, firm: str) -> float:
        """A metric of a firm that is counted by the week, as of the last; nan before the first. Looks at nobody."""
        return weekly_reading(self.shard, metric, firm)

    def in_last_window(self, metric: str, firm: str) -> float:
        """A metric of a firm in the last complete window; nan before its end. Looks at counts only, not at people."""
        return window_reading(self.shard, metric, firm)

    def forget_readings(self) -> None:
        """Read anew what has been read of this week, after something was written."""
        self._now = self._read = None

    def measure(self, metric: str, cells: Sequence[int] | None = None) -> Estimate:
        """A metric as of now with its error, over firms where it has them, of some cells (default: everybody)."""
        known = {**of_firms(self.scenario_now), **of_market(self.scenario_now)}
        if metric not in known:
            raise ValueError(f"{metric!r} is no metric{did_you_mean(metric, known)}")
        return estimate(known[metric], pooled(self.now, cells))

    # ------------------------------------------------------------ events

    def add_event(self, kind: str, name: str, /, **fields: Any) -> None:
        """A scandal, a move of a lever or an apology (kind), from the coming week or a later `week` on.

        The fields are those of the scenario's Scandal or Move; an apology has `response`, the share of the loss that
        it takes away, and the name of its scandal. The event becomes part of `market.scenario_now`, and the market
        goes on as if it had been declared there from the start.
        """
        self._extend_to(fields.get("week", self.week))
        if not (kind == "move" and add_move(self.shard, name, fields)):
            self._change(event_changes(self.shard, kind, name, fields))

    def set_events(self, scandals: Mapping[str, Any], moves: Mapping[str, Any]) -> None:
        """All scandals and moves of the scenario anew, by name and in full.

        ScenarioError where weeks that are over would have been others.
        """
        self._extend_to(max([0, *(e["week"] for e in (*scandals.values(), *moves.values()))]))
        self._change({"scandals": scandals, "moves": moves})

    def extend(self, weeks: int) -> None:
        """Add so many weeks to the scenario."""
        self._change({"weeks": self.scenario_now.weeks + weeks})
        self.running = True

    def _extend_to(self, week: int) -> None:
        """Where the market is endless, extend the scenario beyond this week."""
        if self.endless and week >= self.scenario_now.weeks:
            self.extend(week - self.scenario_now.weeks + EXTENSION)

    def _change(self, changes: Mapping[str, Any]) -> None:
        replace_scenario(self.shard, change(self.scenario_now, changes))
        for name in self.scandals:
            column = f"awareness.{name}"
            if column not in self.datacollector.model_reporters:
                rows = len(next(iter(self.datacollector.model_vars.values())))
                self.datacollector.model_reporters[column] = partial(_reading, column)
                self.datacollector.model_vars[column] = [float("nan")] * rows
        self.forget_readings()

    def fork(self) -> "Market":
        """A twin that shares nothing: the same people in the same week, with the same draws to come."""
        return copy.deepcopy(self)

    def result(self) -> Run:
        """The run so far, as `simulate` would return it, with the scenario that gives the same from the start."""
        return result(self.shard)


def _reading(column: str, market: Market) -> float:
    return market.readings.get(column, float("nan"))
