"""The prompts of models that translate, each as its authors give it.

Where each is from; a card is the README of the model on the Hugging Face hub:

- `alma` (ALMA and ALMA-R): README and `get_prompt_few_shot` in github.com/fe1ixxu/ALMA. The README's general form has
  "into", but its examples and the code have "to", and so had the training data. The authors' evaluation keeps the first
  line of an answer.
- `x-alma`: the same README, which wraps this text by the chat template and lists the languages of each group.
- `gemmax2` and `milmmt`: README of github.com/xiaomi-research/gemmax, which asks for its own names of languages.
- `tower-plus`: card of Unbabel/Tower-Plus-2B, with a space after the last colon; it lists the names of languages.
- `hunyuan-mt`: README of github.com/Tencent-Hunyuan/Hunyuan-MT; `hy-mt1.5`: that of github.com/Tencent-Hunyuan/HY-MT,
  which has the Chinese names of languages. Both render the chat with `add_generation_prompt=False`.
- `seed-x`: README of github.com/ByteDance-Seed/Seed-X-7B; a plain prompt that ends in the tag of the target language.
- `translategemma`: card of google/translategemma-4b-it. Its chat template writes the prompt and takes one part of
  content with `source_lang_code` and `target_lang_code`.
- `emma-500`: the evaluation on FLORES-200 in github.com/MaLA-LM/emma-500, which stops at a line end.
- `aya-expanse`, `apertus` and `qwen3` have no prompt for translation of their own. Their cards render a user's turn
  with the chat template; the turn is that of Aya-23 in the paper's Table 14, and Tower's. The card of Qwen3 turns its
  reasoning off by `enable_thinking=False`, which `chat_template.py` passes to every template that knows it.
"""

from llamax_cli.models.prompt_template import Template

LINES = "{src_lang}: {src}\n{tgt_lang}:"
SHOT_LINES = "{src_lang}: {shot_src}\n{tgt_lang}: {shot_tgt}\n"
TOWER = "Translate the following text from {src_lang} into {tgt_lang}.\n" + LINES
ONE_LINE = "Translate the following sentences from {src_lang} to {tgt_lang}: {src}"
ALMA = "Translate this from {src_lang} to {tgt_lang}:\n"
HUNYUAN = "Translate the following segment into {tgt_lang}, without additional explanation.\n\n{src}"
EMMA_SHOT = "[{src_lang}]: {shot_src}\n[{tgt_lang}]: {shot_tgt}\n"
EMMA = "Translate the following sentence from {src_lang} to {tgt_lang}\n[{src_lang}]: {src}\n[{tgt_lang}]:"

X_ALMA_GROUPS = {
    "1": frozenset({"da", "nl", "de", "is", "no", "sv", "af"}),
    "2": frozenset({"ca", "ro", "gl", "it", "pt", "es"}),
    "3": frozenset({"bg", "mk", "sr", "uk", "ru"}),
    "4": frozenset({"id", "ms", "th", "vi", "mg", "fr"}),
    "5": frozenset({"hu", "el", "cs", "pl", "lt", "lv"}),
    "6": frozenset({"ka", "zh", "ja", "ko", "fi", "et"}),
    "7": frozenset({"gu", "hi", "mr", "ne", "ur"}),
    "8": frozenset({"az", "kk", "ky", "tr", "uz", "ar", "he", "fa"}),
}
TOWER_PLUS_NAMES = {
    "pt": "Portuguese (Brazilian)",
    "pt-PT": "Portuguese (Portugal)",
    "es-419": "Spanish (Latin America)",
    "no": "Norwegian (Bokmål)",
    "nn": "Norwegian (Nynorsk)",
}
HUNYUAN_NAMES = {"zh": "Chinese", "zhtrad": "Traditional Chinese", "tl": "Filipino", "yue": "Cantonese", "ug": "Uyghur"}
# The column of Chinese names in the README of HY-MT, by our codes.
IN_CHINESE = (
    "zh=中文 en=英语 fr=法语 pt=葡萄牙语 es=西班牙语 ja=日语 tr=土耳其语 ru=俄语 "
    "ar=阿拉伯语 ko=韩语 th=泰语 it=意大利语 de=德语 vi=越南语 ms=马来语 id=印尼语 "
    "tl=菲律宾语 hi=印地语 zhtrad=繁体中文 pl=波兰语 cs=捷克语 nl=荷兰语 km=高棉语 "
    "my=缅甸语 fa=波斯语 gu=古吉拉特语 ur=乌尔都语 te=泰卢固语 mr=马拉地语 he=希伯来语 "
    "bn=孟加拉语 ta=泰米尔语 uk=乌克兰语 bo=藏语 kk=哈萨克语 mn=蒙古语 ug=维吾尔语 yue=粤语"
)
CHINESE_NAMES = dict(pair.split("=") for pair in IN_CHINESE.split())


def _hunyuan(chinese: str) -> Template:
    """Return the template of a Hunyuan model; `chinese` is its text for directions from or into Chinese."""
    return Template(
        HUNYUAN,
        names="plain",
        renamed=HUNYUAN_NAMES,
        chat=True,
        has_generation_prompt=False,
        chinese=chinese,
        chinese_names=CHINESE_NAMES,
    )


TEMPLATES = {
    "tower-plus": Template(
        "Translate the following {src_lang} source text to {tgt_lang}:\n" + LINES + " ",
        renamed=TOWER_PLUS_NAMES,
        chat=True,
    ),
    "alma": Template(ALMA + SHOT_LINES + LINES, names="plain", stop="\n"),
    "x-alma": Template(ALMA + LINES, names="plain", chat=True, groups=X_ALMA_GROUPS),
    "gemmax2": Template(ALMA + SHOT_LINES + LINES, names="plain"),
    "milmmt": Template(ALMA + SHOT_LINES + LINES, renamed={"no": "Norwegian", "tl": "Tagalog", "yue": "Cantonese"}),
    "hunyuan-mt": _hunyuan("把下面的文本翻译成{tgt_lang}，不要额外解释。\n\n{src}"),
    "hy-mt1.5": _hunyuan("将以下文本翻译为{tgt_lang}，注意只需要输出翻译后的结果，不要额外解释：\n\n{src}"),
    "seed-x": Template(
        "Translate the following {src_lang} sentence into {tgt_lang}:\n{src} <{tgt_code}>", names="plain"
    ),
    "translategemma": Template("{src}", chat=True, takes_codes=True),
    "aya-expanse": Template(ONE_LINE, names="plain", chat=True),
    "apertus": Template(TOWER, names="plain", chat=True),
    "emma-500": Template(EMMA_SHOT + EMMA, names="plain", stop="\n"),
    "qwen3": Template(TOWER, chat=True),
}
BY_MODEL_NAME = {
    r"tower-?plus": "tower-plus",
    r"x-alma": "x-alma",
    r"^alma-": "alma",
    r"gemmax2": "gemmax2",
    r"milmmt": "milmmt",
    r"hunyuan-mt-(?!chimera)": "hunyuan-mt",  # Chimera merges translations and does not make them
    r"hy-mt1\.5": "hy-mt1.5",
    r"seed-x-(ppo|instruct)": "seed-x",
    r"translategemma": "translategemma",
    r"aya-expanse": "aya-expanse",
    r"apertus.*instruct": "apertus",
    r"emma-500": "emma-500",
    r"qwen3(?!.*base)": "qwen3",
}
