"""`--segmenter`, as the commands have it that look up words in a lexicon."""

from typing import Annotated

from typer import Option

from llamax_cli.augmentation.segmenters import NAMES, complete_segmenter

Segmenter = Annotated[
    str,
    Option(
        metavar="[LANGUAGE=]NAME,...",
        autocompletion=complete_segmenter,
        help=f"Word segmenters of languages without spaces: {', '.join(NAMES)}.",
    ),
]
