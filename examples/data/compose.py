"""Compose the corpus of the quickstart from phrases/: six languages, sentence by sentence the same.

    python examples/data/compose.py

Says who does what, with whom, where and when: four tenses, and the time at the end or the beginning. Every sentence is
another combination, so those that are held out stand nowhere else, and the texts in one language are in no other. The
same phrases make the same files.
"""

import csv
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
LANGUAGES = ("en", "de", "fr", "es", "zh", "tr")
SIZES = {"train": 1500, "test": 50}
TEXTS = 200  # in each language alone
SHORTEST = 16  # characters of Chinese; in less, lid.176 often sees Japanese
Phrase = dict[str, str]
PRESENT_PAST_INFINITIVE = ((0, 0, 0, 0, 0, 0), (2, 2, 2, 2, 1, 1), (1, 1, -1, -1, 0, -1))  # places of a verb's forms


class Sentence(NamedTuple):
    """What a sentence says; `wish` turns a sentence of the future into one of what somebody wants."""

    subject: Phrase
    verb: Phrase
    object: Phrase
    place: Phrase
    time: Phrase
    companion: Phrase | None
    time_first: bool
    wish: bool

    @property
    def tense(self) -> str:
        """Return habit, past, future or wish."""
        return "wish" if self.wish else self.time["tense"]

    @property
    def is_plural(self) -> bool:
        """Return whether many do it."""
        return self.subject["number"] == "many"


