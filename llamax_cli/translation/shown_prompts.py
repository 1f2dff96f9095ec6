"""What `llamax translate --show-prompt` writes: what a model is asked, as text and as tokens, without its weights."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from llamax_cli.errors import RecordError
from llamax_cli.models.contracts import Decoding, ModelChoice, TranslationRequest
from llamax_cli.records import Record
from llamax_cli.streams.run import Run
from llamax_cli.translation import directions
from llamax_cli.translation.directions import DefaultLanguages, Expand
from llamax_cli.translation.engines.registry import ENGINES, check_choice
from llamax_cli.translation.shots import Shots
from llamax_cli.translation.translate import identity, open_shots
from llamax_cli.translation.translated_records import request_of
from llamax_cli.translation.windows import Result

FIRST = 3  # records whose prompts are shown, if `--limit` does not say
KEPT = ("id", "src_lang", "tgt_lang")  # keys of a record that its prompts have, too


class Describe(Protocol):
    """Returns what a model is asked for a request, as the keys of a record."""

    def __call__(self, request: TranslationRequest) -> dict[str, Any]:
        """Raise RecordError if the model cannot take the request."""


def write_prompts(
    run: Run, choice: ModelChoice, decoding: Decoding, languages: DefaultLanguages, shots_file: Path | None
) -> None:
    """Write a record for each request of the first records: `prompt` and `tokens`, or what a server or program gets."""
    check_choice(choice, decoding)
    describe = _describer(choice, decoding)
    with ExitStack() as stack:
        shots = stack.enter_context(open_shots(run, shots_file, choice, decoding)) if shots_file else None
        run.add_dependencies(**identity([choice]), **(shots.identity if shots else {}))
        expand = partial(directions.expand, defaults=languages)
        first = run.settings.limit or FIRST
        run.stream(lambda records: _prompts(records, expand, shots, describe), first=first)


def _prompts(records: Iterator[Record], expand: Expand, shots: Shots | None, describe: Describe) -> Iterator[Result]:
    for record in records:
        try:
            sources = expand(record)
            if isinstance(sources, RecordError):
                raise sources
            shown = []
            for source in sources:
                request = request_of(source)
                asked = describe(shots.add(request) if shots else request)
                shown.append({**{key: source[key] for key in KEPT if key in source}, **asked})
        except RecordError as error:
            yield error
        else:
            yield shown


def _describer(choice: ModelChoice, decoding: Decoding) -> Describe:
    if ENGINES[choice.engine].loads_models:
        from llamax_cli.models.request_encoding import load_encoder

        _, encoder = load_encoder(choice, decoding)
        return encoder.describe
    from llamax_cli.translation.engines.registry import open_engine

    engine: Any = open_engine(choice, decoding)
    describe: Describe = engine.describe
    return describe
