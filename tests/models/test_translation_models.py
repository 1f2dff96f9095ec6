"""Prompts of models that translate: to the character what their authors' examples have, codes, groups and reasoning."""

from pathlib import Path
from typing import Any

import pytest
from support import tiny_models

from llamax_cli.errors import RecordError, UsageError
from llamax_cli.languages import canonical
from llamax_cli.models import prompts
from llamax_cli.models.chat_template import render_chat
from llamax_cli.models.contracts import Decoding, TranslationRequest
from llamax_cli.models.prompts import TEMPLATES, Shot
from llamax_cli.models.request_encoding import RequestEncoder
from llamax_cli.models.translation_models import CHINESE_NAMES, X_ALMA_GROUPS

HUNYUAN = "Translate the following segment into French, without additional explanation.\n\nIt’s on the house."
# (template, source, from, into): the prompt, or the user's turn, in the example of a card or a README.
EXAMPLES = {
    (
        "alma",
        "我爱机器翻译。",
        "zh",
        "en",
    ): "Translate this from Chinese to English:\nChinese: 我爱机器翻译。\nEnglish:",
    (
        "x-alma",
        "我爱机器翻译。",
        "zh",
        "en",
    ): "Translate this from Chinese to English:\nChinese: 我爱机器翻译。\nEnglish:",
    ("gemmax2", "我爱机器翻译", "zh", "en"): "Translate this from Chinese to English:\nChinese: 我爱机器翻译\nEnglish:",
    ("milmmt", "我爱机器翻译", "zh", "en"): (
        "Translate this from Chinese (Simplified) to English:\nChinese (Simplified): 我爱机器翻译\nEnglish:"
    ),
    ("tower-plus", "Hello world!", "en", "pt-PT"): (
        "Translate the following English source text to Portuguese (Portugal):\n"
        "English: Hello world!\nPortuguese (Portugal): "
    ),
    ("hunyuan-mt", "It’s on the house.", "en", "fr"): HUNYUAN,
    ("hunyuan-mt", "It’s on the house.", "en", "zh"): "把下面的文本翻译成中文，不要额外解释。\n\nIt’s on the house.",
    ("hy-mt1.5", "It’s on the house.", "en", "fr"): HUNYUAN,
    ("hy-mt1.5", "免费。", "zh", "en"): "将以下文本翻译为英语，注意只需要输出翻译后的结果，不要额外解释：\n\n免费。",
    ("seed-x", "May the force be with you", "en", "zh"): (
        "Translate the following English sentence into Chinese:\nMay the force be with you <zh>"
    ),
    ("emma-500", "Hi.", "en", "de"): (
        "Translate the following sentence from English to German\n[English]: Hi.\n[German]:"
    ),
}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_prompt_is_that_of_the_authors(example: tuple[str, str, str, str]) -> None:
    """Line ends and spaces included."""
    name, src, src_lang, tgt_lang = example
    assert TEMPLATES[name].render(src, src_lang, tgt_lang) == EXAMPLES[example]


def test_examples_stand_where_the_authors_put_them() -> None:
    """In ALMA's code below its first line, in EMMA-500's before it, in a chat as turns, otherwise as whole prompts."""
    shots = (Shot("Eins.", "One."), Shot("{src}", "Two."))
    assert TEMPLATES["alma"].render("Drei.", "de", "en", shots=shots) == (
        "Translate this from German to English:\nGerman: Eins.\nEnglish: One.\nGerman: {src}\nEnglish: Two.\n"
        "German: Drei.\nEnglish:"
    )
    assert TEMPLATES["emma-500"].render("Drei.", "de", "en", shots=shots[:1]) == (
        "[German]: Eins.\n[English]: One.\nTranslate the following sentence from German to English\n"
        "[German]: Drei.\n[English]:"
    )
    turns = TEMPLATES["aya-expanse"].turns("Drei.", "de", "en", shots[:1])
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert turns[1]["content"] == "One."
    assert turns[2]["content"].endswith(": Drei.")
    assert TEMPLATES["aya-101"].render("Drei.", "de", "en", shots=shots[:1]) == (
        "Translate to English: Eins. One.\n\nTranslate to English: Drei."
    )


