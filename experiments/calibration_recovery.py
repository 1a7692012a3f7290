"""Does calibration find again what a market was made with?

Question: a market is simulated with a known weight of habit, price weight and spread of tastes; are they found in its
purchases, by the estimator of `stickiness calibrate`, with errors that hold?
Design: four firms whose prices change every week, households that differ in tastes (normal) and price weights
(log-normal), about 20 purchases each, from the simulator; habit 0, 0.5 and 1.5 logit. Every run has another seed. What
is done is kept in outputs/calibration_recovery and not done again while the model and its priors are the same. What is
normal over people is utility at rest, tastes and habit together, as the estimator has it; in a third as many runs it is
tastes alone.
Reading: mean estimate and bias by weight of habit; how many of the runs have the truth in their 95 % interval. The
spread of tastes is that of what is normal. With tastes alone its law is wrong: what it does then shows.
"""

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from sim import panel
from sim.calibration import chains
from sim.calibration.chains import Chain, Draws, length_of, run_chains
from sim.calibration.choices import Terms, choices_of, ranked_brands
from sim.calibration.fit import VARIANTS, basic_terms
from sim.calibration.population import moments
from sim.compute.files import write_atomic
from sim.model.fields import Scenario
from sim.model.scenario import build
from sim.report import figures
from sim.report.experiment import FOLDER, keep, play, said
from sim.study.presence_store import rules_digest
from sim.study.presets import CONF

FAST = {"people": 40, "runs": 2, "percent": 10}
HABITS = (0.0, 0.5, 1.5)
AT_REST, ALONE = "utility at rest", "tastes alone"  # what is normal over people
PRICE_WEIGHT, TASTE_SD, WEEKS = 4.0, 1.2, 52
FIRMS = {"alpha": 1.0, "beta": 0.8, "gamma": 0.5, "delta": 0.3}  # presence: exp of mean taste
PRICES = (0.8, 0.9, 1.0, 1.1, 1.2)
ENOUGH, MOST_BIAS = 0.85, 0.15
CACHE = FOLDER.parent / "calibration_recovery"
Found = tuple[
    str, float, str, float, float, bool
]  # law, habit, parameter, truth, estimate, whether the interval holds the truth
OFF: tuple[str, ...] = (
    "experience",
    "inattention",
    "incident",
    "switching_cost",
    "anchor",
    "association",
    "ease",
    "trust",
    "regret",
)
OFF += ("uncertainty", "word_of_mouth", "turnover", "renewal")


def market(habit: float, law: str, people: int, seed: int, folder: Path) -> Scenario:
    """A market of which all is known; prices are drawn anew each week."""
    rng = np.random.default_rng([seed, 7])
    weeks = pd.MultiIndex.from_product([range(WEEKS), FIRMS], names=["week", "firm"]).to_frame(index=False)
    path = folder / f"prices_{seed}.csv"
    weeks.assign(price=rng.choice(PRICES, len(weeks))).to_csv(path, index=False)
    population = ""
    if law == AT_REST:
        own_tastes(habit, people, rng).to_parquet(population := str(folder / f"people_{seed}.parquet"))
    consumer = {"rate": 0.4, "price_weight": PRICE_WEIGHT, "habit_weight": habit, "habit_rate": 0.5}
    consumer |= {"state_dependence": 0, "attention": 1, "automaticity": 0, "consideration_size": len(FIRMS)}
    category = {"taste_law": "normal", "taste_sd": TASTE_SD, "price_weight_sd": 0.4, "rate_shape": 20}
    return build(
        {
            **{
                "people": people,
                "population": population,
                "weeks": WEEKS,
                "window": WEEKS,
                "burn_in": 104,
                "seed": seed,
            },
            **{"segments": {"all": {}}, "consumer": consumer, "market": category, "calendar": str(path)},
            "firms": {name: {"presence": presence} for name, presence in FIRMS.items()},
            "mechanisms": dict.fromkeys(OFF, False),
            "network": {"kind": "none"},
        }
    )


def own_tastes(habit: float, people: int, rng: np.random.Generator) -> pd.DataFrame:
    """People, a row each, whose utility at rest is normal: tastes and what habit adds, together."""
    rest = np.log(list(FIRMS.values())) + TASTE_SD * rng.normal(size=(people, len(FIRMS)))
    chance = np.exp(rest) / np.exp(rest).sum(axis=1, keepdims=True)
    taste = rest - habit * chance - np.log(list(FIRMS.values()))
    return pd.DataFrame({f"taste.{name}": taste[:, j] for j, name in enumerate(FIRMS)})


