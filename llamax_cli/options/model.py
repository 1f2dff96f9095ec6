"""The options for a model and its decoding, the same in every command that translates."""

import os
from dataclasses import replace
from typing import Annotated, NamedTuple

from typer import BadParameter, Option

from llamax_cli.config import AUTO_BOS, BOS_CHOICES, written
from llamax_cli.errors import UsageError
from llamax_cli.models import prompts
from llamax_cli.models.contracts import PAPER_BEAM, PAPER_TOKENS, QUANTIZATIONS, Decoding, ModelChoice
from llamax_cli.models.gguf import model_folder
from llamax_cli.models.server_address import ServerAddress
from llamax_cli.options.command import NEUTRAL, READS, RUNS_CODE, Untrusted
from llamax_cli.options.completion import completed
from llamax_cli.options.values import codes, digits, one_of, real_number, whole_number
from llamax_cli.translation.directions import DefaultLanguages
from llamax_cli.translation.engines.registry import ENGINES, check_supported

DTYPES = ("auto", "float32", "bfloat16", "float16")
MODEL, SEARCH, SERVER = "Model", "Decoding", "Server (--engine openai)"
AS, AS_HELP = ("records", "text"), "Output: records, or the translations alone"  # of --as
SERVER_VARIABLE = "OPENAI_BASE_URL"


BOS_NAMES = {written(choice): choice for choice in BOS_CHOICES}


def _add_bos(value: str) -> bool | str:
    one_of(BOS_NAMES)(value)
    return BOS_NAMES[value]


def _tokens(value: str) -> str:
    if value != "auto" and not digits(value):
        raise BadParameter(f"{value!r} is neither a positive number of tokens nor auto")
    return value


Model = Annotated[
    str,
    Option(
        "--model",
        metavar="NAME|FOLDER|FILE",
        help="Name on the hub or the server, a folder, or a GGUF file; with --engine command, a command line.",
        rich_help_panel=MODEL,
    ),
    READS,
]
Engine = Annotated[
    str,
    Option(
        metavar="NAME",
        help=f"Engine that runs the model: {', '.join(ENGINES)}.",
        callback=one_of(ENGINES),
        rich_help_panel=MODEL,
    ),
    Untrusted(lambda name, _: "" if name in ENGINES and ENGINES[name].loads_models else f"{name} runs elsewhere"),
]
Template = Annotated[
    str,
    Option(
        metavar="NAME|FILE",
        help=f"Prompt template: auto, {', '.join(prompts.TEMPLATES)}, or a file with {{src}} and {{tgt_lang}}.",
        autocompletion=completed((prompts.AUTO, *prompts.TEMPLATES)),
        rich_help_panel=MODEL,
    ),
    READS,
]
Thinking = Annotated[
    bool,
    Option(
        "--thinking",
        help="Let a model reason before it answers; its reasoning is left out of the translation and counted.",
        rich_help_panel=MODEL,
    ),
]
Device = Annotated[
    str,
    Option(
        metavar="NAME",
        help="Device: auto, cpu, cuda, cuda:1, mps, or all (the model is split over all GPUs).",
        autocompletion=completed(("auto", "cpu", "cuda", "mps", "all")),
        rich_help_panel=MODEL,
    ),
    NEUTRAL,
]
Dtype = Annotated[
    str,
    Option(
        metavar="NAME",
        help=f"Data type: {', '.join(DTYPES)}. auto is bfloat16 on a GPU and float32 on a CPU.",
        callback=one_of(DTYPES),
        rich_help_panel=MODEL,
    ),
]
Lora = Annotated[
    str | None,
    Option(
        metavar="FOLDER",
        help="LoRA adapter to merge into the model; {group} in it stands for the languages' group.",
        show_default=False,
        rich_help_panel=MODEL,
    ),
    READS,
]
AddBos = Annotated[
    str,
    Option(
        "--add-bos",
        metavar="auto|true|false",
        callback=_add_bos,
        autocompletion=completed(BOS_NAMES),
        help="Whether a prompt begins with bos_token; auto is as the tokenizer does it.",
        rich_help_panel=MODEL,
    ),
]
TrustRemoteCode = Annotated[
    bool,
    Option(
        "--trust-remote-code",
        help="Run the Python code that the model brings along, with all your rights.",
        rich_help_panel=MODEL,
    ),
    NEUTRAL,  # where it is given, it is one of the dependencies of the run
    RUNS_CODE,
]
Quantize = Annotated[
    str | None,
    Option(
        metavar="8bit|4bit",
        help="Quantize the weights, to save memory.",
        callback=one_of(QUANTIZATIONS),
        show_default=False,
        rich_help_panel=MODEL,
    ),
]
BatchTokens = Annotated[
    int | None,
    whole_number(
        metavar="N", low=1, help="Most tokens in a batch, beams counted.", show_default=False, rich_help_panel=MODEL
    ),
    NEUTRAL,
]
Beam = Annotated[
    int | None,
    whole_number(
        metavar="N",
        low=1,
        help=f"Number of beams: by default {PAPER_BEAM}, as in the paper, but 1 with --sample or on a server.",
        show_default=False,
        rich_help_panel=SEARCH,
    ),
]
MaxNewTokens = Annotated[
    str,
    Option(
        metavar="N|auto",
        callback=_tokens,
        autocompletion=completed(("auto",)),
        help="Most tokens of a translation; a longer one is cut and marked. auto adapts to each source.",
        rich_help_panel=SEARCH,
    ),
]
Sample = Annotated[
    bool,
    Option(
        "--sample",
        help="Draw translations at random instead of searching; they depend only on the seed and the source.",
        rich_help_panel=SEARCH,
    ),
]
Temperature = Annotated[
    float, real_number(metavar="NUMBER", low=0.01, help="Temperature of --sample.", rich_help_panel=SEARCH)
]
TopP = Annotated[
    float,
    real_number(
        "--top-p",
        metavar="SHARE",
        low=0.01,
        high=1.0,
        help="Share of probability that --sample draws from.",
        rich_help_panel=SEARCH,
    ),
]
Seed = Annotated[int, whole_number(metavar="N", help="Random seed of --sample and --plan.", rich_help_panel=SEARCH)]
Server = Annotated[
    ServerAddress | None,
    Option(
        parser=ServerAddress,
        metavar="URL",
        help=f"URL of the server, up to /v1; by default that in {SERVER_VARIABLE}.",
        show_default=False,
        rich_help_panel=SERVER,
    ),
    Untrusted(lambda url, _: "reaches a server" if url else ""),
]
Concurrency = Annotated[
    int, whole_number(metavar="N", low=1, help="Most requests at the same time.", rich_help_panel=SERVER), NEUTRAL
]
Timeout = Annotated[
    float,
    real_number(
        metavar="SECONDS",
        low=0.1,
        help="Longest wait for the answer to a request, or to a line by --engine command.",
        rich_help_panel=SERVER,
    ),
    NEUTRAL,
]
PerMinute = Annotated[
    int | None,
    whole_number(
        "--per-minute",
        metavar="N",
        low=1,
        help="Most requests a minute.",
        show_default=False,
        rich_help_panel=SERVER,
    ),
    NEUTRAL,
]