def test_what_data_says_is_located_in_a_prompt() -> None:
    """Of examples as well as of the source, so that special tokens in them can be told from the template's."""
    for name in ("lines", "alma", "emma-500", "seed-x"):
        text, spans = TEMPLATES[name].locate("Drei", "de", "en", "", [Shot("Eins", "One"), Shot("Zwei", "Two")])
        assert [text[start:end] for start, end in spans] == ["Eins", "One", "Zwei", "Two", "Drei"], name


def test_a_file_has_codes_and_lines_for_examples(tmp_path: Path) -> None:
    """{text} is the source; the lines with {shot_src} and {shot_tgt} are there once for each example."""
    path = tmp_path / "mine.txt"
    path.write_text("{src_code}>{tgt_code}\n{src_code}: {shot_src}\n= {shot_tgt}\n{src_code}: {text}\n=\n")
    template = prompts.choose(str(path), "x", has_chat=False)
    assert template.render("c", "en", "zhtrad") == "en>zhtrad\nen: c\n="
    shots = [Shot("a", "A"), Shot("b", "B")]
    assert template.render("c", "en", "de", shots=shots) == "en>de\nen: a\n= A\nen: b\n= B\nen: c\n="
    path.write_text("{tgt_lang} {shot_src} {src}")
    with pytest.raises(UsageError, match=r"an example needs both \{shot_src\} and \{shot_tgt\}"):
        prompts.check(str(path))


def test_every_language_of_a_table_has_our_code() -> None:
    """X-ALMA has 50 languages, English among them, and HY-MT 38."""
    codes = [code for group in X_ALMA_GROUPS.values() for code in group]
    assert len(codes) == len(set(codes)) == 49
    assert len(CHINESE_NAMES) == len(set(CHINESE_NAMES.values())) == 38
    assert all(canonical(code) == code for code in (*codes, *CHINESE_NAMES))


def test_the_groups_of_x_alma() -> None:
    """English belongs to each of them; a direction between two goes through English."""
    template = TEMPLATES["x-alma"]
    directions = [("en", "zh"), ("de", "en"), ("pt-PT", "en"), ("ca", "ro"), ("en", "en-GB")]
    assert [template.group(*direction) for direction in directions] == ["6", "1", "2", "2", "1"]
    with pytest.raises(RecordError, match="de and ru are in different groups of the model; go through English with"):
        template.group("de", "ru")
    with pytest.raises(RecordError, match=r"the model does not know sw \(Swahili\)"):
        template.group("en", "sw")
    assert TEMPLATES["alma"].group("de", "ru") == ""


def test_the_adapters_of_x_alma_are_beside_it() -> None:
    """For the model without adapters; a merged one has none to choose."""
    assert prompts.group_adapters("haoranxu/X-ALMA-13B-Pretrain", "auto") == "haoranxu/X-ALMA-13B-Group{group}"
    assert prompts.group_adapters("models/X-ALMA-13B-Pretrain", "x-alma") == "models/X-ALMA-13B-Group{group}"
    for model, template in (("haoranxu/X-ALMA-13B-Group6", "auto"), ("haoranxu/X-ALMA-13B-Pretrain", "lines")):
        assert prompts.group_adapters(model, template) is None


class Config:
    """What an encoder asks a decoder's configuration."""

    is_encoder_decoder = False
    eos_token_id = None
    model_type = "llama"


# As the template of TranslateGemma: one part of content with the codes, and names by code.
WITH_CODES = (
    "{{ bos_token }}{% set names = {'en': 'English', 'zh-Hant': 'Chinese'} %}{% set part = messages[0]['content'][0] %}"
    "{% if messages[0]['content'] is string or messages[0]['content'] | length != 1 %}"
    "{{ raise_exception('User role must provide `content` as an iterable with exactly one item.') }}{% endif %}"
    "<start>{{ 'From ' + names[part['source_lang_code']] + ' to ' + names[part['target_lang_code']] }}: "
    "{{ part['text'] | trim }}<end>"
)
# As those of Qwen3 and Granite: a switch for reasoning.
WITH_SWITCH = (
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}{% if add_generation_prompt %}<assistant>"
    "{% if SWITCH is defined and not SWITCH %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


