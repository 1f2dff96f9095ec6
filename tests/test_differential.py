"""Results that another program gives, too, or twenty lines that do the obvious.

Other comparisons stand with what they compare: langid with fastText's own loop (identification/), scores with sacreBLEU
(scoring/), a run of training with Hugging Face's Trainer (training/test_train_worker.py) and its tokens with TRL's
(models/test_bos.py), weights with transformers (models/, vocabulary/).
"""

import json
import re
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.lexicons import lexicon

from llamax_cli import cli
from llamax_cli.augmentation.augmentation import Augmentation
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.records import text

# -- mix and DuckDB ----------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["a", "A", "b", "é", "e\u0301", "ж", "''", "x\\", '"', "ab", "中"])
LANGUAGES = st.sampled_from([("en", "sw"), ("sw", "en"), ("en", "de"), ("de", "sw")])
QUERY = """
    SELECT DISTINCT
        least(src_lang, tgt_lang) AS one,
        greatest(src_lang, tgt_lang) AS two,
        CASE WHEN src_lang < tgt_lang THEN src ELSE tgt END AS first,
        CASE WHEN src_lang < tgt_lang THEN tgt ELSE src END AS second
    FROM read_json(?, format = 'newline_delimited', columns = {src_lang: 'VARCHAR', tgt_lang: 'VARCHAR',
        src: 'VARCHAR', tgt: 'VARCHAR'})
"""


@given(
    pairs=st.lists(st.tuples(LANGUAGES, WORDS, WORDS), min_size=1, max_size=60),
    seed=st.integers(0, 3),
    flip=st.sampled_from([0, 0.5]),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_pairs_of_a_mixture_are_those_of_a_query(
    pairs: list[tuple[tuple[str, str], str, str]], seed: int, flip: float, tmp_path: Path
) -> None:
    """Once each, whichever way they are turned and in whichever direction they were given; and as many as planned."""
    source, output = tmp_path / "pairs.jsonl", tmp_path / "mix.jsonl"
    with source.open("w") as file:
        for number, ((src_lang, tgt_lang), src, tgt) in enumerate(pairs):
            record = {"id": f"p:{number}", "src": src, "tgt": tgt, "src_lang": src_lang, "tgt_lang": tgt_lang}
            file.write(json.dumps(record) + "\n")
    call = [
        "mix",
        "--para",
        str(source),
        "--per-pair",
        "0",
        "--seed",
        str(seed),
        "--flip",
        str(flip),
        "-o",
        str(output),
    ]
    assert cli.run([*call, "-q"]) == 0
    found = Counter[tuple[str, ...]]()
    for sample in map(json.loads, output.read_text().splitlines()):
        sides = zip((sample["src_lang"], sample["tgt_lang"]), sample["completion"].split(" "), strict=True)
        (one, first), (two, second) = sorted(sides)
        found[one, two, first, second] += 1
    with duckdb.connect(config={"threads": 1}) as connection:
        expected = Counter(connection.execute(QUERY, [str(source)]).fetchall())
    assert found == expected


# -- augment and the obvious -------------------------------------------------------------------------------------------

DICTIONARY = {"black": "noir", "cat": "chat", "house": "maison", "runs": "court", "isn't": "pas", "über": "sur"}
WORD = r"[^\W_]+(?:'[^\W_]+)*"


def obvious(source: str) -> str:
    """Return a text with every word of the dictionary translated, in the capitals that it had."""

    def translated(match: re.Match[str]) -> str:
        word = match[0]
        if word.lower() not in DICTIONARY:
            return word
        translation = DICTIONARY[word.lower()]
        if word.isupper() and len(word) > 1:
            return translation.upper()
        return translation.capitalize() if word[0].isupper() else translation

    return " ".join(re.sub(WORD, translated, word) for word in source.split(" "))


@pytest.fixture
def french(tmp_path: Path) -> Lexicon:
    """Return the dictionary as a lexicon."""
    words = {word: {"fr": [translation]} for word, translation in DICTIONARY.items()}
    return lexicon(tmp_path / "french.lex", ("en", words), entities={"fr": len(words)})


TOKENS = st.sampled_from(
    [
        *DICTIONARY,
        "the",
        "Cat",
        "BLACK",
        "House,",
        "(runs",
        "isn't!",
        "Über",
        "“cat”",
        "42",
        "--",
        "dog's",
        "cats",
        "Isn't",
    ]
)


@given(source=st.lists(TOKENS, max_size=12).map(" ".join))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_words_replaced_are_those_of_the_obvious_loop(source: str, french: Lexicon) -> None:
    """With one translation for each word and a rate of 1, nothing is left to chance."""
    plan = Augmentation([french], 1.0)
    record = {"src": source, "tgt": "x", "src_lang": "en", "tgt_lang": "de"}
    (made,) = plan()(record, Counter())
    assert text(made, "src") == obvious(source)


@given(source=st.lists(TOKENS, max_size=12).map(" ".join), rate=st.floats(0, 1), seed=st.integers(0, 99))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_some_words_replaced_are_some_of_the_obvious_loop(source: str, rate: float, seed: int, french: Lexicon) -> None:
    """At any rate each word is as it was or as the loop has it, and the number of those is what was asked for."""
    plan = Augmentation([french], rate, seed=seed)
    record = {"src": source, "tgt": "x", "src_lang": "en", "tgt_lang": "de"}
    (made,) = plan()(record, Counter())
    before, after, every = (each.split(" ") for each in (source, text(made, "src"), obvious(source)))
    changed = [new != old for old, new in zip(before, after, strict=True)]
    assert all(
        new == (full if is_new else old) for old, new, full, is_new in zip(before, after, every, changed, strict=True)
    )
    words = sum(any(map(str.isalpha, word)) for word in before)
    known = sum(old != full for old, full in zip(before, every, strict=True))
    assert min(known, int(words * rate)) <= sum(changed) <= min(known, int(words * rate) + 1)