def read(name: str) -> list[Phrase]:
    """Return the rows of a table."""
    with (HERE / "phrases" / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def drawn(seed: int) -> Iterator[Sentence]:
    """Yield sentences for ever, none twice."""
    chance = random.Random(seed)
    subjects, verbs, times = read("subjects"), read("verbs"), read("times")
    objects, places = ({row["en"]: row for row in read(name)} for name in ("objects", "places"))
    seen: set[str] = set()
    while True:
        subject, verb, time = chance.choice(subjects), chance.choice(verbs), chance.choice(times)
        companion = chance.choice(subjects) if chance.random() < 0.5 else None
        made = Sentence(
            subject,
            verb,
            objects[chance.choice(verb["objects"].split(", "))],
            places[chance.choice(verb["places"].split(", "))],
            time,
            None if companion is subject else companion,
            chance.random() < 0.3,
            chance.random() < 0.4 and time["tense"] == "future",
        )
        if len(text := chinese(made)) >= SHORTEST and text not in seen:
            seen.add(text)
            yield made


# -- grammar -----------------------------------------------------------------------------------------------------------


def english(said: Sentence) -> str:
    """Return `The cook reads a book with my sister in the garden every day.`"""
    third, base, past = said.verb["en"].split("/")
    present, wants = (base, "want") if said.is_plural else (third, "wants")
    verb = {"habit": present, "past": past, "future": f"will {base}", "wish": f"{wants} to {base}"}[said.tense]
    return _ended(said, "en", "with", verb)


def german(said: Sentence) -> str:
    """Return `Der Koch hat gestern mit meiner Schwester im Garten ein Buch gelesen.`: the verb holds second place."""
    third, infinitive, participle = said.verb["de"].split("/")
    first, last = {
        "habit": (infinitive if said.is_plural else third, ""),
        "past": ("haben" if said.is_plural else "hat", participle),
        "future": ("werden" if said.is_plural else "wird", infinitive),
        "wish": ("möchten" if said.is_plural else "möchte", infinitive),
    }[said.tense]
    time, subject = said.time["de"], said.subject["de"]
    before, after = (time, subject) if said.time_first else (subject, time)
    companion = f"mit {said.companion['de dative']}" if said.companion else ""
    return _joined(before, first, after, companion, said.place["de"], said.object["de"], last)


def french(said: Sentence) -> str:
    """Return `Le cuisinier a lu un livre avec ma sœur dans le jardin hier.`"""
    auxiliary, wants = ("ont", "veulent") if said.is_plural else ("a", "veut")
    return _ended(said, "fr", "avec", _romance(said, "fr", f"{auxiliary} {{}}", wants), comma=",")


def spanish(said: Sentence) -> str:
    """Return `El cocinero leyó un libro con mi hermana en el jardín ayer.`"""
    return _ended(said, "es", "con", _romance(said, "es", "{}", "quieren" if said.is_plural else "quiere"))


def _romance(said: Sentence, language: str, past: str, wants: str) -> str:
    """Return the verb; of the past French has one form, the participle, and Spanish two."""
    forms = said.verb[language].split("/")
    many = said.is_plural
    middle = forms[2:-3]
    return {
        "habit": forms[many],
        "past": past.format(middle[many if len(middle) > 1 else 0]),
        "future": forms[-3 + many],
        "wish": f"{wants} {forms[-1]}",
    }[said.tense]


def chinese(said: Sentence) -> str:
    """Return `厨师昨天和我妹妹一起在花园里看了一本书。`"""
    plain, past = said.verb["zh"].split("/")
    time, subject = said.time["zh"], said.subject["zh"]
    start = f"{time}{subject}" if said.time_first else f"{subject}{time}"
    will = {"future": "会", "wish": "想"}.get(said.tense, "")
    companion = f"和{said.companion['zh']}一起" if said.companion else ""
    what = past + said.object["zh past"] if said.tense == "past" else plain + said.object["zh"]
    return f"{start}{will}{companion}{said.place['zh']}{what}。"


def turkish(said: Sentence) -> str:
    """Return `Aşçı dün kız kardeşimle birlikte bahçede bir kitap okudu.`: the verb is last, and the same for many."""
    present, past, future, infinitive = said.verb["tr"].split("/")
    verb = {"habit": present, "past": past, "future": future, "wish": f"{infinitive} istiyor"}[said.tense]
    start = (said.time["tr"], said.subject["tr"]) if said.time_first else (said.subject["tr"], said.time["tr"])
    companion = f"{said.companion['tr with']} birlikte" if said.companion else ""
    return _joined(*start, companion, said.place["tr"], said.object["tr"], verb)


def _ended(said: Sentence, language: str, with_: str, verb: str, comma: str = "") -> str:
    """Return subject, verb, object, companion and place, with the time at the end or, before a `comma`, first."""
    companion = f"{with_} {said.companion[language]}" if said.companion else ""
    middle = (said.subject[language], verb, said.object[language], companion, said.place[language])
    time = said.time[language]
    return _joined(f"{time}{comma}", *middle) if said.time_first else _joined(*middle, time)


def _joined(*parts: str) -> str:
    text = " ".join(part for part in parts if part)
    return f"{text[0].upper()}{text[1:]}."


GRAMMARS = {"en": english, "de": german, "fr": french, "es": spanish, "zh": chinese, "tr": turkish}


# -- files -------------------------------------------------------------------------------------------------------------


def corpus(seed: int = 0) -> dict[str, list[str]]:
    """Return the lines of each file: `train.en`, which line by line is `train.de`, and `text.en`, which is no other."""
    sentences = drawn(seed)
    files: dict[str, list[str]] = {}
    for name, size in SIZES.items():
        part = list(islice(sentences, size))
        files.update({f"{name}.{code}": list(map(GRAMMARS[code], part)) for code in LANGUAGES})
    for code in LANGUAGES:
        files[f"text.{code}"] = list(map(GRAMMARS[code], islice(sentences, TEXTS)))
    return files


def dictionaries() -> dict[str, list[str]]:
    """Return the lines of each file: `dictionaries/en-de.txt` has `book<TAB>Buch`, and forms of the verbs."""
    rows = [*read("words"), *(row for verb in read("verbs") for row in _forms(verb))]
    files = {}
    for code in LANGUAGES[1:]:
        pairs = dict.fromkeys(f"{row['en']}\t{row[code]}" for row in rows)
        files[f"dictionaries/en-{code}.txt"] = list(pairs)
    return files


def _forms(verb: Phrase) -> Iterator[Phrase]:
    """Yield a verb as its present, its past and its infinitive."""
    forms = {code: verb[code].split("/") for code in LANGUAGES}
    for form in PRESENT_PAST_INFINITIVE:
        yield {code: forms[code][place] for code, place in zip(LANGUAGES, form, strict=True)}


if __name__ == "__main__":
    (HERE / "dictionaries").mkdir(exist_ok=True)
    for name, lines in {**corpus(), **dictionaries()}.items():
        (HERE / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
