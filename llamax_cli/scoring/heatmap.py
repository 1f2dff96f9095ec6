"""The all-pairs matrix as a heat map: a row for each source language, a column for each target language.

It is drawn for a page: at most 17 cm wide, with every language and every group named in letters of a size that can be
read in print. Where rows are lower than letters, the names of the languages stand in several columns, and those of
groups are moved apart; thin lines lead to their places.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from io import BytesIO
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from statistics import fmean
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llamax_cli.console import counted
from llamax_cli.errors import DataError, FileError, UsageError
from llamax_cli.languages import Language, table_row
from llamax_cli.records import Record, Score
from llamax_cli.scoring.metrics import is_lower_better
from llamax_cli.streams.outputs import write_whole

GROUPS: dict[str, Callable[[Language], str]] = {"family": attrgetter("family"), "resource": attrgetter("resource")}
MAX_WITH_NUMBERS = 20  # languages on a side up to which each cell shows its score
# Lengths are in points, 72 to the inch.
MATRIX = 368.0  # of the longer side, about 13 cm, which leaves room for names on a page
LARGEST_CELL = 26.0
LETTERS, SMALL_LETTERS, SMALLEST_LETTERS = 8.0, 6.5, 5.5
LINE = 1.2  # between the lines of text, as a multiple of the size of letters
GAP = 3.0  # between things
LEVEL_GAP = 2.0
BOLD = 1.2  # of the width of letters
LEAD = 14.0  # of the lines to the names of groups
SCALE = 10.0 + 2 * LINE * SMALL_LETTERS + GAP  # the colours and what they mean
NAMES = {"spbleu": "spBLEU", "chrf++": "chrF++", "chrf": "chrF", "bleu": "BLEU", "ter": "TER", "comet": "COMET"}
GREY = "#8a8a8a"
Point: TypeAlias = tuple[float, float]
Place: TypeAlias = Callable[[float, float], Point]  # from an index and a distance from the matrix


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
    metric, signature = scores[0]["metric"], scores[0].get("signature", "")
    cells = {(score["src_lang"], score["tgt_lang"]): score["score"] for score in scores if score["metric"] == metric}
    sources = sort_codes({source for source, _ in cells}, order)
    targets = sort_codes({target for _, target in cells}, order)
    grid = np.array([[cells.get((source, target), np.nan) for target in targets] for source in sources])
    _paint(path, grid, sources, targets, metric, order, is_error=is_lower_better(metric, signature))


def draw_differences(path: Path, rows: Sequence[Record], order: str = "family") -> None:
    """Draw the `difference` of two systems by the first metric; worse in other colours, and white where it is 0."""
    if not rows:
        raise DataError(f"--heatmap {path}: there are no differences to draw")
    metric, signature = rows[0]["metric"], rows[0].get("signature", "")
    cells = {(row["src_lang"], row["tgt_lang"]): row["difference"] for row in rows if row["metric"] == metric}
    sources = sort_codes({source for source, _ in cells}, order)
    targets = sort_codes({target for _, target in cells}, order)
    grid = np.array([[cells.get((source, target), np.nan) for target in targets] for source in sources])
    is_error = is_lower_better(metric, signature)
    _paint(path, grid, sources, targets, metric, order, is_error=is_error, is_signed=True)


def sort_codes(codes: Collection[str], order: str) -> list[str]:
    """Return codes sorted by group, then by code: `sort_codes({"zu", "de", "en"}, "family") -> ["de", "en", "zu"]`."""
    return sorted(codes, key=lambda code: (group_of(code, order), code))


def group_of(code: str, order: str) -> str:
    """Return the family or the resource group of a language: `group_of("de", "resource") -> "high"`."""
    row = table_row(code)
    return GROUPS[order](row) if row else "other"


def _paint(
    path: Path,
    grid: NDArray[np.float64],
    sources: Sequence[str],
    targets: Sequence[str],
    metric: str,
    order: str,
    *,
    is_error: bool,
    is_signed: bool = False,
) -> None:
    cell = min(LARGEST_CELL, MATRIX / max(grid.shape))
    height, width = cell * len(sources), cell * len(targets)
    letters = LETTERS if cell >= LINE * LETTERS else SMALLEST_LETTERS
    rows, columns = _Names(sources, cell, letters), _Names(targets, cell, letters)
    row_groups, column_groups = _Groups(sources, cell, order), _Groups(targets, cell, order)
    name = NAMES.get(metric, metric) + (" (lower is better)" if is_error else "")
    what = f"difference of {name} in" if is_signed else f"{name} of"
    title = f"{what} {counted(int(np.sum(~np.isnan(grid))), 'translation direction')}"
    left = 2 * GAP + LINE * LETTERS + rows.depth
    bottom = 2 * GAP + SCALE + LINE * LETTERS + columns.depth
    page = _Page(
        max(left + width + row_groups.depth, 4 * GAP + BOLD * _width(title, LETTERS)),
        bottom + height + column_groups.depth + 2 * GAP + LINE * LETTERS,
    )
    colours = ("PuOr" if is_signed else "viridis") + ("_r" if is_error else "")  # the end is the better score
    image = page.matrix(
        grid, (left, bottom, width, height), row_groups.borders, column_groups.borders, colours, is_signed=is_signed
    )
    page.scale(
        image,
        f"{name}; light grey: {'not compared' if is_signed else 'no score'}",
        (left, bottom - columns.depth - LINE * LETTERS - GAP, width),
    )

    def row(place: float, distance: float) -> tuple[float, float]:
        """Return a point to the left of a row, to the right of the matrix if the distance is negative."""
        return (left - distance if distance >= 0 else left + width - distance, bottom + height - (place + 0.5) * cell)

    def column(place: float, distance: float) -> tuple[float, float]:
        """Return a point below a column, above the matrix if the distance is negative."""
        return (left + (place + 0.5) * cell, bottom - distance if distance >= 0 else bottom + height - distance)

    rows.draw(page, row, ha="right", va="center_baseline")
    columns.draw(page, column, ha="center", va="top", rotation=90)
    row_groups.draw(page, row, ha="left", va="center_baseline")
    column_groups.draw(page, column, ha="center", va="bottom", rotation=90)
    if max(grid.shape) <= MAX_WITH_NUMBERS:
        page.numbers(grid, row, column, is_error=is_error, is_signed=is_signed)
    centred = {"ha": "center", "va": "center", "size": LETTERS}
    half = GAP + LINE * LETTERS / 2
    page.text((half, bottom + height / 2), "source language", rotation=90, **centred)
    page.text((left + width / 2, bottom - columns.depth - LINE * LETTERS / 2), "target language", **centred)
    page.text((page.width / 2, page.height - half), title, weight="bold", **centred)
    _save(page.figure, path)


class _Page:
    """A figure in which places and lengths are in points, from the lower left corner."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / 72, height / 72), dpi=300)
        FigureCanvasAgg(self.figure)
        self._sheet = self._axes((0, 0, width, height))
        self._sheet.set(xlim=(0, width), ylim=(0, height))
        self._sheet.axis("off")
        self._sheet.set_zorder(1)  # above the matrix

    def _axes(self, box: Sequence[float]) -> Any:
        left, bottom, width, height = box
        return self.figure.add_axes((left / self.width, bottom / self.height, width / self.width, height / self.height))

    def text(self, point: Point, text: str, **how: Any) -> None:
        """Write a text at a point."""
        self._sheet.text(*point, text, **how)

    def line(self, *points: Point) -> None:
        """Draw a thin line."""
        self._sheet.plot(*zip(*points, strict=True), color=GREY, linewidth=0.4, solid_capstyle="butt")

    def matrix(
        self,
        grid: NDArray[np.float64],
        box: Sequence[float],
        rows: list[int],
        columns: list[int],
        colours: str,
        *,
        is_signed: bool,
    ) -> Any:
        """Draw the scores as colours, and white lines at the borders of groups; return the image."""
        import matplotlib

        axes = self._axes(box)
        most = float(np.nanmax(np.abs(grid))) or 1.0
        low, high = (-most, most) if is_signed else (min(0.0, float(np.nanmin(grid))), None)
        palette = matplotlib.colormaps[colours].with_extremes(bad="#e4e4e4")
        image = axes.imshow(grid, cmap=palette, aspect="auto", interpolation="nearest", vmin=low, vmax=high)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        for borders, line in ((rows, axes.axhline), (columns, axes.axvline)):
            for border in borders[1:-1]:
                line(border - 0.5, color="white", linewidth=0.7)
        return image

    def scale(self, image: Any, label: str, top: tuple[float, float, float]) -> None:
        """Draw which colour is which score; `top` is the upper left corner and the width."""
        left, y, width = top
        bar = self.figure.colorbar(image, cax=self._axes((left, y - 7, width, 7)), orientation="horizontal")
        bar.ax.tick_params(labelsize=SMALL_LETTERS, length=2, width=0.5, pad=1.5)
        bar.outline.set_linewidth(0.5)
        middle = max(left + width / 2, GAP + _width(label, SMALL_LETTERS) / 2)
        self.text((middle, y - 10 - LINE * SMALL_LETTERS), label, size=SMALL_LETTERS, ha="center", va="top")

    def numbers(self, grid: NDArray[np.float64], row: Place, column: Place, *, is_error: bool, is_signed: bool) -> None:
        """Write its score into each cell."""
        low = min(0.0, np.nanmin(grid))
        share = 0.4 if is_error else 0.6
        threshold = low + share * (np.nanmax(grid) - low)
        most = np.nanmax(np.abs(grid))
        for (source, target), score in np.ndenumerate(grid):
            if not np.isnan(score):
                is_pale = abs(score) < 0.6 * most or not most if is_signed else (score > threshold) != is_error
                colour = "black" if is_pale else "white"
                point = (column(target, 0)[0], row(source, 0)[1])
                self.text(point, f"{score:.1f}", size=SMALL_LETTERS, color=colour, ha="center", va="center_baseline")


