"""Consumer and Competitor: Mesa agents that are views of rows. They hold nothing but where their row is."""

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import mesa

from sim.mesa.attributes import Bond, Bonded, Field, FirmField, Lever, Number, ScandalField, firm_number
from sim.model.declare import declaration
from sim.model.fields import Firm
from sim.model.scenario import levers


class _Numbered:
    """Mesa 3.3's register of agent numbers, kept in the model: Mesa's own never lets go of a model."""

    def __getitem__(self, model: Any) -> Iterator[int]:
        model.agents_made += 1
        return iter((model.agents_made,))


class Consumer(Bonded, mesa.Agent):
    """A person: `people.one[row]`, and with each firm `people.bonds[row, j]`.

    `trust`, `memory`, `habit`, `regret`, `familiarity` and `taste` are those of the firm used last, so that
    `market.consumers.agg("trust", np.mean)` has a meaning (nan for one who has used none); `bond(firm)` has them for
    any firm. A subclass may have a `step()` of its own, which calls `super().step()` to live the week, and runs under
    activation="agents" only. Within a week it may change its own row, and no other: then the order does not matter.
    """

    _ids = _Numbered()

    number = Number("the person's address in every draw", writable=False)
    rate = Field("uses a week")
    attention = Field("chance that a use is deliberated")
    expectation = Field("experience expected, CX")
    last = FirmField("the firm used last, or None")
    target = FirmField("the firm of a decided exit not yet carried out, or None")
    anchor = FirmField("the firm of the service anchor, or None; it acts by its anchor_height")
    anchor_height = Field("how far the anchor stands above expectation, CX")
    home = FirmField("the firm used last when the window opened, or None", writable=False)
    tenure = Field("uses since joining the last firm", writable=False)
    uses = Field("uses of the category in the open window", writable=False)
    heard = ScandalField("the scandals heard of; writing makes them known, without a reaction")
    acts = ScandalField("the scandals acted on")
    backs = ScandalField("those answered by buying more")
    harmed = ScandalField("those that harmed this person")

    def __init__(self, model: Any, row: int):
        super().__init__(model)
        self.row = row

    def step(self) -> None:
        """Live the week."""
        self.model.live(self.row)

    def remove(self) -> None:
        """Leave the market: no longer step, under activation="agents"."""
        if self.model.activation == "kernel":
            raise TypeError("Consumer.remove: under activation='kernel' the row would live on; use activation='agents'")
        super().remove()

    @property
    def with_firm(self) -> int:
        """The number of the firm used last, or -1."""
        return int(self.model.shard.people.one["last"][self.row])

    def bond(self, firm: str) -> Bond:
        """What this person has with a firm: taste, memory, trust, habit, regret, familiarity, count."""
        return Bond(self.model, self.row, firm_number(self.model, firm))

    @property
    def segment(self) -> str:
        """The kind of consumer."""
        return str(self._cell[0])

    @property
    def cohort(self) -> str:
        """The age group."""
        return str(self._cell[1])

    @property
    def message(self) -> tuple[str, bool] | None:
        """What was told this week: (firm, whether good), or None."""
        me = self.model.shard.people.one[self.row]
        told = int(me["message"]) if me["seen"] == self.model.week - 1 else 0
        return (self.model.firms[abs(told) - 1], told > 0) if told else None

    @property
    def _cell(self) -> tuple[str, str]:
        cell: tuple[str, str] = self.model.cells[self.model.shard.people.cell[self.row]]
        return cell


class Competitor(mesa.Agent):
    """A firm. Its levers (`price`, `quality`, ...) read as the coming week will have them.

    Setting one adds a move to the story from the coming week on, so that the market's scenario stays the whole truth.
    A subclass may have a `step()` of its own, which is called before people live the week, under either activation.
    """

    _ids = _Numbered()

    def __init__(self, model: Any, name: str):
        super().__init__(model)
        self.name = name

    def lever(self, path: str) -> float:
        """A lever by its path, for instance touchpoints.app.failure_rate, as the coming week will have it."""
        node: Any = self.model.firms_now[self.name]
        for step in path.split("."):
            node = node[step] if isinstance(node, dict) else getattr(node, step)
        return float(node)

    def pull(self, path: str, value: float) -> None:
        """Set a lever from the coming week on."""
        name = f"{self.name}_{path.replace('.', '_')}_{self.model.week}"
        self.model.add_event("move", name, firm=self.name, lever=path, value=value)

    @property
    def levers(self) -> dict[str, float]:
        """Every lever by its path."""
        return {path: self.lever(path) for path in levers(self.model.firms_now[self.name])}

    def metric(self, name: str) -> float:
        """A metric of the firm as the market's DataCollector has it: see `sim.mesa.readings`; nan before a week."""
        return float(self.model.readings.get(f"{name}.{self.name}", math.nan))

    def share(self) -> float:
        """Market share in the week lived last."""
        return self.metric("share")

    def stickiness(self) -> float:
        """Stickiness index in the open window, so far."""
        return self.metric("stickiness")

    @property
    def trust(self) -> float:
        """Mean trust of everybody in the firm."""
        return float(self.model.shard.people.bonds["trust"][:, firm_number(self.model, self.name)].mean())

    @property
    def customers(self) -> int:
        """How many people used this firm last."""
        return int((self.model.shard.people.one["last"] == firm_number(self.model, self.name)).sum())


for _f in fields(Firm):
    if _f.name not in ("group", "share", "touchpoints"):
        setattr(Competitor, _f.name, Lever(_f.name, declaration(_f).about))
