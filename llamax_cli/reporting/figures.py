"""The figures of a report, each as wide as a page and in each of the formats that are asked for."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from llamax_cli.analysis.correlation import spearman
from llamax_cli.errors import UsageError
from llamax_cli.reporting.comparison import Comparison
from llamax_cli.reporting.systems import System
from llamax_cli.reporting.tables import task_mean
from llamax_cli.scoring.heatmap import group_of, sort_codes
from llamax_cli.scoring.segments import Direction
from llamax_cli.scoring.summary import BLEU_METRICS, OTHERS

FORMATS = ("png", "svg", "pdf")
WIDTH = 6.69  # inches: 17 cm, the width of a page
DPI = 220
# Okabe and Ito's palette, whose colours differ for all common kinds of colour vision, and marks that differ without it.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000", "#999999")
MARKS = {"o": 5.0, "s": 5.0, "D": 4.5, "^": 5.5, "v": 5.5, "P": 6.0, "*": 8.0, "X": 6.0}  # with sizes that look alike
SEQUENTIAL, DIVERGING, ABSENT = "cividis", "PuOr", "#e4e4e4"
MOST_BARS = 4  # systems with bars beside each other; of more there is a matrix
IN_A_ROW = 34  # languages beside each other at the width of a page
UNSEEN = "//"


class Figure(NamedTuple):
    """One figure: the stem of its files, and the drawing."""

    name: str
    drawing: Any


def check_formats(formats: Collection[str]) -> None:
    """Raise UsageError if no figure can be drawn in these formats."""
    from importlib.util import find_spec

    if unknown := [name for name in formats if name not in FORMATS]:
        raise UsageError(f"--figures {','.join(unknown)}: not among {', '.join(FORMATS)}, none")
    if formats and find_spec("matplotlib") is None:
        raise UsageError('figures need matplotlib: pip install "llamax[plots]", or leave them out with --figures none')


def save(figure: Figure, folder: Path, formats: Collection[str]) -> None:
    """Write a figure in each format; equal data make equal files."""
    for kind in formats:
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[kind]
        figure.drawing.savefig(folder / f"{figure.name}.{kind}", format=kind, metadata=metadata)


def figures(
    systems: Sequence[System],
    comparisons: Sequence[Comparison],
    gap: tuple[System, System] | None,
    seen: Collection[str] | None,
) -> Iterator[Figure]:
    """Yield the figures for which there are data; `seen` are the languages of a mixture."""
    for comparison in comparisons:
        if comparison.measure.metric in BLEU_METRICS:
            yield Figure(f"above-10-{comparison.measure}", draw_above(comparison))
        for row in [name for code in comparison.central[:1] for name in comparison.rows(code)]:
            yield Figure(f"by-language-{comparison.measure}-{row}", draw_by_language(comparison, row, seen))
        if gap and all(system in comparison.systems for system in gap):
            yield Figure(f"gap-{comparison.measure}", draw_gap(comparison, *gap))
        yield Figure(f"matrix-{comparison.measure}", draw_matrix(comparison, comparison.systems[0]))
    if any(system.tasks for system in systems):
        yield Figure("tasks", draw_tasks(systems))
    if any(system.fertility for system in systems) and any(system.cosine for system in systems):
        yield Figure("fertility", draw_fertility(systems))


def _new(height: float) -> Any:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Drawing

    matplotlib.rcParams.update({"svg.hashsalt": "llamax", "svg.fonttype": "none", "pdf.fonttype": 42})
    drawing = Drawing(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(drawing)
    return drawing


def _style(place: int) -> dict[str, Any]:
    """Return colour and mark of a system; after all colours the next marks come, so that none are alike."""
    turn = place // len(COLOURS)
    mark, size = list(MARKS.items())[(place + 3 * turn) % len(MARKS)]
    colour = COLOURS[place % len(COLOURS)]
    return {"color": colour, "marker": mark, "markersize": size, "markeredgecolor": "white", "markeredgewidth": 0.4}


def _plain(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7)


def draw_above(comparison: Comparison) -> Any:
    """Draw figure 1: directions above 10 spBLEU out of and into each central language, a mark for each system."""
    codes = [code for code in comparison.central if len(comparison.rows(code)) == 2]
    columns = min(3, max(1, len(codes)))
    lines = -(-len(codes) // columns) or 1
    drawing = _new(2.2 * lines + 0.8 + 0.13 * (len(comparison.systems) // 3))
    grid = drawing.subplots(lines, columns, squeeze=False)
    for axes in grid.flat[len(codes) :]:
        axes.set_axis_off()
    for axes, code in zip(grid.flat, codes, strict=False):
        out_of, into = (comparison.averages[row] for row in comparison.rows(code))
        for place, system in enumerate(comparison.systems):
            if system.name in out_of and system.name in into:
                point = into[system.name]["above_10"], out_of[system.name]["above_10"]
                axes.plot(*point, linestyle="", **_style(place))
        most = max(row["directions"] for row in (*out_of.values(), *into.values()))
        axes.plot([0, most], [0, most], color="#bbbbbb", linewidth=0.6, zorder=0)
        axes.set_xlim(-0.04 * most, 1.04 * most)
        axes.set_ylim(-0.04 * most, 1.04 * most)
        axes.set_xlabel(f"into {code} above 10", fontsize=7)
        axes.set_ylabel(f"out of {code} above 10", fontsize=7)
        _plain(axes)
    _legend(drawing, comparison.systems)
    return drawing


def _legend(drawing: Any, systems: Sequence[System]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], linestyle="", label=system.name, **_style(n)) for n, system in enumerate(systems)]
    drawing.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)), fontsize=6.5, frameon=False)


def draw_by_language(comparison: Comparison, row: str, seen: Collection[str] | None) -> Any:
    """Draw figures 4 and 5: the scores of a row by language; bars of up to four systems, a matrix of more."""
    systems = [system for system in comparison.systems if system.name in comparison.averages[row]]
    codes = sort_codes(comparison.shared[row], "family")
    values = np.array([[comparison.score(system, row, code) for code in codes] for system in systems], float)
    if len(systems) > MOST_BARS:
        return _draw_strip(values, codes, [system.name for system in systems], comparison, row, seen)
    lines = -(-len(codes) // IN_A_ROW)
    per_line = -(-len(codes) // lines)
    drawing = _new(1.25 * lines + 0.7)
    top = 1.05 * max(1.0, float(values.max()))
    for line, axes in enumerate(drawing.subplots(lines, 1, squeeze=False).flat):
        part = slice(line * per_line, (line + 1) * per_line)
        _draw_bars(axes, values[:, part], codes[part], seen, per_line)
        axes.set_ylim(min(0.0, float(values.min())), top)
        axes.set_ylabel(comparison.label, fontsize=7)
    _bar_legend(drawing, [system.name for system in systems], row, seen)
    return drawing


def _draw_bars(
    axes: Any, values: NDArray[np.float64], codes: Sequence[str], seen: Collection[str] | None, places: int
) -> None:
    width = 0.84 / len(values)
    is_seen = [seen is None or code in seen for code in codes]
    for place, of_system in enumerate(values):
        left = np.arange(len(codes)) - 0.42 + (place + 0.5) * width
        bars = axes.bar(left, of_system, width, color=COLOURS[place])
        for bar, bar_is_seen in zip(bars, is_seen, strict=True):
            if not bar_is_seen:
                bar.set(facecolor="white", edgecolor=COLOURS[place], linewidth=0.5, hatch=UNSEEN * 2)
    axes.set_xticks(range(len(codes)), codes, rotation=90)
    axes.set_xlim(-0.6, places - 0.4)
    _plain(axes)
    axes.tick_params(axis="x", length=0, pad=1)


def _bar_legend(drawing: Any, names: Sequence[str], title: str, seen: Collection[str] | None) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=COLOURS[place], label=name) for place, name in enumerate(names)]
    if seen is not None:
        handles.append(Patch(facecolor="white", edgecolor="#444444", hatch=UNSEEN * 2, label="not in the mixture"))
    drawing.legend(
        handles=handles, loc="outside upper center", ncols=min(5, len(handles)), fontsize=7, frameon=False,
        title=title, title_fontsize=7,
    )  # fmt: skip


def _draw_strip(
    values: NDArray[np.float64],
    codes: Sequence[str],
    names: Sequence[str],
    comparison: Comparison,
    row: str,
    seen: Collection[str] | None,
) -> Any:
    """Draw a matrix with a row for each language, in two halves beside each other, and a column for each system."""
    half = -(-len(codes) // 2)
    drawing = _new(0.135 * half + 1.9)
    image = None
    for axes, start in zip(drawing.subplots(1, 2), (0, half), strict=True):
        part = codes[start : start + half]
        grid = np.full((half, len(names)), np.nan)
        grid[: len(part)] = values[:, start : start + half].T
        limits = min(0.0, float(np.nanmin(values))), float(np.nanmax(values))
        image = _paint(axes, grid, _better_is_last(SEQUENTIAL, comparison), limits)
        shown = [code if seen is None or code in seen else f"{code} *" for code in part]
        axes.set_yticks(range(len(part)), shown, fontsize=6)
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
        axes.set_aspect("auto")
    _add_colour_bar(drawing, image, f"{comparison.label}, {row}")
    if seen is not None:
        drawing.supxlabel("* not in the mixture", fontsize=6)
    return drawing


def _add_colour_bar(drawing: Any, image: Any, label: str) -> None:
    bar = drawing.colorbar(image, ax=drawing.axes, location="top", aspect=50, shrink=0.6)
    bar.set_label(label, fontsize=7)
    bar.ax.tick_params(labelsize=6)


def _paint(axes: Any, grid: NDArray[np.float64], colours: str, limits: tuple[float, float]) -> Any:
    import matplotlib

    palette = matplotlib.colormaps[colours].with_extremes(bad=ABSENT)
    image = axes.imshow(grid, cmap=palette, vmin=limits[0], vmax=limits[1], interpolation="nearest")
    axes.tick_params(length=0, pad=2)
    return image


def _better_is_last(colours: str, comparison: Comparison) -> str:
    """Return a scale of colours whose end is the better score."""
    return f"{colours}_r" if comparison.lower_is_better else colours


def draw_matrix(comparison: Comparison, system: System) -> Any:
    """Draw the scores of one system, a row for each source language and a column for each target language."""
    cells = system.cells(comparison.measure)
    values = list(cells.values())
    colours = _better_is_last(SEQUENTIAL, comparison)
    return _draw_cells(cells, colours, (min(0.0, *values), max(values)), f"{comparison.label} of {system.name}")


def draw_gap(comparison: Comparison, first: System, second: System) -> Any:
    """Draw figure 7: the second system's score less the first one's, in each direction that both have.

    The colours are those of better and worse, whichever of the scores is higher.
    """
    ours, theirs = first.cells(comparison.measure), second.cells(comparison.measure)
    cells = {direction: theirs[direction] - score for direction, score in ours.items() if direction in theirs}
    most = max((abs(value) for value in cells.values()), default=0.0) or 1.0
    colours = _better_is_last(DIVERGING, comparison)
    return _draw_cells(cells, colours, (-most, most), f"{comparison.label}: {second.name} less {first.name}")


def _draw_cells(cells: Mapping[Direction, float], colours: str, limits: tuple[float, float], label: str) -> Any:
    """Draw directions as a matrix; where nearly all are around a few languages, a column for each of their rows."""
    sources = sort_codes({source for source, _ in cells}, "family")
    targets = sort_codes({target for _, target in cells}, "family")
    codes = sort_codes({*sources, *targets}, "family")
    counts = {code: sum(code in direction for direction in cells) for code in codes}
    centres = [code for code in codes if counts[code] >= len(codes)]
    if len(cells) * 2 < len(sources) * len(targets) and centres:
        return _draw_star(cells, codes, centres, colours, limits, label)
    drawing = _new(WIDTH)
    axes = drawing.subplots()
    grid = np.array([[cells.get((source, target), np.nan) for target in targets] for source in sources])
    image = _paint(axes, grid, colours, limits)
    size = min(7.0, 500 / max(grid.shape))
    axes.set_xticks(range(len(targets)), _staggered(targets), rotation=90, fontsize=size)
    axes.set_yticks(range(len(sources)), _staggered(sources), fontsize=size)
    axes.set_xlabel("target", fontsize=7)
    axes.set_ylabel("source", fontsize=7)
    for names, line in ((targets, axes.axvline), (sources, axes.axhline)):
        for place in range(1, len(names)):
            if group_of(names[place], "family") != group_of(names[place - 1], "family"):
                line(place - 0.5, color="white", linewidth=0.8)
    _add_colour_bar(drawing, image, label)
    return drawing


def _staggered(codes: Sequence[str]) -> list[str]:
    """Return labels of which, where there are many, every second one is farther from the matrix, for larger letters."""
    far = "          " if len(codes) > IN_A_ROW else ""
    return [code + far * (place % 2) for place, code in enumerate(codes)]


def _draw_star(
    cells: Mapping[Direction, float],
    codes: Sequence[str],
    centres: Sequence[str],
    colours: str,
    limits: tuple[float, float],
    label: str,
) -> Any:
    rows = [name for code in centres for name in (f"{code}-{OTHERS}", f"{OTHERS}-{code}")]
    half = -(-len(codes) // 2)
    drawing = _new(0.135 * half + 1.4)
    image = None
    for axes, start in zip(drawing.subplots(1, 2), (0, half), strict=True):
        part = codes[start : start + half]
        grid = np.full((half, len(rows)), np.nan)
        for place, code in enumerate(part):
            for column, centre in enumerate(centres):
                grid[place, 2 * column] = cells.get((centre, code), np.nan)
                grid[place, 2 * column + 1] = cells.get((code, centre), np.nan)
        image = _paint(axes, grid, colours, limits)
        axes.set_yticks(range(len(part)), part, fontsize=6)
        axes.set_xticks(range(len(rows)), rows, rotation=90, fontsize=6.5)
        axes.set_aspect("auto")
    _add_colour_bar(drawing, image, label)
    return drawing


def draw_tasks(systems: Sequence[System]) -> Any:
    """Draw figure 3: the results of tasks, bars of each system."""
    having = [system for system in systems if system.tasks]
    tasks = list(dict.fromkeys(task for system in having for task in system.tasks))
    drawing = _new(2.6)
    axes = drawing.subplots()
    width = 0.84 / len(having)
    for place, system in enumerate(having):
        values = [task_mean(having, system, task) for task in tasks]
        left = np.arange(len(tasks)) - 0.42 + (place + 0.5) * width
        axes.bar(
            left,
            [np.nan if value is None else value for value in values],
            width,
            label=system.name,
            color=COLOURS[place % len(COLOURS)],
            hatch=UNSEEN if place >= len(COLOURS) else None,
        )
    axes.set_xticks(range(len(tasks)), tasks, rotation=0 if len(tasks) < 6 else 30)
    axes.set_ylabel("percent", fontsize=7)
    _plain(axes)
    drawing.legend(loc="outside upper center", ncols=min(4, len(having)), fontsize=7, frameon=False)
    return drawing


def draw_fertility(systems: Sequence[System]) -> Any:
    """Draw figure 6: likeness to English against fertility, with Spearman's correlation and its interval."""
    drawing = _new(3.6)
    axes = drawing.subplots()
    for place, system in enumerate(systems):
        codes = [code for code in system.fertility if code in system.cosine]
        if not codes:
            continue
        across, up = ([figures[code] for code in codes] for figures in (system.fertility, system.cosine))
        found = spearman(across, up)
        label = system.name
        if found is not None:
            label += f": Spearman {found.value:.2f} (95 %: {found.low:.2f} to {found.high:.2f}), {found.n} languages"
        axes.plot(across, up, linestyle="", label=label, **_style(place))
        for code, x, y in zip(codes, across, up, strict=True):
            axes.annotate(code, (x, y), xytext=(2, 2), textcoords="offset points", fontsize=5, color="#444444")
    axes.set_xlabel("fertility, tokens a word", fontsize=7)
    axes.set_ylabel("cosine with English", fontsize=7)
    _plain(axes)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7, frameon=False)
    return drawing
