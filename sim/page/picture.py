"""The people as a picture: a mark for each, or a density of many, as bytes for the browser's canvas."""

import base64
from functools import cached_property
from typing import Any

import numpy as np

from sim.mesa import Market
from sim.page import people
from sim.page.game import Game
from sim.page.names import in_words, title

MOST_DRAWN = 10_000  # people up to whom each has a mark
TRUST_BINS, HABIT_BINS = 20, 120  # bins of trust for a firm, and of habit for all firms together


class Picture:
    """A mark for each person, segment after segment, or a density by segment x firm x trust x habit."""

    def __init__(self, game: Game):
        self.game = game
        self.segment = people.cell(game.market) // len(game.start.cohorts)

    @cached_property
    def order(self) -> np.ndarray:
        """Person numbers by position."""
        return np.argsort(self.segment, kind="stable")

    @property
    def individual(self) -> bool:
        """Whether everybody has a mark."""
        return self.game.start.people <= MOST_DRAWN

    @cached_property
    def _segments(self) -> list[dict[str, Any]]:
        many = np.bincount(self.segment, minlength=len(self.game.start.segments))
        return [
            {"name": in_words(name), "people": int(n)} for name, n in zip(self.game.start.segments, many, strict=True)
        ]

    def picture(self, picked: int | None = None) -> dict[str, Any]:
        """What the browser draws; a ring around the person who was picked."""
        kind = self._marks if self.individual else self._bins
        market, twin = kind(self.game.market), kind(self.game.twin) if self.game.twin else ""
        firms = [title(f) for f in self.game.start.firms]
        size: dict[str, Any] = {
            "trust_bins": TRUST_BINS,
            "habit_bins": self.habit_bins,
            "lowest": 0.0 if self.individual else self.lowest,
        }
        size |= {"firms": firms, "segments": self._segments, "individual": self.individual}
        ring = int(np.flatnonzero(self.order == picked)[0]) if self.individual and picked is not None else None
        return {**size, "market": market, "twin": twin, "ring": ring}

    @property
    def habit_bins(self) -> int:
        """Bins of habit for a firm."""
        return max(2, HABIT_BINS // len(self.game.start.firms))

    @cached_property
    def lowest(self) -> float:
        """Where the axis of trust begins; the lowest bin holds everybody below."""
        trust = people.trust_and_habit(self.game.market)[0]
        return float(np.clip(np.floor(10 * np.quantile(trust, 0.01) - 1.5) / 10, 0, 0.8))

    def _marks(self, market: Market) -> str:
        """A byte per person: firm + 1, plus 128 where a service anchor acts."""
        firm = (people.last(market) + 1).astype(np.uint8)
        return _base64((firm | (people.anchored(market).astype(np.uint8) << 7))[self.order])

    def _bins(self, market: Market) -> str:
        """Two 32-bit numbers per bin: people, and people on whom a service anchor acts."""
        bins, size = self._bin_of(market)
        used = bins >= 0
        inside = np.bincount(bins[used], minlength=size)
        return _base64(np.array([inside, np.bincount(bins[used & people.anchored(market)], minlength=size)], np.int32))

    def _bin_of(self, market: Market) -> tuple[np.ndarray, int]:
        """The bin of each person, -1 for people who have used no firm, and how many bins there are."""
        last, (trust, habit) = people.last(market), people.trust_and_habit(market)
        down = np.clip((trust - self.lowest) / (1 - self.lowest) * TRUST_BINS, 0, TRUST_BINS - 1).astype(np.int32)
        across = np.minimum((habit * self.habit_bins).astype(np.int32), self.habit_bins - 1)
        firms = len(self.game.start.firms)
        bins = ((self.segment * firms + last) * TRUST_BINS + down) * self.habit_bins + across
        return np.where(last >= 0, bins, -1), len(self.game.start.segments) * firms * TRUST_BINS * self.habit_bins

    def number(self, position: Any) -> int | None:
        """The number of the person at a position, or None."""
        known = isinstance(position, int) and self.individual and 0 <= position < len(self.order)
        return int(self.order[position]) if known else None


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()
