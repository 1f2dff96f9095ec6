"""Prompt templates: those of the systems in the paper's Table 14, of Aya-101, of chats, and the user's own files.

The text for LLaMAX-Alpaca comes from the authors' model cards. Those for PolyLM, TowerInstruct, MADLAD and Aya-101
generalize the example on each model's card. Those for Swallow and Chinese-Alpaca-2 use the frames of these projects.
The sentence inside the two frames, and the wording for llama, yayi2, aya-23 and qwen2, are ours, because the paper's
are not available as text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from llamax_cli.errors import FileError, UsageError, because
from llamax_cli.languages import languages, name_of
from llamax_cli.registry import suggestion

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
PLACEHOLDERS = {"src", "src_lang", "tgt_lang", "tgt_code"}
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
LINES = "{src_lang}: {src}\n{tgt_lang}:"
TOWER = "Translate the following text from {src_lang} into {tgt_lang}.\n" + LINES
QWEN = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
    + INSTRUCTION
    + "\n{src}<|im_end|>\n<|im_start|>assistant\n"
)
AYA = (
    "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>"
    + INSTRUCTION
    + "\n{src}<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"
)
CHINESE_ALPACA = (
    "[INST] <<SYS>>\nYou are a helpful assistant. 你是一个乐于助人的助手。\n<</SYS>>\n\n"
    + INSTRUCTION
    + "\n{src} [/INST]"
)
SWALLOW = (
    "以下に、あるタスクを説明する指示があり、それに付随する入力が更なる文脈を提供しています。"
    "リクエストを適切に完了するための回答を記述してください。\n\n"
    "### 指示:\n" + INSTRUCTION + "\n\n### 入力:\n{src}\n\n### 応答:"
)


@dataclass(frozen=True)
class Template:
    """A prompt with the placeholders {src}, {src_lang}, {tgt_lang} (names of languages) and {tgt_code}.

    `authors_names`: use the language names of the LLaMAX authors, misspellings included, because their models were
    trained with them. `stop`: the text at which an answer ends, for models that continue beyond it. `chat`: the text is
    a user's turn, which the model's own chat template wraps.
    """

    text: str
    authors_names: bool = False
    stop: str | None = None
    chat: bool = False

    def render(self, src: str, src_lang: str, tgt_lang: str, tgt_code: str = "") -> str:
        """Return the prompt: `render("Hallo", "de", "en") -> "German: Hallo\\nEnglish:"`.

        `tgt_code` is the model's own code of the target language, if it differs from ours.
        """
        values = {
            "src": src,
            "src_lang": language_name(src_lang, authors=self.authors_names),
            "tgt_lang": language_name(tgt_lang, authors=self.authors_names),
            "tgt_code": tgt_code or tgt_lang,
        }
        return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), self.text)

    def answer(self, text: str) -> tuple[str, bool]:
        """Return the translation in a generated text, and whether `stop` ended it."""
        text = text.strip()
        head, stop, _ = text.partition(self.stop) if self.stop else (text, "", "")
        return head.strip(), bool(stop)


TEMPLATES = {
    "llamax-alpaca": Template(ALPACA, authors_names=True),
    "llama": Template(LINES, authors_names=True, stop="\n"),
    "yayi2": Template(LINES, stop="\n"),
    "polylm": Template("{src}\nTranslate this sentence from {src_lang} to {tgt_lang}.", stop="\n"),
    "tower-instruct": Template(f"<|im_start|>user\n{TOWER}<|im_end|>\n<|im_start|>assistant\n"),
    "aya-23": Template(AYA),
    "qwen2": Template(QWEN),
    "chinese-alpaca-2": Template(CHINESE_ALPACA),
    "swallow": Template(SWALLOW),
    "madlad": Template("<2{tgt_code}> {src}"),
    "aya-101": Template("Translate to {tgt_lang}: {src}"),
    CHAT: Template(TOWER, chat=True),
    VERBATIM: Template("{src}"),  # for sources that are prompts already
}
# The template for models with a certain part in their name; the first that matches.
BY_MODEL_NAME = {
    "madlad": "madlad",
    "aya-101": "aya-101",
    "llamax": "llamax-alpaca",
    "chinese-alpaca": "chinese-alpaca-2",
    "swallow": "swallow",
    "tower": "tower-instruct",
    "aya-23": "aya-23",
    "polylm": "polylm",
    "yayi2": "yayi2",
    "qwen2": "qwen2",
    "alpaca": "llamax-alpaca",
}


def choose(template: str, model: str, *, has_chat: bool) -> Template:
    """Return the template of that name or file; `auto` depends on the model's name, then on its chat template.

    `choose("auto", "LLaMAX/LLaMAX3-8B-Alpaca", has_chat=False)` is LLaMAX-Alpaca's. UsageError for an unknown name.
    """
    if template == AUTO:
        name = Path(model).name.lower()
        by_name = next((known for part, known in BY_MODEL_NAME.items() if part in name), None)
        return TEMPLATES[by_name or (CHAT if has_chat else "llama")]
    if template in TEMPLATES:
        if template == CHAT and not has_chat:
            raise UsageError(f"{model} has no chat template; choose another one with --template")
        return TEMPLATES[template]
    return _from_file(template)


THINK, END_OF_THINK = "<think>", "</think>"


def without_reasoning(text: str, source: str = END_OF_THINK) -> tuple[str, bool]:
    """Return an answer without the reasoning that opens it, and whether there was some.

    `without_reasoning("<think>Hm.</think>Ja.") -> ("Ja.", True)`; of reasoning that was cut nothing is left. Some chat
    templates write `<think>` themselves, so that an answer only ends it. That is taken for reasoning if the source is
    given and does not have `</think>` itself.
    """
    opening, end, answer = text.partition(END_OF_THINK)
    has_begun = opening.lstrip().startswith(THINK)
    if has_begun or (end and END_OF_THINK not in source):
        return answer.strip(), True
    return text, False


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
    if "src" not in placeholders or not placeholders & {"tgt_lang", "tgt_code"}:
        raise UsageError(
            f"{path}: a template needs {{src}} and {{tgt_lang}}, but it has {_braced(placeholders) or 'neither'}"
        )
    return Template(text.removesuffix("\n"))


def _braced(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))


def language_name(code: str, *, authors: bool = False) -> str:
    """Return what a prompt calls a language: `language_name("zh", authors=True) -> "Chinese Simpl"`."""
    known = languages().get(code)
    return known.prompt_name if known and authors else name_of(code)