def _width(text: str, size: float) -> float:
    """Return how wide a text is in letters of a size."""
    from matplotlib.textpath import TextPath

    return float(TextPath((0, 0), text, size=size).get_extents().width)


class _Names:
    """The names of languages, on as many levels as they need; `depth` is the distance to the end of the longest."""

    def __init__(self, codes: Sequence[str], cell: float, letters: float) -> None:
        self._letters = letters
        levels = int(np.ceil(LINE * letters / cell))
        widths = [_width(code, letters) for code in codes]
        distances: list[float] = []
        for number in range(len(codes)):
            # The name begins past its neighbours on the level below; the first of a level comes before them.
            level = number % levels
            neighbours = [n for n in range(number - levels + 1, number + levels) if n % levels == level - 1]
            ends = [widths[n] + LEVEL_GAP for n in neighbours if 0 <= n < len(codes)] if level else []
            distances.append(GAP + (max(ends, default=0.0) if level < 2 else level * (max(widths) + LEVEL_GAP)))
        self._places = list(zip(codes, distances, strict=True))
        self.depth = GAP + max(map(sum, zip(distances, widths, strict=True)))

    def draw(self, page: _Page, point: Place, **how: Any) -> None:
        """Write the names, with lines to those that are away from the matrix."""
        for number, (code, distance) in enumerate(self._places):
            if distance > GAP:
                page.line(point(number, 1), point(number, distance - 1))
            page.text(point(number, distance), code, size=self._letters, **how)


