"""Prompt templates: those of the systems in the paper's Table 14, of Aya-101, of later models, of chats, and files.

A template with the name of a system of Table 14 has the table's words. The table does not show line breaks; they are
those of the format on the model's card. One word differs: the instruction of LLaMAX ends in a full stop, which the
table lacks and the authors' script and model cards have. `NAME-card` is the wording on a model's card where it is
another than the table's. Later models are in translation_models.py.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from llamax_cli.errors import FileError, UsageError, because
from llamax_cli.models import translation_models
from llamax_cli.models.prompt_template import (
    CODES,
    PLACEHOLDER,
    PLACEHOLDERS,
    SHOT,
    SOURCES,
    Names,
    Shot,
    Template,
    language_name,
)
from llamax_cli.registry import suggestion

__all__ = ["Shot", "Template", "language_name"]

CHAT = "chat"
VERBATIM = "verbatim"
AUTO = "auto"


def alpaca(instruction: str, context: str = "") -> str:
    """Return the prompt of an instruction, in the form of LLaMAX-Alpaca: single newlines, nothing after `Response:`.

    `context` is Alpaca's input; without one, the form without an input is used. The answer begins with a space.
    """
    paired = ", paired with an input that provides further context" if context else ""
    given = f"\n### Input:\n{context}" if context else ""
    return (
        f"Below is an instruction that describes a task{paired}. "
        "Write a response that appropriately completes the request.\n"
        f"### Instruction:\n{instruction}{given}\n### Response:"
    )


INSTRUCTION = "Translate the following sentences from {src_lang} to {tgt_lang}."
ALPACA = alpaca(INSTRUCTION, "{src}")
NEXT_HEADER = "\n###"  # where a model that was not tuned on the Alpaca prompt goes on with an instruction of its own
ONE_LINE = "Translate the following sentences from {src_lang} to {tgt_lang}: {src}"
LINES, SHOT_LINES = translation_models.LINES, translation_models.SHOT_LINES
TOWER = translation_models.TOWER
QWEN = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    f"<|im_start|>user\n{ONE_LINE}<|im_end|>\n<|im_start|>assistant\n"
)
AYA = f"<|START_OF_TURN_TOKEN|><|USER_TOKEN|>{ONE_LINE}<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"
SWALLOW_CARD = (
    "以下に、あるタスクを説明する指示があり、それに付随する入力が更なる文脈を提供しています。"
    "リクエストを適切に完了するための回答を記述してください。\n\n"
    "### 指示:\n" + INSTRUCTION + "\n\n### 入力:\n{src}\n\n### 応答:"
)


def _llama2_turn(system: str) -> str:
    """Return LLaMA-2's turn of a user who asks for a translation, after a system text."""
    return f"[INST] <<SYS>>\n{system}\n<</SYS>>\n\n{ONE_LINE} [/INST]"


def _turns(text: str, names: Names) -> Template:
    """Return a template that writes the turns of a chat itself, and so has no place for examples."""
    return Template(text, names=names, takes_shots=False)


TEMPLATES = {
    "llamax-alpaca": Template(ALPACA, names="authors"),
    "llama": Template(ALPACA, names="authors", stop=NEXT_HEADER),
    "yayi2": Template(ALPACA, names="authors", stop=NEXT_HEADER),
    "polylm": Template("{src}\nTranslate this sentence {src_lang} to {tgt_lang}.", names="authors", stop="\n"),
    "polylm-card": Template("{src}\nTranslate this sentence from {src_lang} to {tgt_lang}.", names="plain", stop="\n"),
    "tower-instruct": _turns(f"<|im_start|>user\n{TOWER}<|im_end|>\n<|im_start|>assistant\n", "plain"),
    "aya-23": _turns(AYA, "plain"),
    "qwen2": _turns(QWEN, "authors"),
    "chinese-alpaca-2": _turns(_llama2_turn("You are a helpful assistant. 你是一个乐于助人的助手。"), "authors"),
    "swallow": _turns(_llama2_turn("あなたは誠実で優秀な日本人のアシスタントです。"), "authors"),
    "swallow-card": Template(SWALLOW_CARD, names="plain", stop=NEXT_HEADER),
    "madlad": Template("<2{tgt_code}> {src}", takes_shots=False),
    "aya-101": Template("Translate to {tgt_lang}: {src}"),
    **translation_models.TEMPLATES,
    "lines": Template(SHOT_LINES + LINES, names="authors", stop="\n"),
    CHAT: Template(TOWER, chat=True),
    VERBATIM: Template("{src}", takes_shots=False),  # for sources that are prompts already
}
REASONING = ("qwen3",)  # templates of models whose reasoning a server can be told to turn off
# The template for models whose name, in lower case, has a match of the pattern; the first that matches. Later models of
# a family (Qwen2.5, Llama-3-Swallow) have other turns, which their chat templates write.
BY_MODEL_NAME = {
    **translation_models.BY_MODEL_NAME,
    r"madlad": "madlad",
    r"aya-101": "aya-101",
    r"llamax": "llamax-alpaca",
    r"chinese-alpaca": "chinese-alpaca-2",
    r"^swallow.*instruct-hf": "swallow-card",  # tuned on this prompt; the later ones (v0.1) on LLaMA-2's turns
    r"^swallow.*instruct": "swallow",
    r"tower-?instruct": "tower-instruct",
    r"aya-23": "aya-23",
    r"polylm": "polylm-card",
    r"yayi2": "yayi2",
    r"qwen2(?!\.)": "qwen2",
    r"alpaca": "llamax-alpaca",
}


