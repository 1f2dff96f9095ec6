"""What a model is asked, as text: the systems of the paper's Table 14, Aya-101, a chat, and files of the user's.

LLaMAX-Alpaca's text is that of the authors' model cards; PolyLM, TowerInstruct, MADLAD and Aya-101 have the one example
on their cards, for any languages, and Swallow and Chinese-Alpaca-2 the frames of their projects. The sentence inside
those two frames and the wording of llama, yayi2, aya-23 and qwen2 are ours: the paper's are not to be had as text.
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

    `context` is what Alpaca calls the input; without one its second form is taken. The answer begins with a space.
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
    """A prompt with places for {src}, {src_lang}, {tgt_lang} (names) and {tgt_code}.

    `authors_names`: languages are named as the authors of LLaMAX named them, slips included, because their models saw
    these names. `stop`: the answer ends where this begins, for a model that goes on writing. `chat`: what the user
    says in a chat, around which the model's own chat template goes.
    """

    text: str
    authors_names: bool = False
    stop: str | None = None
    chat: bool = False

    def render(self, src: str, src_lang: str, tgt_lang: str, tgt_code: str = "") -> str:
        """Return the prompt: `render("Hallo", "de", "en") -> "German: Hallo\\nEnglish:"`.

        `tgt_code` is the model's own code of the target language, where that is not ours.
        """
        values = {
            "src": src,
            "src_lang": language_name(src_lang, authors=self.authors_names),
            "tgt_lang": language_name(tgt_lang, authors=self.authors_names),
            "tgt_code": tgt_code or tgt_lang,
        }
        return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), self.text)

    def answer(self, text: str) -> tuple[str, bool]:
        """Return the translation in what was generated, and whether a `stop` ended it."""
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
    VERBATIM: Template("{src}"),  # for who writes prompts
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
    """Return the template of that name or file; `auto` goes by the name of the model, then by its chat template.

    `choose("auto", "LLaMAX/LLaMAX3-8B-Alpaca", has_chat=False)` is LLaMAX-Alpaca's. UsageError names the nearest.
    """
    if template == AUTO:
        name = Path(model).name.lower()
        by_name = next((known for part, known in BY_MODEL_NAME.items() if part in name), None)
        return TEMPLATES[by_name or (CHAT if has_chat else "llama")]
    if template in TEMPLATES:
        if template == CHAT and not has_chat:
            raise UsageError(f"{model} has no chat template; name another one with --template")
        return TEMPLATES[template]
    return _from_file(template)


def check(template: str) -> None:
    """Raise UsageError where there is no such template, or where a file of the user's is none."""
    if template != AUTO and template not in TEMPLATES:
        _from_file(template)


def _from_file(template: str) -> Template:
    if PLACEHOLDER.search(template):
        raise UsageError("--template takes a name or a file; write the text to a file")
    path = Path(template)
    if not path.is_file():
        raise UsageError(f"unknown template {template!r}; {suggestion(template, [AUTO, *TEMPLATES])}")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: {because(error)}") from error
    placeholders = set(PLACEHOLDER.findall(text))
    if unknown := sorted(placeholders - PLACEHOLDERS):
        raise UsageError(f"{path}: {{{unknown[0]}}} is no placeholder; have: {_braced(PLACEHOLDERS)}")
    if "src" not in placeholders or not placeholders & {"tgt_lang", "tgt_code"}:
        raise UsageError(
            f"{path}: a template needs {{src}} and {{tgt_lang}}; it has {_braced(placeholders) or 'neither'}"
        )
    return Template(text.removesuffix("\n"))


def _braced(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))


def language_name(code: str, *, authors: bool = False) -> str:
    """Return what a prompt calls a language: `language_name("zh", authors=True) -> "Chinese Simpl"`."""
    known = languages().get(code)
    return known.prompt_name if known and authors else name_of(code)
