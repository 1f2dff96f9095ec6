"""The commands' stages put together: what is asked, an engine opened, records through it, what the summary says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from llamax_cli.errors import DataError, RecordError, UsageError
from llamax_cli.models.contracts import Decoding, ModelChoice, TranslationRequest
from llamax_cli.ranks import rank
from llamax_cli.records import Record, parse
from llamax_cli.streams.chunks import WHOLE, chunks, records
from llamax_cli.streams.run import Run
from llamax_cli.translation import directions, windows, worker_pool
from llamax_cli.translation import pivot as pivoting
from llamax_cli.translation.missing_pairs import Plan, add_missing
from llamax_cli.translation.windows import Count, Translator

CUT = "cut "  # opens the name, in the tally, of a direction's translations that were cut


@dataclass(frozen=True)
class TranslationTargets:
    """What is to be translated: languages for records that have none, or a plan."""

    src_lang: tuple[str, ...]
    into: tuple[str, ...]
    plan: Path | None
    seed: int


def translate(run: Run, choice: ModelChoice, decoding: Decoding, wanted: TranslationTargets) -> None:
    """Write every record with its translations."""
    if rank() > 0:
        worker_pool.serve([choice], decoding)
        return
    plan = _plan(run, wanted)
    ask = plan.ask if plan else directions.by_languages(wanted.src_lang, wanted.into)
    run.add_dependencies(**_contents([choice]))
    (engine,) = worker_pool.open_engines([choice], decoding)
    translator = Translator(engine, decoding.nbest)
    try:
        run.stream(lambda stream: windows.translate(stream, ask, translator, _counter(run), run.settings.limit))
    finally:
        translator.close()
    _report(run, plan)


def pivot(
    run: Run,
    choices: Sequence[ModelChoice],
    decoding: Decoding,
    wanted: TranslationTargets,
    via: str,
    *,
    only_off_target: bool,
) -> None:
    """Write every record with a translation by way of `via`; a second choice goes the second way."""
    if rank() > 0:
        worker_pool.serve(choices, decoding)
        return
    ask = directions.by_languages(wanted.src_lang, wanted.into)
    run.add_dependencies(**_contents(choices))
    translators = [Translator(engine) for engine in worker_pool.open_engines(choices, decoding)]
    first, second = translators[0], translators[-1]
    try:
        run.stream(
            lambda stream: pivoting.pivot(
                stream,
                ask,
                via,
                first,
                second,
                _counter(run),
                lambda reason: run.tally.update([reason]),
                only_off_target=only_off_target,
                limit=run.settings.limit,
            )
        )
    finally:
        for each in translators:
            each.close()
    _report(run, None)


def _contents(choices: Sequence[ModelChoice]) -> dict[str, list[str]]:
    """Return what identifies the models and adapters, and the text of a template of the user's."""
    template = Path(choices[0].template)
    texts = {"template_content": [template.read_text(encoding="utf-8")]} if template.is_file() else {}
    return {"model_content": worker_pool.contents(choices), **texts}


def _counter(run: Run) -> Count:
    """Return what counts translations that were cut, by direction, in the tally, which a resumed run takes up."""

    def count(request: TranslationRequest) -> None:
        run.tally[f"{CUT}{request.src_lang}-{request.tgt_lang}"] += 1

    return count


def _report(run: Run, plan: Plan | None) -> None:
    """Say what was cut and what a plan could not have, in the summary and the manifest."""
    cut = {name.removeprefix(CUT): count for name, count in run.tally.items() if name.startswith(CUT)}
    run.remarks += directions.summary(cut)
    for reason in (pivoting.UNKNOWN, pivoting.NO_WAY_ROUND):
        if run.tally[reason]:
            run.remarks.append(f"{run.tally[reason]:,} {reason}")
    if plan is not None and plan.short:
        run.figures["short"] = plan.short
        count, total = f"{len(plan.short)} direction{'s' * (len(plan.short) != 1)}", sum(plan.short.values())
        run.remarks.append(f"too few texts for {count}, {total:,} pair{'s' * (total != 1)} short")


def _plan(run: Run, wanted: TranslationTargets) -> Plan | None:
    if wanted.plan is None:
        return None
    if wanted.into or wanted.src_lang:
        raise UsageError("--plan says the languages: leave --into and --src-lang out")
    if run.settings.shard != WHOLE:
        raise UsageError("--plan deals all texts out at once: divide the plan by directions instead of --shard")
    source = run.input(wanted.plan)
    needs: dict[str, dict[str, int]] = {}
    for _ in records(chunks([source]), partial(add_missing, needs), _refuse):
        pass  # each is added as it is read, so that what is wrong has a place
    for each in run.inputs:
        each.spool()  # the texts are counted before they are dealt out
    return Plan(needs, lambda: _lines(run), lambda: run.lines_read, wanted.seed)


def _lines(run: Run) -> Iterator[Record | None]:
    """Yield the record on each line of the input, None for a line that holds none."""
    for chunk in chunks(run.inputs):
        for line in chunk.data.split(b"\n")[:-1]:
            try:
                yield parse(line)
            except RecordError:
                yield None


def _refuse(name: str, line: int, reason: str, raw: bytes) -> None:
    raise DataError(f"{name}:{line}: {reason}")