def chain(scenario: Scenario, folder: Path, part: float) -> tuple[Chain, dict[str, float], Terms]:
    """(a sampler of the purchases of a market, the truth in its terms, those)."""
    path = panel.export(scenario, folder / f"panel_{scenario.seed}.csv")
    choices = choices_of(read := panel.read(path, ordered=True), ranked_brands(read))
    terms = basic_terms(choices)
    assert terms.mean_price is not None
    truth = {"habit": scenario.consumer.habit_weight, "price weight": PRICE_WEIGHT * terms.mean_price}
    truth["taste spread"] = TASTE_SD * 2**0.5  # less that for the largest firm
    return Chain(choices, terms, VARIANTS["simulator"], length_of(choices, part), scenario.seed), truth, terms


def estimates(draws: Draws, terms: Terms, law: str) -> dict[str, np.ndarray]:
    """Draws of what is known: weight of habit, median price weight, mean spread of what is normal."""
    sigma = draws.sigma if law == AT_REST else moments(terms, draws)[1]
    spread = np.sqrt(np.diagonal(sigma, axis1=1, axis2=2))[:, : len(FIRMS) - 1].mean(axis=1)
    return {"habit": draws.common[:, -2], "price weight": np.exp(draws.mu[:, -1]), "taste spread": spread}


def finding(table: pd.DataFrame) -> list[str]:
    """Coverage of all intervals, and the bias of each parameter."""
    lines = []
    for (law, name), rows in table.groupby(["normal", "parameter"], sort=False):
        covered, runs = int(rows.covered.sum()), int(rows.runs.sum())
        biases = "; ".join(
            f"habit {r.habit:g}: "
            + (
                said(100 * r.bias / r.truth, 100 * r.error / r.truth, "%")
                if r.truth
                else said(r.bias, r.error, "logit")
            )
            for r in rows.itertuples()
        )
        verdict = "enough" if covered >= ENOUGH * runs else "too few"
        lines.append(
            f"{law} normal, {name}: {covered} of {runs} intervals of 95 % hold the truth ({verdict}); bias {biases}."
        )
    return lines


def done_before(law: str, people: int, run: int, percent: int) -> Path:
    """The file of a run, by all that it rests on."""
    folder = Path(chains.__file__).parent
    code = [
        *sorted((folder / "compiled").glob("*.py")),
        *(folder / f"{n}.py" for n in ("choices", "chains", "settings", "population")),
    ]
    design = repr((HABITS, PRICE_WEIGHT, TASTE_SD, WEEKS, FIRMS, PRICES, OFF, rules_digest())).encode()
    parts = [design, *(p.read_bytes() for p in (CONF / "calibration.yaml", *code))]
    digest = hashlib.sha256(b"".join(parts)).hexdigest()[:16]
    return CACHE / digest / f"{law.split()[0]}_{people}_{percent}_{run}.json"


def one_run(law: str, people: int, run: int, percent: int) -> list[Found]:
    """The estimates of one market for each weight of habit, from the file of an earlier run if it is there."""
    path = done_before(law, people, run, percent)
    if path.exists():
        return [(w, h, p, t, v, i) for w, h, p, t, v, i in json.loads(path.read_text())]
    with TemporaryDirectory() as name:
        made = [
            chain(market(h, law, people, 100 * k + run + 1, Path(name)), Path(name), percent / 100)
            for k, h in enumerate(HABITS)
        ]
        draws = run_chains([c for c, *_ in made], lambda what, done: None, "estimating")
    found: list[Found] = []
    for habit, mine, (_, truth, terms) in zip(HABITS, draws, made, strict=True):
        for parameter, values in estimates(mine, terms, law).items():
            low, high = np.quantile(values, [0.025, 0.975])
            inside = bool(low <= truth[parameter] <= high)
            found.append((law, habit, parameter, float(truth[parameter]), float(values.mean()), inside))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(found).encode())
    return found


def main(people: int = 150, runs: int = 14, percent: int = 100) -> pd.DataFrame:
    rows: list[Found] = []
    plan = [(AT_REST, run) for run in range(runs)] + [(ALONE, run) for run in range((runs + 2) // 3)]
    for done, (law, run) in enumerate(plan, 1):
        rows += one_run(law, people, run, percent)
        print(f"{len(HABITS) * done} of {len(HABITS) * len(plan)} markets done", flush=True)
    each = pd.DataFrame(rows, columns=["normal", "habit", "parameter", "truth", "value", "covered"])
    each["off"] = each.value - each.truth
    by = each.groupby(["normal", "habit", "parameter"], sort=False)
    table = by.agg(
        truth=("truth", "mean"), value=("value", "mean"), bias=("off", "mean"), error=("off", "sem"),
        covered=("covered", "sum"), runs=("covered", "size"),
    ).reset_index()  # fmt: skip
    print(table.round(3).to_string(index=False))
    shown = table.assign(habit="habit " + table.habit.astype(str), value=table.bias)
    picture = figures.dots(shown, "habit", "normal", "parameter", "Estimate less truth, by weight of habit", "logit")
    keep("calibration_recovery", table, picture, finding=finding(table))
    return table


if __name__ == "__main__":
    play(main, FAST)
