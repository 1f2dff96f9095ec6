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
from llamax_cli.models.prompts import TEMPLATES, VERBATIM, without_reasoning

TABLE_14 = {
    "llamax-alpaca",
    "llama",
    "yayi2",
    "polylm",
    "tower-instruct",
    "aya-23",
    "qwen2",
    "chinese-alpaca-2",
    "swallow",
    "madlad",
}


def test_the_prompt_of_llamax_is_that_of_its_model_card() -> None:
    """Single newlines, nothing after the last colon, and the authors' names of languages."""
    assert TEMPLATES["llamax-alpaca"].render("你好,今天是个好日子", "zh", "en") == (
        "Below is an instruction that describes a task, paired with an input that provides further context. Write a "
        "response that appropriately completes the request.\n### Instruction:\nTranslate the following sentences from "
        "Chinese Simpl to English.\n### Input:\n你好,今天是个好日子\n### Response:"
    )
    assert " from Akrikaans to " in TEMPLATES["llamax-alpaca"].render("", "af", "en")
    assert TEMPLATES["tower-instruct"].render("Olá.", "pt", "en") == (
        "<|im_start|>user\nTranslate the following text from Portuguese into English.\nPortuguese: Olá.\nEnglish:"
        "<|im_end|>\n<|im_start|>assistant\n"
    )
    assert " from Afrikaans into " in TEMPLATES["chat"].render("", "af", "en")


def test_there_is_a_template_for_each_system_of_the_table() -> None:
    """All ten, each with the source and the target in it."""
    assert set(TEMPLATES) > TABLE_14
    for name, template in TEMPLATES.items():
        prompt = template.render("a {src} of <s> \\1", "de", "sw")
        assert "a {src} of <s> \\1" in prompt, name  # placeholders in the source are not replaced
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
        ("tokyotech-llm/Swallow-7b-instruct-v0.1", True, "swallow"),
        ("meta-llama/Llama-2-7b-hf", False, "llama"),
        ("mistralai/Mistral-7B-Instruct-v0.2", True, "chat"),
    ],
)
def test_auto_depends_on_the_model(model: str, has_chat: bool, name: str) -> None:
    """On its name, then on its chat template."""
    assert prompts.choose("auto", model, has_chat=has_chat) is TEMPLATES[name]


def test_an_answer_ends_where_the_template_says() -> None:
    """The answer of a model that continues is cut at the line, which does not count as truncation."""
    assert TEMPLATES["llama"].answer(" Hallo.\nEnglish: And") == ("Hallo.", True)
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


def test_reasoning_opens_an_answer() -> None:
    """What ends it alone is taken for reasoning only if the source does not say it."""
    assert without_reasoning("\n<think>Hm.</think>\n\nJa.") == ("Ja.", True)
    assert without_reasoning("<think>Hm") == ("", True)
    assert without_reasoning("Hm.</think> Ja.", "Yes.") == ("Ja.", True)
    for text in ("Ja.", "Das Zeichen <think> beginnt es.", "Ja.</think>"):
        assert without_reasoning(text) == (text, False)
    assert without_reasoning("</think> endet es.", "</think> ends it.") == ("</think> endet es.", False)
