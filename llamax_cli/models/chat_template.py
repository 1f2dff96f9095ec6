"""The chat template of a tokenizer, which is a program of the model's author in Jinja's sandbox."""

import re
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


# What the templates of models that can reason before they answer call the switch: Qwen3, SmolLM3, Hunyuan and Apertus
# have the first, DeepSeek-V3.1 and Granite the second.
THINKING = ("enable_thinking", "thinking")


def render_chat(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], *, add_generation_prompt: bool, thinking: bool | None = None
) -> str:
    """Return messages as the tokenizer's chat template writes them; RecordError if it refuses them.

    `thinking` turns the reasoning of a model on or off whose template has a switch for it; None leaves it as it is.
    """
    switches = {} if thinking is None else {name: thinking for name in THINKING if _has(tokenizer, name)}
    with template_errors():
        return str(
            tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=add_generation_prompt, **switches
            )
        )


def render_prompt(
    tokenizer: Any,
    special: SpecialText,
    turns: Sequence[Mapping[str, Any]],
    *,
    add_generation_prompt: bool = True,
    thinking: bool | None = None,
) -> LiteralText:
    """Return turns, the last a user's, as the prompt for an answer; special tokens that they name are text."""
    marked, marks = special.mark(list(turns))
    text = render_chat(tokenizer, marked, add_generation_prompt=add_generation_prompt, thinking=thinking)
    return marks.resolve(text)


def chat_template_text(tokenizer: Any) -> str:
    """Return the text of a tokenizer's chat template, "" if it has none."""
    template = getattr(tokenizer, "chat_template", None)
    if isinstance(template, dict):  # several, by name
        template = template.get("default")
    return template if isinstance(template, str) else ""


def _has(tokenizer: Any, name: str) -> bool:
    return re.search(rf"\b{name}\b", chat_template_text(tokenizer)) is not None
