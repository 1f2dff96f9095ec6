"""What a prompt template is: a text with placeholders, the names it gives to languages, and where an answer ends."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from llamax_cli.errors import RecordError
from llamax_cli.languages import Language, find, languages, name_of, primary_subtag

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
# {text} is another name of {src}; those of SHOT stand in the lines that are repeated for each example.
PLACEHOLDERS = {"src", "text", "src_lang", "tgt_lang", "src_code", "tgt_code", "shot_src", "shot_tgt"}
SOURCES = {"src", "text"}
SHOT = ("{shot_src}", "{shot_tgt}")
CODES = ("source_lang_code", "target_lang_code")  # what a chat template calls the languages that it takes as fields

# What a prompt calls a language. full: "Chinese (Simplified)"; plain: "Chinese"; authors: "Chinese Simpl", by the
# authors' own table of names, misspellings included.
Names: TypeAlias = Literal["full", "plain", "authors"]
Span: TypeAlias = tuple[int, int]  # start and end in characters, the end excluded


class Shot(NamedTuple):
    """An example of a translation in a prompt."""

    src: str
    tgt: str


class Prompt(NamedTuple):
    """The text of a prompt, and where the data are in it, in characters; the rest is the template's."""

    text: str
    data: tuple[Span, ...]


@dataclass(frozen=True)
class Template:
    """A prompt with the placeholders {src}, {src_lang}, {tgt_lang} (names of languages), {src_code} and {tgt_code}.

    `names`: what languages are called, and `renamed` by code those that this model calls otherwise. `stop`: the text at
    which an answer ends, for models that continue beyond it. `bcp47`: codes are BCP-47 tags, "zh-Hant", not our own.

    `chat`: the text is a user's turn, which the model's own chat template wraps. `has_generation_prompt`: it also opens
    the answer. `takes_codes`: the turn is the source alone, and the languages are fields of it.

    `chinese`: the text for directions from or into Chinese, in which languages have the names in `chinese_names`.
    `groups`: the languages that share an adapter, by the name of their group; each is translated from and into English.
    `takes_shots`: examples can be put before the source; not in turns that the text writes itself.
    """

    text: str
    names: Names = "full"
    stop: str | None = None
    chat: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict, hash=False)
    bcp47: bool = False
    has_generation_prompt: bool = True
    takes_codes: bool = False
    chinese: str | None = None
    chinese_names: Mapping[str, str] = field(default_factory=dict, hash=False)
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)
    takes_shots: bool = True

    def render(self, src: str, src_lang: str, tgt_lang: str, tgt_code: str = "", shots: Sequence[Shot] = ()) -> str:
        """Return the prompt: `render("Hallo", "de", "en") -> "German: Hallo\\nEnglish:"`.

        `tgt_code` is the model's own code of the target language, if it differs from ours.
        """
        return self.locate(src, src_lang, tgt_lang, tgt_code, shots).text

    def locate(self, src: str, src_lang: str, tgt_lang: str, tgt_code: str = "", shots: Sequence[Shot] = ()) -> Prompt:
        """Return the prompt with the places of the data.

        The lines with {shot_src} and {shot_tgt} are there once for each example. If a template has none, each example
        is the whole text with its translation after a space, and a blank line.
        """
        text, names = self._text_for(src_lang, tgt_lang)
        values = {
            "src_lang": names[0],
            "tgt_lang": names[1],
            "src_code": _bcp47(src_lang) if self.bcp47 else src_lang,
            "tgt_code": tgt_code or (_bcp47(tgt_lang) if self.bcp47 else tgt_lang),
        }
        source = {"src": src, "text": src}
        before, repeated, after = _shot_lines(text)
        example = repeated or f"{text} {SHOT[1]}\n\n"
        return _filled([(before, source), *((example, _shot_values(shot)) for shot in shots), (after, source)], values)

    def turns(self, src: str, src_lang: str, tgt_lang: str, shots: Sequence[Shot] = ()) -> list[dict[str, Any]]:
        """Return the messages of a chat: each example is a turn of the user and one of the assistant."""
        turns: list[dict[str, Any]] = []
        is_inside = self._has_shot_lines
        for shot in () if is_inside else shots:
            turns.append({"role": "user", "content": self._content(shot.src, src_lang, tgt_lang)})
            turns.append({"role": "assistant", "content": shot.tgt})
        inside = shots if is_inside else ()
        return [*turns, {"role": "user", "content": self._content(src, src_lang, tgt_lang, inside)}]

    def _content(self, src: str, src_lang: str, tgt_lang: str, shots: Sequence[Shot] = ()) -> Any:
        if not self.takes_codes:
            return self.render(src, src_lang, tgt_lang, shots=shots)
        return [{"type": "text", **self.code_fields(src_lang, tgt_lang), "text": src}]

    def code_fields(self, src_lang: str, tgt_lang: str) -> dict[str, str]:
        """Return the codes as a chat template calls them: {"source_lang_code": "de", "target_lang_code": "zh-Hans"}."""
        return dict(zip(CODES, (_bcp47(src_lang), _bcp47(tgt_lang)), strict=True))

    def group(self, src_lang: str, tgt_lang: str) -> str:
        """Return the group of languages that a direction belongs to, "" if the model has no groups.

        RecordError for a language in none of them, and for a direction between two.
        """
        if not self.groups:
            return ""
        codes = [code for code in (src_lang, tgt_lang) if primary_subtag(code) != "en"]
        found = [_group_of(code, self.groups) for code in codes]
        for code, group in zip(codes, found, strict=True):
            if group is None:
                raise RecordError(f"the model does not know {code} ({name_of(code)})")
        if len(set(found)) > 1:
            raise RecordError(
                f"{src_lang} and {tgt_lang} are in different groups of the model; go through English with llamax pivot"
            )
        return str(found[0]) if found else min(self.groups)

    def answer(self, text: str) -> tuple[str, bool]:
        """Return the translation in a generated text, and whether `stop` ended it."""
        text = text.strip()
        head, stop, _ = text.partition(self.stop) if self.stop else (text, "", "")
        return head.strip(), bool(stop)

    @property
    def _has_shot_lines(self) -> bool:
        return bool(_shot_lines(self.text)[1])

    def _text_for(self, src_lang: str, tgt_lang: str) -> tuple[str, tuple[str, str]]:
        """Return the text for a direction and what it calls the languages."""
        if self.chinese is not None and _is_chinese(src_lang, tgt_lang):
            known = [find(code, self.chinese_names) for code in (src_lang, tgt_lang)]
            first, second = (
                self._name(code) if key is None else self.chinese_names[key]
                for code, key in zip((src_lang, tgt_lang), known, strict=True)
            )
            return self.chinese, (first, second)
        return self.text, (self._name(src_lang), self._name(tgt_lang))

    def _name(self, code: str) -> str:
        return self.renamed.get(code) or language_name(code, self.names)


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


