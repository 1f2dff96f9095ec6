"""The all-pairs matrix as a picture: sources down, targets across."""

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llamax_cli.errors import DataError, FileError, UsageError, because
from llamax_cli.languages import languages
from llamax_cli.records import Score
from llamax_cli.streams.outputs import partial_path

ORDERS = ("family", "resource")
CELL = 0.16  # inches a language, at which a code of three letters can be read
LARGEST_WITH_NUMBERS = 20  # languages a side, up to which each cell has its score


def check(path: Path) -> None:
    """Raise UsageError or FileError where a picture cannot be drawn, before anything is scored."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise UsageError('--heatmap needs matplotlib: pip install "llamax[plots]"')
    if path.suffix not in (".png", ".pdf", ".svg"):
        raise UsageError(f"--heatmap {path}: name a .png, .pdf or .svg")
    if not path.parent.is_dir():
        raise FileError(f"{path}: no such file or directory")


def draw(path: Path, scores: Iterable[Score], order: str = "family") -> None:
    """Draw the scores of the first metric there is; languages of one family or resource group stand together."""
    scores = list(scores)
    if not scores:
        raise DataError(f"--heatmap {path}: there are no scores to draw")
    metric = scores[0]["metric"]
    cells = {(each["src_lang"], each["tgt_lang"]): each["score"] for each in scores if each["metric"] == metric}
    sources = ordered({source for source, _ in cells}, order)
    targets = ordered({target for _, target in cells}, order)
    grid = np.array([[cells.get((source, target), np.nan) for target in targets] for source in sources])
    _paint(path, grid, sources, targets, metric, order)


def ordered(codes: Collection[str], order: str) -> list[str]:
    """Return codes in their groups: `ordered({"zu", "de", "en"}, "family") -> ["de", "en", "zu"]`."""
    return sorted(codes, key=lambda code: (group(code, order), code))


def group(code: str, order: str) -> str:
    """Return the family or the resource group of a language: `group("de", "resource") -> "high"`."""
    return getattr(languages()[code], order) if code in languages() else "other"


def _paint(
    path: Path, grid: NDArray[np.float64], sources: Sequence[str], targets: Sequence[str], name: str, order: str
) -> None:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = (max(3.2, 1.6 + CELL * len(targets)), max(2.6, 1.2 + CELL * len(sources)))
    few = max(grid.shape) <= LARGEST_WITH_NUMBERS
    figure = Figure(figsize=(size[0] * 1.9, size[1] * 1.9) if few else size, dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    colours = matplotlib.colormaps["viridis"].with_extremes(bad="#e4e4e4")
    image = axes.imshow(grid, cmap=colours, aspect="equal", interpolation="nearest", vmin=min(0.0, np.nanmin(grid)))
    letters = 9.0 if few else 6.0
    axes.set_xticks(range(len(targets)), targets, rotation=90, fontsize=letters)
    axes.set_yticks(range(len(sources)), sources, fontsize=letters)
    axes.tick_params(length=0, pad=2)
    axes.set_xlabel("target")
    axes.set_ylabel("source")
    for codes, line in ((targets, axes.axvline), (sources, axes.axhline)):
        for place in _borders(codes, order):
            line(place - 0.5, color="white", linewidth=1.2)
    _name_groups(axes, targets, order)
    if few:
        _write_numbers(axes, grid)
    figure.colorbar(image, ax=axes, label=name, shrink=0.8)
    _save(figure, path)


def _name_groups(axes: Any, codes: Sequence[str], order: str) -> None:
    """Write the name of each group above it, where it is wide enough."""
    borders = [0, *_borders(codes, order), len(codes)]
    for start, end in pairwise(borders):
        if len(borders) > 2 and (end - start) * 30 >= len(codes):
            middle = (start + end - 1) / 2
            above = {"xy": (middle, 1.0), "xycoords": ("data", "axes fraction"), "xytext": (0, 4)}
            name = group(codes[start], order)
            axes.annotate(name, **above, textcoords="offset points", rotation=35, ha="left", va="bottom", fontsize=8.0)


def _borders(codes: Sequence[str], order: str) -> list[int]:
    groups = [group(code, order) for code in codes]
    return [n for n in range(1, len(groups)) if groups[n] != groups[n - 1]]


def _write_numbers(axes: Any, grid: NDArray[np.float64]) -> None:
    bright = np.nanmin(grid) + 0.6 * (np.nanmax(grid) - np.nanmin(grid))
    for (row, column), score in np.ndenumerate(grid):
        if not np.isnan(score):
            colour = "black" if score > bright else "white"
            axes.text(column, row, f"{score:.1f}", ha="center", va="center", fontsize=7.5, color=colour)


def _save(figure: Any, path: Path) -> None:
    unfinished = partial_path(path)
    try:
        figure.savefig(unfinished, format=path.suffix[1:], metadata={"Date": None} if path.suffix == ".svg" else None)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise FileError(f"{path}: {because(error)}") from error
