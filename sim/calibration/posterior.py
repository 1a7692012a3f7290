"""The posterior of a market: what predicts and what simulates, and its two Parquet files."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sim.calibration.chains import Draws
from sim.calibration.choices import Terms, Variant, trends, weight_names
from sim.model.declare import ScenarioError

POPULATION, HOUSEHOLDS = "posterior.parquet", "households.parquet"
KEY = b"stickiness.market"
FORM = 2  # of the two files


@dataclass
class Posterior:
    """A calibrated market. Brands are in the estimator's order, the most bought first."""

    brands: tuple[str, ...]  # as in the file
    firms: tuple[str, ...]  # the same as names of firms
    terms: Terms
    draws: dict[str, Draws]  # by name of variant
    pool: dict[str, float]  # variants that predict, with their weights
    simulator: str  # the variant that simulates
    households: np.ndarray  # [i] text
    digests: np.ndarray  # [i] uint64 of the purchases they were estimated from
    seed: int = 1
    paid: dict[str, list[float]] = field(default_factory=dict)  # prices by week, from those paid: see `weeks`
    unit: str = "none"  # of time in the panel: date, week, day or none


def population_table(posterior: Posterior) -> "dict[str, np.ndarray]":
    """A row a variant and draw: means, standard deviations, correlations and common weights, by name."""
    tables = []
    for name, draws in posterior.draws.items():
        labels = parameter_names(posterior, draws.variant)
        sd = np.sqrt(np.diagonal(draws.sigma, axis1=1, axis2=2))
        table = {"variant": np.full(len(draws.mu), name, object), "draw": np.arange(len(draws.mu))}
        table |= {f"mean.{label}": draws.mu[:, k] for k, label in enumerate(labels)}
        table |= {f"sd.{label}": sd[:, k] for k, label in enumerate(labels)}
        for a in range(len(labels)):
            for b in range(a):
                table[f"correlation.{labels[a]}.{labels[b]}"] = draws.sigma[:, a, b] / (sd[:, a] * sd[:, b])
        table |= {n: draws.common[:, k] for k, n in enumerate(common_names(posterior, draws.variant))}
        tables.append(table)
    names = list(dict.fromkeys(n for table in tables for n in table))
    sizes = [len(table["draw"]) for table in tables]
    empty = [np.full(size, np.nan) for size in sizes]
    return {n: np.concatenate([t.get(n, e) for t, e in zip(tables, empty, strict=True)]) for n in names}


def parameter_names(posterior: Posterior, variant: Variant) -> list[str]:
    """The parameters of a household, in the estimator's order: taste of all firms but the first, price weight."""
    names = [f"taste.{firm}" for firm in posterior.firms[1:]]
    if posterior.terms.mean_price is not None:
        names.append("log_price_weight" if variant.log_normal else "price_weight")
    return names


def common_names(posterior: Posterior, variant: Variant) -> list[str]:
    """The common parameters, in the estimator's order, the trends by their firms."""
    firms = dict(zip(trends(posterior.terms), posterior.firms[1:], strict=False))
    names = weight_names(posterior.terms, variant)
    return [f"trend.{firms[name]}" if name in firms else name for name in names]


