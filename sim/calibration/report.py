"""What a calibration says in words: what was estimated, how well it predicts, what the panel can and cannot tell."""

from collections.abc import Iterator, Mapping

import numpy as np

from sim.calibration.chains import Draws
from sim.calibration.choices import Choices
from sim.calibration.fit import Fitted, Inner
from sim.calibration.posterior import Posterior, common_names, parameter_names
from sim.calibration.preset import Numbers, Time
from sim.calibration.references import bootstrap_error, log_likelihoods
from sim.calibration.settings import pair
from sim.calibration.weeks import SHAPES

MOSTLY = 0.75  # of the prior's spread left: the data have hardly spoken
FEW_HOUSEHOLDS = 50
ALIKE = 0.9  # correlation of features and displays above which they cannot be told apart
MIXED = 1.1  # split R-hat above which the sampler should have run longer


def text(
    fitted: Fitted,
    numbers: Numbers,
    choices: Choices,
    time: Time,
    about: list[str],
    read: list[str],
    twin: list[str],
) -> str:
    """The report: `about` are sentences on prices, time and size, `read` those of reading, `twin` the twin's lines."""
    posterior = fitted.posterior
    parts = {
        "What was read": read,
        "What was estimated (posterior mean +- standard deviation)": list(estimates(posterior, numbers)),
        "How well it predicts": list(prediction(fitted.inner)),
        "The panel and its twin": twin,
        "What this panel can and cannot tell": [*about, *limits(posterior, choices, time, numbers)],
        "What rests on other sources than this panel": rest(posterior, time),
        "How it was chosen and computed": [*(fitted.inner.log if fitted.inner else []), *mixing(posterior)],
    }
    return "\n\n".join("\n".join([head, "-" * len(head), *lines]) for head, lines in parts.items()) + "\n"


def estimates(posterior: Posterior, numbers: Numbers) -> Iterator[str]:
    """A line an estimate of the simulator's variant, in the simulator's terms."""
    width = max(len(f) for f in posterior.firms) + 2
    moves = posterior.terms.trend
    if moves:
        yield f"Trend: what a brand gained on {posterior.firms[0]} over the histories; tastes are those at their end."
    head = f"{'firm':<{width}}{'brand in the file':<24}{'share':>7}  mean taste      spread of taste"
    yield head + ("  trend" if moves else "")
    for j, (brand, firm) in enumerate(zip(posterior.brands, posterior.firms, strict=True)):
        spread = f"{np.sqrt(numbers.covariance[j - 1, j - 1]):6.2f}" if j else "     -"
        value = f"{numbers.mean[j]:6.2f} +- {numbers.error[j]:.2f}" if j else "     0 (the others relative to it)"
        row = f"{firm:<{width}}{brand[:22]:<24}{100 * posterior.terms.share[j]:6.1f}%  {value}  {spread if j else ''}"
        gained, error = numbers.weights[f"trend.{firm}"] if moves and j else (0.0, 0.0)
        yield row + (f"           {gained:+.2f} +- {error:.2f}" if moves and j else "")
    if numbers.priced:
        form = "ln(price / mean)" if posterior.terms.log_price else "price / mean"
        median, sd = numbers.price_weight
        yield f"price weight, median household: {median:.2f} +- {sd:.2f} logit per unit of {form}"
        mean = f"{posterior.terms.mean_price:.4g}"
        yield f"  its spread over households (sd of ln): {numbers.price_sd:.2f}; mean price: {mean}"
    for name, (amount, error) in numbers.weights.items():
        if name in ("feature", "display", "habit"):
            yield f"weight of {name}: {amount:.2f} +- {error:.2f} logit"
    began, unsure = numbers.weights["logit_own_beginning"]
    low, high = (100 / (1 + np.exp(-v)) for v in (began - 2 * unsure, began + 2 * unsure))
    yield f"  it began {low:.0f} to {high:.0f} % of the way from market shares to where each household rests"
    yield f"rate of habit: {numbers.habit_rate[0]:.2f} +- {numbers.habit_rate[1]:.2f} a purchase"


def prediction(inner: Inner | None) -> Iterator[str]:
    """Log-likelihood per purchase of what the inner split held out, against the references."""
    if inner is None:
        yield "Too few purchases to hold any out: how well the market predicts is not known."
        return
    asked, hh = inner.asked, inner.choices.hh[inner.asked]
    each = {n: log_likelihoods(p, inner.choices)[asked] for n, p in inner.chances.items()}
    yield (
        f"{int(asked.sum()):,} purchases of {len(np.unique(hh)):,} households, the last 30 % of each history, were "
        "held out, and the rest fitted anew:"
    )
    yield f"{'':<16}{'log-likelihood':>15}   market better by (s.e. over households)"
    for name, ll in each.items():
        gain = each["market"] - ll
        said = f"{gain.mean():+8.4f} ({bootstrap_error(gain, hh):.4f})" if name != "market" else ""
        yield f"{name:<16}{ll.mean():>15.4f}   {said}"
    observed, chances = _bins(inner)
    yield f"calibration error of the chances (10 bins): {float(np.abs(observed - chances).sum()):.3f}"
    best = max((n for n in each if n not in ("market", "simulator")), key=lambda n: each[n].mean())
    gain = each["market"] - each[best]
    if gain.mean() < 2 * bootstrap_error(gain, hh):
        yield f"! Not clearly better than the {best}: tastes and habit of this panel add little that can be told."


