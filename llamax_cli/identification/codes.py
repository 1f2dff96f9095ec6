"""From a detector's labels to our codes."""

from llamax_cli.languages import known

# Labels of lid.176 that are codes of Wikipedias and mean another language in ISO 639; CLD2 uses `bh` and `ku` likewise.
WIKIPEDIA_CODES = {"als": "gsw", "bh": "bho", "eml": "egl", "ku": "kmr"}
CHINESE = {"zh", "zhtrad", "zh-Hani"}


def code_of(label: str) -> str | None:
    """Return our code for a label: `code_of("zho_Hant") -> "zhtrad"`; None if it names no language (`und_Latn`)."""
    return WIKIPEDIA_CODES.get(label) or known(label)