def choose(template: str, model: str, *, has_chat: bool, chat_template: str = "") -> Template:
    """Return the template of that name or file; `auto` depends on the model's name, then on its chat template.

    `choose("auto", "LLaMAX/LLaMAX3-8B-Alpaca", has_chat=False)` is LLaMAX-Alpaca's. A chat template (its text is
    `chat_template`) that takes codes of languages as fields gets them. UsageError for an unknown name.
    """
    takes_codes = all(name in chat_template for name in CODES)
    if template == AUTO:
        name = Path(model).name.lower()
        by_name = next((known for pattern, known in BY_MODEL_NAME.items() if re.search(pattern, name)), None)
        if by_name is None or (TEMPLATES[by_name].chat and not has_chat):
            by_name = CHAT if has_chat else "lines"
        template = by_name
    if template not in TEMPLATES:
        return _from_file(template)
    if TEMPLATES[template].chat and not has_chat:
        raise UsageError(f"{model} has no chat template; choose another one with --template")
    return TEMPLATES["translategemma" if template == CHAT and takes_codes else template]


def group_adapters(model: str, template: str) -> str | None:
    """Return the adapters that belong to a model without them, None if it is no such model.

    `group_adapters("haoranxu/X-ALMA-13B-Pretrain", "auto") -> "haoranxu/X-ALMA-13B-Group{group}"`
    """
    name = Path(model).name
    if template not in (AUTO, "x-alma") or not re.search(r"x-alma.*-pretrain$", name, re.IGNORECASE):
        return None
    return f"{model[: -len(name)]}{re.sub('pretrain$', 'Group{group}', name, flags=re.IGNORECASE)}"


THINK, END_OF_THINK = "<think>", "</think>"
THOUGHT = re.compile(f"{THINK}|{END_OF_THINK}")


def without_reasoning(text: str, source: str = END_OF_THINK) -> tuple[str, bool]:
    """Return an answer without the reasoning that opens it, and whether there was some.

    `without_reasoning("<think>Hm.</think>Ja.") -> ("Ja.", True)`; of reasoning that was cut nothing is left, and what
    is inside of reasoning goes with it. Some chat templates write `<think>` themselves, so that an answer only ends it.
    That is taken for reasoning if the source is given and does not have `</think>` itself.
    """
    has_reasoned = False
    while True:  # a model may reason again before it answers
        has_begun = text.lstrip().startswith(THINK)
        end = _end_of_reasoning(text, depth=0 if has_begun else 1)
        if not has_begun and (has_reasoned or end < 0 or END_OF_THINK in source):
            return text, has_reasoned
        text, has_reasoned = text[end:].removeprefix(END_OF_THINK).strip() if end >= 0 else "", True


def _end_of_reasoning(text: str, depth: int) -> int:
    """Return where the `</think>` is that ends the reasoning a text begins with; -1 if it was cut.

    `depth` is how often reasoning was opened before the text. What is opened inside of reasoning is ended inside; where
    it is not, as in `<think>Say <think>.</think>`, the last `</think>` ends all of it.
    """
    last = -1
    for match in THOUGHT.finditer(text):
        depth += 1 if match[0] == THINK else -1
        last = match.start() if match[0] == END_OF_THINK else last
        if depth == 0:
            return last
    return last


def check(template: str) -> None:
    """Raise UsageError for an unknown template, or a file that is not a template."""
    if template != AUTO and template not in TEMPLATES:
        _from_file(template)


def _from_file(template: str) -> Template:
    if PLACEHOLDER.search(template):
        raise UsageError("--template takes a name or a file, not the text itself; write the text to a file")
    path = Path(template)
    if not path.is_file():
        raise UsageError(f"unknown template {template!r}; {suggestion(template, [AUTO, *TEMPLATES])}")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: {because(error)}") from error
    placeholders = set(PLACEHOLDER.findall(text))
    if unknown := sorted(placeholders - PLACEHOLDERS):
        raise UsageError(f"{path}: {{{unknown[0]}}} is not a placeholder; have: {_braced(PLACEHOLDERS)}")
    if len(placeholders & {name.strip("{}") for name in SHOT}) == 1:
        raise UsageError(f"{path}: an example needs both {' and '.join(SHOT)}")
    if not placeholders & SOURCES or not placeholders & {"tgt_lang", "tgt_code"}:
        raise UsageError(
            f"{path}: a template needs {{src}} and {{tgt_lang}}, but it has {_braced(placeholders) or 'neither'}"
        )
    return Template(text.removesuffix("\n"))


def _braced(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))
