"""What is to be seen after a step, as plain data."""

from dataclasses import dataclass
from typing import Any

from sim.page.captions import firm_rows, verdict
from sim.page.charts import View, charts, flow
from sim.page.game import Game
from sim.page.picture import Picture


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


def seen(game: Game, picture: Picture, view: View, picked: int | None) -> Frame:
    """The frame of a stage as it stands."""
    person = {} if picked is None else game.person(picked)
    rows, people = firm_rows(game), picture.picture(picked)
    return Frame(game.week, verdict(game), rows, people, charts(game, view), flow(game, view), person)
