"""Everything that the page shows after a step, as plain data."""

from dataclasses import dataclass
from typing import Any

from sim.page.captions import event_summary, firm_rows
from sim.page.charts import View, charts, flow
from sim.page.game import Game
from sim.page.picture import Picture


@dataclass(frozen=True)
class Frame:
    """Everything that the page shows after a step."""

    week: int
    summary: dict[str, Any]
    rows: list[dict[str, Any]]
    people: dict[str, Any]
    charts: list[dict[str, Any]]
    flow: dict[str, Any]
    person: dict[str, str]  # the person who was clicked


def make_frame(game: Game, picture: Picture, view: View, picked: int | None) -> Frame:
    """The frame of a game as it stands."""
    person = {} if picked is None else game.person(picked)
    drawn = picture.picture(picked)
    return Frame(game.week, event_summary(game), firm_rows(game), drawn, charts(game, view), flow(game, view), person)