def _bins(inner: Inner) -> tuple[np.ndarray, np.ndarray]:
    """(what happened, what was expected), each [10], as parts of all chances that were given."""
    p = inner.chances["market"][inner.asked]
    hit = np.eye(p.shape[1])[inner.choices.y[inner.asked]]
    place = np.clip((p * 10).astype(int), 0, 9).ravel()
    return tuple(np.bincount(place, v.ravel(), minlength=10) / p.size for v in (hit, p))


def limits(posterior: Posterior, choices: Choices, time: Time, numbers: Numbers) -> Iterator[str]:
    """What the panel cannot tell, a sentence each."""
    draws = posterior.draws[posterior.simulator]
    if np.std(draws.common[:, -1]) > MOSTLY * pair("logit_habit_rate")[1]:
        yield "The rate of habit is mostly that of the prior: the panel hardly says whether habit is fast or slow."
    value, sd = numbers.weights["habit"]
    if abs(value) < 2 * sd:
        yield f"Habit ({value:.2f} +- {sd:.2f}) is not told from 0: repeat buying here may be taste alone."
    if value < 0:
        yield "The estimated weight of habit is below 0 (variety is sought); the simulator's preset has 0."
    if numbers.priced:
        prior = pair("log_price_weight_mean")[1]
        if draws.mu[:, -1].std() > MOSTLY * prior:
            yield "The price weight is mostly that of the prior: prices vary too little to tell what price does."
    else:
        yield "What price does is not in this panel: consumer.price_weight of the preset is the simulator's own."
    if posterior.terms.trend:
        yield "Brands gained and lost over the histories: the market moved, or households did; which is open."
    yield from _promotions(posterior, choices)
    if len(choices.households) < FEW_HOUSEHOLDS:
        yield f"{len(choices.households)} households are few: how tastes are spread is uncertain (posterior.parquet)."
    once = float((np.diff(choices.start) == 1).mean())
    if once > 0.2:
        yield f"{100 * once:.0f} % of households bought once: of them little is known but the population's tastes."
    small = [f for f, s in zip(posterior.firms, posterior.terms.share, strict=True) if s * len(choices.y) < 20]
    if small:
        yield f"Bought fewer than 20 times, so hardly known: {', '.join(small)}."
    if time.rate is not None and time.shape is not None:
        bound = " (the largest that is tried: all use it as often)" if time.shape >= SHAPES[1] else ""
        yield f"Rate of use from dates: {time.rate:.3g} uses a week a household, NBD shape K {time.shape:.2f}{bound}."
    if choices.panel.weights is not None:
        yield "Weights of households are not used: the estimates hold for the households as they are."


def _promotions(posterior: Posterior, choices: Choices) -> Iterator[str]:
    terms = posterior.terms
    missing = [n for n, there in (("features", terms.feature), ("displays", terms.display)) if not there]
    if missing:
        what = " and no ".join(missing)
        yield f"There are no {what} in this panel: if there were any, tastes and price hold part of them."
    if terms.feature and terms.display and choices.features is not None and choices.displays is not None:
        both = np.corrcoef(choices.features.ravel(), choices.displays.ravel())[0, 1]
        if both > ALIKE:
            yield f"Features and displays come together (correlation {both:.2f}): their weights cannot be told apart."


def rest(posterior: Posterior, time: Time) -> list[str]:
    """What a run of the preset takes from elsewhere."""
    lines = []
    if time.rate is None:
        lines.append("how often people buy: consumer.rate is the simulator's own (households differ as in the panel)")
    if posterior.terms.mean_price is None:
        lines.append("consumer.price_weight")
    lines += [
        "what quality, failures, effort, switching costs and anchors do, and scandals (who hears, cares and acts):",
        "  from the literature, see `stickiness fields`; in the panel's own market all are alike and neutral",
        "who enters: a new firm's taste is drawn as in any market, not from this panel",
    ]
    return lines


def mixing(posterior: Posterior) -> Iterator[str]:
    """How well the sampler ran."""
    for name, draws in posterior.draws.items():
        worst, label = max(
            (split_rhat(values), label) for label, values in _traces(posterior, draws).items() if values.std() > 0
        )
        note = " ! the sampler has not settled: treat this as rough" if worst > MIXED else ""
        role = [f"predicts, weight {posterior.pool[name]:.2f}"] if name in posterior.pool else []
        role += ["simulates"] if name == posterior.simulator else []
        settled = f"largest split R-hat {worst:.3f} ({label}){note}"
        yield f"variant {name} ({', '.join(role)}): {len(draws.mu)} draws, {settled}"


def _traces(posterior: Posterior, draws: Draws) -> Mapping[str, np.ndarray]:
    labels = parameter_names(posterior, draws.variant)
    traces = {f"mean.{n}": draws.mu[:, k] for k, n in enumerate(labels)}
    return traces | {n: draws.common[:, k] for k, n in enumerate(common_names(posterior, draws.variant))}


def split_rhat(values: np.ndarray) -> float:
    """R-hat of the halves of a chain (Gelman et al. 2013, 11.4)."""
    half = len(values) // 2
    parts = np.stack([values[:half], values[half : 2 * half]])
    within = parts.var(axis=1, ddof=1).mean()
    between = half * parts.mean(axis=1).var(ddof=1)
    return float(np.sqrt(((half - 1) / half * within + between / half) / max(within, 1e-300)))
