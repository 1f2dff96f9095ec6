"""Lines of records to augment, and what llamax_cli/augmentation/spaced.c makes of them, whichever way it was compiled.

    python -m support.switched_lines EXTENSION.so COUNT

tries as many, with words of its own, and prints a hash of all results. It is run with sanitizers of memory, without any
installed package.
"""

import json
import random
import sys
from functools import cache
from hashlib import sha256
from typing import Any
from zlib import crc32

from support.plain_lines import PIECES, mutated
from support.sanitizers import load_extension

WORDS = "the The black Black dog, (dog) good Good morning morning! to all ad hoc hoc. I (I) said: , . - 42 3rd é Été"
WORDS += " don't @dog (@dog) //dog (www.dog) _dog_ dog_ «good» 犬 İ black-dog"
RECORDS: list[dict[str, Any]] = [
    {"id": "c:1", "src": "The black dog, good morning to all!", "tgt": "ein Satz", "src_lang": "en", "tgt_lang": "de"},
    {"src": 'Good "morning",\n\tI\'m é\\ here: /x\b\f', "tgt": '"', "src_lang": "en", "tgt_lang": "sw", "origin": "x"},
    {"text": "Ad hoc. THE DOG", "lang": "en", "score": -1.5e-7, "src_lang": "x", "tgt": "y", "origin": None},
    {"lang": "en-GB", "text": WORDS, "ö": "ü", "id": 7},
    {"text": "dog " * 200, "src": " dog  \u2003good\u00a0morning ", "tgt": "", "tgt_lang": "de", "src_lang": "en"},
    {"src": "แมวดำ 2 ตัว", "tgt": "c" * 300, "src_lang": "th", "tgt_lang": "en"},
    {"text": "犬も歩けば棒に当たる。🙂", "lang": "th", "tgt_lang": 1},
    {"src": "", "tgt": "x", "src_lang": "en", "tgt_lang": "de"},
    {"src": "the dog", "tgt": "x", "src_lang": "en", "tgt_lang": "de", "meta": {"a": [1]}},
    {"src": "人々がアイス・クリームを食べた。2人、特に", "tgt": "x", "src_lang": "ja", "tgt_lang": "de"},
    {"text": "ຂ້ອຍມັກແມວ 2 ໂຕໆ", "lang": "lo", "id": None},
    {"src": "我喜欢T恤，AT&T 3.5%的狗们\r\n。𠀀www", "tgt": "x", "src_lang": "zh", "tgt_lang": "en"},
    {"src": "ខ្ញុំចូលចិត្ត 2", "tgt": "x", "src_lang": "km", "tgt_lang": "de"},
    {"src": "ἄλφα Straße", "tgt": "x", "src_lang": "zz", "tgt_lang": "de"},
    {"src": "no target", "src_lang": "en", "tgt_lang": "de"},
]  # fmt: skip
GOOD = len(RECORDS) - 2  # the last two are no records to augment
LINES = [json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for each in RECORDS]
STYLES = [LINES, [json.dumps(each).encode() + b"\n" for each in RECORDS]]
MORE = [b'"text":"a"', b'"src":"dog"', b'"lang":"en"', b'"tgt_lang":"th"', b'"origin":"x",', b"dog", b"good morning "]
MORE += [b"The ", b"(", b"@", b"\\u0041", b"\\u00e9", b"\\u0000", b"\\u1234", b"www.", b"\xc2\xa0", b"\xe3\x80\x80"]


# What jieba has, made up.
DICTIONARY = "我 50 r\n喜欢 30\n喜 3\nAT&T 3 nz\nT恤 4\nT 0\n狗 9\n狗们的 2\n们 1\n𠀀 7\n我喜 20"
MODEL: tuple[dict[str, Any], ...] = (
    {"B": -0.3, "M": -3.14e100, "E": -3.14e100, "S": -1.5},
    {
        "B": {"E": -0.5, "M": -0.9},
        "M": {"E": -0.3, "M": -1.3},
        "E": {"B": -0.6, "S": -0.8},
        "S": {"B": -0.7, "S": -0.7},
    },
    {place: dict.fromkeys(letters, -2.5) for place, letters in zip("BMES", ("的狗", "", "狗们", "的我"), strict=True)},
)


@cache
def jieba(module: Any) -> Any:
    """Return a segmenter with these."""
    return module.JiebaSegmenter(DICTIONARY, *MODEL)


def any_lines(choose: random.Random) -> bytes:
    """Return whole lines of records, mostly good ones, a few of whose bytes are cut, doubled or replaced by pieces."""
    lines = choose.choice(STYLES)
    data = mutated(choose, lines if choose.random() < 0.3 else lines[:GOOD], [*PIECES, *MORE])
    return data if data.endswith(b"\n") or not data else data + b"\n"


