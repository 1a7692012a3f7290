"""A run comes back from disk as it was, in every bit; what is no run says so; nothing half written is left."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.compute.files import write_atomic
from sim.engine.loop import Run, simulate
from sim.measure.shares import Share
from sim.measure.tally import Count, Event, Tally
from sim.model.scenario import change
from sim.study import store
from sim.study.store import StoreError, describe, load, load_all, read_metadata, save, write_table
from tests.markets import market

SMALL: dict[str, Any] = {"people": 200, "weeks": 20, "window": 5, "burn_in": 5, "title": "Größe"}
WORLDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "scandals": {"scandals.leak": {"week": 3, "firm": "f1"}, "scandals.fraud": {"week": 8, "harmed_share": 0.3}},
    "scandals_off": {"scandals.leak": {"week": 3}, "mechanisms.scandal": False},
    "replications": {"replications": 2},
    "cells": {"segments.loyal": {"weight": 0.5}, "cohorts": {"young": {}, "old": {"weight": 2}}},
    "provider": {"market.regime": "provider", "moves.cut": {"week": 4, "value": 0.8}},
    "short": {"weeks": 1, "window": 1, "burn_in": 0},
    "people_few": {"people": 3},
}


@pytest.fixture(scope="module")
def run() -> Run:
    return lived("scandals")


def lived(world: str) -> Run:
    return simulate(change(market(shares=(0.5, 0.3, 0.2)), SMALL | WORLDS[world]))


def same(one: Run, other: Run) -> bool:
    pairs = list(zip(one.tally, other.tally, strict=True))
    bits = all(a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs)
    return bits and (one.scenario, one.shares) == (other.scenario, other.shares)


@pytest.mark.parametrize("world", WORLDS)
def test_a_run_comes_back_in_every_bit(world: str, tmp_path: Path) -> None:
    before = lived(world)
    before.shares["f0"] = Share(0.1 + 0.2, 1 / 3, 1e-17)
    after = load(save(before, tmp_path / "run.parquet"))
    assert same(before, after)
    assert list(after.scenario.firms) == list(before.scenario.firms)
    assert all(counts.dtype == np.int64 and counts.flags.writeable for counts in after.tally)


def test_any_integers_come_back(run: Run, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    wild = Tally(*(draw.integers(-(2**63), 2**63 - 1, a.shape, np.int64) for a in run.tally))
    assert same(Run(run.scenario, wild), load(save(Run(run.scenario, wild), tmp_path / "run.parquet")))


def test_every_counter_of_the_tally_is_stored() -> None:
    assert tuple(store.AXES) == Tally._fields
    assert {store.COLUMN.get(axis, axis) for axes in store.AXES.values() for axis in axes.split()} <= set(store.COLUMNS)


def test_the_order_and_encoding_of_rows_do_not_matter(run: Run, tmp_path: Path) -> None:
    table = pq.read_table(save(run, tmp_path / "run.parquet"))
    mixed = table.take(np.random.default_rng(1).permutation(len(table)))
    flat = mixed.set_column(0, "counter", mixed["counter"].cast("string"))
    pq.write_table(flat, tmp_path / "mixed.parquet", row_group_size=1000)
    assert same(run, load(tmp_path / "mixed.parquet"))


def test_other_numbers_of_groups_come_back(run: Run, tmp_path: Path) -> None:
    halves = Tally(*(a[::2] + a[1::2] for a in run.tally))
    assert same(Run(run.scenario, halves), load(save(Run(run.scenario, halves), tmp_path / "run.parquet")))


def test_two_saves_are_the_same_bytes(run: Run, tmp_path: Path) -> None:
    one, two = save(run, tmp_path / "one.parquet"), save(run, tmp_path / "two.parquet")
    again = save(load(one), tmp_path / "again.parquet")
    assert one.read_bytes() == two.read_bytes() == again.read_bytes()


def test_another_process_saves_the_same_bytes(run: Run, tmp_path: Path) -> None:
    store.revision.cache_clear()
    one = save(run, tmp_path / "one.parquet")
    code = f"from sim.study.store import load, save; save(load({str(one)!r}), {str(tmp_path / 'two.parquet')!r})"
    home = Path(store.__file__).resolve().parents[1]
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": str(home)})
    assert one.read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_the_metadata_tell_how_it_was_made(run: Run, tmp_path: Path) -> None:
    about = describe(save(run, tmp_path / "run.parquet", notes={"made": "1 May"}))
    assert about["scenario"]["firms"]["f0"]["presence"] == run.scenario.firms["f0"].presence
    assert (about["seed"], about["shares"], about["notes"]) == (run.scenario.seed, {}, {"made": "1 May"})
    assert {"stickiness", "numpy", "numba", "python", "platform"} <= set(about["versions"])
    assert about["versions"]["numpy"] == np.__version__
    assert about["revision"] is None or (len(about["revision"]["commit"]) == 40 and "dirty" in about["revision"])


def test_no_revision_outside_a_working_tree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(store, "__file__", str(tmp_path / "store.py"))
    assert store.revision.__wrapped__() is None


def test_pandas_reads_it(run: Run, tmp_path: Path) -> None:
    rows = pd.read_parquet(save(run, tmp_path / "run.parquet"))
    assert list(rows) == ["counter", *store.COLUMNS, "count"] and (rows["count"] > 0).all()
    flow = rows[rows.counter == "flow"]
    joined = flow.groupby("firm", observed=True)["count"].sum()
    assert [joined[f] for f in run.scenario.firms] == run.tally.flow.sum(axis=(0, 1, 2, 3))[1:].tolist()
    assert flow[(flow.other == "") & (flow.firm == "f1")]["count"].sum() == run.tally.flow[..., 0, 2].sum()
    event = rows[(rows.counter == "event") & (rows.what == "satisfied") & (rows.week == 7)]
    assert event["count"].sum() == run.tally.event[:, 7, ..., Event.SATISFIED].sum()
    users = rows[(rows.counter == "window") & (rows.what == "users") & (rows.window == 2)]
    assert users["count"].sum() == run.tally.window[:, 2, ..., Count.USERS].sum()
    heard = rows[(rows.what == "heard") & (rows.scandal == "leak")]
    assert heard["count"].sum() == run.tally.news[:, :, :, 0, 0].sum() > 0
    assert rows[rows.counter == "people"]["count"].sum() == run.scenario.people
    assert rows[rows.counter == "people"].week.isna().all()


def test_a_run_of_another_scenario_is_not_saved(run: Run, tmp_path: Path) -> None:
    other = replace(run, scenario=change(run.scenario, {"weeks": 25}))
    with pytest.raises(StoreError, match="flow: "):
        save(other, tmp_path / "run.parquet")
    assert not list(tmp_path.iterdir())


def test_what_is_no_run_says_so(run: Run, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such file"):
        load(tmp_path / "nothing.parquet")
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(StoreError, match="not a whole Parquet file"):
        load(tmp_path / "text.parquet")
    write_table(pd.DataFrame({"a": [1]}), tmp_path / "table.parquet")
    with pytest.raises(StoreError, match="not a run"):
        load(tmp_path / "table.parquet")
    with pytest.raises(StoreError, match="not a whole Parquet file"):
        load(tmp_path)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_run_says_so(part: float, run: Run, tmp_path: Path) -> None:
    path = save(run, tmp_path / "run.parquet")
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    for reader in (load, describe):
        with pytest.raises(StoreError, match=r"run\.parquet: not a whole Parquet file"):
            reader(path)


def test_a_flipped_bit_is_found(run: Run, tmp_path: Path) -> None:
    path = save(run, tmp_path / "run.parquet")
    last = pq.read_metadata(path).row_group(0).column(len(store.COLUMNS) + 1)
    damaged = bytearray(path.read_bytes())
    damaged[last.data_page_offset + last.total_compressed_size // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(StoreError, match="not a whole Parquet file"):
        load(path)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (store.MARK, "99", "format 99"),
        ("bins", '{"LARGEST": 32}', "simulate again"),
        ("scenario", '{"people": -1}', "people"),
        ("scenario", "{", "incomplete"),
        ("groups", "1", "does not have"),
    ],
)
def test_a_run_of_another_version_says_so(key: str, value: str, sentence: str, run: Run, tmp_path: Path) -> None:
    table = pq.read_table(save(run, tmp_path / "run.parquet"))
    about = table.schema.metadata | {key.encode(): value.encode()}
    pq.write_table(table.replace_schema_metadata(about), tmp_path / "other.parquet")
    with pytest.raises(StoreError, match=sentence):
        load(tmp_path / "other.parquet")


def edited(run: Run, folder: Path, rows: Any = None, **about: str | bytes) -> Path:
    """A run whose table or metadata were edited after it was saved."""
    table = pq.read_table(save(run, folder / "whole.parquet"))
    metadata = table.schema.metadata | {key.encode(): value for key, value in about.items()}
    table = rows(table) if rows else table
    pq.write_table(table.replace_schema_metadata(metadata), folder / "edited.parquet")
    return folder / "edited.parquet"


LARGE = json.dumps({"weeks": 5200, "replications": 10_000, "people": 10, "segments": {"a": {}}, "firms": {"x": {}}})
METADATA: dict[str, list[str | bytes]] = {
    "groups": ["1000000000", "1.5", "-1", "0", '"x"', "null", "[1]", "9" * 5000, "true", "33"],
    "shares": ["5", "[1]", '{"a": 1}', '{"a": [1]}', '{"a": ["x", "y"]}', "null", '{"a": {}}'],
    "notes": ["[" * 5000 + "]" * 5000, b"\xff", "{", ""],
    "seed": ["9" * 5000],
    "bins": ["null", "[]"],
    "scenario": [
        "[" * 100_000,
        '{"people": ' + "9" * 5000 + "}",
        "5",
        "null",
        '{"firms": 1}',
        '{"people": NaN}',
        LARGE,
    ],
    "versions": [b"\xfe\xff\x00"],
    store.DIGEST: ["0" * 64, "", "Größe"],
}
ROWS: dict[str, Any] = {
    "half": lambda t: t.slice(0, len(t) // 2),
    "none": lambda t: t.slice(0, 0),
    "one_less": lambda t: t.slice(1),
    "one_less_at_the_end": lambda t: t.slice(0, len(t) - 1),
    "twice": lambda t: pa.concat_tables([t, t.slice(5, 1)]),
    "one_more": lambda t: put(t, "count", lambda c: [c[0] + 1, *c[1:]]),
    "exchanged": lambda t: put(t, "count", lambda c: sorted(c)),
    "negative": lambda t: put(t, "count", lambda c: [-c[0], *c[1:]]),
    "zero": lambda t: put(t, "count", lambda c: [0, *c[1:]]),
    "null": lambda t: put(t, "count", lambda c: [None, *c[1:]]),
    "fractions": lambda t: put(t, "count", lambda c: [n + 0.25 for n in c]),
    "words": lambda t: put(t, "count", lambda c: [str(n) for n in c]),
    "lists": lambda t: put(t, "firm", lambda c: [[n] for n in c]),
    "strangers": lambda t: put(t, "firm", lambda c: ["nobody" if n == "f0" else n for n in c]),
    "counter": lambda t: put(t, "counter", lambda c: ["other" if n == "people" else n for n in c]),
    "no_count": lambda t: t.drop_columns(["count"]),
    "no_firm": lambda t: t.drop_columns(["firm"]),
}


def put(table: pa.Table, column: str, change: Any) -> pa.Table:
    values = pa.array(change(table[column].to_pylist()))
    return table.set_column(table.schema.get_field_index(column), column, values)


@pytest.mark.parametrize(("key", "value"), [(k, v) for k, values in METADATA.items() for v in values])
def test_edited_metadata_are_an_error(key: str, value: str | bytes, run: Run, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"edited\.parquet: ") as error:
        load(edited(run, tmp_path, **{key: value}))
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize("name", ROWS)
def test_lost_and_edited_rows_are_an_error(name: str, run: Run, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"edited\.parquet: "):
        load(edited(run, tmp_path, rows=ROWS[name]))


def test_a_run_without_a_digest_still_loads_when_nobody_is_missing(run: Run, tmp_path: Path) -> None:
    table = pq.read_table(save(run, tmp_path / "run.parquet"))
    metadata = {key: value for key, value in table.schema.metadata.items() if key != store.DIGEST.encode()}
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "old.parquet")
    assert same(run, load(tmp_path / "old.parquet"))
    pq.write_table(table.slice(1).replace_schema_metadata(metadata), tmp_path / "old.parquet")
    with pytest.raises(StoreError, match="missing or was edited"):
        load(tmp_path / "old.parquet")


def test_a_file_takes_no_more_memory_than_it_is_long(run: Run, tmp_path: Path) -> None:
    table = pq.read_table(save(run, tmp_path / "run.parquet"))
    many = pa.table({name: pa.nulls(30_000_000, pa.int8()) for name in ("counter", "count")})
    pq.write_table(many.replace_schema_metadata(table.schema.metadata), tmp_path / "many.parquet", compression="zstd")
    assert (tmp_path / "many.parquet").stat().st_size < 200_000
    with pytest.raises(StoreError, match="30,000,000 rows in"):
        load(tmp_path / "many.parquet")


def test_a_damaged_file_is_an_error_wherever_it_is_damaged(run: Run, tmp_path: Path) -> None:
    path = save(run, tmp_path / "run.parquet")
    whole, draw = path.read_bytes(), np.random.default_rng(2)
    for at in draw.integers(0, len(whole), 150):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << draw.integers(8))]) + whole[at + 1 :])
        try:
            assert same(load(path), run), "damage that does not show"
        except StoreError as error:
            assert str(error).startswith(f"{path}: ")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "run.parquet")
    with pytest.raises(StoreError, match="no regular file"):
        load(tmp_path / "run.parquet")
    with pytest.raises(StoreError, match="no regular file"):
        list(load_all(tmp_path))


def test_a_folder_of_runs_is_read_in_order(run: Run, tmp_path: Path) -> None:
    for name in ("10/run", "2/run", "1/run"):
        save(run, tmp_path / f"{name}.parquet")
    write_table(pd.DataFrame({"a": [1]}), tmp_path / "study.parquet")
    found = list(load_all(tmp_path))
    assert [path.parent.name for path, _ in found] == ["1", "2", "10"]
    assert all(same(run, other) for _, other in found)
    with pytest.raises(StoreError, match="no such folder"):
        list(load_all(tmp_path / "nowhere"))


def test_a_table_comes_back_with_its_metadata(tmp_path: Path) -> None:
    frame = pd.DataFrame({"share": [0.1, 0.2], "firm": ["a", "b"]}, index=pd.Index([3, 4], name="run"))
    path = write_table(frame, tmp_path / "new" / "table.parquet", {"question": "why?", "axes": {"seed": [1, 2]}})
    pd.testing.assert_frame_equal(pd.read_parquet(path), frame)
    about = read_metadata(path)
    assert (about["question"], json.loads(about["axes"])) == ("why?", {"seed": [1, 2]})


def test_a_failure_leaves_what_was_there(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(run, tmp_path / "run.parquet")
    before = path.read_bytes()

    def halfway(table: Any, file: Any, **options: Any) -> None:
        file.write(b"half a file")
        raise KeyboardInterrupt

    monkeypatch.setattr(store.pq, "write_table", halfway)
    with pytest.raises(KeyboardInterrupt):
        save(run, path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_failed_exchange_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        write_atomic(tmp_path / "folder", b"content")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError):
        write_atomic(tmp_path / "file" / "run.parquet", b"content")


def test_an_unwritable_folder_is_an_error(run: Run, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("the superuser may write anywhere")
    with pytest.raises(PermissionError):
        save(run, tmp_path / "run.parquet")
    tmp_path.chmod(0o700)
    assert not list(tmp_path.iterdir())


def test_bytes_and_writers_are_written(tmp_path: Path) -> None:
    assert write_atomic(tmp_path / "a", b"one").read_bytes() == b"one"
    assert write_atomic(tmp_path / "a", lambda file: file.write(b"two")).read_bytes() == b"two"
    mask = os.umask(0)
    os.umask(mask)
    assert os.name != "posix" or (tmp_path / "a").stat().st_mode & 0o777 == 0o666 & ~mask
