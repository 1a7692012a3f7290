"""Figures of the laws of the model, each drawn from the rule itself, in plain Python (`NUMBA_DISABLE_JIT=1`).

`python -m docs.pages.laws FOLDER` writes an SVG for each.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np

if __name__ == "__main__":
    os.environ["NUMBA_DISABLE_JIT"] = "1"  # before the rules are loaded

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.compute.random import Purpose
from sim.measure import dirichlet
from sim.model.fields import Consumer, Firm, Market, Scandal
from sim.model.rules.attend import readiness
from sim.model.rules.choose import gain_loss, state_dependence
from sim.model.rules.consider import draw_gumbels
from sim.model.rules.experience import repair
from sim.model.rules.learn import learn, revise
from sim.model.rules.need import decay
from sim.model.rules.tell import receive_wom
from sim.model.scandals import news_exposure, salience
from sim.report import figures

LINES = (figures.PALETTE[0], figures.FOCUS, figures.REST)
KEY = (1, 0)  # seed and replication of the draws
WEEKS = np.arange(105)
Law = Callable[[Axes], None]


def axis(axes: Axes, x: str, y: str) -> None:
    """Name both axes; a legend where lines have names."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False)


def lines(axes: Axes, x: Sequence[float], named: dict[str, Sequence[float]]) -> None:
    """A line for each name."""
    for color, (name, y) in zip(LINES, named.items(), strict=False):
        axes.plot(x, y, color=color, label=name, linewidth=2)


def news(axes: Axes) -> None:
    """Share of people who have heard, from the news alone (`news_exposure`)."""
    scandal = Scandal(reach=0.75, news_weeks=8)
    unaware = np.cumprod([1.0, *(1 - news_exposure(scandal, week) for week in range(12))])
    lines(axes, range(13), {"": 1 - unaware})
    axis(axes, "weeks after the news", "share of people who have heard")


def scandal_memory(axes: Axes) -> None:
    """Salience of a scandal over the weeks, without and with a response (`salience`)."""

    def over(response: float) -> list[float]:
        scandal = Scandal(response=response, response_delay=8)
        return [salience(scandal, Market(), int(week)) for week in WEEKS]

    lines(axes, WEEKS, {"no response": over(0.0), "a response of .3, in week 8": over(0.3)})
    axes.set_ylim(0, 1)
    axis(axes, "weeks after the news", "share of the loss still in memory")


def trust(axes: Axes) -> None:
    """Trust over good uses, and over bad ones (`revise`)."""
    traits, market = Consumer(), Market()

    def over(step: float) -> list[float]:
        found = [market.trust_start]
        for _ in range(40):
            found.append(float(revise(found[-1], step, market.confirmation_bias)))
        return found

    lines(axes, range(41), {"good uses": over(traits.trust_up), "uses with a failure": over(-traits.trust_down)})
    axes.set_ylim(0, 1)
    axis(axes, "uses", "trust")


def needs(axes: Axes) -> None:
    """Uses of the category in a quarter: NBD, and a Poisson of the same mean (`dirichlet.category_distribution`)."""
    nbd, poisson = (dirichlet.category_distribution(1.456, shape)[:11] for shape in (0.78, 1e6))
    for place, color, name, chance in ((-0.2, LINES[0], "NBD, K = .78", nbd), (0.2, LINES[2], "Poisson", poisson)):
        axes.bar(np.arange(11) + place, chance, 0.4, color=color, label=name)
    axis(axes, "uses of toothpaste in a quarter (mean 1.456)", "share of people")


def sizes(axes: Axes) -> None:
    """Double jeopardy: purchases per buyer against penetration (`dirichlet.frequency`)."""
    shares = np.array([0.4, 0.25, 0.15, 0.1, 0.06, 0.03, 0.01])
    model = dirichlet.Dirichlet(1.456, 0.78, 1.3, shares)
    axes.plot(100 * dirichlet.penetration(model), dirichlet.frequency(model), "o-", color=LINES[0])
    axis(axes, "buyers of the brand in a quarter, % of people", "purchases per buyer")


def attention(axes: Axes) -> None:
    """How readily people take an occasion to reconsider, by their attention (`readiness`)."""
    mean = np.float32(0.0145)
    own = np.linspace(0, 3 * float(mean), 30)

    def over(weight: float) -> list[float]:
        public = SimpleNamespace(
            traits=[SimpleNamespace(attention=mean)], market=[SimpleNamespace(readiness=np.float32(weight))]
        )
        return [float(readiness(SimpleNamespace(attention=[np.float32(a)]), public, 0)) for a in own]

    lines(axes, own, {"readiness 1": over(1.0), "readiness 0": over(0.0)})
    axis(axes, "chance that a use is deliberated (mean .0145, a bank)", "chance to take an occasion, relative")


def choices(axes: Axes) -> None:
    """Share of choices of the firm that is better by a difference in utility: draws of the rules, and the logit."""
    differences, row = np.linspace(-3, 3, 13), np.zeros((2, 1), np.float32)
    shocks = []
    for number in range(500):
        draw_gumbels(row, number, KEY, Purpose.CHOOSE, 0, 0, 0)
        shocks.append(float(row[0, 0] - row[1, 0]))
    found = [float((d + np.array(shocks) > 0).mean()) for d in differences]
    axes.plot(differences, found, "o", color=LINES[0], label="500 draws")
    axes.plot(differences, 1 / (1 + np.exp(-differences)), color=LINES[2], label="logit")
    axis(axes, "lead of one firm in utility, logit", "share of choices")


