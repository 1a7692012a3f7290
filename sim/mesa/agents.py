"""Consumer and Competitor: Mesa agents that are views of the engine's arrays and hold only where their record is."""

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import mesa

from sim.mesa.attributes import (
    Attribute,
    Bond,
    Bonded,
    FirmAttribute,
    LeverAttribute,
    NumberAttribute,
    PriceFactorAttribute,
    ScandalAttribute,
    UsesAttribute,
    firm_number,
)
from sim.model.ages import STAY
from sim.model.declare import declaration, did_you_mean
from sim.model.fields import Firm
from sim.model.levers import NO_LEVERS
from sim.model.scenario import levers

if TYPE_CHECKING:
    from sim.mesa.model import Market


class _AgentNumbers:
    """Mesa 3.3's counter of agent numbers, kept in the model: Mesa's own would keep every model in memory."""

    def __getitem__(self, model: "Market") -> Iterator[int]:
        model.agents_made += 1
        return iter((model.agents_made,))


class Consumer(Bonded, mesa.Agent):
    """A person: the record `market.people.one[row]` and, with each firm j, `market.people.bonds[row, j]`.

    `trust`, `memory`, `habit`, `regret`, `familiarity` and `taste` are those of the firm used last, so that
    `market.consumers.agg("trust", np.mean)` has a meaning (nan for one who has used none); `bond(firm)` has them for
    any firm. A subclass may have a `step()` of its own, which calls `super().step()` to simulate the week, and runs
    under activation="agents" only. Within a week it may change its own record, and no other: then the order of agents
    does not matter.
    """

    _ids = _AgentNumbers()

    number = NumberAttribute("the person's number, part of the address of every random draw", writable=False)
    rate = Attribute("uses a week")
    attention = Attribute("chance that a use is deliberated")
    expectation = Attribute("experience expected, CX")
    price_factor = PriceFactorAttribute("own price weight over that of the cell")
    last = FirmAttribute("the firm used last, or None")
    target = FirmAttribute("the firm of a decided exit not yet carried out, or None")
    anchor = FirmAttribute("the firm of the service anchor, or None; it acts by its anchor_height")
    anchor_height = Attribute("how far the anchor stands above expectation, CX")
    home = FirmAttribute("the firm used last when the window opened, or None", writable=False)
    tenure = Attribute("uses since joining the last firm", writable=False)
    uses = UsesAttribute("uses of the category in the open window", writable=False)
    aware_of = ScandalAttribute("the scandals this person has heard of; writing causes no reaction")
    switches_over = ScandalAttribute("the scandals over which this person avoids the firm")
    buycotts = ScandalAttribute("the scandals that this person answers by buying more")
    harmed_by = ScandalAttribute("the scandals that harmed this person")

    def __init__(self, model: "Market", row: int):
        super().__init__(model)
        self.row = row

    def step(self) -> None:
        """Simulate the person's week."""
        self.model.step_person(self.row)

    def remove(self) -> None:
        """Leave the market: no longer step, under activation="agents"."""
        if self.model.activation == "kernel":
            raise TypeError("Consumer.remove: activation='kernel' would not stop the person; use activation='agents'")
        super().remove()

    @property
    def with_firm(self) -> int:
        """The number of the firm used last, or -1."""
        return int(self.model.people.one["last"][self.row])

    def bond(self, firm: str) -> Bond:
        """The relation to a firm: taste, memory, trust, habit, regret, familiarity, count."""
        return Bond(self.model, self.row, firm_number(self.model, firm))

    @property
    def segment(self) -> str:
        """The kind of consumer."""
        return str(self._cell[0])

    @segment.setter
    def segment(self, name: str) -> None:
        self._move_to(name, self.cohort)

    @property
    def cohort(self) -> str:
        """The age group. Like the segment it can be set: from then on the person has its traits, and counts in it.

        The person's own rate and attention, which were drawn once, stay. Where people grow older, they are at the
        beginning of the age group.
        """
        return str(self._cell[1])

    @cohort.setter
    def cohort(self, name: str) -> None:
        self._move_to(self.segment, name)

    def _move_to(self, segment: str, cohort: str) -> None:
        cells, shard = self.model.cells, self.model.shard
        for kind, name, place in (("segment", segment, 0), ("cohort", cohort, 1)):
            known = sorted({cell[place] for cell in cells})
            if name not in known:
                raise ValueError(f"{name!r} is no {kind}{did_you_mean(name, known)}")
        counts, old, new = shard.tally.people, shard.people.cell[self.row], cells.index((segment, cohort))
        g = ((shard.first + self.row + 1) * len(counts) - 1) // shard.scenario.people
        counts[g, old] -= 1
        counts[g, new] += 1
        shard.people.cell[self.row] = new
        if len(shard.people.left):
            shard.people.left[self.row] = shard.world.ages[new, STAY]
        self.model.forget_readings()

    @property
    def message(self) -> tuple[str, bool] | None:
        """Word of mouth sent in the last week: (firm, whether positive), or None."""
        record = self.model.people.one[self.row]
        sent = int(record["message"]) if record["seen"] == self.model.week - 1 else 0
        return (self.model.firms[abs(sent) - 1], sent > 0) if sent else None

    @property
    def _cell(self) -> tuple[str, str]:
        return self.model.cells[self.model.people.cell[self.row]]


class Competitor(mesa.Agent):
    """A firm. Its levers (`price`, `quality`, ...) read as the coming week will have them.

    Setting one adds a move to the market's scenario, from the coming week on, so that the scenario always gives the
    same run. A subclass may have a `step()` of its own, which is called at the start of a week, under either
    activation.
    """

    _ids = _AgentNumbers()

    def __init__(self, model: "Market", name: str):
        super().__init__(model)
        self.name = name

    def lever(self, path: str) -> float:
        """A lever by its path, for instance touchpoints.app.failure_rate, as the coming week will have it."""
        node: Any = self.model.firms_now[self.name]
        for step in path.split("."):
            node = node[step] if isinstance(node, dict) else getattr(node, step)
        return float(node)

    def set_lever(self, path: str, value: float) -> None:
        """Set a lever from the coming week on."""
        name = f"{self.name}_{path.replace('.', '_')}_{self.model.week}"
        self.model.add_event("move", name, firm=self.name, lever=path, value=value)

    @property
    def levers(self) -> dict[str, float]:
        """Every lever by its path."""
        return {path: self.lever(path) for path in levers(self.model.firms_now[self.name])}

    def metric(self, name: str) -> float:
        """A metric of the firm as the market's DataCollector has it: see `sim.mesa.readings`; nan before a week.

        Metrics of the open window look at everybody, which takes a while in a large market; `last` does not.
        """
        return float(self.model.readings.get(f"{name}.{self.name}", math.nan))

    def share(self) -> float:
        """Market share in the last week."""
        return self.model.weekly("share", self.name)

    def last(self, metric: str) -> float:
        """A metric of the firm in the last complete window, from its counts alone; nan before."""
        return self.model.in_last_window(metric, self.name)

    def stickiness(self) -> float:
        """Stickiness index in the open window so far."""
        return self.metric("stickiness")

    @property
    def trust(self) -> float:
        """Mean trust in the firm, over everybody."""
        return float(self.model.people.bonds["trust"][:, firm_number(self.model, self.name)].mean())

    @property
    def customers(self) -> int:
        """How many people used this firm last."""
        return int((self.model.people.one["last"] == firm_number(self.model, self.name)).sum())


for _field in fields(Firm):
    if _field.name not in NO_LEVERS:
        setattr(Competitor, _field.name, LeverAttribute(_field.name, declaration(_field).about))
