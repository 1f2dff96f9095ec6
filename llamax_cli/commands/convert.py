"""`llamax convert`: corpora to records, and back."""

from typing import Annotated

from typer import Option

from llamax_cli.conversion import writers
from llamax_cli.conversion.convert import copy_lines, read_corpora
from llamax_cli.conversion.detection import FORMATS
from llamax_cli.conversion.segments import CorpusRequest
from llamax_cli.conversion.selection import Selection
from llamax_cli.filtering.rules import FILTERS, filter_settings, names_file
from llamax_cli.filtering.sieve import filtered
from llamax_cli.options.command import Reads, command
from llamax_cli.options.completion import completed
from llamax_cli.options.values import columns_by_language, file_languages, format_option, listed, portion, whole_number
from llamax_cli.streams.chunks import WHOLE, Portion
from llamax_cli.streams.run import Run


@command(formats=True)
def convert(
    run: Run,
    from_: Annotated[str | None, format_option("--from", "Input format, where it is not detected", FORMATS)] = None,
    as_: Annotated[str, format_option("--as", "Output format", writers.TARGETS)] = "records",
    pairs: Annotated[
        str | None,
        Option(metavar="PAIR,...", help="Directions to write, in this order; * is any language, as in en-zh,*-en."),
    ] = None,
    mono: Annotated[
        str | None, Option(metavar="LANGUAGE,...", help="Languages to write as single texts; * is every language.")
    ] = None,
    langs: Annotated[
        str | None, Option(metavar="LANGUAGE,...", help="Languages of the files or columns, in their order.")
    ] = None,
    columns: Annotated[
        str | None,
        Option(metavar="LANGUAGE=COLUMN,...", help="Columns of a table, by name or number, as in en=1,zh=chinese."),
    ] = None,
    sample: Annotated[
        int | None, whole_number(metavar="N", low=1, help="Draw N records for each direction, without replacement.")
    ] = None,
    part: Annotated[
        Portion,
        Option(
            metavar="I/N",
            parser=portion,
            help="Take the I-th of N parts, which share no segment.",
            show_default=False,
        ),
    ] = WHOLE,
    seed: Annotated[int, whole_number(metavar="N", help="Random seed.")] = 0,
    drop_empty: Annotated[bool, Option("--drop-empty", help="Leave out records with an empty text.")] = False,
    filter_: Annotated[
        str | None,
        Option(
            "--filter",
            metavar="NAME=NUMBER,...",
            help="Leave out records by these filters, or by those in a file FILE.toml: length-ratio=2,identical.",
            autocompletion=completed(FILTERS, as_list=True),
        ),
        Reads(lambda value: [item for item in listed(value) if names_file(item)]),
    ] = None,
    min_: Annotated[
        str | None,
        Option(
            "--min",
            metavar="KEY=NUMBER,...",
            help="Leave out records with a lower value of this key, as in comet-kiwi=60.",
            autocompletion=completed(("comet-kiwi=", "comet=", "lid_score="), as_list=True),
        ),
    ] = None,
    max_: Annotated[
        str | None,
        Option(
            "--max",
            metavar="KEY=NUMBER,...",
            help="Leave out records with a higher value of this key, as in metricx-24-xl-qe=5.",
            autocompletion=completed(("metricx-24-xl-qe=", "metricx-24-xl=", "ter="), as_list=True),
        ),
    ] = None,
    field: Annotated[
        str | None,
        Option(
            metavar="KEY",
            help="The key that --as text writes; by default text, or mt (a translation) where a record has no text.",
            autocompletion=completed(("text", "src", "tgt", "mt")),
        ),
    ] = None,
    name: Annotated[
        str | None,
        Option(metavar="NAME", help="Beginning of every id, instead of the folder and file name of the corpus."),
    ] = None,
    split: Annotated[str | None, Option(metavar="NAME", help="Split of a Hugging Face data set.")] = None,
    config: Annotated[str | None, Option(metavar="NAME", help="Configuration of a Hugging Face data set.")] = None,
) -> None:
    """Turn corpora of any common format into records, and records back.

    Reads line-aligned text (Moses), TSV, TMX, XLIFF, PO, subtitles, FLORES, FLORES+, NTREX, TICO-19, Tatoeba, BOUQuET,
    NLLB-Seed, SMOL, test sets of WMT, Hugging Face lines and data sets, Parquet, plain text and records. The format is
    detected from file names and contents. No text is changed.

    Example: llamax convert flores101/devtest --pairs '*-*'
    """
    paths = run.settings.files or ("-",)
    filters = filter_settings(listed(filter_), listed(min_), listed(max_))
    by_language = columns_by_language(columns)
    request = CorpusRequest(
        paths,
        run.input,
        run.reject,
        file_languages(langs),
        by_language,
        name,
        split,
        config,
        keeps_places=bool(filters) or as_ not in ("records", "parquet"),
    )
    selection = Selection(listed(pairs), listed(mono), sample, part, seed, drop_empty)
    is_plain = as_ == "records" and run.settings.limit is None and not filters
    if is_plain and (lines := copy_lines(request, from_, selection, run.left_out)) is not None:
        writers.write_lines(run, lines)
    else:
        records = read_corpora(request, from_, selection, run.left_out, filtered(run, filters))
        writers.write(run, records, as_, field)
    run.remarks += request.conclusions.remarks(with_names=not selection.names_languages)