def gains(axes: Axes) -> None:
    """A loss weighs more than a gain (`gain_loss`)."""
    x = np.linspace(-1.5, 1.5, 61)
    law = {f"loss aversion {a:g}": [float(gain_loss(v, a)) for v in x] for a in (Consumer().loss_aversion, 1.0)}
    lines(axes, x, law)
    axis(axes, "remembered experience less what is expected, CX", "in utility, before its weight")


def firm_and_person(uses: int, harm: float = 0.0) -> list[SimpleNamespace]:
    """One person who uses firm 0 of two again and again: the state after each use, by the rule `learn`."""
    market, traits = Market(), Consumer()
    bonds = SimpleNamespace(
        **{name: np.zeros((2, 1)) for name in ("habit", "memory", "familiarity", "regret")},
        trust=np.full((2, 1), market.trust_start), considered=np.ones((2, 1), np.int32),
    )  # fmt: skip
    bonds.habit[1] = 1.0  # the other firm was the habit
    person = SimpleNamespace(
        joined=np.zeros(1, np.int32), expectation=np.zeros(1), anchor=np.full(1, -1), anchor_height=np.zeros(1)
    )
    public, found = SimpleNamespace(market=[market], traits=[traits]), []
    for _ in range(uses):
        found.append(SimpleNamespace(**{n: getattr(bonds, n)[:, 0].copy() for n in ("habit", "memory", "familiarity")}))
        learn(person, bonds, public, 0.5 - harm, harm, 0)
    return found


def habit(axes: Axes) -> None:
    """Habit of the firm used again and again, and of the one left (`learn`)."""
    states = firm_and_person(121)
    now, before = ([state.habit[j] for state in states] for j in (0, 1))
    lines(axes, range(121), {"the firm that is used": now, "the firm used before": before})
    axis(axes, "uses", "habit")


def memory(axes: Axes) -> None:
    """Memory of a firm whose visits are half a CX better than expected at first, and familiarity (`learn`)."""
    states = firm_and_person(41)
    found = {n: [getattr(state, n)[0] for state in states] for n in ("memory", "familiarity")}
    lines(axes, range(41), {"memory, CX": found["memory"], "familiarity, 0 to 1": found["familiarity"]})
    axis(axes, "uses", "")


def inertia(axes: Axes) -> None:
    """Utility of the firm used last over that of another, by its habit (`state_dependence`)."""
    traits, strength = Consumer(), np.linspace(0, 1, 11)
    public = SimpleNamespace(traits=[traits], week=0)
    found = []
    for h in strength:
        bonds = SimpleNamespace(habit=np.array([[h], [1 - h]]))
        person = SimpleNamespace(last=np.zeros(1, np.int32))
        found.append(
            float(state_dependence(person, bonds, public, 0, 0) - state_dependence(person, bonds, public, 1, 0))
        )
    lines(axes, strength, {"": found})
    axis(axes, "habit of the firm used last (the other has the rest)", "its lead in utility, logit")


def repairs(axes: Axes) -> None:
    """Share of the harm of a failure that a solved complaint repairs, by days until then (`repair`)."""
    days = np.arange(31)
    lines(axes, days, {"": [repair(Firm(recovery_days=float(d), recovery_adequacy=1.0), Market()) for d in days]})
    axes.set_ylim(0, 1)
    axis(axes, "days until it is solved in full", "share of the harm repaired")


def fading(axes: Axes) -> None:
    """Regret and anchor, by weeks since the last use (`decay`)."""
    found: dict[str, list[float]] = {"regret": [], "anchor": []}
    for week in WEEKS:
        person = SimpleNamespace(seen=np.zeros(1, np.int32), anchor_height=np.ones(1, np.float32))
        bonds = SimpleNamespace(regret=np.ones((1, 1), np.float32))
        decay(person, bonds, Market(), np.int32(week), 0)
        found["regret"].append(float(bonds.regret[0, 0]))
        found["anchor"].append(float(person.anchor_height[0]))
    lines(axes, WEEKS, found)
    axis(axes, "weeks since the last use", "what is left")


def talk(axes: Axes) -> None:
    """What one message does to the memory of a firm, by how well one knows it (`receive_wom`)."""
    known = np.linspace(0, 1, 21)

    def moved(good: bool) -> list[float]:
        found = []
        for k in known:
            bond = SimpleNamespace(memory=0.0)
            receive_wom(bond, float(k), good, Market())
            found.append(bond.memory)
        return found

    lines(axes, known, {"a good word": moved(True), "a bad word": moved(False)})
    axis(axes, "familiarity with the firm", "change of memory, CX")


LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        news,
        scandal_memory,
        trust,
        needs,
        sizes,
        attention,
        choices,
        inertia,
        gains,
        repairs,
        habit,
        memory,
        fading,
        talk,
    )
}


def draw(folder: Path) -> None:
    """Write the figure of every law to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, law in LAWS.items():
        figure = Figure(figsize=(5.2, 3.1), layout="constrained")
        law(figure.subplots())
        figures.save(figure, folder / f"{name}.svg", kind="svg")


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
