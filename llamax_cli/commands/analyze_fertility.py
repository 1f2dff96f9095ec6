"""`llamax analyze fertility`: tokens a word, by language and tokenizer."""

from typing import Annotated

from typer import Option

from llamax_cli.analysis.fertility import SPACE, UNITS, WORD, FertilityRequest, write_fertilities
from llamax_cli.augmentation.segmenters import complete_segmenter, word_segmenters
from llamax_cli.errors import UsageError
from llamax_cli.options.command import OptionGroup, Reads, command
from llamax_cli.options.plain_text import PlainText, plain_monolingual
from llamax_cli.options.values import format_option, listed, one_of
from llamax_cli.streams.run import Run
from llamax_cli.streams.tables import FORMATS


@command(group="analyze", workers=True, formats=True)
def analyze_fertility(
    run: Run,
    plain: Annotated[PlainText, OptionGroup(plain_monolingual)],
    tokenizer: Annotated[
        str,
        Option(metavar="NAME|FILE,...", help="Tokenizers: files, folders, or names on the hub; may be repeated."),
        Reads(listed),
    ],
    unit: Annotated[
        str,
        Option(metavar="NAME", callback=one_of(UNITS), help=f"What is counted as a word: {', '.join(UNITS)}."),
    ] = SPACE,
    segmenter: Annotated[
        str | None,
        Option(
            metavar="[LANGUAGE=]NAME,...",
            autocompletion=complete_segmenter,
            help="With --unit word, the segmenters of languages without spaces; by default those that are installed.",
        ),
    ] = None,
    table: Annotated[str | None, format_option("--table", "Write a table instead of records", FORMATS)] = None,
) -> None:
    """Count the tokens that tokenizers need for a word, a character and a byte of each language.

    Reads texts and pairs, and the formats and folders that `llamax convert` reads. `fertility` is the paper's: tokens
    per word at white space, as a mean over sentences (Table 1).

    Example: llamax analyze fertility --tokenizer llama2/tokenizer.model flores101/devtest --table md
    """
    if segmenter is not None and unit != WORD:
        raise UsageError("--segmenter requires --unit word")
    run.read_through(plain)
    segmenters = word_segmenters(segmenter) if unit == WORD else {}
    write_fertilities(run, FertilityRequest(listed(tokenizer), unit, segmenters), table)