def write_posterior(posterior: Posterior, folder: Path) -> None:
    """Write both files to a folder."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    about = {
        "form": FORM,
        "brands": posterior.brands,
        "firms": posterior.firms,
        "terms": asdict(posterior.terms),
        "variants": [asdict(d.variant) for d in posterior.draws.values()],
        "pool": posterior.pool,
        "simulator": posterior.simulator,
        "seed": posterior.seed,
        "paid": posterior.paid,
        "unit": posterior.unit,
    }
    table = pa.table({n: pa.array(v) for n, v in population_table(posterior).items()})
    table = table.replace_schema_metadata({KEY: json.dumps(about).encode()})
    pq.write_table(table, folder / POPULATION)
    with open(folder / HOUSEHOLDS, "wb") as file:
        _write_households(posterior, file)


def _write_households(posterior: Posterior, file: BinaryIO) -> None:
    """A row a variant, household and draw; a household's rows lie together."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    most = len(posterior.brands) - 1 + (posterior.terms.mean_price is not None)
    names = [f"taste.{firm}" for firm in posterior.firms[1:]] + ["price_weight"] * (most == len(posterior.brands))
    schema = pa.schema(
        [("variant", pa.dictionary(pa.int8(), pa.string())), ("household", pa.dictionary(pa.int32(), pa.string()))]
        + [("digest", pa.uint64()), ("draw", pa.int32())]
        + [(name, pa.float32()) for name in names]
    )
    with pq.ParquetWriter(file, schema) as writer:
        for number, draws in enumerate(posterior.draws.values()):
            many, households, _ = draws.theta.shape
            ids = np.repeat(np.arange(households), many)
            columns = [
                pa.DictionaryArray.from_arrays(pa.array(np.full(len(ids), number, np.int8)), list(posterior.draws)),
                pa.DictionaryArray.from_arrays(pa.array(ids.astype(np.int32)), posterior.households.tolist()),
                pa.array(posterior.digests[ids]),
                pa.array(np.tile(np.arange(many, dtype=np.int32), households)),
            ]
            flat = draws.theta.transpose(1, 0, 2).reshape(-1, draws.theta.shape[2])
            if draws.variant.log_normal and most == len(posterior.brands):
                flat = flat.copy()
                flat[:, -1] = np.exp(flat[:, -1])
            columns += [pa.array(np.ascontiguousarray(flat[:, k])) for k in range(flat.shape[1])]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def read_posterior(folder: Path) -> Posterior:
    """The posterior in a folder that `calibrate` has written; ScenarioError where there is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    missing = [name for name in (POPULATION, HOUSEHOLDS) if not (folder / name).is_file()]
    if missing:
        raise ScenarioError([f"market={folder}: holds no {' and no '.join(missing)}; make it with `calibrate`"])
    try:
        table, people = pq.read_table(folder / POPULATION), pq.read_table(folder / HOUSEHOLDS)
        about = json.loads(table.schema.metadata[KEY])
        if about["form"] != FORM:
            raise ScenarioError([f"market={folder}: was written by another version; calibrate it again"])
        return _assembled(about, table, people)
    except (pa.ArrowException, KeyError, TypeError, ValueError, IndexError) as error:
        if isinstance(error, ScenarioError):
            raise
        text = " ".join(str(error).split())[:100]
        raise ScenarioError([f"market={folder}: its posterior cannot be read ({text})"]) from None


def _assembled(about: dict[str, object], table: "object", people: "object") -> Posterior:
    frame, rows = table.to_pandas(), people  # type: ignore[attr-defined]
    terms = Terms(**{n: tuple(v) if isinstance(v, list) else v for n, v in about["terms"].items()})  # type: ignore
    posterior = Posterior(
        *(tuple(about["brands"]), tuple(about["firms"]), terms, {}, about["pool"], about["simulator"]),  # type: ignore
        *(np.zeros(0, str), np.zeros(0, np.uint64), about["seed"], about["paid"], about["unit"]),  # type: ignore
    )
    variant_of = np.asarray(rows["variant"].to_pandas().astype(str))  # type: ignore[index]
    columns = [n for n in rows.schema.names if n.startswith(("taste.", "price_weight"))]  # type: ignore[attr-defined]
    values = np.column_stack([rows[n].to_numpy() for n in columns])  # type: ignore[index]
    for raw in about["variants"]:  # type: ignore[attr-defined]
        variant = Variant(**raw)
        mine = frame[frame["variant"] == variant.name]
        labels, d = parameter_names(posterior, variant), len(mine)
        mu, sd = (mine[[f"{kind}.{n}" for n in labels]].to_numpy(float) for kind in ("mean", "sd"))
        sigma = np.einsum("dp,dq->dpq", sd, sd)
        for a in range(len(labels)):
            for b in range(a):
                both = mine[f"correlation.{labels[a]}.{labels[b]}"].to_numpy(float)
                sigma[:, a, b] *= both
                sigma[:, b, a] = sigma[:, a, b]
        at = variant_of == variant.name
        theta = np.ascontiguousarray(values[at].reshape(-1, d, len(labels)).transpose(1, 0, 2))
        if variant.log_normal and terms.mean_price is not None:
            theta[..., -1] = np.log(theta[..., -1])
        common = mine[common_names(posterior, variant)].to_numpy(float)
        posterior.draws[variant.name] = Draws(variant, theta, mu, sigma, common)
        if not len(posterior.households):
            posterior.households = np.asarray(rows["household"].to_pandas().astype(str))[at][::d]  # type: ignore[index]
            posterior.digests = rows["digest"].to_numpy()[at][::d]  # type: ignore[index]
    return posterior
