"""Registries: tables of names whose code is imported when it is used, and suggestions for unknown names.

A table such as `{"spbleu": "llamax_cli.scoring.bleu:SpBleu"}` names code in strings, so that nothing is imported before
it is needed.
"""

import gc
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import Any


def find(target: str) -> Any:
    """Import and return the object that a target names: `find("llamax_cli.scoring.bleu:SpBleu") -> SpBleu`."""
    if target.partition(":")[0] in sys.modules:
        return resolve_name(target)
    with importing():
        return resolve_name(target)


@contextmanager
def importing() -> Iterator[None]:
    """Do not look for garbage while libraries are imported, nor later among what they have made.

    torch and transformers make a million objects, and looking for garbage among these, of which there is none, takes a
    sixth of the time that their import takes.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the hint for an unknown name; upper and lower case are the same.

    `suggestion("spbleau", ["spbleu", "ter"]) -> "did you mean spbleu?"`, `suggestion("x", ["ter"]) -> "have: ter"`.
    """
    from difflib import get_close_matches

    names = {candidate.lower(): candidate for candidate in known}
    near = get_close_matches(name.lower(), names, 1, 0.5)
    return f"did you mean {names[near[0]]}?" if near else f"have: {', '.join(names.values()) or 'none'}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the hint for an unknown name of which the known ones may be a part, or it a part of them.

    `nearest("lexicon", ["build-lexicon", "mix"]) -> "nearest: build-lexicon"`; all are listed where none is near.
    """
    from difflib import get_close_matches

    names, asked = list(known), name.lower()
    parts = [each for each in names if len(asked) > 2 and (asked in each or each in asked)]
    near = list(dict.fromkeys([*parts, *get_close_matches(asked, names, 3, 0.6)]))
    return f"nearest: {', '.join(near)}" if near else f"have: {', '.join(names)}"
