"""`llamax analyze corpus` against plain loops over the same records."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.processes import Outcome, one_line
from support.records import jsonl, pair, parsed, read, text, write
from support.runs import tokenizer

from llamax_cli.analysis import corpus
from llamax_cli.analysis.corpus import CorpusCounts, CorpusReport, percentile
from llamax_cli.analysis.corpus_counts import CorpusCounter, count_duplicates
from llamax_cli.languages import languages
from llamax_cli.streams import sorting
from llamax_cli.streams.chunks import Chunk
from llamax_cli.streams.sorting import SortedRuns

Llamax = Callable[..., Outcome]
Record = dict[str, Any]
WORDS = st.sampled_from(["", " ", "a", "a b", "ab", "日本語", "ü", "a\0b", "a" * 30])
CODES = st.sampled_from(["en", "de", "zh"])
RECORDS = st.lists(
    st.fixed_dictionaries({"text": WORDS, "lang": CODES}, optional={"lid": CODES})
    | st.fixed_dictionaries(
        {"src": WORDS, "tgt": WORDS, "src_lang": CODES, "tgt_lang": CODES},
        optional={"lid_src": CODES, "lid_tgt": CODES},
    ),
    max_size=25,
)


def naive(records: list[Record]) -> tuple[list[Record], list[Record]]:
    """Return the records by language and by direction, by loops that hold the whole corpus."""
    texts, pairs = [r for r in records if "text" in r], [r for r in records if "src" in r]
    codes = sorted({r["lang"] for r in texts} | {r[k] for r in pairs for k in ("src_lang", "tgt_lang")})
    sides = [(r["text"], r["lang"], r.get("lid")) for r in texts]
    sides += [(r[k], r[f"{k}_lang"], r.get(f"lid_{k}")) for r in pairs for k in ("src", "tgt")]

    def shares(empty: int, answers: list[bool]) -> Record:
        found: Record = {"empty": empty} if empty else {}
        return found | (
            {"identified": len(answers), "confirmed": round(sum(answers) / len(answers), 4)} if answers else {}
        )

    def extra(of: list[Any]) -> int:
        return len(of) - len(set(of))

    by_language = []
    for code in codes:
        own, around = (
            [r for r in texts if r["lang"] == code],
            [r for r in pairs if code in (r["src_lang"], r["tgt_lang"])],
        )
        of_code = [side for side in sides if side[1] == code]
        by_language.append(
            {
                "lang": code,
                "texts": len(own),
                "duplicate_texts": extra([r["text"] for r in own]),
                "words": sum(len(r["text"].split()) for r in own),
                "pairs": len(around),
                "duplicate_pairs": extra([unordered(r) for r in around]),
                "pair_words": sum(len(r[k].split()) for r in pairs for k in ("src", "tgt") if r[f"{k}_lang"] == code),
                "directions": len({r[k] for r in around for k in ("src_lang", "tgt_lang")} - {code}),
                **shares(sum(not s.strip() for s, _, _ in of_code), [lid == code for _, _, lid in of_code if lid]),
            }
        )
    by_direction = []
    earlier = Counter(unordered(r) for r in pairs if r["src_lang"] <= r["tgt_lang"])
    for source, target in sorted({(r["src_lang"], r["tgt_lang"]) for r in pairs}):
        own = [r for r in pairs if (r["src_lang"], r["tgt_lang"]) == (source, target)]
        known = [unordered(r) for r in own if source > target and earlier[unordered(r)]]
        ratios = sorted(Fraction(len(r["tgt"]), len(r["src"])) for r in own if r["src"].strip() and r["tgt"].strip())
        answers = [
            all(r[f"lid_{k}"] == r[f"{k}_lang"] for k in ("src", "tgt") if f"lid_{k}" in r)
            for r in own
            if "lid_src" in r or "lid_tgt" in r
        ]
        record = {
            "src_lang": source,
            "tgt_lang": target,
            "pairs": len(own),
            "duplicate_pairs": extra([unordered(r) for r in own]) + len(set(known)),
            "src_words": sum(len(r["src"].split()) for r in own),
            "tgt_words": sum(len(r["tgt"].split()) for r in own),
        }
        if ratios:
            record["ratio_mean"] = pytest.approx(float(sum(ratios) / len(ratios)), abs=1e-4)
            for share in (5, 50, 95):
                exact = ratios[ceil(len(ratios) * share / 100) - 1]
                record[f"ratio_p{share}"] = float((exact * 100 + Fraction(1, 2)) // 1) / 100
        by_direction.append({**record, **shares(len(own) - len(ratios), answers)})
    return by_language, by_direction


def unordered(record: Record) -> tuple[Any, ...]:
    """Return a pair in whichever direction it stands; within one language the direction stays."""
    sides = [(record["src_lang"], record["src"]), (record["tgt_lang"], record["tgt"])]
    return tuple(sides if record["src_lang"] == record["tgt_lang"] else sorted(sides))


def analysed(chunks: list[list[Record]]) -> CorpusReport:
    """Return the report of records that arrive in chunks."""
    counts, counter = CorpusCounts(), CorpusCounter(None, tolerant=False, describes=False)
    with SortedRuns() as runs:
        for records in chunks:
            if records:
                part = counter(Chunk("x", 1, jsonl(records)))
                counts.add("x", part)
                runs.add(part.rows)
        counts.duplicates = count_duplicates(runs.merge(), lambda count: None)
    return CorpusReport(counts, "words")


@given(RECORDS, st.integers(0, 25))
@settings(max_examples=100)
def test_every_number_is_that_of_a_plain_loop(records: list[Record], cut: int) -> None:
    """Texts, pairs, words, duplicates, ratios, percentiles and shares, wherever the corpus is cut into parts."""
    report = analysed([records[:cut], records[cut:]])
    by_language, by_direction = naive(records)
    assert report.languages() == by_language
    assert report.directions() == by_direction
    assert report.languages() == analysed([records[cut:], records[:cut]]).languages()


def test_duplicates_do_not_depend_on_how_rows_are_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of a few rows, merged by twos and read in blocks of a few bytes: the numbers are those of one run."""
    records = [pair(number % 7, "en", "de") for number in range(40)] + [text(number % 3) for number in range(20)]
    records += [pair(number, "de", "en", src=f"de text {number}", tgt=f"en text {number}") for number in range(5)]
    whole = analysed([records])
    monkeypatch.setattr(sorting, "BATCH", 3)
    monkeypatch.setattr(sorting, "MOST_RUNS", 2)
    parts = analysed([records[start : start + 9] for start in range(0, len(records), 9)])
    assert parts.languages() == whole.languages()
    assert {row["src_lang"]: row["duplicate_pairs"] for row in parts.directions()} == {"de": 0, "en": 38}


