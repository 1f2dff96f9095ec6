"""`llamax augment`: pairs and texts, code-switched with a lexicon."""

from typing import Annotated

from typer import BadParameter, Option

from llamax_cli.augmentation import augmentation
from llamax_cli.augmentation.segmentation import SEGMENTERS
from llamax_cli.options.shared import codes, command, listed, one_of
from llamax_cli.streams.run import Run


def _share(value: float) -> float:
    if not 0 <= value <= 1:
        raise BadParameter(f"{value} is no share of words; give one from 0 to 1")
    return value


@command(shard=True, workers=True)
def augment(
    run: Run,
    dict_: Annotated[
        str, Option("--dict", metavar="NAME|FILE,...", help="Lexicon; of several, the fullest for each language.")
    ],
    rate: Annotated[float, Option(metavar="SHARE", callback=_share, help="Share of the words to replace.")] = 0.3,
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
    languages = [each for each in listed(not_) if each != augmentation.TARGET]
    banned = (*codes(",".join(languages)), *({augmentation.TARGET} & set(listed(not_))))
    plan = augmentation.Augmentation(
        augmentation.open_lexicons(listed(dict_)),
        rate,
        codes(into),
        banned,
        copies,
        append,
        drop_unchanged,
        paper,
        segmenter,
        seed,
    )
    run.rest_on(lexicons=[lexicon.fingerprint for lexicon in plan.lexicons])
    run.map(plan)
    augmentation.report(run)
