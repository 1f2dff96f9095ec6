"""Prompts, names of languages, language tokens and limits of length."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamax_cli.errors import LanguageError, UsageError
from llamax_cli.languages import canonical, languages, name_of
from llamax_cli.models import language_tokens, prompts
from llamax_cli.models.output_lengths import OutputLengths, letters
from llamax_cli.models.prompts import TEMPLATES, VERBATIM

ALPACA = (
    "Below is an instruction that describes a task, paired with an input that provides further context. Write a "
    "response that appropriately completes the request.\n### Instruction:\nTranslate the following sentences from "
    "{names}.\n### Input:\nHi: {{you}}.\n### Response:"
)
LLAMA_2 = "[INST] <<SYS>>\n{system}\n<</SYS>>\n\nTranslate the following sentences from {names}: Hi: {{you}}. [/INST]"
QWEN = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
    "Translate the following sentences from {names}: Hi: {{you}}.<|im_end|>\n<|im_start|>assistant\n"
)
AYA = (
    "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>Translate the following sentences from {names}: Hi: {{you}}."
    "<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"
)
TOWER = (
    "<|im_start|>user\nTranslate the following text from {0} into {1}.\n{0}: Hi: {{you}}.\n{1}:<|im_end|>\n"
    "<|im_start|>assistant\n"
)
AUTHORS = ("English to Chinese Simpl", "Akrikaans to Portuguese (Brazil)")
PLAIN = ("English to Chinese", "Afrikaans to Portuguese")
# The prompt of each system of Table 14 for "Hi: {you}." from English to Chinese and from Afrikaans to Portuguese.
TABLE_14 = {
    **{name: [ALPACA.format(names=names) for names in AUTHORS] for name in ("llamax-alpaca", "llama", "yayi2")},
    "polylm": [f"Hi: {{you}}.\nTranslate this sentence {names}." for names in AUTHORS],
    "tower-instruct": [TOWER.format("English", "Chinese"), TOWER.format("Afrikaans", "Portuguese")],
    "aya-23": [AYA.format(names=names) for names in PLAIN],
    "qwen2": [QWEN.format(names=names) for names in AUTHORS],
    "chinese-alpaca-2": [
        LLAMA_2.format(system="You are a helpful assistant. 你是一个乐于助人的助手。", names=names) for names in AUTHORS
    ],
    "swallow": [
        LLAMA_2.format(system="あなたは誠実で優秀な日本人のアシスタントです。", names=names) for names in AUTHORS
    ],
    "madlad": ["<2zh> Hi: {you}.", "<2pt> Hi: {you}."],
}


@pytest.mark.parametrize("name", TABLE_14)
def test_a_template_of_the_table_has_its_words(name: str) -> None:
    """To the character, with the authors' names of languages for all but TowerInstruct and Aya-23."""
    directions = [("en", "zh"), ("af", "pt")]
    assert [TEMPLATES[name].render("Hi: {you}.", *direction) for direction in directions] == TABLE_14[name]


def test_the_wordings_of_model_cards_have_names_of_their_own() -> None:
    """Those of PolyLM and Swallow differ from the table; TowerInstruct's card and LLaMAX's have the same words."""
    assert TEMPLATES["polylm-card"].render("Beijing is the capital of China.", "en", "zh") == (
        "Beijing is the capital of China.\nTranslate this sentence from English to Chinese."
    )
    assert (
        TEMPLATES["swallow-card"]
        .render("Hi.", "en", "ja")
        .endswith(
            "\n\n### 指示:\nTranslate the following sentences from English to Japanese.\n\n### 入力:\nHi.\n\n### 応答:"
        )
    )
    assert TEMPLATES["llamax-alpaca"].render("你好,今天是个好日子", "zh", "en") == (
        "Below is an instruction that describes a task, paired with an input that provides further context. Write a "
        "response that appropriately completes the request.\n### Instruction:\nTranslate the following sentences from "
        "Chinese Simpl to English.\n### Input:\n你好,今天是个好日子\n### Response:"
    )
    assert TEMPLATES["tower-instruct"].render("Olá.", "pt", "en") == (
        "<|im_start|>user\nTranslate the following text from Portuguese into English.\nPortuguese: Olá.\nEnglish:"
        "<|im_end|>\n<|im_start|>assistant\n"
    )
    assert " from Afrikaans into Chinese (Simplified)." in TEMPLATES["chat"].render("", "af", "zh")