def test_real_corpora(llamax: Llamax, data: Path) -> None:
    """A folder with many languages is texts, a table of two is pairs, and both count together."""
    tables = [data / "tatoeba" / name for name in ("eng-fas.tsv", "eng-pes.tsv")]
    rows = {row["lang"]: row for row in parsed(llamax("analyze", "corpus", data / "flores101" / "devtest", *tables))}
    assert set(rows) == set(languages())
    assert {row["texts"] for row in rows.values()} == {1012}
    lines = [line for path in tables for line in path.read_text(encoding="utf-8").splitlines()]
    assert (rows["fa"]["pairs"], rows["fa"]["directions"]) == (len(lines), 1)
    assert rows["fa"]["duplicate_pairs"] == len(lines) - len(set(lines)) > 3000
    assert rows["en"]["pair_words"] == sum(len(line.split("\t")[0].split()) for line in lines)
    assert rows["de"]["directions"] == 0
    (english, hausa) = parsed(llamax("analyze", "corpus", data / "lafand-mt" / "en-hau" / "dev.json"))
    lines = (data / "lafand-mt" / "en-hau" / "dev.json").read_text(encoding="utf-8").splitlines()
    translations = [json.loads(line)["translation"] for line in lines]
    assert (english["pairs"], hausa["lang"]) == (len(lines), "ha")
    assert hausa["pair_words"] == sum(len(each["hau"].split()) for each in translations)


