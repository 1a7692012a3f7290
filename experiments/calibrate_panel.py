"""How well does a calibrated market predict purchases it has not seen, and what is habit worth in it?

    python experiments/calibrate_panel.py PANEL.csv FOLDER
    python experiments/calibrate_panel.py PANEL.csv FOLDER new

Question: does the market that `stickiness calibrate` makes of the first 70 % of each household's purchases predict the
rest better than simple models, is it calibrated, do free runs repeat and switch as people do, and what does a price
do? With `new`: do free runs of households that were never seen repeat as they do, by habit as much, and concentrate as
they do?
Design: PANEL.csv has columns hh, t, choice and price_BRAND (perhaps feat_BRAND, disp_BRAND), sorted by household and
time. The first ceil(70 %) purchases of households with at least 4, and all of the others, are calibrated into FOLDER
(kept and used again if it is there). One-step chances of the rest are compared with market share, last brand, Dirichlet
and the loyalty logit; 100 free runs with what happened, also with habit switched off. Own-price elasticities are those
of the simulator's variant at the purchases that were fitted, weighted by share. With `new`, 70 % of the households, in
a random order, are calibrated, and the others run freely from nothing but their prices and promotions.
Reading: differences per purchase with their standard errors over households (bootstrap).
Finding: on the three open scanner panels (yogurt, cracker, catsup) the market is better than the best of the simple
models, the loyalty logit, by .064 (.020), .040 (.013) and .024 (.013) a purchase. Without habit it loses .106, .012 and
.013, and the repeat rate of free runs falls by .27, .05 and .04: habit differs by category. Own-price elasticities are
-.99 (.12), -1.09 (.09) and -2.16 (.10). 90 new households of catsup repeat .576 (.030) of the time, free runs .537;
order adds .024 (.014) to it, in free runs .048; phi is .240 (.033), in free runs .195: all within 2 standard errors.
The share of requirements of catsup's brands is off by .0521 in 400 free runs (of 100 the error is .0016), most at the
two small brands: .44 and .45 of the purchases of their buyers, who made .51 and .54. Catsup alone has a trend, in which
heinz41 gains; without it the share of requirements was off by .0570.
"""

import sys
from pathlib import Path

import numpy as np

from sim.calibration.choices import Choices, choices_of, data_of, take_households, take_purchases
from sim.calibration.compiled.predictive import follow
from sim.calibration.fit import FEWEST, FIRST_PART
from sim.calibration.forecast import Occasions, hyper_of, occasions, predict, simulate
from sim.calibration.main import run
from sim.calibration.posterior import Posterior, read_posterior
from sim.calibration.references import bootstrap_error, log_likelihoods, reference_chances
from sim.calibration.twin import OF_MARKET, compared
from sim.panel.known import read_known

NEW = ("repeat", "repeat_by_order", "dirichlet_phi")  # figures by which new households are judged
DRAWS = 100  # of the posterior, for elasticities


def split(panel: Path, folder: Path) -> Path:
    """Write the purchases to be fitted to a file of their own."""
    import pandas as pd

    frame = pd.read_csv(panel)
    n, place = frame.groupby("hh")["t"].transform("size"), frame.groupby("hh").cumcount()
    train = frame[place < np.where(n >= FEWEST, np.ceil(FIRST_PART * n - 1e-9), n)]
    path = folder.with_name(f"{folder.name}.train.csv")
    train.to_csv(path, index=False)
    return path


def standing(panel: Path, posterior: Posterior) -> Occasions:
    """The whole panel, and where each household's first part ends."""
    order = np.arange(len(posterior.brands))
    choices = choices_of(read_known(panel, posterior.brands), order, canonical=False)
    n = np.diff(choices.start)
    first = np.where(n >= FEWEST, np.ceil(FIRST_PART * n - 1e-9), n).astype(int)
    return occasions(choices, choices.start[:-1] + first, posterior.households, posterior.digests)


def repeats(paths: np.ndarray, at: Occasions, lag: int) -> float:
    """How often the brand of `lag` purchases before is bought again, over what follows."""
    rows = np.flatnonzero(at.asked & (at.choices.nth >= lag))
    paths = np.atleast_2d(paths)
    return float((paths[:, rows] == paths[:, rows - lag]).mean())


def fitted_purchases(posterior: Posterior, at: Occasions) -> Choices:
    """What came before the occasions that follow, households in the posterior's order."""
    order = np.argsort([posterior.households.tolist().index(h) for h in at.choices.households.tolist()])
    return take_households(take_purchases(at.choices, ~at.asked), order)


