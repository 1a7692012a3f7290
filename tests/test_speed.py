"""The benchmark runs and says what it should; how fast is not for a test to judge."""

import numpy as np

from experiments.speed import CLAIM_PEOPLE, main

MEASURES = {
    "speed", "birth", "arrays", "calling the kernel for a week", "a week without a use", "a use",
    "answering the survey", "hearing, a person-week", "closing a window, a person",
    "start, import", "start, presence", "start, run", "start, whole",
}  # fmt: skip


def test_the_fast_form_measures_everything_but_a_cold_start(tmp_path, capsys):
    table = main(fast=True, folder=tmp_path)
    assert set(table.measure) - {"resident"} == MEASURES
    speeds = table[table.measure == "speed"]
    assert list(zip(speeds.people, speeds.threads, strict=True)) == [
        (people, threads) for people in (1_000, CLAIM_PEOPLE) for threads in (1, 2)
    ]
    figures = table[["low", "median", "high"]].to_numpy()
    noisy = table.measure.isin(["a week without a use", "answering the survey"]).to_numpy()  # differences of timings
    assert np.isfinite(figures).all() and (figures[~noisy] > 0).all()
    assert (np.diff(figures) >= 0).all()
    assert capsys.readouterr().out.startswith("Claim: 5 million person-weeks a second")
    assert {path.suffix for path in tmp_path.iterdir()} == {".parquet", ".png", ".svg"}
