"""Chats rendered by the tokenizer's chat template, and the spans of text that the assistant writes."""

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

from llamax_cli.errors import ModelError, RecordError
from llamax_cli.models.chat_template import render_chat, template_errors
from llamax_cli.models.special_text import SpecialText

Message: TypeAlias = dict[str, Any]
Span: TypeAlias = tuple[int, int]  # start and end in characters, the end excluded
MARKED = re.compile(r"\{%-?\s*generation\b")  # a template that marks what the assistant generates


class ChatTemplate:
    """The chat template of a model; ModelError if its tokenizer has none.

    `ChatTemplate(tokenizer, "qwen").render([{"role": "user", ...}, {"role": "assistant", ...}])` is a Sample whose
    `assistant_spans` are the characters that the assistant writes: all of its turns, each with its end token. Special
    tokens that a message names are among its `literal_spans`: they are text, and cannot end a turn or begin one.
    """

    def __init__(self, tokenizer: Any, model: str) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise ModelError(
                f"the tokenizer of {model} has no chat template, which messages need; "
                "name the tokenizer of a chat model with --tokenizer, or give the data as prompt and completion"
            )
        self._tokenizer = tokenizer
        self._template = tokenizer.get_chat_template()
        self._special = SpecialText(tokenizer)
        self._ends = tuple(str(token) for token in tokenizer.added_tokens_decoder.values())

    def render(self, messages: Any) -> dict[str, Any]:
        """Return a chat as a Sample; RecordError if it is not a chat or if the template refuses it."""
        check_messages(messages)
        messages, marks = self._special.mark(messages)
        is_marked = MARKED.search(self._template)
        text, turns = (self._render_marked if is_marked else self._locate_turns)(messages)
        if messages[-1]["role"] == "assistant" and turns and not text.rstrip().endswith(self._ends):
            text += self._tokenizer.eos_token  # without an end token the model would never learn to stop
            turns[-1] = (turns[-1][0], len(text))
        text, literals = marks.resolve(text)
        literal_spans = {"literal_spans": list(literals)} if literals else {}
        return {"prompt": "", "completion": text, "assistant_spans": turns, **literal_spans}

    def _render_marked(self, messages: Sequence[Message]) -> tuple[str, list[Span]]:
        from transformers.utils.chat_template_utils import render_jinja_template

        with template_errors():
            rendered: Any = render_jinja_template(
                [list(messages)],
                chat_template=self._template,
                return_assistant_tokens_mask=True,
                **self._tokenizer.special_tokens_map,
            )
        (text,), (spans,) = rendered
        return text, list(spans)

    def _locate_turns(self, messages: Sequence[Message]) -> tuple[str, list[Span]]:
        """Return the text and the assistant's turns, each being what it adds to the text with the generation prompt."""
        text = self._apply(messages)
        turns: list[Span] = []
        for index, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            before = self._apply(messages[:index], prompts=True)
            after = self._apply(messages[: index + 1])
            if not (text.startswith(after) and after.startswith(before)):
                raise RecordError(
                    f"the chat template renders message {index + 1} differently once others follow, so the part of the "
                    "assistant cannot be located; mark it in the template with {% generation %}"
                )
            turns.append((len(before), len(after)))
        return text, turns

    def _apply(self, messages: Sequence[Message], *, prompts: bool = False) -> str:
        return render_chat(self._tokenizer, messages, add_generation_prompt=prompts) if messages else ""


def check_messages(messages: Any) -> None:
    """Raise RecordError if messages are not a chat."""
    if not isinstance(messages, list) or not messages:
        raise RecordError("'messages' is not a list of messages")
    for number, message in enumerate(messages, 1):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise RecordError(f"message {number} has no 'role'")
        if not isinstance(message.get("content"), str):
            raise RecordError(f"message {number} has no text under 'content'")