SrcLang = Annotated[
    str | None, Option(metavar="LANGUAGE", help="Source language of records that do not name one.", show_default=False)
]
Into = Annotated[
    str | None,
    Option(metavar="LANGUAGE,...", help="Target languages of records that do not name one.", show_default=False),
]


class TranslationOptions(NamedTuple):
    """What the options say: the model, how it decodes, and the languages of records that do not name their own."""

    choice: ModelChoice
    decoding: Decoding
    languages: DefaultLanguages


def translation_options(
    model: Model,
    engine: Engine = "hf",
    template: Template = "auto",
    thinking: Thinking = False,
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
    add_bos: AddBos = AUTO_BOS,
    trust_remote_code: TrustRemoteCode = False,
    quantize: Quantize = None,
    batch_tokens: BatchTokens = None,
    server: Server = None,
    concurrency: Concurrency = 8,
    timeout: Timeout = 120.0,
    per_minute: PerMinute = None,
) -> TranslationOptions:
    """Return what the options say; UsageError if they contradict each other or the engine does not support them."""
    prompts.check(template)
    spec = ENGINES[engine]
    if spec.is_server and server is None and (url := os.environ.get(SERVER_VARIABLE)):
        server = ServerAddress(url)
    if spec.is_server and not server:
        raise UsageError(f"--engine {engine} needs --server URL or {SERVER_VARIABLE} in the environment")
    if sample and beam is not None and beam > 1:
        raise UsageError("--sample does not use beams; leave --beam out")
    choice = ModelChoice(
        model=model_folder(model) if spec.loads_models else model,
        engine=engine,
        template=template,
        thinking=thinking,
        device=device,
        dtype=dtype,
        lora=lora or (prompts.group_adapters(model, template) if spec.loads_models else None),
        trust_remote_code=trust_remote_code,
        add_bos=add_bos,
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
    """Return the decoding with `nbest` candidates; UsageError if the search has fewer beams."""
    if nbest > decoding.beam and not decoding.sample:
        raise UsageError(f"--nbest {nbest} needs at least as many beams (--beam {nbest}), or --sample")
    return replace(decoding, nbest=nbest)