@pytest.mark.parametrize("workers", [1, 2])
def test_tokens_are_those_of_the_tokenizer(llamax: Llamax, tmp_path: Path, workers: int) -> None:
    """Without special tokens; the unit has its name, and words are said to be words."""
    tokenizer().backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
    file = write(tmp_path / "c.jsonl", [*(text(number) for number in range(9)), *(pair(number) for number in range(9))])
    english, swahili = parsed(llamax("analyze", "corpus", file, "--tokenizer", "tokenizer.json", "--workers", workers))
    encode = tokenizer().backend_tokenizer.encode
    assert english["pair_tokens"] == sum(
        len(encode(f"en text {number}", add_special_tokens=False)) for number in range(9)
    )
    assert swahili["tokens"] == sum(len(encode(f"sw alone {n}", add_special_tokens=False)) for n in range(9))
    assert "words" not in english and "pair_words" not in english
    done = llamax("analyze", "corpus", file)
    assert b"; words are counted, as no --tokenizer is named; " in done.stderr
    assert b"tokens" not in done.stdout


def test_what_langid_has_confirmed(llamax: Llamax, tmp_path: Path) -> None:
    """A share where langid has seen texts, nothing where it has not, and no 0 for a language that it does not know."""
    english, german = "The weather is very nice today.", "Das Wetter ist heute sehr schön."
    texts = [
        text(0, "en", text=english),
        text(1, "en", text=german),
        text(2, "en", text="12345"),
        text(3, "umb", text=german),
        text(4, "pt-PT", text="O tempo está muito bom hoje, não está?"),
        text(5, "fr", text=german),
    ]
    pairs = [pair(0, "en", "de", src=english, tgt=german), pair(1, "en", "de", src=english, tgt=english)]
    pairs += [pair(2, "en", "umb", src=english, tgt=german)]
    file = write(tmp_path / "c.jsonl", [*texts, *pairs])
    assert all("identified" not in row for row in parsed(llamax("analyze", "corpus", file)))
    seen = llamax("langid", file, "-q").stdout
    done = llamax("analyze", "corpus", stdin=seen)
    rows = {row["lang"]: row for row in read(done.stdout)}
    found = {code: (row["identified"], row.get("confirmed")) for code, row in rows.items()}
    assert found == {"en": (5, 0.8), "de": (2, 0.5), "umb": (2, None), "pt-PT": (1, 1.0), "fr": (1, 0.0)}
    assert b"; unknown to the detector: umb; " in done.stderr
    directions = {row["tgt_lang"]: row for row in parsed(llamax("analyze", "corpus", "--directions", stdin=seen))}
    assert (directions["de"]["identified"], directions["de"]["confirmed"]) == (2, 0.5)
    assert directions["umb"]["identified"] == 1 and "confirmed" not in directions["umb"]


def test_translations_count_as_mix_reads_them(llamax: Llamax) -> None:
    """Without a reference the translation is the target, and `lid` is about it."""
    record = {"src": "a b", "mt": "c", "src_lang": "en", "tgt_lang": "de", "lid": "de", "on_target": True}
    rows = parsed(llamax("analyze", "corpus", stdin=jsonl([record, {**record, "tgt": "d e f"}])))
    assert [(row["lang"], row["pairs"], row["pair_words"]) for row in rows] == [("de", 2, 4), ("en", 2, 4)]
    assert [(row.get("identified"), row.get("confirmed")) for row in rows] == [(1, 1.0), (None, None)]


