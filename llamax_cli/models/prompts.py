"""Prompt templates: those of the systems in the paper's Table 14, of Aya-101, of chats, and the user's own files.

A template with the name of a system of Table 14 has the table's words. The table does not show line breaks; they are
those of the format on the model's card. One word differs: the instruction of LLaMAX ends in a full stop, which the
table lacks and the authors' script and model cards have. `NAME-card` is the wording on a model's card where it is
another than the table's.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from llamax_cli.errors import FileError, UsageError, because
from llamax_cli.languages import Language, languages, name_of
from llamax_cli.registry import suggestion

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
PLACEHOLDERS = {"src", "src_lang", "tgt_lang", "tgt_code"}
CHAT = "chat"
VERBATIM = "verbatim"
AUTO = "auto"

# What a prompt calls a language. full: "Chinese (Simplified)"; plain: "Chinese"; authors: "Chinese Simpl", by the
# authors' own table of names, misspellings included.
Names: TypeAlias = Literal["full", "plain", "authors"]


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
LINES = "{src_lang}: {src}\n{tgt_lang}:"
TOWER = "Translate the following text from {src_lang} into {tgt_lang}.\n" + LINES
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


@dataclass(frozen=True)
class Template:
    """A prompt with the placeholders {src}, {src_lang}, {tgt_lang} (names of languages) and {tgt_code}.

    `names`: what languages are called. `stop`: the text at which an answer ends, for models that continue beyond it.
    `chat`: the text is a user's turn, which the model's own chat template wraps.
    """

    text: str
    names: Names = "full"
    stop: str | None = None
    chat: bool = False

    def render(self, src: str, src_lang: str, tgt_lang: str, tgt_code: str = "") -> str:
        """Return the prompt: `render("Hallo", "de", "en") -> "German: Hallo\\nEnglish:"`.

        `tgt_code` is the model's own code of the target language, if it differs from ours.
        """
        return self.locate(src, src_lang, tgt_lang, tgt_code)[0]

    def locate(
        self, src: str, src_lang: str, tgt_lang: str, tgt_code: str = ""
    ) -> tuple[str, tuple[tuple[int, int], ...]]:
        """Return the prompt, and where the source is in it, in characters; the rest is the template's."""
        values = {
            "src": src,
            "src_lang": language_name(src_lang, self.names),
            "tgt_lang": language_name(tgt_lang, self.names),
            "tgt_code": tgt_code or tgt_lang,
        }
        text, spans, last = "", [], 0
        for match in PLACEHOLDER.finditer(self.text):
            text += self.text[last : match.start()]
            value = values.get(match[1], match[0])
            if match[1] == "src":
                spans.append((len(text), len(text) + len(value)))
            text, last = text + value, match.end()
        return text + self.text[last:], tuple(spans)

    def answer(self, text: str) -> tuple[str, bool]:
        """Return the translation in a generated text, and whether `stop` ended it."""
        text = text.strip()
        head, stop, _ = text.partition(self.stop) if self.stop else (text, "", "")
        return head.strip(), bool(stop)


TEMPLATES = {
    "llamax-alpaca": Template(ALPACA, names="authors"),
    "llama": Template(ALPACA, names="authors", stop=NEXT_HEADER),
    "yayi2": Template(ALPACA, names="authors", stop=NEXT_HEADER),
    "polylm": Template("{src}\nTranslate this sentence {src_lang} to {tgt_lang}.", names="authors", stop="\n"),
    "polylm-card": Template("{src}\nTranslate this sentence from {src_lang} to {tgt_lang}.", names="plain", stop="\n"),
    "tower-instruct": Template(f"<|im_start|>user\n{TOWER}<|im_end|>\n<|im_start|>assistant\n", names="plain"),
    "aya-23": Template(AYA, names="plain"),
    "qwen2": Template(QWEN, names="authors"),
    "chinese-alpaca-2": Template(
        _llama2_turn("You are a helpful assistant. 你是一个乐于助人的助手。"), names="authors"
    ),
    "swallow": Template(_llama2_turn("あなたは誠実で優秀な日本人のアシスタントです。"), names="authors"),
    "swallow-card": Template(SWALLOW_CARD, names="plain", stop=NEXT_HEADER),
    "madlad": Template("<2{tgt_code}> {src}"),
    "aya-101": Template("Translate to {tgt_lang}: {src}"),
    "lines": Template(LINES, names="authors", stop="\n"),
    CHAT: Template(TOWER, chat=True),
    VERBATIM: Template("{src}"),  # for sources that are prompts already
}
# The template for models whose name, in lower case, has a match of the pattern; the first that matches. Later models of
# a family (Qwen2.5, Tower-Plus, Llama-3-Swallow) have other turns, which their chat templates write.
BY_MODEL_NAME = {
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


def choose(template: str, model: str, *, has_chat: bool) -> Template:
    """Return the template of that name or file; `auto` depends on the model's name, then on its chat template.

    `choose("auto", "LLaMAX/LLaMAX3-8B-Alpaca", has_chat=False)` is LLaMAX-Alpaca's. UsageError for an unknown name.
    """
    if template == AUTO:
        name = Path(model).name.lower()
        by_name = next((known for pattern, known in BY_MODEL_NAME.items() if re.search(pattern, name)), None)
        return TEMPLATES[by_name or (CHAT if has_chat else "lines")]
    if template in TEMPLATES:
        if template == CHAT and not has_chat:
            raise UsageError(f"{model} has no chat template; choose another one with --template")
        return TEMPLATES[template]
    return _from_file(template)


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
    if "src" not in placeholders or not placeholders & {"tgt_lang", "tgt_code"}:
        raise UsageError(
            f"{path}: a template needs {{src}} and {{tgt_lang}}, but it has {_braced(placeholders) or 'neither'}"
        )
    return Template(text.removesuffix("\n"))


def _braced(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))


def language_name(code: str, names: Names = "full") -> str:
    """Return what a prompt calls a language: `language_name("zh", "authors") -> "Chinese Simpl"`."""
    known = languages().get(code)
    if known is None or names == "full":
        return name_of(code)
    return known.prompt_name if names == "authors" else _plain_name(known)


def _plain_name(language: Language) -> str:
    """Return the name without its bracket, which only the second of two languages of one name keeps: zh, zhtrad."""
    plain = _without_bracket(language)
    first = next(each for each in languages().values() if _without_bracket(each) == plain)
    return plain if first == language else language.name


def _without_bracket(language: Language) -> str:
    return language.name.partition(" (")[0]