def own_price_elasticity(posterior: Posterior, choices: Choices) -> np.ndarray:
    """[draw] elasticity of a brand's purchases to its price, weighted by share, at these purchases.

    Households must be in the posterior's order. Brand by brand, sum of dP/dln(price) over sum of P, by the simulator's
    variant.
    """
    draws, form = posterior.draws[posterior.simulator], posterior.terms
    data, hyper = data_of(choices, form, draws.variant), hyper_of(draws)
    scale = 1.0 if form.log_price else 1 + data.x
    found = []
    for d in np.linspace(0, len(draws.mu) - 1, DRAWS).astype(int):
        p, own, stream = np.zeros(data.x.shape), draws.theta[d].astype(float), np.zeros(1, np.uint64)
        for i in range(len(own)):
            follow(data, i, data.start[i], True, hyper, own[i : i + 1].copy(), np.array([d]), stream, p)
        weight = np.exp(own[choices.hh][:, -1:])
        slope = (-weight * scale * p * (1 - p)).sum(axis=0) / p.sum(axis=0)
        found.append(float(slope @ np.array(form.share)))
    return np.array(found)


def new_households(panel: Path, folder: Path) -> None:
    """Print how free runs of households that were never seen compare with what these did."""
    import pandas as pd

    frame = pd.read_csv(panel)
    order = np.random.default_rng(1).permutation(frame.hh.unique())
    seen = frame.hh.isin(order[: round(FIRST_PART * len(order))])
    if not folder.exists():
        train, rest = (folder.with_name(f"{folder.name}.{part}.csv") for part in ("train", "rest"))
        frame[seen].to_csv(train, index=False)
        run("calibrate", [f"panel={train}", f"out={folder}"])
    rest = folder.with_name(f"{folder.name}.rest.csv")
    frame[~seen].to_csv(rest, index=False)
    posterior = read_posterior(folder)
    choices = choices_of(read_known(rest, posterior.brands), np.arange(len(posterior.brands)), canonical=False)
    at = occasions(choices, choices.start[:-1].copy(), posterior.households, posterior.digests)
    table = compared(choices, posterior.firms, simulate(posterior, at, 100)).set_index(["firm", "metric"])
    print(f"\n{panel.stem}: {len(choices.households)} new households")
    for name in NEW:
        row = table.loc["", name]
        off = (row.twin - row.panel) / row.error
        seen = f"observed {row.panel:.3f} ({row.error:.3f})"
        print(f"{OF_MARKET[name]:<28}{seen}, free runs {row.twin:.3f}: {off:+.1f} s.e.")


def held_out(panel: Path, folder: Path) -> tuple[Posterior, Occasions, dict[str, np.ndarray]]:
    """(the market, where households stand, log-chance of each purchase held out by model, the market first).

    The market in `folder` is used if there is one, and made of the panel's first part if not.
    """
    if not folder.exists():
        run("calibrate", [f"panel={split(panel, folder)}", f"out={folder}"])
    posterior = read_posterior(folder)
    at = standing(panel, posterior)
    found = {"market": predict(posterior, at), "without habit": predict(posterior, at, habit=False)}
    found |= reference_chances(at.choices, ~at.asked, posterior.terms)
    return posterior, at, {name: log_likelihoods(chances, at.choices)[at.asked] for name, chances in found.items()}


def main(panel: Path, folder: Path) -> None:
    """Print the figures of one panel."""
    posterior, at, each = held_out(panel, folder)
    hh, mine = at.choices.hh[at.asked], each.pop("market")
    print(f"\n{panel.stem}: {len(hh):,} purchases of {len(np.unique(hh))} households held out")
    print(f"{'market':<16}{mine.mean():9.4f}")
    for name, other in each.items():
        gain = mine - other
        print(f"{name:<16}{other.mean():9.4f}   market better by {gain.mean():+.4f} ({bootstrap_error(gain, hh):.4f})")
    runs, still = simulate(posterior, at, 100), simulate(posterior, at, 100, habit=False)
    for lag in (1, 3):
        said = f"free runs {repeats(runs, at, lag):.3f}, observed {repeats(at.choices.y, at, lag):.3f}"
        print(f"as {lag} before: {said}, without habit {repeats(still, at, lag):.3f}")
    if posterior.terms.mean_price is not None:
        each = own_price_elasticity(posterior, fitted_purchases(posterior, at))
        print(f"own-price elasticity {each.mean():.2f} ({each.std():.2f})")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["new"]):
        sys.exit(__doc__)
    (new_households if sys.argv[3:] else main)(Path(sys.argv[1]), Path(sys.argv[2]))
