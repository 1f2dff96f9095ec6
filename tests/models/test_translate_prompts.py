"""Prompts, names of languages, language tokens and limits of length."""

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.language_tokens import FLORES200, M2M100, MADLAD400, MBART50

from llamax_cli.errors import LanguageError, UsageError
from llamax_cli.languages import canonical, languages, name_of
from llamax_cli.models import prompts
from llamax_cli.models.language_tokens import LanguageTokens, code_in
from llamax_cli.models.output_lengths import OutputLengths, letters
from llamax_cli.models.prompts import TEMPLATES, VERBATIM, without_reasoning

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
        assert re.search("Swahili|<2sw>", prompt) or name in (VERBATIM, "translategemma"), name
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
        ("Unbabel/Tower-Plus-9B", True, "tower-plus"),
        ("Unbabel/Tower-Plus-9B", False, "lines"),
        ("haoranxu/ALMA-13B-R", False, "alma"),
        ("haoranxu/ALMA-13B-Pretrain", False, "alma"),
        ("haoranxu/X-ALMA-13B-Group6", True, "x-alma"),
        ("haoranxu/X-ALMA-13B-Pretrain", True, "x-alma"),
        ("ModelSpace/GemmaX2-28-9B-v0.1", False, "gemmax2"),
        ("xiaomi-research/MiLMMT-46-12B-v1.0", False, "milmmt"),
        ("tencent/Hunyuan-MT-7B", True, "hunyuan-mt"),
        ("tencent/Hunyuan-MT-Chimera-7B", True, "chat"),
        ("tencent/HY-MT1.5-1.8B", True, "hy-mt1.5"),
        ("ByteDance-Seed/Seed-X-PPO-7B", False, "seed-x"),
        ("google/translategemma-4b-it", True, "translategemma"),
        ("CohereLabs/aya-expanse-8b", True, "aya-expanse"),
        ("swiss-ai/Apertus-8B-Instruct-2509", True, "apertus"),
        ("swiss-ai/Apertus-8B-2509", False, "lines"),
        ("MaLA-LM/emma-500-llama2-7b", False, "emma-500"),
        ("Qwen/Qwen3-8B", True, "qwen3"),
        ("Qwen/Qwen3-8B-Base", True, "chat"),
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
    assert [name_of(code) for code in ("eu", "pt-PT", "ku", "nan")] == [
        "Basque",
        "Portuguese (PT)",
        "Central Kurdish (Sorani)",
        "Min Nan Chinese",
    ]


MODELS = {
    "M2M-100": [f"__{code}__" for code in M2M100.split()],
    "mBART-50": MBART50.split(),
    "NLLB-200": FLORES200.split(),
    "MADLAD-400": [f"<2{code}>" for code in MADLAD400.split()],
}
# What else MADLAD-400 has of this form: scripts, regions and tasks.
NO_LANGUAGES = ["<2Hant>", "<2NL>", "<2RU>", "<2TW>", "<2translate>", "<2back_translated>", "<2en_xx_simple>"]


@cache
def language_tokens(model: str) -> LanguageTokens:
    """Return what is found in a vocabulary with the tokens of a model and others."""
    return LanguageTokens([*MODELS[model], *NO_LANGUAGES, "de", "en", "ku_"])


@pytest.mark.parametrize("model", MODELS)
def test_every_language_token_is_found_by_its_own_spelling(model: str) -> None:
    """Whether its code is typed or the token itself, and whatever else the vocabulary has."""
    tokens = language_tokens(model)
    known = [token for token in MODELS[model] if token != "<2mass>"]
    # ff and fuv are the same language in the table; the shorter code is the default.
    expected = {token: "<2ff>" if token == "<2fuv>" else token for token in known}
    assert {token: tokens.token(canonical(token)) for token in known} == expected
    codes = {token: code_in(token) for token in known if code_in(token) != "ku"}  # our ku is Sorani, everywhere
    assert {token: tokens.token(canonical(code)) for token, code in codes.items()} == {
        token: expected[token] for token in codes
    }


