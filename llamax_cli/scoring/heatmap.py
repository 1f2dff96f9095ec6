"""The all-pairs matrix as a picture: sources down, targets across."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np

from llamax_cli.errors import DataError, FileError, UsageError, because
from llamax_cli.languages import languages
from llamax_cli.outputs import partial
from llamax_cli.records import Score

ORDERS = ("family", "resource")
CELL = 0.16  # inches a language, at which a code of three letters can be read
LARGEST_WITH_NUMBERS = 20  # languages a side, up to which each cell has its score


def check(path: Path) -> None:
    """Raise UsageError where a picture cannot be drawn."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise UsageError('--heatmap needs matplotlib: pip install "llamax[plots]"')
    if path.suffix not in (".png", ".pdf", ".svg"):
        raise UsageError(f"--heatmap {path}: name a .png, .pdf or .svg")


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


def _paint(path: Path, grid: np.ndarray, sources: Sequence[str], targets: Sequence[str], name: str, order: str) -> None:
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
    if few:
        _write_numbers(axes, grid, image)
    figure.colorbar(image, ax=axes, label=name, shrink=0.8)
    _save(figure, path)


def _borders(codes: Sequence[str], order: str) -> list[int]:
    groups = [group(code, order) for code in codes]
    return [n for n in range(1, len(groups)) if groups[n] != groups[n - 1]]


def _write_numbers(axes: object, grid: np.ndarray, image: object) -> None:
    bright = np.nanmin(grid) + 0.6 * (np.nanmax(grid) - np.nanmin(grid))
    for (row, column), score in np.ndenumerate(grid):
        if not np.isnan(score):
            colour = "black" if score > bright else "white"
            axes.text(column, row, f"{score:.1f}", ha="center", va="center", fontsize=7.5, color=colour)  # type: ignore[attr-defined]


def _save(figure: object, path: Path) -> None:
    unfinished = partial(path)
    try:
        figure.savefig(unfinished, format=path.suffix[1:], metadata={"Date": None} if path.suffix == ".svg" else None)  # type: ignore[attr-defined]
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise FileError(f"{path}: {because(error)}") from error