def test_directions_and_the_matrix(llamax: Llamax, tmp_path: Path) -> None:
    """A row for each source language and a column for each target language, with gaps where there are no pairs."""
    directions = [("en", "de"), ("en", "de"), ("en", "no"), ("de", "fr"), ("fr", "en")]
    file = write(tmp_path / "p.jsonl", [pair(number, *direction) for number, direction in enumerate(directions)])
    done = llamax("analyze", "corpus", file, "--matrix", "--table", "csv", "-q")
    assert done.stdout == b"src_lang,de,en,fr,no\nde,,,1,\nen,2,,,1\nfr,,1,,\n"
    rows = parsed(llamax("analyze", "corpus", file, "--directions"))
    assert [(row["src_lang"], row["tgt_lang"], row["pairs"]) for row in rows] == [
        ("de", "fr", 1),
        ("en", "de", 2),
        ("en", "no", 1),
        ("fr", "en", 1),
    ]
    table = llamax("analyze", "corpus", file, "--directions", "--table", "csv", "-q").stdout.decode().splitlines()
    assert [row["ratio_p50"] for row in csv.DictReader(table)] == ["1.0"] * 4
    latex = llamax("analyze", "corpus", file, "--table", "latex", "-q").stdout
    assert latex.startswith(rb"\begin{tabular}{lrrrrrrr}")


def test_a_corpus_of_one_language(llamax: Llamax) -> None:
    """No directions, and nothing to show in a matrix; a pair within a language is around it once."""
    done = llamax("analyze", "corpus", "--matrix", "--table", "md", stdin=jsonl([text(1), text(1), text(2)]))
    assert done.stdout == b"There are no records.\n"
    assert b"0 records from 3; 3 texts, 1 of them duplicates; 1 language, 0 directions; " in done.stderr
    (row,) = parsed(llamax("analyze", "corpus", stdin=jsonl([pair(1, "en", "en")])))
    assert (row["pairs"], row["directions"], row["pair_words"]) == (1, 0, 6)


def test_nothing_on_stdin(llamax: Llamax) -> None:
    """Nothing was there, which is said; no record, and a table that says so."""
    done = llamax("analyze", "corpus", stdin=b"")
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.startswith(b"llamax analyze corpus: 0 records; 0 languages, 0 directions; ")
    assert llamax("analyze", "corpus", "--table", "md", stdin=b"").stdout == b"There are no records.\n"


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_lines(llamax: Llamax, tmp_path: Path, workers: int) -> None:
    """One ends the run, or is set aside and counts in nothing: also one that is bad in its last key."""
    bad = [b'{"text":"a","lang":"xx-nowhere"}', b"garbage", b'{"src":"a","tgt":"b","src_lang":"en"}', b'{"id":"1"}']
    bad += [b'{"text":"a","lang":"en","lid":3}', b'{"src":"a","src_lang":"en","tgt_lang":"de"}', b"\xff", b""]
    bad += [b'{"prompt":"","completion":"a","id":"1","origin":"mono","lang":"en"}']
    good = jsonl([text(1), pair(1)])
    (tmp_path / "c.jsonl").write_bytes(good + b"\n".join(bad) + b"\n" + good)
    one_line(llamax("analyze", "corpus", "c.jsonl", "--workers", workers), 65, "c.jsonl:3: ", "unknown language")
    done = llamax("analyze", "corpus", "c.jsonl", "--rejects", "bad.jsonl", "--workers", workers)
    assert f"; {len(bad)} rejected, see bad.jsonl; ".encode() in done.stderr
    assert done.stdout == llamax("analyze", "corpus", stdin=good + good).stdout
    reasons = [json.loads(line)["reason"] for line in (tmp_path / "bad.jsonl").read_text().splitlines()]
    assert reasons[-1].endswith("; samples are described by the manifest of their mixture: --mixture FILE")
    assert reasons[5] == "no 'tgt' in the record (it has src, src_lang, tgt_lang)"


def test_options_that_contradict_each_other(llamax: Llamax, tmp_path: Path) -> None:
    """Told before anything is read."""
    write(tmp_path / "c.jsonl", [text(1)])
    for options, words in {
        ("--matrix",): "--matrix is a table",
        ("--matrix", "--directions", "--table", "md"): "choose one",
        ("--license", "mit"): "--license requires --card",
        ("--license", "Some rights", "--card", "x"): "'Some rights' is not a licence as the hub writes them",
        ("--mixture", "m.json", "--directions"): "without --tokenizer",
        ("--table", "xml"): "'xml' is unknown",
    }.items():
        one_line(llamax("analyze", "corpus", "c.jsonl", *options), 2, words)
    assert not (tmp_path / "x").exists()