def test_every_kind_of_name_tells_the_languages_apart() -> None:
    """Plain names have no bracket but for the second of two Chinese."""
    for names in ("full", "plain", "authors"):
        assert len({prompts.language_name(code, names) for code in languages()}) == len(languages())
    plain = {code: prompts.language_name(code, "plain") for code in languages()}
    assert [code for code, name in plain.items() if "(" in name] == ["zhtrad"]
    assert (plain["zh"], plain["tl"], plain["ku"]) == ("Chinese", "Tagalog", "Central Kurdish")
    assert prompts.language_name("pt-BR", "plain") == "Portuguese (BR)"


def test_every_template_has_the_source_and_the_target() -> None:
    """Placeholders in the source are not replaced."""
    for name, template in TEMPLATES.items():
        prompt = template.render("a {src} of <s> \\1", "de", "sw")
        assert "a {src} of <s> \\1" in prompt, name
        assert re.search("Swahili|<2sw>", prompt) or name == VERBATIM, name
        assert not re.search(r"\{(src_lang|tgt_lang|tgt_code)\}", prompt), name


@pytest.mark.parametrize(
    ("model", "has_chat", "name"),
    [
        ("LLaMAX/LLaMAX3-8B-Alpaca", True, "llamax-alpaca"),
        ("models/my-llama2-alpaca", False, "llamax-alpaca"),
        ("Unbabel/TowerInstruct-7B-v0.2", True, "tower-instruct"),
        ("CohereForAI/aya-23-8B", True, "aya-23"),
        ("Qwen/Qwen2-7B-Instruct", True, "qwen2"),
        ("hfl/chinese-alpaca-2-7b", False, "chinese-alpaca-2"),
        ("Qwen/Qwen2.5-7B-Instruct", True, "chat"),
        ("tokyotech-llm/Swallow-7b-instruct-v0.1", True, "swallow"),
        ("tokyotech-llm/Swallow-7b-instruct-hf", False, "swallow-card"),
        ("tokyotech-llm/Swallow-7b-hf", False, "lines"),
        ("tokyotech-llm/Llama-3-Swallow-8B-Instruct-v0.1", True, "chat"),
        ("Unbabel/Tower-Plus-9B", True, "chat"),
        ("Unbabel/TowerBase-7B-v0.1", False, "lines"),
        ("DAMO-NLP-MT/polylm-13b", False, "polylm-card"),
        ("wenge-research/yayi2-30b", False, "yayi2"),
        ("google/madlad400-3b-mt", False, "madlad"),
        ("meta-llama/Llama-2-7b-hf", False, "lines"),
        ("mistralai/Mistral-7B-Instruct-v0.2", True, "chat"),
    ],
)
def test_auto_depends_on_the_model(model: str, has_chat: bool, name: str) -> None:
    """On its name, then on its chat template."""
    assert prompts.choose("auto", model, has_chat=has_chat) is TEMPLATES[name]


def test_an_answer_ends_where_the_template_says() -> None:
    """The answer of a model that continues is cut at the line, which does not count as truncation."""
    assert TEMPLATES["lines"].answer(" Hallo.\nEnglish: And") == ("Hallo.", True)
    assert TEMPLATES["polylm"].answer(" Hallo.\nWhat is") == ("Hallo.", True)
    for name in ("llama", "yayi2"):
        assert TEMPLATES[name].answer(" Hallo.\nDu.\n\n### Instruction:\nTell") == ("Hallo.\nDu.", True)
        assert TEMPLATES[name].answer(" # 3\n## 4") == ("# 3\n## 4", False)
    assert TEMPLATES["llamax-alpaca"].answer(" Eins: zwei\ndrei ") == ("Eins: zwei\ndrei", False)


