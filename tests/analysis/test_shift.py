"""`llamax analyze shift` against scipy's test, row by row."""

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from support.processes import Outcome
from support.runs import model_folder

from llamax_cli.analysis.kolmogorov_smirnov import p_value, statistics

Llamax = Callable[..., Outcome]
NAME = "model.embed_tokens.weight"


def retuned(base: Path, folder: Path, change: Callable[[torch.Tensor], torch.Tensor]) -> Path:
    """Return a copy of a model with other embeddings."""
    shutil.copytree(base, folder)
    weights = load_file(folder / "model.safetensors")
    save_file({**weights, NAME: change(weights[NAME].clone()).contiguous()}, folder / "model.safetensors")
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small model."""
    return model_folder(tmp_path_factory.mktemp("base") / "model")


def parsed(done: Outcome) -> list[dict[str, Any]]:
    """Return the records of a run that went well."""
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def shifted(rows: torch.Tensor) -> torch.Tensor:
    """Return embeddings of which three rows differ."""
    rows[7] += 0.05
    rows[20] *= 2
    rows[30] = -rows[30] + 0.1
    return rows


def test_statistics_and_p_are_scipy_s(llamax: Llamax, base: Path, tmp_path: Path) -> None:
    """Of every token; the summary counts and names those below alpha, the most shifted first."""
    from scipy.stats import ks_2samp

    tuned = retuned(base, tmp_path / "tuned", shifted)
    rows = parsed(llamax("analyze", "shift", "--base", base, "--tuned", tuned, "--tokens"))
    before, after = (load_file(folder / "model.safetensors")[NAME].float().numpy() for folder in (base, tuned))
    assert len(rows) == len(before)
    for row, one, other in zip(rows, before, after, strict=True):
        expected = ks_2samp(one, other)
        assert row["statistic"] == pytest.approx(expected.statistic, abs=1e-6)
        assert row["p"] == pytest.approx(expected.pvalue, rel=1e-9)
    (summary,) = parsed(llamax("analyze", "shift", "--base", base, "--tuned", tuned, "--alpha", 0.9))
    chosen = sorted((row for row in rows if row["p"] < 0.9), key=lambda row: (row["p"], -row["statistic"]))
    assert summary["tokens"] == [row["token"] for row in chosen]
    assert {7, 20, 30} >= {row["token_id"] for row in chosen}
    assert summary["shift_tokens"] == len(chosen) > 0
    assert summary["shift_distance"] == pytest.approx(sum(row["statistic"] for row in chosen) / len(chosen), abs=1e-6)


VALUES = st.lists(st.sampled_from([-1.5, -0.0, 0.0, 1e-40, 0.25, 3.0]) | st.floats(-9, 9, width=16), min_size=2)


@given(VALUES, st.data())
def test_any_samples(first: list[float], data: st.DataObject) -> None:
    """With ties, zeros of both signs and values below the normal ones."""
    from scipy.stats import ks_2samp

    second = data.draw(
        st.lists(st.sampled_from(first) | st.floats(-9, 9, width=16), min_size=len(first), max_size=len(first))
    )
    one, other = (np.array([values], np.float32) for values in (first, second))
    n = len(first)
    (distance,) = statistics(one, other)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # for 1 / n scipy finds a p beyond 1, and takes another formula
        expected = ks_2samp(one[0], other[0], method="exact")
    assert distance / n == pytest.approx(expected.statistic, abs=1e-12)
    p = expected.pvalue if distance > 1 else 1.0
    assert p_value(int(distance), n) == pytest.approx(p, rel=1e-9, abs=1e-300)


def test_what_stayed_has_not_shifted(llamax: Llamax, base: Path) -> None:
    """Of a model and itself: no tokens, and so no distance."""
    (summary,) = parsed(llamax("analyze", "shift", "--base", base, "--tuned", base))
    assert (summary["shift_tokens"], summary["tokens"], "shift_distance" in summary) == (0, [], False)


def test_an_extended_vocabulary(llamax: Llamax, base: Path, tmp_path: Path) -> None:
    """The rows that both have are compared, whichever model has more."""
    larger = retuned(base, tmp_path / "larger", lambda rows: torch.cat([rows, rows[:5]]))
    for models in ((base, larger), (larger, base)):
        done = llamax("analyze", "shift", "--base", models[0], "--tuned", models[1])
        assert parsed(done)[0]["n"] == len(load_file(base / "model.safetensors")[NAME])
        assert f"5 embeddings that only {larger} has are left out" in done.stderr.decode()


def test_errors_are_one_line(llamax: Llamax, base: Path, tmp_path: Path) -> None:
    """Other dimensions, a value that is not a number, a folder that is no model, a file beside the models."""
    narrow = retuned(base, tmp_path / "narrow", lambda rows: rows[:, :8])
    broken = retuned(base, tmp_path / "broken", lambda rows: rows.index_fill(0, torch.tensor([3]), torch.nan))
    cases: list[tuple[list[object], int, str]] = [
        ([narrow], 1, "only a model and what was tuned from it can be compared"),
        ([broken], 1, f"{broken}: {NAME} has a value that is not finite, in the row of token 3"),
        ([tmp_path], 1, f"{tmp_path} is not a model folder"),
        ([base, __file__], 2, "Got unexpected extra argument"),
    ]
    for arguments, code, message in cases:
        done = llamax("analyze", "shift", "--base", base, "--tuned", *arguments)
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (code, b"", 1), done.stderr
        assert message in done.stderr.decode()