def test_percentiles_are_of_the_nearest_rank() -> None:
    """The smallest value that the share of all values does not exceed."""
    assert [percentile({100: 1}, share) for share in (5, 50, 95)] == [1.0, 1.0, 1.0]
    assert percentile({50: 95, 700: 5}, 95) == 0.5
    assert percentile({50: 94, 700: 6}, 95) == 7.0
    assert percentile(dict.fromkeys(range(1, 101), 1), 5) == 0.05


def test_the_manifest_has_the_totals(llamax: Llamax, tmp_path: Path) -> None:
    """And the hash of what was read."""
    write(tmp_path / "c.jsonl", [text(1), text(1), pair(1)])
    assert llamax("analyze", "corpus", "c.jsonl", "--manifest", "m.json").returncode == 0
    manifest = json.loads((tmp_path / "m.json").read_text())
    told = dict(zip(corpus.CorpusReport(CorpusCounts(), "words").totals(), (2, 1, 1, 0, 2, 1), strict=True))
    assert manifest["figures"] == told
    assert manifest["inputs"][0]["sha256"]


def test_mix_leaves_out_what_is_a_duplicate(llamax: Llamax, data: Path, tmp_path: Path) -> None:
    """Of real pairs, some of which are there turned round, and of texts: as many as are counted here."""
    names = ["eng-fas.tsv", "eng-pes.tsv", "fra-zho.tsv"]
    tables = [data / "tatoeba" / name for name in names]
    turned = llamax("convert", tables[0], "--pairs", "fa-en", "-q", "-o", "turned.jsonl")
    assert turned.returncode == 0
    assert llamax("convert", *tables, "--pairs", "en-fa,fr-zh", "-q", "-o", "pairs.jsonl").returncode == 0
    assert llamax("convert", *tables, "--mono", "fa,en", "-q", "-o", "texts.jsonl").returncode == 0
    counted = llamax("analyze", "corpus", "turned.jsonl", "pairs.jsonl", "texts.jsonl", "--manifest", "a.json")
    assert counted.returncode == 0
    mix = ("mix", "--para", "turned.jsonl", "pairs.jsonl", "--mono", "texts.jsonl", "-o", "mix.jsonl")
    assert llamax(*mix, "--manifest", "m.json").returncode == 0
    figures, left_out = (json.loads((tmp_path / name).read_text())["figures"] for name in ("a.json", "m.json"))
    duplicates = left_out["left_out"]
    assert figures["duplicate_pairs"] == duplicates["duplicates (para)"] > 7000
    assert figures["duplicate_texts"] == duplicates["duplicates (mono)"] > 3000


def test_any_number_of_workers_is_the_same(llamax: Llamax, data: Path, tmp_path: Path) -> None:
    """Of a corpus of many chunks, in plain form and compressed."""
    tables = ("eng-fas.tsv", "eng-pes.tsv", "fra-zho.tsv", "deu-fra.tsv")
    for name in tables:
        lines = (data / "tatoeba" / name).read_bytes().splitlines(keepends=True)
        (tmp_path / name).write_bytes(b"".join(lines[:3000]))
    assert llamax("convert", *tables, "--pairs", "*-*", "-q", "-o", "pairs.jsonl.zst").returncode == 0
    assert llamax("convert", "pairs.jsonl.zst", "-q", "-o", "pairs.jsonl").returncode == 0
    assert (tmp_path / "pairs.jsonl").stat().st_size > 10 << 17  # bytes of ten chunks
    for options in ([], ["--directions"], ["--matrix", "--table", "csv"]):
        alone = llamax("analyze", "corpus", "pairs.jsonl", *options, "-q")
        assert alone.returncode == 0 and alone.stdout
        for workers, file in ((2, "pairs.jsonl"), (3, "pairs.jsonl.zst")):
            assert llamax("analyze", "corpus", file, *options, "-q", "--workers", workers).stdout == alone.stdout
