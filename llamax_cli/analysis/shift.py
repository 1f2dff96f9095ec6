"""Which embeddings of tokens a tuned model has shifted: KS-Lottery (appendix E).

The values of a token's embedding before and after are two samples; a Kolmogorov-Smirnov test says whether they are of
one distribution. The paper counts the tokens with p below alpha, and averages their statistics.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from llamax_cli.analysis.embeddings import Matrix, input_embeddings, output_embeddings
from llamax_cli.analysis.kolmogorov_smirnov import p_value, statistics
from llamax_cli.errors import LlamaxError, ModelError
from llamax_cli.records import Shift, TokenShift
from llamax_cli.streams.run import Run
from llamax_cli.streams.tables import Table

ROWS = 256  # tokens that are tested at once
DIGITS = 6


@dataclass(frozen=True)
class ShiftRequest:
    """The two models, the significance level, and whether to write each token or the sum of it."""

    base: str
    tuned: str
    alpha: float
    layer: str = "embedding"
    tokens: bool = False
    table: str | None = None


def write_shifts(run: Run, request: ShiftRequest) -> None:
    """Write one record for the models, or with `tokens` one for each token."""
    run.write(_records(run, request), output=Table(run.settings.output, request.table) if request.table else None)


def _records(run: Run, request: ShiftRequest) -> Iterator[Any]:
    read = output_embeddings if request.layer == "output" else input_embeddings
    base, tuned = read(request.base), read(request.tuned)
    size, width = _common_size(run, request, base, tuned)
    names = _token_names(request, size)
    advance = run.start_phase("testing", size)
    shifted: list[TokenShift] = []
    for start in range(0, size, ROWS):
        rows = slice(start, min(start + ROWS, size))
        before, after = (
            _values(model, matrix, rows) for model, matrix in ((request.base, base), (request.tuned, tuned))
        )
        for token, distance in enumerate(statistics(before, after), start):
            record = TokenShift(
                token=names.get(token, f"<{token}>"),
                token_id=token,
                statistic=round(int(distance) / width, DIGITS),
                p=p_value(int(distance), width),
            )
            if record["p"] < request.alpha:
                shifted.append(record)
            if request.tokens:
                yield record
        advance(rows.stop - rows.start)
    summary = _summary(request, size, shifted)
    run.figures |= {key: value for key, value in summary.items() if key != "tokens"}
    if not request.tokens:
        yield summary


def _common_size(run: Run, request: ShiftRequest, base: Matrix, tuned: Matrix) -> tuple[int, int]:
    """Return the number of rows that both matrices have, and their width."""
    (rows, width), (tuned_rows, tuned_width) = base.rows.shape, tuned.rows.shape
    if width != tuned_width:
        raise ModelError(
            f"the embeddings of {request.base} have {width:,} dimensions, those of {request.tuned} {tuned_width:,}; "
            "only a model and what was tuned from it can be compared"
        )
    if rows != tuned_rows:
        larger, more = (request.tuned, tuned_rows - rows) if tuned_rows > rows else (request.base, rows - tuned_rows)
        run.remarks.append(f"{more:,} embeddings that only {larger} has are left out")
    return min(rows, tuned_rows), width


def _values(model: str, matrix: Matrix, rows: slice) -> "np.typing.NDArray[np.float32]":
    values: np.typing.NDArray[np.float32] = matrix.rows[rows].float().numpy()
    if not np.isfinite(values).all():
        token = rows.start + int(np.argwhere(~np.isfinite(values))[0][0])
        raise ModelError(f"{model}: {matrix.name} has a value that is not finite, in the row of token {token:,}")
    return values


def _token_names(request: ShiftRequest, size: int) -> dict[int, str]:
    """Return the tokens by id, as the tokenizer of either model writes them; none where neither has a tokenizer."""
    from llamax_cli.models.pretrained import load_tokenizer, silence

    silence()
    for model in (request.tuned, request.base):
        with suppress(LlamaxError):
            tokenizer = load_tokenizer(model)
            known = list(range(min(size, len(tokenizer))))
            return dict(zip(known, tokenizer.convert_ids_to_tokens(known), strict=True))
    return {}


def _summary(request: ShiftRequest, size: int, shifted: list[TokenShift]) -> Shift:
    shifted.sort(key=lambda record: (record["p"], -record["statistic"]))
    summary = Shift(
        base=request.base,
        tuned=request.tuned,
        layer=request.layer,
        alpha=request.alpha,
        n=size,
        shift_tokens=len(shifted),
        tokens=[record["token"] for record in shifted],
    )
    if shifted:
        summary["shift_distance"] = round(sum(record["statistic"] for record in shifted) / len(shifted), DIGITS)
    return summary
