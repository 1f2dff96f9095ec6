"""`llamax analyze lexicon`: lexicons side by side, by language."""

from typing import Annotated

from typer import Option

from llamax_cli.analysis.lexicon_comparison import LexiconRequest, write_comparison
from llamax_cli.augmentation.augmentation import open_lexicons
from llamax_cli.augmentation.segmenters import AUTO, choose_segmenters
from llamax_cli.errors import UsageError
from llamax_cli.languages import LanguageSet
from llamax_cli.lexicon.catalog import lexicon_names, lexicon_path
from llamax_cli.models.gguf import model_folder
from llamax_cli.options.command import READS, Arguments, OptionGroup, Reads, command
from llamax_cli.options.completion import completed
from llamax_cli.options.model import TrustRemoteCode
from llamax_cli.options.plain_text import PlainText, plain_text
from llamax_cli.options.segmenter import Segmenter
from llamax_cli.options.values import codes, format_option, listed
from llamax_cli.streams.paths import same_file
from llamax_cli.streams.run import Run
from llamax_cli.streams.tables import FORMATS

LEXICONS = Arguments(
    "NAME|FILE...", "Compiled lexicons, by name or as files.", lexicon_path, False, completed(lexicon_names)
)


@command(group="analyze", workers=True, formats=True, takes=LEXICONS)
def analyze_lexicon(
    run: Run,
    plain: Annotated[PlainText, OptionGroup(plain_text)],
    only: Annotated[str | None, Option(metavar="LANGUAGE,...", help="Write these languages and no others.")] = None,
    corpus: Annotated[
        str | None,
        Option(metavar="FILE,...", help="Texts or pairs whose words are looked up; - is standard input."),
        Reads(listed),
    ] = None,
    paper: Annotated[
        bool, Option("--paper", help="Look up words as augment --paper does: split at spaces, no phrases.")
    ] = False,
    segmenter: Segmenter = AUTO,
    model: Annotated[
        str | None,
        Option(metavar="NAME|FOLDER|FILE", help="Model by whose embeddings words and their translations are compared."),
        READS,
    ] = None,
    foreign: Annotated[
        bool, Option("--foreign", help="Write each translation in a script that its language is not written in.")
    ] = False,
    table: Annotated[str | None, format_option("--table", "Write a table instead of records", FORMATS)] = None,
    trust_remote_code: TrustRemoteCode = False,
) -> None:
    """Compare lexicons by language: entities (Table 2), identity, scripts, coverage of a corpus, similarity.

    Reads compiled lexicons and says from which of them to take each language: the one with the most entities, as
    augment does.

    Example: llamax analyze lexicon muse panlex --corpus para.jsonl --table md
    """
    if foreign and (corpus is not None or model is not None):
        raise UsageError("--foreign lists translations; leave out --corpus and --model, which are for figures")
    if corpus is None and (paper or segmenter != AUTO or plain != PlainText()):
        raise UsageError("--paper, --segmenter, --langs and --from require --corpus")
    if corpus is not None and not listed(corpus):
        raise UsageError("--corpus names no file; leave it out, or name one; - is standard input")
    lexicons = open_lexicons(run.settings.files, "")
    output = run.settings.output
    if output is not None and any(same_file(str(output), lexicon.path) for lexicon in lexicons):
        raise UsageError(f"-o {output} is a lexicon that this run reads; name another file")
    run.read_through(plain)
    write_comparison(
        run,
        LexiconRequest(
            run.settings.files,
            lexicons,
            LanguageSet(codes(only)),
            listed(corpus),
            paper,
            choose_segmenters(segmenter),
            model_folder(model) if model else None,
            trust_remote_code,
            foreign,
            table,
        ),
    )
