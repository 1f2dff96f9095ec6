"""Which tokens of a document are learned, by the name in the setting `loss`.

A new rule is one function, one row of LOSS_RULES, and its name in the settings.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from llamax_cli.config import COMPLETION
from llamax_cli.models.samples import Sample

# For the tokens of a sample's text, given where each begins and ends in characters: whether it is learned. The end of
# text, which the encoder adds, always is.
LossRule: TypeAlias = Callable[[Sample, Sequence[tuple[int, int]]], list[bool]]


def on_completion(sample: Sample, offsets: Sequence[tuple[int, int]]) -> list[bool]:
    """Select the completion, or the turns of the assistant, with the tokens that only partly belong to it."""
    if (spans := sample.assistant_spans) is not None:
        return [any(end > s and start < e for s, e in spans) for start, end in offsets]
    border = len(sample.prompt)
    # Without a prompt everything is learned, even a token at the start that covers no character.
    return [end > border for _, end in offsets] if border else [True] * len(offsets)


def on_text(sample: Sample, offsets: Sequence[tuple[int, int]]) -> list[bool]:
    """Select the whole text, prompt included, as in pretraining."""
    return [True] * len(offsets)


LOSS_RULES: dict[str, LossRule] = {COMPLETION: on_completion, "text": on_text}
