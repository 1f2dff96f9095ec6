"""`llamax translate`: translations of texts and pairs by a model."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from typer import Option

from llamax_cli.errors import UsageError
from llamax_cli.options import model as flags
from llamax_cli.options.command import READS, OptionGroup, command
from llamax_cli.options.plain_text import PlainText, plain_text
from llamax_cli.options.values import format_option, whole_number
from llamax_cli.streams.run import Run
from llamax_cli.translation.shown_prompts import write_prompts
from llamax_cli.translation.translate import run_translate


@command(shard=True, ranks=True)
def translate(
    run: Run,
    plain: Annotated[PlainText, OptionGroup(plain_text)],
    options: Annotated[flags.TranslationOptions, OptionGroup(flags.translation_options)],
    plan: Annotated[
        Path | None,
        Option(
            metavar="FILE", help="Make the pairs that this output of mix --plan lists as missing.", show_default=False
        ),
        READS,
    ] = None,
    nbest: Annotated[
        int, whole_number(metavar="N", low=1, help="Candidates to write for each source, best first.")
    ] = 1,
    shots: Annotated[
        Path | None,
        Option(metavar="FILE", help="Pairs that prompts show as examples, of the same direction.", show_default=False),
        READS,
    ] = None,
    shot_count: Annotated[
        int, whole_number("--shot-count", metavar="N", low=1, help="Examples in each prompt, of those in --shots.")
    ] = 5,
    show_prompt: Annotated[
        bool,
        Option(
            "--show-prompt",
            help="Write what the model is asked, as text and as tokens, for the first records; nothing is translated.",
        ),
    ] = False,
    as_: Annotated[str, format_option("--as", flags.AS_HELP, flags.AS)] = "records",
) -> None:
    """Translate texts and pairs with a language model or an encoder-decoder.

    Adds `mt`, and `truncated` if it was cut. The model is any decoder of Hugging Face, with a prompt, or M2M-100,
    NLLB-200, MADLAD-400 or Aya-101; it can also run in CTranslate2, vLLM or on a server. By default the search has 4
    beams and at most 256 new tokens, as in the paper.

    Example: llamax translate flores.jsonl --model LLaMAX/LLaMAX3-8B-Alpaca -o mt.jsonl
    """
    run.read_through(plain)
    decoding = flags.with_candidates(options.decoding, nbest)
    choice = replace(options.choice, shot_count=shot_count if shots else 0, is_resumable=run.is_resumable)
    if show_prompt:
        if plan:
            raise UsageError("--show-prompt takes the languages from the records or from --into, not from --plan")
        write_prompts(run, choice, decoding, options.languages, shots)
    else:
        run_translate(run, choice, decoding, options.languages, plan, shots_file=shots, as_text=as_ == "text")
