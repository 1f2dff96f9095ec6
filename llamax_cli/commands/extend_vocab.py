"""`llamax extend-vocab`: more pieces in the vocabulary of a model."""

import sys
from pathlib import Path
from typing import Annotated

from typer import BadParameter, Option

from llamax_cli.errors import UsageError
from llamax_cli.options.command import READS, OptionGroup, Reads, command
from llamax_cli.options.plain_text import PlainText, plain_monolingual
from llamax_cli.options.values import digits, one_of, whole_number
from llamax_cli.registry import importing
from llamax_cli.streams.run import Run


def _tokens(value: str) -> str:
    if value.strip("+-").isdecimal() and not digits(value):
        raise BadParameter(f"{value!r} is neither a positive number of pieces nor a file")
    return value


@command(formats=True, folder=True, standalone_options=("tokens",))
def extend_vocab(
    run: Run,
    plain: Annotated[PlainText, OptionGroup(plain_monolingual)],
    model: Annotated[
        str, Option(metavar="NAME|FOLDER|FILE", help="Model to extend: a folder, a hub name, or a GGUF file."), READS
    ],
    tokens: Annotated[
        str,
        Option(
            metavar="N|FILE",
            callback=_tokens,
            help="How many pieces to learn from the texts, or a file with one piece a line.",
        ),
        Reads(lambda tokens: () if digits(tokens) else (tokens,)),
    ],
    init: Annotated[
        str,
        Option(
            metavar="NAME",
            callback=one_of(("mean", "random", "zero")),
            help="New embeddings: mean of the pieces that are replaced (the paper's), random or zero.",
        ),
    ] = "mean",
    seed: Annotated[int, whole_number(metavar="N", help="Random seed of --init random.")] = 0,
    pad_to_multiple_of: Annotated[
        int,
        whole_number(
            "--pad-to-multiple-of",
            metavar="N",
            low=1,
            high=1 << 16,
            help="Pad the embeddings to a multiple of N rows, such as 64.",
        ),
    ] = 1,
) -> None:
    """Add pieces to the vocabulary of a model, learnt from texts or listed, and their embeddings.

    With a number, reads texts and pairs, and the formats and folders that `llamax convert` reads. With a file, texts
    are read only to tell the fertility. Makes the folder of a model; old tokens keep their ids.

    Example: llamax extend-vocab --model llama2-7b --tokens 8000 mono.jsonl -o extended
    """
    count = digits(tokens)
    if count and not run.settings.files and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("--tokens N learns pieces from texts; name files, or give a file with one piece a line")
    with importing():
        from llamax_cli.models.gguf import model_folder
        from llamax_cli.vocabulary.extension import ExtensionRequest, extend_vocabulary

    run.read_through(plain)
    pieces = count or Path(tokens)
    output = run.settings.output or Path()
    extend_vocabulary(run, ExtensionRequest(model_folder(model), pieces, output, init, seed, pad_to_multiple_of))
