"""The page of a report: one file that needs no network and nothing else."""

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llamax_cli.languages import name_of, table_row
from llamax_cli.reporting.comparison import Comparison
from llamax_cli.reporting.systems import Measure, Segment, System
from llamax_cli.reporting.tables import average_sheets
from llamax_cli.scoring.metrics import MetricSettings, load_metric
from llamax_cli.scoring.segments import Direction

TEMPLATE = Path(__file__).with_name("page.html")
ABSENT = 65535
MOST_TEXT = 1_200_000  # characters of translations in a page, so that it stays below 3 MB with several systems
MARK = "/*DATA*/"


def make_page(systems: Sequence[System], comparisons: Sequence[Comparison], notes: Sequence[str]) -> str:
    """Return the page as HTML; all data are in it, as JSON that no text can end early."""
    codes = sorted(
        {
            code
            for comparison in comparisons
            for system in comparison.systems
            for pair in system.cells(comparison.measure)
            for code in pair
        }
        | {code for system in systems for pair in system.segments for code in pair}
    )
    data = {
        "systems": [system.name for system in systems],
        "languages": [_language(code) for code in codes],
        "measures": [_measure(comparison, systems, codes) for comparison in comparisons],
        "segments": list(_segments(systems)),
        "notes": list(notes),
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    before, _, after = TEMPLATE.read_text(encoding="utf-8").partition(MARK)
    return before + text + after


def _language(code: str) -> dict[str, str]:
    entry = table_row(code)
    family, script, resource = (entry.family, entry.script, entry.resource) if entry else ("other",) * 3
    return {"code": code, "name": name_of(code), "family": family, "script": script, "resource": resource}


def _measure(comparison: Comparison, systems: Sequence[System], codes: Sequence[str]) -> dict[str, Any]:
    low = min(0.0, *(min(system.cells(comparison.measure).values(), default=0.0) for system in comparison.systems))
    return {
        "name": str(comparison.measure),
        "low": low,
        "isError": comparison.lower_is_better,
        "grids": [encode_grid(system, comparison.measure, codes, low) for system in systems],
        "sheets": [
            {
                "title": sheet.title,
                "head": list(sheet.rows[0]),
                "rows": [[row.get(key) for key in sheet.rows[0]] for row in sheet.rows],
            }
            for sheet in average_sheets(comparison, ())
        ],
    }


def encode_grid(system: System, measure: Measure, codes: Sequence[str], low: float = 0.0) -> str:
    """Return the scores above `low` in hundredths, two bytes each, sources in rows, in base64; "" if there are none."""
    cells = system.cells(measure)
    if not cells:
        return ""
    place = {code: n for n, code in enumerate(codes)}
    grid = np.full((len(codes), len(codes)), ABSENT, "<u2")
    for (source, target), score in cells.items():
        grid[place[source], place[target]] = min(ABSENT - 1, round(100 * (score - low)))
    return base64.b64encode(grid.tobytes()).decode()


def _segments(systems: Sequence[System]) -> Iterator[dict[str, Any]]:
    """Yield the translations of each direction side by side, with chrF++ where there are references."""
    having = [system for system in systems if system.segments]
    directions: list[Direction] = list(dict.fromkeys(pair for system in having for pair in system.segments))
    budget = MOST_TEXT // max(1, len(directions))
    for direction in directions:
        present = [system for system in having if direction in system.segments]
        ids = list(dict.fromkeys(id_ for system in present for id_ in system.segments[direction]))
        rows: list[dict[str, Any]] = []
        size = 0
        for id_ in ids:
            found = [system.segments[direction].get(id_) for system in present]
            first = next(segment for segment in found if segment is not None)
            size += (
                len(first.source)
                + sum(len(each.translation) for each in found if each)
                + sum(map(len, first.references))
            )
            if size > budget:
                break
            rows.append(
                {
                    "source": first.source,
                    "reference": first.references[0] if first.references else None,
                    "systems": found,
                }
            )
        _score(rows, direction)
        yield {
            "direction": "-".join(direction),
            "source": direction[0],
            "target": direction[1],
            "systems": [system.name for system in present],
            "count": len(ids),
            "rows": rows,
        }


def _score(rows: Sequence[dict[str, Any]], direction: Direction) -> None:
    """Replace the segments of rows by the translation and its chrF++, None where there is no reference."""
    chrf = load_metric("chrf++", MetricSettings(("chrf++",)))
    flat: list[Segment] = [each for row in rows for each in row["systems"] if each and each.references]
    scores: dict[int, float] = {}
    if flat:
        statistics = chrf.statistics(
            direction[1], [each.translation for each in flat], [each.references for each in flat]
        )
        scores = {id(each): round(float(chrf.sentence(row)), 2) for each, row in zip(flat, statistics, strict=True)}
    for row in rows:
        row["systems"] = [[each.translation, scores.get(id(each))] if each else None for each in row["systems"]]
