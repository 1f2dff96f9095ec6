"""The forms in which people have data to tune on, each told by its keys, and a record of each as a Sample.

alpaca      instruction, input (may be absent or empty), output
completion  prompt (may be absent or empty), completion: what `llamax mix` writes, too
chat        messages: [{"role": "user", "content": "..."}, {"role": "assistant", ...}, ...]
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from llamax_cli.errors import RecordError
from llamax_cli.instructions.fields import nullable_text, optional_text, record_id
from llamax_cli.models.prompts import alpaca
from llamax_cli.records import Record, text, value

if TYPE_CHECKING:
    from llamax_cli.instructions.chat import ChatTemplate

FORMS = {"messages": "chat", "instruction": "alpaca", "completion": "completion"}  # by the key that tells each
DESCRIPTIONS = {
    "chat": "a chat (messages)",
    "alpaca": "Alpaca (instruction, input, output)",
    "completion": "prompt and completion",
}
# What changes the meaning of a record and has no place in how it is rendered.
UNSUPPORTED = {"alpaca": ("system", "history"), "chat": ("tools", "functions"), "completion": ()}
COPIED = ("origin", "lang", "src_lang", "tgt_lang")


def form_of(record: Record) -> str:
    """Return the form of a record: `form_of({"instruction": ..., "output": ...}) -> "alpaca"`; RecordError for none."""
    form = next((name for key, name in FORMS.items() if key in record), None)
    if form is None:
        raise RecordError(f"neither {', '.join(DESCRIPTIONS.values())}: it has {', '.join(record) or 'nothing'}")
    for key in UNSUPPORTED[form]:
        if key in record and value(record, key):
            raise RecordError(f"{key!r} has no place in {DESCRIPTIONS[form]}; write it as messages of a chat")
    return form


class FormRenderer:
    """Records of one file as Samples.

    RecordError for a record of another form than the first, or none.
    """

    def __init__(self, tokenizer: Any, model: str) -> None:
        self._tokenizer = tokenizer
        self._model = model
        self._form = ""

    @cached_property
    def _chat_template(self) -> "ChatTemplate":
        from llamax_cli.instructions.chat import ChatTemplate

        return ChatTemplate(self._tokenizer, self._model)

    def render(self, record: Record) -> dict[str, Any]:
        """Return a record as a Sample; ModelError for a chat where the tokenizer has no chat template."""
        form = form_of(record)
        self._form = self._form or form
        if form != self._form:
            raise RecordError(
                f"{DESCRIPTIONS[form]}, where the file begins with {DESCRIPTIONS[self._form]}; one form a file"
            )
        rendered: Mapping[str, Any]
        if form == "alpaca":
            rendered = render_alpaca(record)
        elif form == "completion":
            rendered = {"prompt": optional_text(record, "prompt"), "completion": text(record, "completion")}
        else:
            rendered = self._chat_template.render(value(record, "messages"))
        return {**rendered, "origin": form, **copied_fields(record)}


def render_alpaca(record: Record) -> dict[str, str]:
    """Return an instruction with the paper's template; the answer begins with a space, as in running text."""
    output = nullable_text(record, "output")
    prompt = alpaca(text(record, "instruction"), optional_text(record, "input"))
    return {"prompt": prompt, "completion": f" {output}" if output.strip() else ""}


def copied_fields(record: Record) -> dict[str, Any]:
    """Return what a Sample keeps of a record besides its texts."""
    copied: dict[str, Any] = {key: text for key in COPIED if (text := optional_text(record, key))}
    identity = record_id(record)
    return copied if identity is None else {**copied, "id": identity}
