"""The options by which averages over directions are chosen, the same in every command that averages."""

from typing import Annotated

from typer import Option

from llamax_cli.options.completion import completed, language_codes

Central = Annotated[str | None, Option(metavar="LANGUAGE,...", help="Average around these central languages only.")]
Without = Annotated[
    str | None,
    Option(
        "--not",
        metavar="LANGUAGE,...|85",
        help="Leave these languages out of averages; 85 is those that the paper's second table omits.",
        autocompletion=completed(lambda: ["85", *language_codes()], as_list=True),
    ),
]