@pytest.mark.parametrize(
    ("model", "typed", "token"),
    [
        # Macrolanguages and the individual languages that stand for them find one another.
        ("M2M-100", "als_Latn", "__sq__"),
        ("M2M-100", "plt_Latn", "__mg__"),
        ("M2M-100", "ydd_Hebr", "__yi__"),
        ("NLLB-200", "sq", "als_Latn"),
        ("NLLB-200", "mg", "plt_Latn"),
        ("NLLB-200", "yi", "ydd_Hebr"),
        ("NLLB-200", "qu", "quy_Latn"),
        ("NLLB-200", "ay", "ayr_Latn"),
        ("NLLB-200", "din", "dik_Latn"),
        ("NLLB-200", "kr_Arab", "knc_Arab"),
        ("MADLAD-400", "als_Latn", "<2sq>"),
        ("MADLAD-400", "plt_Latn", "<2mg>"),
        ("MADLAD-400", "ydd_Hebr", "<2yi>"),
        ("MADLAD-400", "knc_Arab", "<2kr_Arab>"),
        # A language that a model has only in another than its usual script.
        ("NLLB-200", "crh", "crh_Latn"),
        # A region of a language that the model does not tell apart.
        ("M2M-100", "fr-CA", "__fr__"),
        ("MADLAD-400", "fr-CA", "<2fr_CA>"),
        ("NLLB-200", "pt-PT", "por_Latn"),
        ("mBART-50", "es-MX", "es_XX"),
        ("NLLB-200", "zh-HK", "zho_Hant"),
        ("MADLAD-400", "ku", "<2ckb>"),
        ("MADLAD-400", "kmr", "<2ku>"),
    ],
)
def test_other_codes_of_a_language_find_its_token(model: str, typed: str, token: str) -> None:
    """Each model has one token for the language, which may have another code."""
    assert LanguageTokens(MODELS[model]).token(canonical(typed)) == token


@pytest.mark.parametrize(
    ("model", "typed"),
    [
        ("M2M-100", "arz"),  # Egyptian is not Standard Arabic
        ("M2M-100", "prs_Arab"),  # nor Dari Persian
        ("M2M-100", "sr-Latn"),  # nor is another script the same text
        ("M2M-100", "ku"),
        ("NLLB-200", "arq"),
        ("mBART-50", "yue"),
    ],
)
def test_a_related_language_is_not_taken_instead(model: str, typed: str) -> None:
    """What a model does not know is refused by name."""
    with pytest.raises(LanguageError, match=f"the model does not know {canonical(typed)} "):
        LanguageTokens(MODELS[model]).token(canonical(typed))


def test_a_token_names_its_own_language_only() -> None:
    """Every language of the table is found in NLLB's codes as itself, and Sorani is never taken for Kurmanji."""
    nllb = LanguageTokens({entry.flores200 for entry in languages().values()} | {"de", "en"})
    assert {canonical(nllb.token(code)) for code in languages()} == set(languages())
    assert LanguageTokens({"__ku__", "__ckb__"}).token("ku") == "__ckb__"
    assert LanguageTokens({"<2zh>", "<2zh_Hant>"}).token("zhtrad") == "<2zh_Hant>"
    assert LanguageTokens({"en_XX", "de_DE", "de"}).token("de") == "de_DE"
    with pytest.raises(LanguageError, match=r"does not know ku \(Central Kurdish"):
        LanguageTokens({"__ku__", "__en__"}).token("ku")
    with pytest.raises(LanguageError, match="does not know de"):
        LanguageTokens({"de", "en", "__en__"}).token("de")


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


def test_reasoning_opens_an_answer() -> None:
    """What ends it alone is taken for reasoning only if the source does not say it."""
    assert without_reasoning("\n<think>Hm.</think>\n\nJa.") == ("Ja.", True)
    assert without_reasoning("<think>Hm") == ("", True)
    assert without_reasoning("Hm.</think> Ja.", "Yes.") == ("Ja.", True)
    assert without_reasoning("<think>Hm.</think>\n<think>\nOh.</think> Ja.") == ("Ja.", True)
    assert without_reasoning("<think>Hm.</think><think>Oh") == ("", True)
    assert without_reasoning("<think>a <think>b</think> c</think>T") == ("T", True)
    assert without_reasoning("<think><think>a</think><think>b</think>c</think> T</think>") == ("T</think>", True)
    assert without_reasoning("<think>Say <think>.</think>Ja.") == ("Ja.", True)
    assert without_reasoning("<think>Say <think>. <think>Hm.</think> So.</think>Ja.") == ("Ja.", True)
    assert without_reasoning("a <think>b</think> c</think>T", "Yes.") == ("T", True)
    for text in ("Ja.", "Das Zeichen <think> beginnt es.", "Ja.</think>"):
        assert without_reasoning(text) == (text, False)
    assert without_reasoning("</think> endet es.", "</think> ends it.") == ("</think> endet es.", False)
