"""`llamax analyze representation`: likeness to English and retrieval, by language."""

from typing import Annotated

from typer import Option

from llamax_cli.errors import UsageError
from llamax_cli.options.command import READS, OptionGroup, command
from llamax_cli.options.completion import completed
from llamax_cli.options.model import Device, Dtype, TrustRemoteCode
from llamax_cli.options.plain_text import PlainText, plain_monolingual
from llamax_cli.options.values import codes, format_option
from llamax_cli.registry import importing
from llamax_cli.streams.run import Run
from llamax_cli.streams.tables import FORMATS


@command(group="analyze", formats=True)
def analyze_representation(
    run: Run,
    plain: Annotated[PlainText, OptionGroup(plain_monolingual)],
    model: Annotated[
        str, Option(metavar="NAME|FOLDER|FILE", help="Model: a folder, a name on the hub, or a GGUF file."), READS
    ],
    layer: Annotated[
        str,
        Option(
            metavar="NAME|N",
            autocompletion=completed(("embedding", "output", "sentence")),
            help="What the vector of a sentence is the mean of: embedding (input), output (embedding), the number of a "
            "hidden layer, or sentence, for a sentence encoder.",
        ),
    ] = "embedding",
    prefix: Annotated[
        str, Option(metavar="TEXT", help='Text before each sentence, such as "query: " for E5.', show_default=False)
    ] = "",
    central: Annotated[str, Option(metavar="LANGUAGE", help="Language that all others are compared with.")] = "en",
    fertility: Annotated[
        str | None,
        Option(metavar="FILE", help="Records of llamax analyze fertility, to correlate with over the languages."),
        READS,
    ] = None,
    tokenizer: Annotated[
        str | None, Option(metavar="NAME", help="With --fertility, the tokenizer whose records count.")
    ] = None,
    summary: Annotated[
        bool, Option("--summary", help="Write one record: means over the languages, and correlations.")
    ] = False,
    table: Annotated[str | None, format_option("--table", "Write a table instead of records", FORMATS)] = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust_remote_code: TrustRemoteCode = False,
) -> None:
    """Compare the sentences of each language with their English counterparts, as a model represents them.

    Reads texts that are aligned by id, and the formats and folders that `llamax convert` reads. Writes, by language,
    the mean cosine, and how often the counterpart is the nearest sentence, or among the nearest 5 or 10 (figure 6).

    Example: llamax analyze representation --model llama2-7b flores101/devtest
    """
    with importing():
        from llamax_cli.analysis.representation import RepresentationRequest, write_representations
        from llamax_cli.analysis.sentence_encoders import EncoderChoice
        from llamax_cli.models.gguf import model_folder

    if tokenizer is not None and fertility is None:
        raise UsageError("--tokenizer requires --fertility")
    if len(languages := codes(central)) != 1:
        raise UsageError(f"--central {central}: name one language")
    run.read_through(plain)
    encoder = EncoderChoice(model_folder(model), layer, prefix, device, dtype, trust_remote_code)
    write_representations(run, RepresentationRequest(encoder, languages[0], fertility, tokenizer, summary, table))
