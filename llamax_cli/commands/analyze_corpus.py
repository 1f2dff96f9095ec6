"""`llamax analyze corpus`: texts, pairs, tokens and duplicates of a corpus by language, and its dataset card."""

from pathlib import Path
from typing import Annotated

from typer import Option

from llamax_cli.analysis.corpus_run import CorpusAnalysis, write_corpus
from llamax_cli.analysis.dataset_card import card_paths
from llamax_cli.options.command import READS, OptionGroup, Writes, command
from llamax_cli.options.completion import completed
from llamax_cli.options.plain_text import PlainText, plain_corpora
from llamax_cli.options.values import format_option, named_file
from llamax_cli.streams.run import Run
from llamax_cli.streams.tables import FORMATS

# What the shell offers, of the many that the hub knows.
LICENSES = (
    "cc-by-4.0",
    "cc-by-sa-4.0",
    "cc-by-nc-4.0",
    "cc-by-nc-sa-4.0",
    "cc0-1.0",
    "odc-by",
    "pddl",
    "apache-2.0",
    "mit",
)


@command(group="analyze", workers=True, formats=True, standalone_options=("mixture",))
def analyze_corpus(
    run: Run,
    plain: Annotated[PlainText, OptionGroup(plain_corpora)],
    tokenizer: Annotated[
        str | None,
        Option(
            metavar="NAME|FILE", help="Count the tokens of this tokenizer instead of words: a file, folder or name."
        ),
        READS,
    ] = None,
    directions: Annotated[
        bool,
        Option("--directions", help="Write a record for each direction, with ratios of length, not for each language."),
    ] = False,
    matrix: Annotated[
        bool, Option("--matrix", help="With --table, write the number of pairs by source and target language.")
    ] = False,
    card: Annotated[
        Path | None,
        Option(
            metavar="FOLDER",
            callback=named_file,
            help="Also write a dataset card for the hub, README.md, and croissant.json into this folder.",
        ),
        Writes(card_paths),
    ] = None,
    license: Annotated[
        str | None,
        Option(
            metavar="NAME",
            autocompletion=completed(LICENSES),
            help="With --card, the licence as the hub names it, such as cc-by-sa-4.0.",
        ),
    ] = None,
    mixture: Annotated[
        str | None,
        Option(metavar="FILE", help="Manifest of llamax mix: describe that mixture instead of a corpus."),
        READS,
    ] = None,
    table: Annotated[str | None, format_option("--table", "Write a table instead of records", FORMATS)] = None,
) -> None:
    """Count texts, pairs, tokens and duplicates of each language of a corpus; write its dataset card.

    Reads texts and pairs, and the formats and folders that `llamax convert` reads. The numbers by language are those of
    the paper's Table 9, and more; duplicates are counted exactly, in bounded memory.

    Example: llamax analyze corpus mono.jsonl para.jsonl --table md --card dataset
    """
    run.read_through(plain)
    write_corpus(run, CorpusAnalysis(tokenizer, directions, matrix, table, card, license, mixture), plain)
