"""`llamax build-lexicon`: one multilingual lexicon from bilingual dictionaries."""

from typing import Annotated

from typer import Option

from llamax_cli.errors import UsageError
from llamax_cli.languages import LanguageSet
from llamax_cli.lexicon import lexicon_writer
from llamax_cli.lexicon.builder import build
from llamax_cli.lexicon.catalog import path_of
from llamax_cli.lexicon.detection import FORMATS, open_dictionaries
from llamax_cli.lexicon.dictionaries import DictionaryRequest, parse_language_pair
from llamax_cli.lexicon.rows import BuildOptions
from llamax_cli.lexicon.statistics import LanguageStatistics
from llamax_cli.options.command import Writes, command
from llamax_cli.options.values import codes, format_option, whole_number
from llamax_cli.streams.run import Run
from llamax_cli.streams.tables import FORMATS as TABLES


@command(workers=True, formats=True, standalone_options=("list_",))
def build_lexicon(
    run: Run,
    from_: Annotated[str | None, format_option("--from", "Input format, where it is not detected", FORMATS)] = None,
    langs: Annotated[
        str | None, Option(metavar="PAIR", help="The two languages, such as en-fr, if no file name gives them.")
    ] = None,
    name: Annotated[
        str | None,
        Option(metavar="NAME", help="Compile the lexicon under this name, by which other commands find it."),
        Writes(lambda name: (path_of(name),) if name else ()),
    ] = None,
    list_: Annotated[bool, Option("--list", help="Show the lexicons that have a name.")] = False,
    stats: Annotated[bool, Option("--stats", help="Write statistics of each language instead of entries.")] = False,
    table: Annotated[
        str | None, format_option("--table", "With --stats, write a table instead of records", TABLES)
    ] = None,
    only: Annotated[str | None, Option(metavar="LANGUAGE,...", help="Keep these languages and no others.")] = None,
    max_words: Annotated[
        int | None, whole_number(metavar="N", low=1, help="Leave out entries of more than N words.")
    ] = None,
    one_way: Annotated[bool, Option("--one-way", help="Read each dictionary from left to right only.")] = False,
    keep_identical: Annotated[
        bool, Option("--keep-identical", help="Keep words that are given as their own translation.")
    ] = False,
    hops: Annotated[
        int,
        whole_number(
            metavar="N", low=1, high=2, help="With 2, also translate through a word that two dictionaries share."
        ),
    ] = 1,
) -> None:
    """Merge dictionaries into one multilingual lexicon, as records or compiled.

    Reads MUSE, PanLex, GATITOS, FreeDict, extracts of Wiktionary, hunalign, mRASP, tables, entries and compiled
    lexicons, as files or folders. Format and languages are detected from file names and contents. With -o FILE.lex or
    --name the lexicon is compiled.

    Example: llamax build-lexicon muse panlex --name mine --rejects bad.jsonl
    """
    if table is not None and not stats:
        raise UsageError("--table requires --stats; entries are not a table")
    if list_:
        lexicon_writer.write_list(run)
        return
    path = lexicon_writer.destination(run, name, stats=stats)
    options = BuildOptions(one_way, keep_identical, hops, LanguageSet(codes(only)), max_words)
    request = DictionaryRequest(run.input, parse_language_pair(langs), run.tally)
    dictionaries = open_dictionaries(request, run.settings.files or ("-",), from_)
    statistics: dict[str, LanguageStatistics] = {}
    entries = build(dictionaries, options, lexicon_writer.context(run), statistics)
    if stats:
        lexicon_writer.write_stats(run, entries, statistics, options, table)
    else:
        lexicon_writer.write(run, entries, statistics, path)
    run.remarks += request.conclusions.remarks()
