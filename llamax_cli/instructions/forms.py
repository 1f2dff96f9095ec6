"""The forms of instruction data, which are recognised by their keys, and a record of each as a Sample.

alpaca      instruction, input (may be absent or empty), output
completion  prompt (may be absent or empty), completion; `llamax mix` writes this form
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

FORMS = {"messages": "chat", "instruction": "alpaca", "completion": "completion"}  # by the key that identifies each
DESCRIPTIONS = {
    "chat": "a chat (messages)",
    "alpaca": "Alpaca (instruction, input, output)",
    "completion": "prompt and completion",
}
# Keys that change the meaning of a record but cannot be rendered.
UNSUPPORTED = {"alpaca": ("system", "history"), "chat": ("tools", "functions"), "completion": ()}
COPIED = ("origin", "lang", "src_lang", "tgt_lang")


def form_of(record: Record) -> str:
    """Return the form of a record: `form_of({"instruction": ..., "output": ...}) -> "alpaca"`; else RecordError."""
    form = next((name for key, name in FORMS.items() if key in record), None)
    if form is None:
        raise RecordError(f"neither {', nor '.join(DESCRIPTIONS.values())}: it has {', '.join(record) or 'nothing'}")
    for key in UNSUPPORTED[form]:
        if key in record and value(record, key):
            raise RecordError(f"{key!r} is not supported in {DESCRIPTIONS[form]}; write the record as a chat")
    return form


class FormRenderer:
    """Renders the records of one file as Samples.

    RecordError for a record that has another form than the first one, or no known form.
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
        """Return a record as a Sample; ModelError for a chat if the tokenizer has no chat template."""
        form = form_of(record)
        self._form = self._form or form
        if form != self._form:
            raise RecordError(
                f"{DESCRIPTIONS[form]}, but the file begins with {DESCRIPTIONS[self._form]}; keep to one form in a file"
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
    """Return an instruction in the paper's template; the answer begins with a space, as in running text."""
    output = nullable_text(record, "output")
    prompt = alpaca(text(record, "instruction"), optional_text(record, "input"))
    return {"prompt": prompt, "completion": f" {output}" if output.strip() else ""}


def copied_fields(record: Record) -> dict[str, Any]:
    """Return the fields of a record that its Sample keeps, apart from the texts."""
    copied: dict[str, Any] = {key: text for key in COPIED if (text := optional_text(record, key))}
    identity = record_id(record)
    return copied if identity is None else {**copied, "id": identity}
