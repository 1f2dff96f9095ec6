"""The chat template of a tokenizer, which is a program of the model's author in Jinja's sandbox."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from jinja2 import TemplateError

from llamax_cli.errors import RecordError
from llamax_cli.models.special_text import LiteralText, SpecialText

# What a template may raise: Jinja's errors (its sandbox has one too), and those of the expressions in it. The sandbox
# refuses a range of more than 100,000 numbers with OverflowError.
RAISED = (
    *(TemplateError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError),
    *(MemoryError, AssertionError, ImportError),
)


@contextmanager
def template_errors() -> Iterator[None]:
    """Turn whatever a chat template raises into a RecordError of one line."""
    try:
        yield
    except RAISED as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise RecordError(f"the chat template refuses it: {text}") from error


def render_chat(tokenizer: Any, messages: Sequence[Mapping[str, Any]], *, add_generation_prompt: bool) -> str:
    """Return messages as the tokenizer's chat template writes them; RecordError if it refuses them."""
    with template_errors():
        return str(
            tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=add_generation_prompt)
        )


def render_prompt(tokenizer: Any, special: SpecialText, text: str) -> LiteralText:
    """Return a user's turn as the prompt for an answer; special tokens that the user names are text."""
    turns, marks = special.mark([{"role": "user", "content": text}])
    return marks.resolve(render_chat(tokenizer, turns, add_generation_prompt=True))
