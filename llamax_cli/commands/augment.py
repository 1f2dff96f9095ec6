"""`llamax augment`: pairs and texts, code-switched with a lexicon."""

from typing import Annotated

from typer import Option

from llamax_cli.augmentation import augmentation
from llamax_cli.augmentation.segmentation import SEGMENTERS
from llamax_cli.options.command import command
from llamax_cli.options.values import codes, codes_and, listed, one_of, share
from llamax_cli.streams.run import Run


@command(shard=True, workers=True)
def augment(
    run: Run,
    dict_: Annotated[
        str, Option("--dict", metavar="NAME|FILE,...", help="Lexicon; of several, the fullest for each language.")
    ],
    rate: Annotated[float, Option(metavar="SHARE", callback=share, help="Share of the words to replace.")] = 0.3,
    into: Annotated[
        str | None, Option(metavar="LANG,...", help="Replace by words of these languages only.", show_default=False)
    ] = None,
    not_: Annotated[
        str | None,
        Option("--not", metavar="LANG,...", help="Not by these; tgt is each pair's target.", show_default=False),
    ] = None,
    copies: Annotated[int, Option(metavar="N", min=1, help="Copies of each record, each drawn anew.")] = 1,
    append: Annotated[bool, Option("--append", help="Write the record itself too, before its copies.")] = False,
    drop_unchanged: Annotated[
        bool, Option("--drop-unchanged", help="Leave out copies in which nothing was replaced.")
    ] = False,
    paper: Annotated[
        bool, Option("--paper", help="To the paper's letter: small letters, words between spaces, no phrases.")
    ] = False,
    segmenter: Annotated[
        str, Option(callback=one_of(SEGMENTERS), help=f"What cuts Chinese into words: {', '.join(SEGMENTERS)}.")
    ] = "jieba",
    seed: Annotated[int, Option(help="Another seed, other choices.")] = 0,
) -> None:
    """Replace words of the source by translations in other languages.

    Pairs become pairs with a code-switched source, texts become pairs of their code-switched form and themselves.

    Example: llamax augment --dict panlex < para.jsonl
    """
    plan = augmentation.Augmentation(
        augmentation.open_lexicons(listed(dict_)),
        rate,
        codes(into),
        codes_and(augmentation.TARGET, not_),
        copies,
        append,
        drop_unchanged,
        paper,
        segmenter,
        seed,
    )
    run.add_dependencies(lexicons=[lexicon.fingerprint for lexicon in plan.lexicons])
    run.map(plan)
    augmentation.report(run)
