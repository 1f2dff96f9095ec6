"""The flags that choose a model and how it decodes, the same in every command that translates."""

import os
from dataclasses import replace
from typing import Annotated, NamedTuple

from typer import BadParameter, Option

from llamax_cli.errors import UsageError
from llamax_cli.models import prompts
from llamax_cli.models.contracts import PAPER_BEAM, PAPER_TOKENS, QUANTIZATIONS, Decoding, ModelChoice
from llamax_cli.options.command import NEUTRAL
from llamax_cli.options.values import codes, one_of
from llamax_cli.translation.directions import DefaultLanguages
from llamax_cli.translation.engines.registry import ENGINES, check_supported

DTYPES = ("auto", "float32", "bfloat16", "float16")
MODEL, SEARCH, SERVER = "Model", "Decoding", "A server (--engine openai)"
SERVER_VARIABLE = "OPENAI_BASE_URL"


def _tokens(value: str) -> str:
    if value != "auto" and not (value.isdecimal() and int(value)):
        raise BadParameter(f"{value!r} is neither a number of tokens nor auto")
    return value


Model = Annotated[str, Option("--model", metavar="NAME|DIR", help="Name on the hub, or folder.", rich_help_panel=MODEL)]
Engine = Annotated[
    str,
    Option(
        metavar="NAME",
        help=f"What runs the model: {', '.join(ENGINES)}.",
        callback=one_of(ENGINES),
        rich_help_panel=MODEL,
    ),
]
Template = Annotated[
    str,
    Option(
        metavar="NAME|FILE",
        help=f"Prompt: auto, {', '.join(prompts.TEMPLATES)}, or a file with {{src}} and {{tgt_lang}}.",
        rich_help_panel=MODEL,
    ),
]
Device = Annotated[
    str, Option(help="auto, cpu, cuda, cuda:1, mps, or all (one model over all GPUs).", rich_help_panel=MODEL), NEUTRAL
]
Dtype = Annotated[
    str,
    Option(
        help="Number format: auto is bfloat16 on a GPU, float32 on a CPU.",
        callback=one_of(DTYPES),
        rich_help_panel=MODEL,
    ),
]
Lora = Annotated[
    str | None, Option(metavar="DIR", help="A LoRA adapter, merged in.", show_default=False, rich_help_panel=MODEL)
]
Quantize = Annotated[
    str | None,
    Option(
        metavar="8bit|4bit",
        help="Smaller weights.",
        callback=one_of(QUANTIZATIONS),
        show_default=False,
        rich_help_panel=MODEL,
    ),
]
BatchTokens = Annotated[
    int | None,
    Option(
        metavar="N", min=1, help="Tokens worked on at once, beams counted.", show_default=False, rich_help_panel=MODEL
    ),
    NEUTRAL,
]
Beam = Annotated[
    int | None,
    Option(
        metavar="N",
        min=1,
        help=f"Beams: {PAPER_BEAM}, the paper's; 1 on a server.",
        show_default=False,
        rich_help_panel=SEARCH,
    ),
]
MaxNewTokens = Annotated[
    str,
    Option(
        metavar="N|auto",
        callback=_tokens,
        help="Cut there and mark it; auto fits each source and the tokenizer.",
        rich_help_panel=SEARCH,
    ),
]
Sample = Annotated[
    bool, Option("--sample", help="Draw instead of searching; by the seed and the text.", rich_help_panel=SEARCH)
]
Temperature = Annotated[float, Option(min=0.01, help="Of --sample.", rich_help_panel=SEARCH)]
TopP = Annotated[float, Option("--top-p", min=0.01, max=1.0, help="Of --sample.", rich_help_panel=SEARCH)]
Seed = Annotated[int, Option(help="Another seed, another draw.", rich_help_panel=SEARCH)]
Server = Annotated[
    str | None,
    Option(
        metavar="URL",
        help=f"Address up to /v1; otherwise ${SERVER_VARIABLE}.",
        show_default=False,
        rich_help_panel=SERVER,
    ),
]
Concurrency = Annotated[
    int, Option(metavar="N", min=1, help="Requests under way at once.", rich_help_panel=SERVER), NEUTRAL
]
Timeout = Annotated[
    float, Option(metavar="SECONDS", min=0.1, help="Patience with one request.", rich_help_panel=SERVER), NEUTRAL
]
PerMinute = Annotated[
    int | None,
    Option(
        "--per-minute",
        metavar="N",
        min=1,
        help="Requests a minute, at most.",
        show_default=False,
        rich_help_panel=SERVER,
    ),
    NEUTRAL,
]


SrcLang = Annotated[
    str | None, Option(metavar="LANG", help="Source language, where records have none.", show_default=False)
]
Into = Annotated[
    str | None, Option(metavar="LANG,...", help="Target languages, where records have none.", show_default=False)
]


class TranslationOptions(NamedTuple):
    """What the flags of every command with a model say: which model, how it decodes, and the default languages."""

    choice: ModelChoice
    decoding: Decoding
    languages: DefaultLanguages


def translation_options(
    model: Model,
    engine: Engine = "hf",
    template: Template = "auto",
    src_lang: SrcLang = None,
    into: Into = None,
    beam: Beam = None,
    max_new_tokens: MaxNewTokens = str(PAPER_TOKENS),
    sample: Sample = False,
    temperature: Temperature = 1.0,
    top_p: TopP = 0.9,
    seed: Seed = 0,
    dtype: Dtype = "auto",
    device: Device = "auto",
    lora: Lora = None,
    quantize: Quantize = None,
    batch_tokens: BatchTokens = None,
    server: Server = None,
    concurrency: Concurrency = 8,
    timeout: Timeout = 120.0,
    per_minute: PerMinute = None,
) -> TranslationOptions:
    """Return what the flags say; UsageError where they do not go together."""
    prompts.check(template)
    spec = ENGINES[engine]
    server = server or os.environ.get(SERVER_VARIABLE)
    if spec.is_server and not server:
        raise UsageError(f"--engine {engine} needs --server URL or {SERVER_VARIABLE} in the environment")
    if sample and beam is not None and beam > 1:
        raise UsageError("--sample draws and does not search: leave --beam out")
    choice = ModelChoice(
        model=model,
        engine=engine,
        template=template,
        device=device,
        dtype=dtype,
        lora=lora,
        quantize=quantize,
        batch_tokens=batch_tokens,
        server=server if spec.is_server else None,
        concurrency=concurrency,
        timeout=timeout,
        per_minute=per_minute,
    )
    decoding = Decoding(
        beam=beam or (PAPER_BEAM if spec.beam_search and not sample else 1),
        max_new_tokens=None if max_new_tokens == "auto" else int(max_new_tokens),
        sample=sample,
        temperature=temperature,
        top_p=top_p,
        seed=seed,
    )
    check_supported(choice, decoding)
    return TranslationOptions(choice, decoding, DefaultLanguages(_source(src_lang), codes(into)))


def _source(src_lang: str | None) -> str | None:
    languages = codes(src_lang)
    if len(languages) > 1:
        raise UsageError("--src-lang takes one language")
    return languages[0] if languages else None


def with_candidates(decoding: Decoding, nbest: int) -> Decoding:
    """Return how to decode for `nbest` candidates; UsageError where a search has fewer beams."""
    if nbest > decoding.beam and not decoding.sample:
        raise UsageError(f"--nbest {nbest} needs as many beams (--beam {nbest}), or --sample")
    return replace(decoding, nbest=nbest)