@pytest.fixture(scope="module")
def words() -> Any:
    """Return a tokenizer of bytes."""
    return tiny_models.byte_level(["a b c"])


def encoder(words: Any, chat_template: str, model: str = "m", template: str = "auto", **more: Any) -> RequestEncoder:
    """Return an encoder whose tokenizer has this chat template."""
    words.chat_template = chat_template
    return RequestEncoder(model, template, words, Config(), Decoding(), **more)


def test_a_chat_template_that_takes_codes_gets_them(words: Any) -> None:
    """As BCP-47 tags, whatever the model is called; special tokens that a source names are text."""
    for model in ("google/translategemma-4b-it", "m"):
        asked = encoder(words, WITH_CODES, model).describe(TranslationRequest(" Hi. ", "en", "zhtrad"))
        assert asked["prompt"] == "<s><start>From English to Chinese: Hi.<end>"
        assert asked["tokens"][0] == "<s>"
    hostile = encoder(words, WITH_CODES).describe(TranslationRequest("a</s>", "en", "zhtrad"))
    assert "</s>" in hostile["prompt"]
    assert words.eos_token_id not in hostile["token_ids"]


def test_a_chat_template_that_raises_says_so_in_one_line(words: Any) -> None:
    """Whether it raises itself or stumbles over a language that it does not know."""
    with pytest.raises(RecordError, match=r"the chat template refuses it: .*") as raised:
        encoder(words, WITH_CODES).describe(TranslationRequest("Hi.", "en", "sw"))
    assert "\n" not in str(raised.value)
    with pytest.raises(RecordError, match="refuses it: User role must provide `content` as an iterable with exactly"):
        encoder(words, WITH_CODES, template="qwen3").describe(TranslationRequest("Hi.", "en", "zhtrad"))


@pytest.mark.parametrize("switch", ["enable_thinking", "thinking"])
def test_reasoning_is_off_unless_it_is_asked_for(words: Any, switch: str) -> None:
    """By the switch that the template has; a template without one is not given any."""
    request = TranslationRequest("Hi.", "en", "de")
    empty = "<think>\n\n</think>\n\n"
    asked = WITH_SWITCH.replace("SWITCH", switch)
    assert encoder(words, asked).describe(request)["prompt"].endswith("<assistant>" + empty)
    assert encoder(words, asked, thinking=True).describe(request)["prompt"].endswith("<assistant>")
    messages = [{"role": "user", "content": "x"}]
    assert render_chat(words, messages, add_generation_prompt=True) == "<user>x<assistant>"  # as in training


def test_hunyuan_opens_no_answer(words: Any) -> None:
    """Its cards render the chat without a generation prompt."""
    asked = encoder(words, WITH_SWITCH, "tencent/HY-MT1.5-7B").describe(TranslationRequest("Hi.", "en", "fr"))
    assert asked["prompt"].endswith("explanation.\n\nHi.")


def test_a_merged_model_translates_its_own_group(words: Any) -> None:
    """And refuses the others by the name of theirs."""
    merged = encoder(words, WITH_SWITCH, "haoranxu/X-ALMA-13B-Group6")
    assert merged.describe(TranslationRequest("Hi.", "en", "zh"))["prompt"]
    with pytest.raises(RecordError, match="en-de is for the model of group 1, not of 6"):
        merged.describe(TranslationRequest("Hi.", "en", "de"))


def test_examples_need_a_place(words: Any) -> None:
    """Turns that a template writes itself have none."""
    for template in ("qwen2", "verbatim", "tower-instruct"):
        with pytest.raises(UsageError, match="the template has no place for examples: choose --template chat"):
            encoder(words, WITH_SWITCH, template=template).check_shots("m")
    encoder(words, WITH_SWITCH, template="lines").check_shots("m")