def _bcp47(code: str) -> str:
    """Return the BCP-47 tag of a canonical code: `_bcp47("zhtrad") -> "zh-Hant"`."""
    known = languages().get(code)
    return code if known is None or primary_subtag(known.bcp47) == code else known.bcp47


def _is_chinese(*codes: str) -> bool:
    return any(primary_subtag(code) in ("zh", "zhtrad") for code in codes)


def _group_of(code: str, groups: Mapping[str, frozenset[str]]) -> str | None:
    return next((name for name, codes in groups.items() if find(code, codes)), None)


def _shot_lines(text: str) -> tuple[str, str, str]:
    """Return what is before the lines for an example, these lines, and what is after them: all, if there are none."""
    places = [match.start() for match in PLACEHOLDER.finditer(text) if match[0] in SHOT]
    if not places:
        return "", "", text
    start = text.rfind("\n", 0, min(places)) + 1
    end = text.find("\n", max(places)) + 1 or len(text)
    return text[:start], text[start:end], text[end:]


def _shot_values(shot: Shot) -> dict[str, str]:
    return {"shot_src": shot.src, "shot_tgt": shot.tgt, "src": shot.src, "text": shot.src}


def _filled(parts: Sequence[tuple[str, Mapping[str, str]]], names: Mapping[str, str]) -> Prompt:
    """Return texts joined with their placeholders replaced: `names` in all of them, and the data of each in itself."""
    text, spans = "", []
    for template, data in parts:
        last = 0
        for match in PLACEHOLDER.finditer(template):
            text += template[last : match.start()]
            value = data.get(match[1], names.get(match[1], match[0]))
            if match[1] in data:
                spans.append((len(text), len(text) + len(value)))
            text, last = text + value, match.end()
        text += template[last:]
    return Prompt(text, tuple(spans))