class _Groups:
    """The names of groups, each at the middle of its languages or as near as there is room."""

    def __init__(self, codes: Sequence[str], cell: float, order: str) -> None:
        self.borders = [0, *_borders(codes, order), len(codes)]
        names = [group_of(codes[start], order) for start in self.borders[:-1]]
        self._names = [f"{name} resource" if order == "resource" and name != "other" else name for name in names]
        self._middles = [(start + end - 1) / 2 for start, end in pairwise(self.borders)]
        self._places = spread(self._middles, LINE * SMALL_LETTERS / cell, -0.5, len(codes) - 0.5)
        self.depth = LEAD + 2 * GAP + max(_width(name, SMALL_LETTERS) for name in self._names)

    def draw(self, page: _Page, point: Place, **how: Any) -> None:
        """Draw a bracket along each group, its name, and a line between them."""
        for (start, end), middle, place, name in zip(
            pairwise(self.borders), self._middles, self._places, self._names, strict=True
        ):
            page.line(point(start - 0.3, -2), point(end - 0.7, -2))
            page.line(point(middle, -2), point(middle, -4), point(place, -LEAD + 2), point(place, -LEAD))
            page.text(point(place, -LEAD - 1.5), name, size=SMALL_LETTERS, **how)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places at least `gap` apart, in the same order, as near the wanted ones as that allows.

    They are between `low` and `high` if there is room. `spread([1, 1.5, 9], 2, 0, 10) -> [0.25, 2.25, 9]`.
    """
    blocks: list[list[float]] = []  # of places that touch; their mean stays
    for number, place in enumerate(wanted):
        blocks.append([place - number * gap])
        while len(blocks) > 1 and fmean(blocks[-2]) > fmean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    starts = [fmean(block) for block in blocks for _ in block]
    last = high - (len(wanted) - 1) * gap
    return [max(low, min(start, last)) + number * gap for number, start in enumerate(starts)]


def _borders(codes: Sequence[str], order: str) -> list[int]:
    """Return the indices at which a new group begins."""
    groups = [group_of(code, order) for code in codes]
    return [n for n in range(1, len(groups)) if groups[n] != groups[n - 1]]


def _save(figure: Any, path: Path) -> None:
    """Write the figure, as the same bytes whenever it is drawn."""
    import matplotlib

    drawn = BytesIO()
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix)
    with matplotlib.rc_context({"svg.hashsalt": "llamax"}):
        figure.savefig(drawn, format=path.suffix[1:], metadata=metadata)
    write_whole(path, drawn.getvalue())
