"""The people as a picture: a seat for each, or of many a density; bytes in, canvas out."""

import base64
from functools import cached_property
from typing import Any

import numpy as np

from sim.mesa import Market
from sim.page import people
from sim.page.game import Game
from sim.page.people import plain, title

MOST = 10_000  # people who have a seat of their own
DEEP, WIDE = 20, 120  # bins of trust; bins of habit over all firms


class Picture:
    """Who is where: a seat each, segment after segment, or a bin of segment x firm x trust x habit."""

    def __init__(self, game: Game):
        self.game = game
        self.segment = people.cell(game.market) // len(game.start.cohorts)

    @cached_property
    def order(self) -> np.ndarray:
        """Person numbers by seat."""
        return np.argsort(self.segment, kind="stable")

    @property
    def single(self) -> bool:
        """Whether everybody has a seat."""
        return self.game.start.people <= MOST

    @cached_property
    def _heads(self) -> list[dict[str, Any]]:
        many = np.bincount(self.segment, minlength=len(self.game.start.segments))
        return [{"name": plain(name), "many": int(n)} for name, n in zip(self.game.start.segments, many, strict=True)]

    def picture(self, picked: int | None = None) -> dict[str, Any]:
        """What the browser draws; a ring around the person who was picked."""
        kind = self._seats if self.single else self._bins
        market, twin = kind(self.game.market), kind(self.game.twin) if self.game.twin else ""
        firms = [title(f) for f in self.game.start.firms]
        size: dict[str, Any] = {"deep": DEEP, "wide": self.wide, "low": 0.0 if self.single else self.low}
        size |= {"firms": firms, "heads": self._heads, "single": self.single}
        ring = int(np.flatnonzero(self.order == picked)[0]) if self.single and picked is not None else None
        return {**size, "market": market, "twin": twin, "ring": ring}

    @property
    def wide(self) -> int:
        """Bins of habit a firm."""
        return max(2, WIDE // len(self.game.start.firms))

    @cached_property
    def low(self) -> float:
        """Where the axis of trust begins; the lowest bin holds whoever is below."""
        trust = people.trust_and_habit(self.game.market)[0]
        return float(np.clip(np.floor(10 * np.quantile(trust, 0.01) - 1.5) / 10, 0, 0.8))

    def _seats(self, market: Market) -> str:
        """A byte a seat: firm + 1, and 128 for those who are anchored."""
        firm = (people.last(market) + 1).astype(np.uint8)
        return _text((firm | (people.anchored(market).astype(np.uint8) << 7))[self.order])

    def _bins(self, market: Market) -> str:
        """Two 32-bit numbers a bin: people, and how many of them are anchored."""
        bins, size = self._bin_of(market)
        held = bins >= 0
        inside = np.bincount(bins[held], minlength=size)
        return _text(np.array([inside, np.bincount(bins[held & people.anchored(market)], minlength=size)], np.int32))

    def _bin_of(self, market: Market) -> tuple[np.ndarray, int]:
        """The bin of each person, -1 for those who have used no firm, and how many bins there are."""
        last, (trust, habit) = people.last(market), people.trust_and_habit(market)
        down = np.clip((trust - self.low) / (1 - self.low) * DEEP, 0, DEEP - 1).astype(np.int32)
        across = np.minimum((habit * self.wide).astype(np.int32), self.wide - 1)
        firms = len(self.game.start.firms)
        bins = ((self.segment * firms + last) * DEEP + down) * self.wide + across
        return np.where(last >= 0, bins, -1), len(self.game.start.segments) * firms * DEEP * self.wide

    def number(self, at: Any) -> int | None:
        """The person on a seat."""
        known = isinstance(at, int) and self.single and 0 <= at < len(self.order)
        return int(self.order[at]) if known else None


def _text(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()
