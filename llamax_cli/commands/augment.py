"""`llamax augment`: code-switched pairs and texts."""

from typing import Annotated

from typer import Option

from llamax_cli.augmentation import augmentation
from llamax_cli.augmentation.segmenters import AUTO, choose_segmenters
from llamax_cli.lexicon.catalog import lexicon_names, lexicon_path
from llamax_cli.options.command import NEUTRAL, OptionGroup, Reads, command
from llamax_cli.options.completion import completed, language_codes
from llamax_cli.options.plain_text import PlainText, plain_text
from llamax_cli.options.segmenter import Segmenter
from llamax_cli.options.values import codes, codes_and, listed, share, whole_number
from llamax_cli.streams.run import Run


@command(shard=True, workers=True)
def augment(
    run: Run,
    plain: Annotated[PlainText, OptionGroup(plain_text)],
    dict_: Annotated[
        str,
        Option(
            "--dict",
            metavar="NAME|FILE,...",
            help="Lexicons; each language is taken from the one that has the most entities in it.",
            autocompletion=completed(lexicon_names, as_list=True),
        ),
        Reads(lambda names: map(lexicon_path, listed(names))),
    ],
    rate: Annotated[float, share(metavar="SHARE", help="Share of the words to replace.")] = 0.3,
    into: Annotated[
        str | None, Option(metavar="LANGUAGE,...", help="Replace words by words of these languages only.")
    ] = None,
    not_: Annotated[
        str | None,
        Option(
            "--not",
            metavar="LANGUAGE,...",
            help="Never replace words by words of these languages; tgt is the target language of each pair.",
            autocompletion=completed(lambda: [augmentation.TARGET, *language_codes()], as_list=True),
        ),
    ] = None,
    copies: Annotated[
        int,
        whole_number(
            metavar="N",
            low=1,
            high=augmentation.MOST_COPIES,
            help="Number of copies of each record, each with its own replacements.",
        ),
    ] = 1,
    append: Annotated[bool, Option("--append", help="Also write each record itself, before its copies.")] = False,
    drop_unchanged: Annotated[
        bool, Option("--drop-unchanged", help="Leave out copies in which no word was replaced.")
    ] = False,
    paper: Annotated[
        bool, Option("--paper", help="Do exactly as the paper says: lower case, words split at spaces, no phrases.")
    ] = False,
    segmenter: Annotated[Segmenter, NEUTRAL] = AUTO,  # what it says in the end is among the dependencies
    seed: Annotated[int, whole_number(metavar="N", help="Random seed.")] = 0,
) -> None:
    """Replace words of the source by translations in other languages.

    Pairs become pairs with a code-switched source. Texts become pairs of the code-switched text and the text itself.

    Example: llamax augment --dict panlex < para.jsonl
    """
    run.read_through(plain)
    lexicons = augmentation.open_lexicons(listed(dict_))
    banned = codes_and(augmentation.TARGET, not_)
    plan = augmentation.Augmentation(
        lexicons, rate, codes(into), banned, copies, append, drop_unchanged, paper, choose_segmenters(segmenter), seed
    )
    run.add_dependencies(**plan.dependencies)
    run.map(plan)
    augmentation.report(run)
