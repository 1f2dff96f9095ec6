"""The all-pairs matrix as a heat map: a row for each source language, a column for each target language."""

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llamax_cli.errors import DataError, FileError, UsageError, because
from llamax_cli.languages import Language, table_row
from llamax_cli.records import Score
from llamax_cli.streams.outputs import partial_path

GROUPS: dict[str, Callable[[Language], str]] = {"family": attrgetter("family"), "resource": attrgetter("resource")}
CELL_SIZE = 0.16  # inches, at which a code of three letters is legible
MAX_WITH_NUMBERS = 20  # languages on a side up to which each cell shows its score


def check_path(path: Path) -> None:
    """Raise UsageError or FileError, before anything is scored, if no heat map can be drawn at a path."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise UsageError('--heatmap needs matplotlib: pip install "llamax[plots]"')
    if path.suffix not in (".png", ".pdf", ".svg"):
        raise UsageError(f"--heatmap {path}: the name must end in .png, .pdf or .svg")
    if not path.parent.is_dir():
        raise FileError(f"{path}: no such file or directory")


def draw(path: Path, scores: Iterable[Score], order: str = "family") -> None:
    """Draw the scores of the first metric; languages of one family or resource group are next to each other."""
    scores = list(scores)
    if not scores:
        raise DataError(f"--heatmap {path}: there are no scores to draw")
    metric = scores[0]["metric"]
    cells = {(score["src_lang"], score["tgt_lang"]): score["score"] for score in scores if score["metric"] == metric}
    sources = sort_codes({source for source, _ in cells}, order)
    targets = sort_codes({target for _, target in cells}, order)
    grid = np.array([[cells.get((source, target), np.nan) for target in targets] for source in sources])
    _paint(path, grid, sources, targets, metric, order)


def sort_codes(codes: Collection[str], order: str) -> list[str]:
    """Return codes sorted by group, then by code: `sort_codes({"zu", "de", "en"}, "family") -> ["de", "en", "zu"]`."""
    return sorted(codes, key=lambda code: (group_of(code, order), code))


def group_of(code: str, order: str) -> str:
    """Return the family or the resource group of a language: `group_of("de", "resource") -> "high"`."""
    row = table_row(code)
    return GROUPS[order](row) if row else "other"


def _paint(
    path: Path, grid: NDArray[np.float64], sources: Sequence[str], targets: Sequence[str], name: str, order: str
) -> None:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = (max(3.2, 1.6 + CELL_SIZE * len(targets)), max(2.6, 1.2 + CELL_SIZE * len(sources)))
    is_small = max(grid.shape) <= MAX_WITH_NUMBERS
    scale = 1.9 if is_small else 1.0
    figure = Figure(figsize=(width * scale, height * scale), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    colours = matplotlib.colormaps["viridis"].with_extremes(bad="#e4e4e4")
    image = axes.imshow(grid, cmap=colours, aspect="equal", interpolation="nearest", vmin=min(0.0, np.nanmin(grid)))
    font_size = 9.0 if is_small else 6.0
    axes.set_xticks(range(len(targets)), targets, rotation=90, fontsize=font_size)
    axes.set_yticks(range(len(sources)), sources, fontsize=font_size)
    axes.tick_params(length=0, pad=2)
    axes.set_xlabel("target")
    axes.set_ylabel("source")
    for codes, line in ((targets, axes.axvline), (sources, axes.axhline)):
        for border in _borders(codes, order):
            line(border - 0.5, color="white", linewidth=1.2)
    _name_groups(axes, targets, order)
    if is_small:
        _write_numbers(axes, grid)
    figure.colorbar(image, ax=axes, label=name, shrink=0.8)
    _save(figure, path)


def _name_groups(axes: Any, codes: Sequence[str], order: str) -> None:
    """Write the name of each group above its columns if they are wide enough."""
    borders = [0, *_borders(codes, order), len(codes)]
    for start, end in pairwise(borders):
        if len(borders) > 2 and (end - start) * 30 >= len(codes):
            middle = (start + end - 1) / 2
            above = {"xy": (middle, 1.0), "xycoords": ("data", "axes fraction"), "xytext": (0, 4)}
            name = group_of(codes[start], order)
            axes.annotate(name, **above, textcoords="offset points", rotation=35, ha="left", va="bottom", fontsize=8.0)


def _borders(codes: Sequence[str], order: str) -> list[int]:
    """Return the indices at which a new group begins."""
    groups = [group_of(code, order) for code in codes]
    return [n for n in range(1, len(groups)) if groups[n] != groups[n - 1]]


def _write_numbers(axes: Any, grid: NDArray[np.float64]) -> None:
    threshold = np.nanmin(grid) + 0.6 * (np.nanmax(grid) - np.nanmin(grid))
    for (row, column), score in np.ndenumerate(grid):
        if not np.isnan(score):
            colour = "black" if score > threshold else "white"
            axes.text(column, row, f"{score:.1f}", ha="center", va="center", fontsize=7.5, color=colour)


def _save(figure: Any, path: Path) -> None:
    unfinished = partial_path(path)
    try:
        figure.savefig(unfinished, format=path.suffix[1:], metadata={"Date": None} if path.suffix == ".svg" else None)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise FileError(f"{path}: {because(error)}") from error