def test_a_template_in_a_file(tmp_path: Path) -> None:
    """It needs its placeholders; anything else is refused."""
    path = tmp_path / "mine.txt"
    path.write_text("Say in {tgt_lang} {what?}: {src}\n")
    assert prompts.choose(str(path), "x", has_chat=False).render("a", "en", "zh") == (
        "Say in Chinese (Simplified) {what?}: a"
    )
    for text, expected in (
        ("{src} {target}", r"\{target\} is not a placeholder"),
        ("{src}", r"needs \{src\} and"),
        ("", "neither"),
    ):
        path.write_text(text)
        with pytest.raises(UsageError, match=expected):
            prompts.check(str(path))
    with pytest.raises(UsageError, match="unknown template 'lamax-alpaca'; did you mean llamax-alpaca"):
        prompts.check("lamax-alpaca")
    with pytest.raises(UsageError, match="takes a name or a file, not the text itself; write the text to a file"):
        prompts.check("Say in {tgt_lang}: {src}" + " please" * 99)
    with pytest.raises(UsageError, match="x has no chat template"):
        prompts.choose("chat", "x", has_chat=False)


@given(st.text(), st.sampled_from(sorted(languages())), st.sampled_from(sorted(languages())))
def test_any_text_passes_into_a_prompt(src: str, src_lang: str, tgt_lang: str) -> None:
    """Braces, backslashes and all."""
    prompt = TEMPLATES["llamax-alpaca"].render(src, src_lang, tgt_lang)
    assert prompt.split("### Input:\n", 1)[1] == f"{src}\n### Response:"


def test_languages_have_names_beyond_the_table() -> None:
    """From the registry, varieties in brackets."""
    assert [name_of(code) for code in ("eu", "pt-BR", "ku", "nan")] == [
        "Basque",
        "Portuguese (BR)",
        "Central Kurdish (Sorani)",
        "Min Nan Chinese",
    ]


def test_a_token_names_its_own_language_only() -> None:
    """Every language of the table is found in NLLB's codes as itself, and Sorani is never taken for Kurmanji."""
    nllb = {entry.flores200 for entry in languages().values()} | {"de", "en"}
    assert {canonical(language_tokens.token_of(nllb, code)) for code in languages()} == set(languages())
    assert language_tokens.token_of({"__ku__", "__ckb__"}, "ku") == "__ckb__"
    assert language_tokens.token_of({"<2zh>", "<2zh_Hant>"}, "zhtrad") == "<2zh_Hant>"
    assert language_tokens.token_of({"en_XX", "de_DE", "de"}, "de") == "de_DE"
    with pytest.raises(LanguageError, match=r"does not know ku \(Central Kurdish"):
        language_tokens.token_of({"__ku__", "__en__"}, "ku")
    with pytest.raises(LanguageError, match="does not know de"):
        language_tokens.token_of({"de", "en", "__en__"}, "de")


def test_a_limit_fits_the_references(data: Path) -> None:
    """With bytes as the worst tokenizer, almost no FLORES reference exceeds the adapted limit for its source."""
    lengths = OutputLengths(None, lambda text: len(text.encode()))
    sources = (data / "flores101/devtest/eng.devtest").read_text().split("\n")[:200]
    for code in ("or", "lo", "my", "zh", "ja", "ko", "am", "de", "ta"):
        name = languages()[code].flores101
        targets = (data / f"flores101/devtest/{name}.devtest").read_text().split("\n")[:200]
        short = [src for src, tgt in zip(sources, targets, strict=True) if lengths.limit(src, code) < len(tgt.encode())]
        assert len(short) <= 4, code
    assert OutputLengths(256, len).limit("a" * 9999, "or") == 256


def test_every_script_has_letters() -> None:
    """Each script of the table has enough letters of its own."""
    scripts = {entry.script for entry in languages().values()}
    assert all(len(letters(script)) >= 20 for script in scripts)
    assert len({letters(script) for script in scripts}) == len(scripts)