class Words:
    """Made-up words, which are the same in each run, and little memory for them."""

    def __init__(self, module: Any, rate: float, room: int, *, charges: bool) -> None:
        self.spaced = module.SpacedSwitcher(
            self.pack, self.apply_capitals, self.opens_sentence, rate, self.charge if charges else None
        )
        self._segmentations = [
            module.Segmentation(
                self.look_up, self.next_characters, self.classify, self.split_syllables, self.is_seam, number
            )
            for number in range(4)
        ]
        segmenters = {lang: self._segmentations[number] for lang, number in (("ja", 2), ("th", 3), ("lo", 0))}
        segmenters |= {"zh": jieba(module), "km": self.split_syllables}
        self._unspaced = {
            lang: module.SpacedSwitcher(
                *(self.pack_unspaced, self.apply_capitals, self.opens_sentence, rate, None),
                segmenter,
                lambda code: code == "l1",
                str.isalnum,
            )
            for lang, segmenter in segmenters.items()
        }
        self._room = self._left = room

    def charge(self, size: int) -> None:
        """Clear all words when there is no room for another one."""
        self._left -= size
        if self._left < 0:
            for switcher in (self.spaced, *self._unspaced.values()):
                switcher.clear()
            for segmentation in self._segmentations:
                segmentation.clear()
            self._left = self._room - size

    def pack(self, text: str) -> Any:
        """Return translations, phrases and forms that depend on a word alone."""
        number = crc32(text.encode())
        languages = number % 4
        self.charge(100 + 20 * languages)
        if not any(map(str.isalpha, text)):
            return None
        suffix = len(text) - len(text.rstrip(".,!"))
        translations = [
            f"{text[:3].replace(chr(0), '')}{number >> place & 7}\1été\1" + "犬" * place for place in range(languages)
        ]
        value = "\0".join([*translations, ",".join(f"l{place}" for place in range(languages))]).encode()
        begins = None, True, frozenset(["morning", "black", "to"]), frozenset([text.lower()])
        forms = (text, text.lower()) if number & 16 and not suffix else None
        return value if languages else b"", 0, suffix, number >> 8 & 3, begins[number >> 12 & 3], forms

    def pack_unspaced(self, text: str) -> Any:
        """Return the same with the characters that may follow the word, as bits."""
        packed = self.pack(text)
        return packed and (*packed[:4], (None, 0, 2**64 - 1, crc32(text.encode()) << 20)[len(text) % 4], None)

    def apply_capitals(self, word: str, capitals: int, lang: str) -> str:
        """Return something longer."""
        return f"{word}{capitals}{lang}"

    def opens_sentence(self, before: str) -> bool:
        """Return whether a text has an even length."""
        return len(before) % 2 == 0

    def find_direction(self, lang: str, target: str) -> Any:
        """Return the switcher of a language, for some only one in Python; fail for `zz`."""
        if lang == "zz":
            raise LookupError(lang)
        compiled = self.spaced if lang[:2] == "en" else self._unspaced.get(lang)
        return compiled, self.switch, [crc32(f"{lang} {target}".encode()), 2**64 - 1]

    def look_up(self, text: str) -> int:
        """Return what a text is, by a hash of it."""
        number = crc32(text.encode())
        self.charge(20)
        return (number % 4 == 0) + 2 * (len(text) < 6 and number >> 8 & 1)

    def next_characters(self, text: str) -> int:
        """Return bits of characters, by a hash of a text."""
        return crc32(text.encode()) << 7 | 1

    def classify(self, code: int) -> int:
        """Return what a character is, roughly."""
        return (code > 0xE00) + 2 * chr(code).isspace() * (code <= 0xE00) + 4 * (code % 3 > 0)

    def split_syllables(self, text: str) -> list[str]:
        """Return parts of two characters."""
        return [text[start : start + 2] for start in range(0, len(text), 2)]

    def is_seam(self, text: str, place: int) -> bool:
        """Return whether a hash of the character at a place is even."""
        return crc32(text[place].encode()) % 2 == 0

    def switch(self, text: str, key: int) -> Any:
        """Return a text and counts that depend on the key."""
        return json.dumps(f"{text}{key}").encode(), 3, 2, key % 2, ["l0"] * (key % 2)


def results(module: Any, count: int) -> str:
    """Return a hash of what the compiled code returns for so many inputs."""
    choose, found = random.Random(0), sha256()
    for number in range(count):
        words = Words(module, number % 5 / 4, choose.choice((100, 1000, 1 << 20)), charges=number % 3 > 0)
        flags = {name: choose.random() < 0.3 for name in ("appends", "drops_unchanged", "lowers")}
        switch_lines = module.LineSwitcher(words.find_direction, **flags)
        for _ in range(3):
            try:
                answer = switch_lines(any_lines(choose))
            except LookupError as error:
                answer = error
            found.update(repr(answer).encode())
    return found.hexdigest()


if __name__ == "__main__":
    print(results(load_extension(sys.argv[1]), int(sys.argv[2])))
