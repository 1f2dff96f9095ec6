"""The systems of a report, read from the files that the command line names for each of them.

    LLaMAX=scores.jsonl,rates.jsonl     one system, several files
    LLaMAX@TICO-19=tico.jsonl           its scores on another benchmark
    LLaMAX=FOLDER                       every .jsonl, .json and published table in a folder

What a record is, its keys say: a score, rates of `langid --summary`, an accuracy of `tune --eval`, a translation, or a
record of `analyze`. A file that begins with `{` and is one object with `results` is lm-eval's. A table that begins with
`direct,` is as the authors publish their scores: a row for each of `en-x` and `x-en`, a column for each language.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from llamax_cli.documents import decode
from llamax_cli.errors import DataError, FileError, LanguageError, RecordError, UsageError, because
from llamax_cli.languages import canonical, known
from llamax_cli.records import Record, Score, language, number, text, texts
from llamax_cli.scoring.direction_totals import parse_score
from llamax_cli.scoring.segments import Direction
from llamax_cli.scoring.summary import OTHERS
from llamax_cli.streams.chunks import chunks, records
from llamax_cli.streams.inputs import Input

Rows: TypeAlias = dict[str, dict[str, Score]]  # by row, `en-x` or `x-en`, and by the other language
PUBLISHED = "direct"
LARGEST_FIGURE = 1e15  # the perplexity of words that a model does not know may be a trillion
# How lm-eval names the figures of a task; the first that a task has is its result.
TASK_FIGURES = ("acc_norm", "acc", "exact_match", "em", "pass@1", "pass_at_1", "f1", "mcc", "bleu")
PERPLEXITIES = ("word_perplexity", "perplexity")  # of a task that has none of these
MULTILINGUAL = ("xnli", "xcopa", "xstorycloze", "xwinograd", "mgsm_direct", "mgsm_native_cot", "mgsm_en_cot", "xcsqa")


class Measure(NamedTuple):
    """What scores can be compared by: a metric on a benchmark, whose name is empty where none is given."""

    benchmark: str
    metric: str

    def __str__(self) -> str:
        """Return the name in tables and of files: `tico-19-spbleu`."""
        return "-".join(part for part in self if part)


class Segment(NamedTuple):
    """One translation: its source, the references, which may be none, and what the system made of it."""

    source: str
    references: tuple[str, ...]
    translation: str


@dataclass
class System:
    """What is known of one system; scores are by row, so that each direction is in two of them."""

    name: str
    scores: dict[Measure, Rows] = field(default_factory=dict)
    rates: dict[Direction, dict[str, float]] = field(default_factory=dict)
    tasks: dict[str, dict[str, float]] = field(default_factory=dict)
    perplexity: dict[str, float] = field(default_factory=dict)  # by task
    fertility: dict[str, float] = field(default_factory=dict)
    cosine: dict[str, float] = field(default_factory=dict)
    recall: dict[str, float] = field(default_factory=dict)  # at 1
    segments: dict[Direction, dict[str, Segment]] = field(default_factory=dict)

    def cells(self, measure: Measure) -> dict[Direction, float]:
        """Return the scores by direction."""
        found: dict[Direction, float] = {}
        for row, others in self.scores.get(measure, {}).items():
            for other, score in others.items():
                found.setdefault(direction_of(row, other), score["score"])
        return found


def direction_of(row: str, other: str) -> Direction:
    """Return the direction of a place in a row: `direction_of("x-en", "de") -> ("de", "en")`."""
    if row.startswith(f"{OTHERS}-"):
        return other, row.removeprefix(f"{OTHERS}-")
    return row.removesuffix(f"-{OTHERS}"), other


def read_systems(arguments: Sequence[str]) -> list[System]:
    """Return the systems in the order of the command line; UsageError if two have one name."""
    systems: dict[str, System] = {}
    seen: set[str] = set()
    for argument in arguments:
        label, equals, paths = argument.partition("=")
        name, _, benchmark = label.partition("@")
        if not equals or not name or not paths:
            raise UsageError(f"{argument!r} is not SYSTEM=FILE, such as LLaMAX=scores.jsonl")
        if label in seen:
            raise UsageError(f"two systems are named {label}; name the files of one together: {label}=FILE,FILE")
        seen.add(label)
        system = systems.setdefault(name, System(name))
        before = _size(system)
        for path in _files(paths):
            _read_file(system, path, benchmark)
        if _size(system) == before:
            raise DataError(f"{paths}: there is nothing to report of {label}; the file is empty")
    return list(systems.values())


def _size(system: System) -> int:
    of_scores = sum(len(others) for rows in system.scores.values() for others in rows.values())
    flat = len(system.rates) + len(system.perplexity) + len(system.fertility) + len(system.cosine)
    nested = sum(map(len, system.tasks.values())) + sum(map(len, system.segments.values()))
    return of_scores + flat + nested


def _files(paths: str) -> Iterator[Path]:
    """Yield the files that the value of a system names: one, several with commas between them, or all of a folder."""
    for path in [Path(paths)] if Path(paths).exists() else map(Path, paths.split(",")):
        if not path.is_dir():
            yield path
            continue
        found = [each for each in sorted(path.rglob("*")) if each.is_file() and _is_read(each)]
        if not found:
            raise FileError(f"{path}: no scores, records or results in this folder")
        yield from found


def _is_read(path: Path) -> bool:
    """Return whether a file of a folder belongs to a report: records, results of lm-eval, published tables."""
    is_result = path.suffix == ".json" and path.name.startswith("results")
    return ".jsonl" in path.suffixes or is_result or path.name.endswith("_score.csv")


def _read_file(system: System, path: Path, benchmark: str) -> None:
    source = Input(path)
    head = source.head()
    if head.startswith(f"{PUBLISHED},".encode()):
        _read_published(system, path, benchmark)
    elif (results := _results(source, head)) is not None:
        _read_results(system, path, results)
    else:
        reader = _RecordReader(system, path, benchmark)
        for _ in records(chunks([source]), reader.read, _refuse):
            pass


def _refuse(name: str, line: int, reason: str, raw: bytes) -> None:
    raise DataError(f"{name}:{line}: {reason}")


# -- records ----------------------------------------------------------------------------------------------------------


class _RecordReader:
    """Puts records of one file where they belong in a system; RecordError for a record of no kind that is reported."""

    def __init__(self, system: System, path: Path, benchmark: str) -> None:
        self._system = system
        self._path = path
        self._benchmark = benchmark

    def read(self, record: Record) -> None:
        """Take one record."""
        system = self._system
        if "mt" in record:
            self._read_segment(record)
        elif "against" in record and "metric" in record:
            raise RecordError("a comparison of two systems; give it with --tests A:B=FILE")
        elif "task" in record and "score" in record:
            _put(
                system.tasks.setdefault(text(record, "task"), {}),
                _language(record),
                number(record, "score"),
                "accuracy",
            )
        elif "metric" in record and "score" in record:
            score = parse_score(record)
            add_score(system, Measure(self._benchmark, score["metric"]), score)
        elif "src_lang" in record and record.keys() & {"r_src", "r_tgt", "unsupported", "no_letters"}:
            direction = language(record, "src_lang"), language(record, "tgt_lang")
            _put(
                system.rates,
                direction,
                {key: number(record, key, 0, 1) for key in ("r_src", "r_tgt") if key in record},
                "rate",
            )
        elif "fertility" in record:
            _put(system.fertility, _language(record), number(record, "fertility", low=0), "fertility")
        elif "cosine" in record:
            _put(system.cosine, _language(record), number(record, "cosine", -1, 1), "cosine")
            if "recall_at_1" in record:
                _put(system.recall, _language(record), number(record, "recall_at_1", 0, 1), "recall")
        else:
            raise RecordError(
                f"not a record that a report shows (it has {', '.join(record) or 'nothing'}); it shows scores, rates "
                "of langid --summary, accuracies of tune --eval, translations, and records of analyze fertility and "
                "analyze representation"
            )

    def _read_segment(self, record: Record) -> None:
        direction = language(record, "src_lang"), language(record, "tgt_lang")
        of_direction = self._system.segments.setdefault(direction, {})
        id_ = text(record, "id") if "id" in record else text(record, "src")
        references = tuple(texts(record, "tgt")) if "tgt" in record else ()
        _put(of_direction, id_, Segment(text(record, "src"), references, text(record, "mt")), "translation")


def _language(record: Record) -> str:
    return language(record, "lang")


def _put(mapping: dict[Any, Any], key: Any, value: Any, what: str) -> None:
    if key in mapping:
        shown = "-".join(key) if isinstance(key, tuple) else key
        raise RecordError(f"a second {what} of {shown}; give one system at a time")
    mapping[key] = value


def add_score(system: System, measure: Measure, score: Score) -> None:
    """Add a score to both of its rows; RecordError if the direction has one by this measure."""
    source, target = score["src_lang"], score["tgt_lang"]
    if source == target:
        return
    rows = system.scores.setdefault(measure, {})
    out_of = rows.setdefault(f"{source}-{OTHERS}", {})
    if target in out_of:
        raise RecordError(f"a second {measure.metric} score of {source}-{target}; give one system at a time")
    out_of[target] = score
    rows.setdefault(f"{OTHERS}-{target}", {})[source] = score


# -- published tables and results of lm-eval --------------------------------------------------------------------------


def _read_published(system: System, path: Path, benchmark: str) -> None:
    """Read a table of the authors; its name says the metric, as in `spBLEU_score.csv`.

    A direction between two central languages is in two of its rows, not always with the same score, so each row stays
    as it is.
    """
    metric = path.stem.removesuffix("_score").lower()
    try:
        table = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: {because(error)}") from error
    rows = system.scores.setdefault(Measure(benchmark, metric), {})
    for line, row in enumerate(table, 2):
        source, _, target = row.pop(PUBLISHED).partition("-")
        if OTHERS not in (source, target):
            raise DataError(f"{path}:{line}: {source}-{target} is not a row such as en-x or x-en")
        try:
            ends = [end if end == OTHERS else canonical(end) for end in (source, target)]
            others: dict[str, Score] = {}
            for other, cell in row.items():
                if cell not in ("/", "", None):
                    code = canonical(other)
                    pair = [code if end == OTHERS else end for end in ends]
                    others[code] = parse_score(
                        {"src_lang": pair[0], "tgt_lang": pair[1], "metric": metric, "score": float(cell)}
                    )
        except LanguageError as error:
            raise DataError(f"{path}:{line}: {error}") from error
        except (ValueError, RecordError) as error:
            raise DataError(f"{path}:{line}: {error}") from error
        rows["-".join(ends)] = others


def _results(source: Input, head: bytes) -> dict[str, Any] | None:
    """Return the results of an lm-eval file, None for another file."""
    if not head.lstrip().startswith(b"{") or b'"results"' not in head:
        return None
    with source.open() as stream:
        content = stream.read()
    try:
        document: dict[str, Any] = decode(content, dict)
    except ValueError:
        return None  # lines of records, if anything
    return document if isinstance(document.get("results"), dict) else None


def _read_results(system: System, path: Path, document: dict[str, Any]) -> None:
    """Take the result of each task or, of tasks in a group, of the group."""
    subtasks, groups = (document.get(name) or {} for name in ("group_subtasks", "groups"))
    if not all(isinstance(each, dict) for each in (subtasks, groups)):
        raise DataError(f"{path}: its groups are no results of lm-eval")
    members = {task for group in subtasks.values() if isinstance(group, list) for task in map(str, group)}
    results = {**document["results"], **groups}
    for task, figures in results.items():
        by_name = _figures(figures) if isinstance(figures, dict) else {}
        value, perplexity = (
            next((by_name[each] for each in names if each in by_name), None) for names in (TASK_FIGURES, PERPLEXITIES)
        )
        stem, lang = split_task(task)
        if task in members and not lang:
            continue
        try:
            if value is not None:
                _put(system.tasks.setdefault(stem, {}), lang, 100 * value if 0 <= value <= 1 else value, "result")
            elif perplexity is not None:
                _put(system.perplexity, task, perplexity, "perplexity")
        except RecordError as error:
            raise DataError(f"{path}: {error}") from error


def split_task(task: str) -> tuple[str, str]:
    """Return a task and its language, which is empty if it has none: `split_task("xnli_de") -> ("xnli", "de")`."""
    stem, _, suffix = task.rpartition("_")
    code = known(suffix) if stem in MULTILINGUAL else None
    return (task, "") if code is None else (stem, code)


def _figures(figures: dict[str, Any]) -> dict[str, float]:
    """Return the figures of a task by their names; lm-eval writes `"acc,none": 0.61`."""
    by_name: dict[str, float] = {}
    for key, value in figures.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_FIGURE:
            by_name.setdefault(key.partition(",")[0], float(value))
    return by_name


# -- comparisons ------------------------------------------------------------------------------------------------------


class SystemTest(NamedTuple):
    """A comparison of two systems by `score --against`: its p-values, corrected where there are several directions."""

    systems: tuple[str, str]
    p_values: dict[str, dict[Direction, float]]  # by metric and direction
    average: dict[str, float]  # by metric, over all these directions


def read_tests(arguments: Sequence[str], systems: Iterable[System]) -> list[SystemTest]:
    """Return the comparisons of `A:B=FILE`; UsageError if there is no system of a name."""
    names = [system.name for system in systems]
    return [_read_test(argument, names) for argument in arguments]


def _read_test(argument: str, names: Sequence[str]) -> SystemTest:
    label, _, path = argument.partition("=")
    first, _, second = label.partition(":")
    for name in (first, second):
        if name not in names or not path:
            raise UsageError(f"--tests {argument}: not A:B=FILE with two of the systems {', '.join(names)}")
    p_values: dict[str, dict[Direction, float]] = {}
    average: dict[str, float] = {}

    def read(record: Record) -> None:
        if "against" not in record:
            raise RecordError("no 'against' in the record; --tests takes what score --against writes")
        keys = [key for key in record if key.startswith("p_bootstrap")]
        value = number(record, max(keys, key=len), 0, 1) if keys else 1.0
        metric = text(record, "metric")
        if text(record, "src_lang") == "*":
            average[metric] = value
        else:
            direction = language(record, "src_lang"), language(record, "tgt_lang")
            p_values.setdefault(metric, {})[direction] = value

    for _ in records(chunks([Input(path)]), read, _refuse):
        pass
    if not p_values:
        raise DataError(f"--tests {argument}: the file is empty")
    return SystemTest((first, second), p_values, average)
