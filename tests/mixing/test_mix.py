"""`llamax mix`: the samples of a mixture, their number and order, and the figures in the manifest."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.fakes import watch_bar
from support.processes import Outcome, one_line
from support.records import pair, parsed, text, write

from llamax_cli import cli
from llamax_cli.mixing import shuffle_passes

KEYS = {"prompt", "completion", "id", "origin"}
Mix = Callable[..., Outcome]


def manifest(path: Path) -> dict[str, dict[str, dict[str, int]]]:
    """Return the figures of a manifest."""
    return json.loads(path.read_text())["figures"]


def test_a_pair_is_one_entry_in_either_direction_and_a_text_stands_alone(llamax: Mix, tmp_path: Path) -> None:
    """An empty prompt means loss on the whole sample; a sample has no other keys than those of a Sample."""
    para = write(tmp_path / "p.jsonl", [pair(n, score=1) for n in range(40)])
    mono = write(tmp_path / "m.jsonl", [text(n, domain="news") for n in range(5)])
    mixed = parsed(llamax("mix", "--para", para, "--mono", mono, "--per-pair", 0))
    assert len(mixed) == 45
    for sample in mixed:
        number = int(sample["id"][2:])
        if sample["origin"] == "mono":
            assert sample == {
                "prompt": "", "completion": f"sw alone {number}", "id": f"m:{number}", "origin": "mono", "lang": "sw"
            }  # fmt: skip
        else:
            assert set(sample) == KEYS | {"src_lang", "tgt_lang"}
            assert sample["prompt"] == ""
            source, target = sample["src_lang"], sample["tgt_lang"]
            assert sample["completion"] == f"{source} text {number} {target} text {number}"
    directions = Counter(sample.get("src_lang") for sample in mixed)
    assert 5 < directions["en"] < 35


@pytest.mark.parametrize(("flip", "source"), [(0, "en"), (1, "sw")])
def test_the_probability_of_the_direction_holds_at_its_ends(
    llamax: Mix, tmp_path: Path, flip: int, source: str
) -> None:
    """0 flips no pair, copies included; 1 flips every pair."""
    para = write(tmp_path / "p.jsonl", [pair(n) for n in range(30)])
    mixed = parsed(llamax("mix", "--para", para, "--flip", flip))
    assert len(mixed) == 90
    assert {sample["src_lang"] for sample in mixed} == {source}
    assert all(sample["completion"].startswith(source) for sample in mixed)


def test_augmented_pairs_never_turn_and_lose_on_what_the_paper_says(llamax: Mix, tmp_path: Path) -> None:
    """Parallel: the source is the prompt, and the completion starts with a space. Monolingual: loss on both."""
    both = [pair(n, "sw", "en", origin="aug-para") for n in range(30)]
    alone = [pair(n, "sw", "sw", origin="aug-mono") for n in range(30, 40)]
    mixed = parsed(llamax("mix", "--aug", write(tmp_path / "a.jsonl", [*both, *alone])))
    assert len(mixed) == 40
    for sample in mixed:
        number = sample["id"][2:]
        if sample["origin"] == "aug-para":
            assert (sample["prompt"], sample["completion"]) == (f"sw text {number}", f" en text {number}")
            assert (sample["src_lang"], sample["tgt_lang"]) == ("sw", "en")
        else:
            assert (sample["prompt"], sample["completion"]) == ("", f"sw text {number} sw text {number}")
            assert sample["lang"] == "sw" and "src_lang" not in sample


def test_what_augment_passed_on_counts_as_what_it_is(llamax: Mix, tmp_path: Path) -> None:
    """`augment --append` also writes unchanged pairs and texts: they count as parallel and monolingual."""
    appended = [pair(1), pair(1, src="hi", origin="aug-para"), text(2), pair(2, "sw", "sw", origin="aug-mono"), text(3)]
    files = "--aug", write(tmp_path / "a.jsonl", appended), "--mono", write(tmp_path / "m.jsonl", [text(3)])
    outcome = llamax("mix", *files, "--copies", 1)
    assert Counter(sample["origin"] for sample in parsed(outcome)) == {
        "para": 1, "aug-para": 1, "mono": 2, "aug-mono": 1
    }  # fmt: skip
    assert "left out: 1 duplicates (mono)" in outcome.stderr.decode()


def test_translations_give_their_target_or_else_the_model_s(llamax: Mix, tmp_path: Path) -> None:
    """Without `tgt`, `mt` is the target; truncated translations are left out and counted."""
    given = [{**pair(n), "mt": f"mt {n}"} for n in range(3)]
    for record in given[1:]:
        del record["tgt"]
    given[2]["truncated"] = True
    outcome = llamax("mix", "--mt", write(tmp_path / "t.jsonl", given), "--flip", 0, "--copies", 1)
    assert {sample["completion"] for sample in parsed(outcome)} == {"en text 0 sw text 0", "en text 1 mt 1"}
    assert {sample["origin"] for sample in parsed(outcome)} == {"mt"}
    assert b"left out: 1 truncated (mt)" in outcome.stderr


def test_a_small_pair_is_there_three_times_each_copy_with_its_own_coin(llamax: Mix, tmp_path: Path) -> None:
    """Three copies in all; a language pair at the threshold, both directions counted, is not repeated."""
    small = [pair(n, "en", "yo") for n in range(60)]
    large = [pair(n, "en", "sw") for n in range(50)] + [pair(n, "sw", "en") for n in range(50, 100)]
    para = write(tmp_path / "p.jsonl", [*small, *large])
    mixed = parsed(llamax("mix", "--para", para, "--per-pair", 100))
    copies = Counter((sample["id"], "yo" in (sample["src_lang"], sample["tgt_lang"])) for sample in mixed)
    assert {count for (_, is_small), count in copies.items() if is_small} == {3}
    assert {count for (_, is_small), count in copies.items() if not is_small} == {1}
    turned = Counter(sample["id"] for sample in mixed if sample["src_lang"] == "yo")
    assert {turned[record["id"]] for record in small} == {0, 1, 2, 3}
    places = [place for place, sample in enumerate(mixed) if sample["id"] == "c:7"]
    assert max(places) - min(places) > 3  # copies are not neighbours


def test_copies_are_made_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """However many copies there are, so that they need not fit into memory; the mixture is the same."""
    para = write(tmp_path / "p.jsonl", [pair(n) for n in range(40)])
    sizes: list[int] = []
    copy_rows = shuffle_passes.CopyPass._copy_rows

    def counted(self: Any, index: Any, lines: Any, rows: Any, numbers: Any) -> tuple[bytes, bytes]:
        sizes.append(len(rows))
        return copy_rows(self, index, lines, rows, numbers)

    monkeypatch.setattr(shuffle_passes.CopyPass, "_copy_rows", counted)
    outputs = []
    for most in (shuffle_passes.COPIES_AT_ONCE, 1):
        sizes.clear()
        monkeypatch.setattr(shuffle_passes, "COPIES_AT_ONCE", most)
        assert cli.run(["mix", "--para", str(para), "--copies", "20", "-q"]) == 0
        assert sum(sizes) == 19 * 40
        outputs.append(capfdbinary.readouterr().out)
    assert max(sizes) < 10  # rows of a bucket, of which there are 256
    assert outputs[0] == outputs[1] and outputs[0].count(b"\n") == 20 * 40


def test_equal_pairs_count_once_before_they_are_copied(llamax: Mix, tmp_path: Path) -> None:
    """Whatever their direction, file, origin, id and JSON escapes."""
    para = write(tmp_path / "p.jsonl", [pair(n) for n in range(10)])
    turned = [
        {**pair(n), "src": f"sw text {n}", "tgt": f"en text {n}", "src_lang": "sw", "tgt_lang": "en"} for n in range(10)
    ]
    other = write(tmp_path / "q.jsonl", turned)
    escaped = '{"id":"x","src":"en \\u0074ext 3","tgt":"sw text 3","src_lang":"eng_Latn","tgt_lang":"swh"}\n'
    (tmp_path / "r.jsonl").write_text(escaped)
    aug = write(tmp_path / "a.jsonl", [pair(n, origin="aug-para") for n in range(5, 12)])
    mono = write(tmp_path / "m.jsonl", [text(1), text(1, id="again"), text(2)])
    outcome = llamax(
        "mix", "--para", para, other, tmp_path / "r.jsonl", "--aug", aug, "--mono", mono, "--per-language", 12
    )
    mixed = parsed(outcome)
    assert Counter(sample["origin"] for sample in mixed) == {"para": 30, "mono": 2, "aug-para": 2}
    assert b"left out: 11 duplicates (para), 1 duplicates (mono), 5 duplicates (aug-para);" in outcome.stderr


def test_texts_that_differ_in_language_or_in_a_space_are_not_equal(llamax: Mix, tmp_path: Path) -> None:
    """Only exact duplicates are left out."""
    mono = [text(1), {**text(1), "lang": "yo"}, {**text(1), "text": "sw alone 1 "}]
    assert len(parsed(llamax("mix", "--mono", write(tmp_path / "m.jsonl", mono)))) == 3


def test_languages_that_lack_pairs_are_filled_up_to_the_threshold_and_no_further(llamax: Mix, tmp_path: Path) -> None:
    """First with translations, then with augmented pairs; none for a high-resource language."""
    para = write(tmp_path / "p.jsonl", [*(pair(n) for n in range(30)), *(pair(n, "en", "de") for n in range(20))])
    mt = write(tmp_path / "t.jsonl", [{**pair(n), "mt": "x"} for n in range(100, 110)])
    aug = [pair(n, "sw", "en", origin="aug-para") for n in range(200, 400)]
    high = [pair(n, "de", "en", origin="aug-para") for n in range(400, 800)]
    aug_file = write(tmp_path / "a.jsonl", [*aug, *high])
    options = ["--para", para, "--mt", mt, "--aug", aug_file, "--per-language", 100, "--copies", 1]
    outcome = llamax("mix", *options)
    found = Counter((sample["origin"], *sorted((sample["src_lang"], sample["tgt_lang"]))) for sample in parsed(outcome))
    assert found == {
        ("para", "en", "sw"): 30, ("para", "de", "en"): 20, ("mt", "en", "sw"): 10, ("aug-para", "en", "sw"): 60
    }  # fmt: skip
    assert b"left out: 540 not needed (aug-para)" in outcome.stderr
    also = parsed(llamax("mix", *options, "--augment-high"))
    assert Counter(s["src_lang"] for s in also if s["origin"] == "aug-para") == {"de": 80, "sw": 60}


@pytest.mark.parametrize(
    ("pairs", "translations", "options", "distinct", "samples", "left_out"),
    [
        (20, 0, ["--para-size", 8], 8, 24, b"12 not drawn (para)"),
        (100, 0, ["--per-pair", 50, "--para-size", 10], 10, 10, b"90 not drawn (para)"),
        (2, 30, ["--per-language", 12], 12, 36, b"20 not needed (mt)"),
    ],
)
def test_what_was_not_drawn_is_left_out_and_the_rest_repeated(
    llamax: Mix, tmp_path: Path, pairs: int, translations: int, options: list[object], distinct: int, samples: int,
    left_out: bytes,
) -> None:  # fmt: skip
    """Each record that was drawn is there equally often; another epoch draws others."""
    para = write(tmp_path / "p.jsonl", [pair(n) for n in range(pairs)])
    mt = write(tmp_path / "t.jsonl", [{**pair(n), "mt": "x"} for n in range(1000, 1000 + translations)])
    command = ["mix", "--para", para, *(["--mt", mt] if translations else []), *options]
    outcome = llamax(*command)
    copies = Counter(sample["id"] for sample in parsed(outcome))
    assert (len(copies), copies.total()) == (distinct, samples)
    assert set(copies.values()) == {samples // distinct}
    assert left_out in outcome.stderr
    assert outcome.stdout == llamax(*command, "--workers", 3, "--memory", "10K").stdout
    assert copies.keys() != Counter(sample["id"] for sample in parsed(llamax(*command, "--epoch", 1))).keys()


def test_another_epoch_or_seed_gives_another_mixture(llamax: Mix, tmp_path: Path) -> None:
    """Order, directions and the choice of records depend only on seed and epoch."""
    para = write(tmp_path / "p.jsonl", [pair(n) for n in range(200)])

    def mixed(*options: object) -> list[dict[str, str]]:
        return parsed(llamax("mix", "--para", para, "--para-size", 50, "--copies", 1, *options))

    first = mixed()
    assert first == mixed("--epoch", 0, "--seed", 0)
    assert len(first) == 50
    for other in (mixed("--epoch", 1), mixed("--seed", 1)):
        same = {sample["id"] for sample in first} & {sample["id"] for sample in other}
        assert len(other) == 50 and 2 <= len(same) <= 30
    assert [int(sample["id"][2:]) for sample in first] != sorted(int(sample["id"][2:]) for sample in first)


def test_order_of_input_workers_and_memory_change_nothing(llamax: Mix, tmp_path: Path) -> None:
    """The same records give the same bytes."""
    records = [pair(n, "en", ("sw", "yo", "de")[n % 3], src="word " * (n % 50) + str(n)) for n in range(1200)]
    texts = [text(n) for n in range(300)]
    para, mono = write(tmp_path / "p.jsonl", records), write(tmp_path / "m.jsonl", texts)
    options = ["--mono", mono, "--para-size", 400]
    whole = llamax("mix", "--para", para, *options)
    assert len(whole.stdout.splitlines()) > 1400
    assert whole.stdout == llamax("mix", "--para", para, *options, "--workers", 3, "--memory", "10K").stdout
    front, back = write(tmp_path / "1.jsonl", records[:399:-1]), write(tmp_path / "2.jsonl", records[:400])
    assert whole.stdout == llamax("mix", "--para", front, "--para", back, *options).stdout


def test_temperature_shifts_shares_and_leaves_none_without(llamax: Mix, tmp_path: Path) -> None:
    """Shares are n ** (1 / T) within an origin, whose total stays; a direction with one record is never lost."""
    sizes = {"de": 3000, "sw": 300, "yo": 1}
    records = [pair(n, "en", code) for code, size in sizes.items() for n in range(size)]
    para = write(tmp_path / "p.jsonl", records)

    def shares(temperature: float) -> Counter[str]:
        options = ["--temperature", temperature, "--per-pair", 0, "--flip", 0]
        return Counter(sample["tgt_lang"] for sample in parsed(llamax("mix", "--para", para, *options)))

    assert shares(1) == sizes
    flat = shares(100)
    assert sum(flat.values()) == 3301 and max(flat.values()) - min(flat.values()) < 120
    steep = shares(0.1)
    assert steep["yo"] == 1 and steep["sw"] >= 1 and sum(steep.values()) == 3301
    two = shares(2)
    assert abs(two["de"] / two["sw"] - (3000 / 300) ** 0.5) < 0.1


def test_split_pairs_are_two_separate_texts(llamax: Mix, tmp_path: Path) -> None:
    """Table 12: each copy of each side is a text, shuffled independently; augmented pairs are not split."""
    para = write(tmp_path / "p.jsonl", [*(pair(n) for n in range(50)), pair(0, id="again")])
    aug = write(tmp_path / "a.jsonl", [pair(99, origin="aug-para")])
    mixed = parsed(llamax("mix", "--para", para, "--aug", aug, "--parallel", "split"))
    split = [sample for sample in mixed if sample["origin"] == "para"]
    assert Counter(sample["completion"] for sample in split) == {
        f"{code} text {n}": 3 for code in ("en", "sw") for n in range(50)
    }
    assert all(sample["completion"].startswith(sample["lang"]) and "src_lang" not in sample for sample in split)
    assert len(mixed) == 301
    places = [place for place, sample in enumerate(mixed) if sample["id"] == "c:7"]
    assert max(places) - min(places) > 10


def test_the_manifest_has_planned_and_realised_counts(llamax: Mix, tmp_path: Path) -> None:
    """By origin, direction and language, equal to counts of the output."""
    para = write(tmp_path / "p.jsonl", [pair(n) for n in range(100)])
    mono = write(tmp_path / "m.jsonl", [text(n, "yo") for n in range(7)])
    options = ["mix", "--para", para, "--mono", mono, "--mono-size", 5]
    for limit in (), ("--limit", 100):
        mixed = parsed(llamax(*options, *limit, "--manifest", "m.json"))
        figures = manifest(tmp_path / "m.json")
        assert figures["realised"]["origin"] == Counter(sample["origin"] for sample in mixed)
        pairs = [sample for sample in mixed if "src_lang" in sample]
        assert figures["realised"]["direction"] == Counter(f"{s['src_lang']}-{s['tgt_lang']}" for s in pairs)
        assert figures["realised"]["language"].get("yo", 0) == sum(sample.get("lang") == "yo" for sample in mixed)
        assert figures["realised"]["language"]["sw"] == len(pairs)
    assert figures["planned"] == {
        "origin": {"mono": 5, "para": 300},
        "direction": {"en-sw": 150, "sw-en": 150},
        "language": {"en": 300, "sw": 300, "yo": 5},
    }
    assert figures["left_out"] == {"not drawn (mono)": 2}
    told = json.loads((tmp_path / "m.json").read_text())
    assert told["counts"]["in"] == 107 and len(told["inputs"]) == 2


def test_the_plan_says_what_is_missing_from_english(llamax: Mix, tmp_path: Path) -> None:
    """One record for each language below the threshold; existing translations count."""
    para = write(tmp_path / "p.jsonl", [*(pair(n) for n in range(30)), *(pair(n, "de", "fr") for n in range(99))])
    mono = write(tmp_path / "m.jsonl", [text(1, "yo")])
    mt = write(tmp_path / "t.jsonl", [{**pair(n), "mt": "x"} for n in range(100, 110)])
    outcome = llamax("mix", "--plan", "--para", para, "--mono", mono, "--mt", mt, "--per-language", 99)
    assert outcome.stdout.decode() == (
        '{"src_lang":"en","tgt_lang":"sw","have":40,"missing":59}\n'
        '{"src_lang":"en","tgt_lang":"yo","have":0,"missing":99}\n'
    )


def test_ids_are_strings_whatever_they_were(llamax: Mix, tmp_path: Path) -> None:
    """A number becomes a string; without an id, a hash of the content is the id in every epoch."""
    bare = pair(2)
    del bare["id"]
    para = write(tmp_path / "p.jsonl", [pair(1, id=7), bare, pair(3, id=None)])
    ids = {
        epoch: {sample["id"] for sample in parsed(llamax("mix", "--para", para, "--epoch", epoch))} for epoch in (0, 1)
    }
    assert ids[0] == ids[1] and "7" in ids[0] and len(ids[0]) == 3


@pytest.mark.parametrize("blank", ["", "  ", "\t", "\n", "\u3000", "\\u00a0 "])
def test_empty_texts_are_left_out_and_counted(llamax: Mix, tmp_path: Path, blank: str) -> None:
    """A pair with only white space on one side is empty."""
    blank = json.loads(f'"{blank}"', strict=False)
    para = write(tmp_path / "p.jsonl", [pair(1), pair(2, tgt=blank), pair(3, src=blank)])
    mono = write(tmp_path / "m.jsonl", [text(1), text(2, text=blank)])
    outcome = llamax("mix", "--para", para, "--mono", mono, "--copies", 1)
    assert len(parsed(outcome)) == 2
    assert b"left out: 2 empty (para), 1 empty (mono)" in outcome.stderr


def test_text_is_not_changed(llamax: Mix, tmp_path: Path) -> None:
    """Quotes, backslashes, line ends, tabs and anything beyond the basic plane."""
    odd = ['"quoted"', "back\\slash", "two\nlines", "a\ttab", "emoji 😀", '","id":"x', "\u2028\x7f", "ends in \\"]
    records = [pair(n, src=f"{word} {n}", tgt=word) for n, word in enumerate(odd)]
    para = write(tmp_path / "p.jsonl", records)
    mono = write(tmp_path / "m.jsonl", [text(n, text=word) for n, word in enumerate(odd)])
    mixed = parsed(llamax("mix", "--para", para, "--mono", mono))
    assert {sample["completion"] for sample in mixed if sample["origin"] == "mono"} == set(odd)
    for sample in (sample for sample in mixed if sample["origin"] == "para"):
        record = records[int(sample["id"][2:])]
        sides = [record["src"], record["tgt"]]
        assert sample["completion"] == " ".join(sides if sample["src_lang"] == "en" else sides[::-1])


def test_a_mixture_of_nothing_is_nothing(llamax: Mix, tmp_path: Path) -> None:
    """An empty file is not an error."""
    empty = write(tmp_path / "p.jsonl", [])
    outcome = llamax("mix", "--para", empty, "--workers", 2)
    assert (outcome.returncode, outcome.stdout) == (0, b"")
    assert llamax("mix", "--plan", "--para", empty).stdout == b""


@pytest.mark.parametrize("space", ["", " "])
@pytest.mark.parametrize("more", ["", '"score":1,'])
def test_a_pair_with_a_key_twice_is_bad(llamax: Mix, tmp_path: Path, space: str, more: str) -> None:
    """Neither of its two values is chosen in silence; beside it all lines are good."""
    good = "".join(json.dumps(pair(number), separators=(",", ":" + space)) + "\n" for number in range(5))
    line = "{" + more + json.dumps(pair(7), separators=(",", ":" + space))[1:-1] + ',"src":"b"}\n'
    (tmp_path / "p.jsonl").write_text(good + line + good)
    one_line(llamax("mix", "--para", "p.jsonl"), 65, "p.jsonl:6: not a record: it has the key 'src' twice")
    mixed = llamax("mix", "--para", "p.jsonl", "--per-pair", 0, "--rejects", "bad.jsonl")
    assert len(parsed(mixed)) == 5
    assert b"; 1 rejected, see bad.jsonl; " in mixed.stderr


def test_the_bar_names_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pass in its turn, from nothing to all there is."""
    from llamax_cli import cli

    shown = watch_bar(monkeypatch)
    write(tmp_path / "p.jsonl", [pair(number) for number in range(2000)])
    assert cli.run(["mix", "--para", str(tmp_path / "p.jsonl"), "--copies", "2", "-o", str(tmp_path / "x.jsonl")]) == 0
    steps = list(dict.fromkeys(note.split()[0] for note, _ in shown))
    assert steps == ["reading", "counting", "repeating", "writing"]
    for step in steps:
        shares = [share for note, share in shown if note.startswith(step)]
        assert shares == sorted(shares) and shares[-1] == 1, step
    assert shown[-1] == ("writing 4,000 records", 1)
