"""What is to be seen after a step, as plain data."""

from dataclasses import dataclass
from typing import Any

from sim.page.charts import View, charts, flow
from sim.page.seats import Seats
from sim.page.stage import Stage
from sim.page.words import firm_rows, verdict


@dataclass(frozen=True)
class Frame:
    """What is to be seen after a step."""

    week: int
    verdict: dict[str, Any]
    rows: list[dict[str, Any]]
    people: dict[str, Any]
    charts: list[dict[str, Any]]
    flow: dict[str, Any]
    person: dict[str, str]  # who was picked


def seen(stage: Stage, seats: Seats, view: View, picked: int | None) -> Frame:
    """The frame of a stage as it stands."""
    person = {} if picked is None else stage.person(picked)
    rows, people = firm_rows(stage), seats.picture(picked)
    return Frame(stage.week, verdict(stage), rows, people, charts(stage, view), flow(stage, view), person)
