"""The forms in which people have data to tune on, each told by its keys, and a record of each as a Sample.

alpaca      instruction, input (may be absent or empty), output
completion  prompt (may be absent or empty), completion: what `llamax mix` writes, too
chat        messages: [{"role": "user", "content": "..."}, {"role": "assistant", ...}, ...]
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from llamax_cli.errors import RecordError
from llamax_cli.models.prompts import alpaca
from llamax_cli.records import Record, text, value

Render: TypeAlias = Callable[[Record], dict[str, Any]]
NAMES = {"messages": "chat", "instruction": "alpaca", "completion": "completion"}  # the key that tells each form
SHAPES = {
    "chat": "a chat (messages)",
    "alpaca": "Alpaca (instruction, input, output)",
    "completion": "prompt and completion",
}
# What changes the meaning of a record and has no place in how it is rendered.
HOMELESS = {"alpaca": ("system", "history"), "chat": ("tools", "functions"), "completion": ()}
CARRIED = ("origin", "lang", "src_lang", "tgt_lang")


def form_of(record: Record) -> str:
    """Return the form of a record: `form_of({"instruction": ..., "output": ...}) -> "alpaca"`; RecordError for none."""
    form = next((name for key, name in NAMES.items() if key in record), None)
    if form is None:
        raise RecordError(f"neither {', '.join(SHAPES.values())}: it has {', '.join(record) or 'nothing'}")
    for key in HOMELESS[form]:
        if key in record and value(record, key):
            raise RecordError(f"{key!r} has no place in {SHAPES[form]}; write it as messages of a chat")
    return form


class Forms:
    """Records of one file as Samples; `chat` renders messages and is made when the first chat comes.

    RecordError for a record of another form than the first, or none.
    """

    def __init__(self, chat: Callable[[], Callable[[Any], Mapping[str, Any]]]) -> None:
        self._make_chat = chat
        self._chat: Callable[[Any], Mapping[str, Any]] | None = None
        self._form = ""

    def render(self, record: Record) -> dict[str, Any]:
        """Return a record as a Sample."""
        form = form_of(record)
        self._form = self._form or form
        if form != self._form:
            raise RecordError(f"{SHAPES[form]}, where the file begins with {SHAPES[self._form]}; one form a file")
        rendered: Mapping[str, Any]
        if form == "alpaca":
            rendered = from_alpaca(record)
        elif form == "completion":
            rendered = {"prompt": optional(record, "prompt"), "completion": text(record, "completion")}
        else:
            rendered = self._chatted(record)
        return {**rendered, "origin": form, **carried(record)}

    def _chatted(self, record: Record) -> Mapping[str, Any]:
        if self._chat is None:
            self._chat = self._make_chat()
        return self._chat(value(record, "messages"))


def from_alpaca(record: Record) -> dict[str, str]:
    """Return an instruction with the paper's template; the answer begins with a space, as in running text."""
    output = nullable(record, "output")
    prompt = alpaca(text(record, "instruction"), optional(record, "input"))
    return {"prompt": prompt, "completion": f" {output}" if output.strip() else ""}


def nullable(record: Record, key: str) -> str:
    """Return the string under a key, "" where it is null; RecordError where it is absent."""
    return "" if value(record, key) is None else text(record, key)


def optional(record: Record, key: str) -> str:
    """Return the string under a key, "" where it is absent or null."""
    return nullable(record, key) if key in record else ""


def written(record: Record, key: str) -> str:
    """Return a string or a number as it is written, "" where it is absent or null: `{"label": 2} -> "2"`."""
    found = value(record, key) if key in record else None
    return "" if found is None else str(found)


def identity(record: Record) -> str | int | None:
    """Return the `id` of a record where it is a string or a whole number."""
    found = value(record, "id") if "id" in record else None
    return found if type(found) in (str, int) else None


def carried(record: Record) -> dict[str, Any]:
    """Return what a Sample keeps of a record besides its texts."""
    kept: dict[str, Any] = {key: found for key in CARRIED if (found := optional(record, key))}
    known = identity(record)
    return kept if known is None else {**kept, "id": known}
