"""The list of all metrics: what each is called, what it is measured in, and which counts its error rests on.

A metric is declared once, by the line above its function. Tables, the terminal, figures, the page, the readings of the
Mesa model, panels and the ODD description read it from here: a new metric is one function with its line.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sim.measure.tally import Array, Metric, Tally

Counts = tuple[Array, Array, Array]  # the event, its opposite and all that were at risk, by group of people


@dataclass(frozen=True)
class MetricInfo:
    """What is declared of a metric; used as a decorator of its function, it puts both on the list.

    Raises ValueError where the list has that name already for the same kind of market.
    """

    name: str  # in tables and files
    label: str = ""  # in titles; empty: the name in words
    unit: Literal["", "%", "index", "ratio", "uses"] = ""  # "%": a share, kept as a number from 0 to 1
    per: Literal["week", "window"] = "window"  # whether it can be taken of any week, or needs a whole window
    of: Literal["firm", "market"] = "firm"
    regime: Literal["repertoire", "provider", "both"] = "both"
    # what must be known: who used what, in which order, the window before, or what only the model knows
    needs: Literal["uses", "order", "before", "model"] = "model"
    rests_on: Callable[[Tally], Counts] | None = None  # the counts without which its error cannot be known
    short: str = ""  # the head of a column; empty: the label
    note: str = ""  # of a firm: words that explain the head; of the market: those after the value, with {window} weeks
    table: bool = True  # whether it is in the table of every run, or only computed on request
    terminal: bool = True  # whether the terminal shows it

    def __call__(self, function: Metric) -> Metric:
        """Put the metric on the list; returns the function as it is."""
        for other in METRICS:
            if other.name == self.name and (other.regime == self.regime or "both" in (other.regime, self.regime)):
                raise ValueError(f"metric {self.name}: declared already, for a {other.regime} market")
        METRICS[self] = function
        return function

    @property
    def percent(self) -> bool:
        """Whether it is shown as a percentage."""
        return self.unit == "%"

    @property
    def words(self) -> str:
        """The label for people."""
        return self.label or self.name.replace("_", " ")

    @property
    def head(self) -> str:
        """The head of a column, in words."""
        return self.short or self.words


METRICS: dict[MetricInfo, Metric] = {}  # in the order of their declaration, which is that of tables
metric = MetricInfo  # written above a function: @metric("share", ...)


def info_of(function: Metric) -> MetricInfo | None:
    """What is declared of a function; None where it is not on the list."""
    return next((info for info, listed in METRICS.items() if listed is function), None)


def info(name: str) -> MetricInfo:
    """What is declared of a name; for a name that is not on the list (a column of some study), the name in words.

    >>> from sim.measure.metrics import info
    >>> info("churn").unit, info("churn").per, info("share").per, info("points").words
    ('%', 'window', 'week', 'points')
    """
    return next((info for info in METRICS if info.name == name), MetricInfo(name))


def listed(of: str, provider: bool | None = None, table: bool = True) -> dict[MetricInfo, Metric]:
    """The metrics of a firm or of the market, for a provider or a repertoire market (None: either), in order.

    `table`: only those in the table of every run.
    """
    regimes = (
        ("repertoire", "provider", "both") if provider is None else ("provider" if provider else "repertoire", "both")
    )
    return {i: f for i, f in METRICS.items() if i.of == of and i.regime in regimes and (i.table or not table)}


def firm_metrics(provider: bool) -> dict[str, Metric]:
    """Name -> metric of a firm, the headline first, for a provider or a repertoire market."""
    return {info.name: function for info, function in listed("firm", provider).items()}


def market_metrics(provider: bool) -> dict[str, Metric]:
    """Name -> metric of the market as a whole, for a provider or a repertoire market."""
    return {info.name: function for info, function in listed("market", provider).items()}
