"""What `llamax translate` runs: records through an engine, with their own languages, default ones or a plan."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from llamax_cli.console import counted
from llamax_cli.errors import DataError, RecordError, UsageError
from llamax_cli.models.contracts import Answer, Decoding, Hypothesis, ModelChoice, TranslationRequest
from llamax_cli.models.fingerprint import fingerprints
from llamax_cli.ranks import rank
from llamax_cli.records import Record, parse, serialise, text
from llamax_cli.streams.chunks import WHOLE, chunks, records
from llamax_cli.streams.run import Run
from llamax_cli.translation import directions, truncation
from llamax_cli.translation.directions import DefaultLanguages, Expand
from llamax_cli.translation.engines.registry import ENGINES
from llamax_cli.translation.kept_answers import KeptAnswers
from llamax_cli.translation.missing_pairs import Plan, add_missing
from llamax_cli.translation.shots import Shots
from llamax_cli.translation.translated_records import request_of, with_mt
from llamax_cli.translation.truncation import Count
from llamax_cli.translation.windows import Result, StartWindow, Translator, length, reported, windows
from llamax_cli.translation.worker import run_worker
from llamax_cli.translation.worker_pool import open_engines


def run_translate(
    run: Run,
    choice: ModelChoice,
    decoding: Decoding,
    languages: DefaultLanguages,
    plan_file: Path | None = None,
    *,
    shots_file: Path | None = None,
    as_text: bool = False,
) -> None:
    """Write every record with its translations, or the pairs of a plan; `as_text` writes the translations alone.

    Prompts show `choice.shot_count` examples of `shots_file`.
    """
    if rank() > 0:
        run_worker([choice], decoding)
        return
    plan = _read_plan(run, plan_file, languages, decoding.seed) if plan_file else None
    expand = plan.expand if plan else partial(directions.expand, defaults=languages)
    with ExitStack() as stack:
        shots = stack.enter_context(open_shots(run, shots_file, choice, decoding)) if shots_file else None
        dependencies = {**identity([choice]), **(shots.identity if shots else {})}
        run.add_dependencies(**dependencies)
        (engine,) = open_engines([choice], decoding)
        kept = KeptAnswers(run.settings, choice, decoding, dependencies)
        translator = stack.enter_context(Translator(engine, decoding.nbest, kept, *([shots.add] if shots else [])))
        run.stream(
            lambda stream: translate_records(
                stream,
                expand,
                translator,
                partial(truncation.count, run.tally),
                run.settings.limit,
                run.start_window,
            ),
            text_lines if as_text else serialise,
        )
    run.remarks += truncation.remarks(run.tally)
    if plan is not None and plan.shortfall:
        _report_shortfall(run, plan.shortfall)


def open_shots(run: Run, path: Path, choice: ModelChoice, decoding: Decoding) -> Shots:
    """Return the examples of a file, which the manifest lists among the inputs."""
    if ENGINES[choice.engine].is_program:
        raise UsageError(f"--engine {choice.engine} does not support --shots; the program gets the source alone")
    return Shots(run.input(path), choice.shot_count, decoding.seed)


def text_lines(translations: Sequence[Record]) -> bytes:
    """Return the translations as text, a line each: a line end within one becomes a space, to keep lines aligned."""
    return b"".join(text(each, "mt").replace("\n", " ").encode() + b"\n" for each in translations)


def identity(choices: Sequence[ModelChoice]) -> dict[str, object]:
    """Return what the translations depend on beyond the flags: the files of models, and the text of a template."""
    trust: dict[str, object] = {"trust_remote_code": True} if choices[0].trust_remote_code else {}
    template = Path(choices[0].template)
    texts = {"template_content": [template.read_text(encoding="utf-8")]} if template.is_file() else {}
    return {"model_content": fingerprints(choices), **texts, **trust}


def translate_records(
    records: Iterator[Record],
    expand: Expand,
    translator: Translator,
    count: Count,
    limit: int | None = None,
    start_window: StartWindow = lambda: lambda share: None,
) -> Iterator[Result]:
    """Yield for each record its translations, as records with `mt`, as soon as all of them are there."""
    is_numbered = translator.nbest > 1
    for window in windows(records, limit):
        pending = deque(expand(record) for record in window)
        requests = [
            request_of(source) for sources in pending if not isinstance(sources, RecordError) for source in sources
        ]
        answers: dict[TranslationRequest, Answer] = {}
        for request, answer in reported(translator.translate(requests), start_window(), length(requests)):
            answers[request] = answer
            while pending and _is_answered(pending[0], answers):
                yield _result(pending.popleft(), answers, count, is_numbered=is_numbered)
        while pending:
            yield _result(pending.popleft(), answers, count, is_numbered=is_numbered)


def _is_answered(sources: list[Record] | RecordError, answers: dict[TranslationRequest, Answer]) -> bool:
    return isinstance(sources, RecordError) or all(request_of(source) in answers for source in sources)


def _result(
    sources: list[Record] | RecordError,
    answers: dict[TranslationRequest, Answer],
    count: Count,
    *,
    is_numbered: bool,
) -> Result:
    """Return the sources of one record with `mt`, or why it is rejected."""
    if isinstance(sources, RecordError):
        return sources
    translated: list[Record] = []
    counted: list[tuple[TranslationRequest, list[Hypothesis]]] = []
    for source in sources:
        request = request_of(source)
        answer = answers[request]
        if isinstance(answer, RecordError):
            return answer
        translated += [
            with_mt(source, hypothesis, number if is_numbered else None) for number, hypothesis in enumerate(answer, 1)
        ]
        counted.append((request, answer))
    for each in counted:
        count(*each)
    return translated


# -- the plan of missing pairs -----------------------------------------------------------------------------------------


def _read_plan(run: Run, path: Path, languages: DefaultLanguages, seed: int) -> Plan:
    if languages != DefaultLanguages():
        raise UsageError("--plan names the languages: leave --into and --src-lang out")
    if run.settings.shard != WHOLE:
        raise UsageError("--plan needs all texts at once: split the plan by directions instead of using --shard")
    source = run.input(path)
    missing: dict[str, dict[str, int]] = {}
    # Added while reading, so that an error names the line.
    for _ in records(chunks([source]), partial(add_missing, missing), _refuse):
        pass
    for texts in run.inputs:
        texts.spool()  # the texts are counted before they are distributed
    return Plan(missing, lambda: _lines(run), lambda: run.lines_read, seed)


def _lines(run: Run) -> Iterator[Record | None]:
    """Yield the record on each line of the input, None for a line without one."""
    for chunk in chunks(run.inputs):
        for line in chunk.data.split(b"\n")[:-1]:
            try:
                yield parse(line)
            except RecordError:
                yield None


def _refuse(name: str, line: int, reason: str, raw: bytes) -> None:
    raise DataError(f"{name}:{line}: {reason}")


def _report_shortfall(run: Run, shortfall: dict[str, int]) -> None:
    run.figures["short"] = shortfall
    count, pairs = len(shortfall), sum(shortfall.values())
    run.remarks.append(f"too few texts for {counted(count, 'direction')}, {counted(pairs, 'pair')} short")
