"""`llamax analyze fertility` against loops over the tokenizers themselves."""

import json
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from sentencepiece import SentencePieceProcessor
from support.processes import Outcome
from support.records import pair, text, write
from support.runs import tokenizer

Llamax = Callable[..., Outcome]
TEXTS = ["the house  is red", "\u3000good\u00a0morning ", "naïve café 🙂", "one"]


def parsed(done: Outcome) -> list[dict[str, Any]]:
    """Return the records of a run that went well."""
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a small tokenizer."""
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer().backend_tokenizer.save(str(path))
    return path


def test_the_paper_s_numbers(llamax: Llamax, data: Path) -> None:
    """Table 1: 2.25 for Romanian and 8.62 for Bengali with LLaMA-2's tokenizer on FLORES-101 devtest."""
    folder = data / "flores101" / "devtest"
    model = data / "tokenizers" / "llama2"
    files = [folder / "ron.devtest", folder / "ben.devtest"]
    done = llamax("analyze", "fertility", "--tokenizer", model, *files, "--workers", 2)
    assert {row["lang"]: round(row["fertility"], 2) for row in parsed(done)} == {"ro": 2.25, "bn": 8.62}


def test_every_ratio_is_that_of_a_plain_loop(llamax: Llamax, data: Path) -> None:
    """Means over sentences and ratios of the corpus, of a language without spaces."""
    file = data / "flores101" / "devtest" / "zho_simpl.devtest"
    model = data / "tokenizers" / "llama2" / "tokenizer.model"
    (row,) = parsed(llamax("analyze", "fertility", "--tokenizer", model, "--unit", "character", file))
    lines = file.read_text(encoding="utf-8").splitlines()
    processor = SentencePieceProcessor(model_file=str(model))
    tokens = [len(processor.encode(line)) for line in lines]
    sizes = {
        "word": [len("".join(line.split())) for line in lines],
        "character": list(map(len, lines)),
        "byte": [len(line.encode()) for line in lines],
    }
    assert row["fertility"] == pytest.approx(
        mean(n / len(line.split()) for n, line in zip(tokens, lines, strict=True)), abs=1e-6
    )
    for name, of_name in sizes.items():
        assert row[f"tokens_per_{name}"] == pytest.approx(sum(tokens) / sum(of_name), abs=1e-6)
        expected = mean(n / size for n, size in zip(tokens, of_name, strict=True))
        assert row[f"mean_tokens_per_{name}"] == pytest.approx(expected, abs=1e-6)
        assert row[f"{name}s"] == sum(of_name)


def test_kinds_of_tokenizers_agree_with_transformers(llamax: Llamax, data: Path, tmp_path: Path) -> None:
    """SentencePiece, a folder of transformers with the same model, and tiktoken, side by side in that order."""
    from transformers import AutoTokenizer

    names = [data / "tokenizers" / "chinese-llama2", data / "tokenizers" / "llama3" / "tokenizer.model"]
    records = write(tmp_path / "t.jsonl", [text(n, "en", text=words) for n, words in enumerate(TEXTS)])
    rows = parsed(llamax("analyze", "fertility", "--tokenizer", ",".join(map(str, names)), records))
    assert [row["tokenizer"] for row in rows] == list(map(str, names))
    reference = AutoTokenizer.from_pretrained(names[0])
    assert rows[0]["tokens"] == sum(len(reference.encode(words, add_special_tokens=False)) for words in TEXTS)
    assert rows[1]["tokens"] == 17  # counted with tiktoken itself


def test_a_tokenizer_that_only_transformers_knows(llamax: Llamax, tmp_path: Path) -> None:
    """A vocabulary and merges in files of their own, as GPT-2 has them."""
    folder = tmp_path / "gpt2"
    folder.mkdir()
    letters = {letter: place for place, letter in enumerate("abĠ")}
    (folder / "vocab.json").write_text(json.dumps({**letters, "ab": 3}))
    (folder / "merges.txt").write_text("#version: 0.2\na b\n")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "GPT2Tokenizer"}')
    records = write(tmp_path / "t.jsonl", [text(0, "en", text="ab ba")])
    (row,) = parsed(llamax("analyze", "fertility", "--tokenizer", "gpt2", records))
    assert (row["tokens"], row["fertility"]) == (4, 2.0)


@pytest.mark.parametrize("workers", [1, 2])
def test_shapes_and_languages(llamax: Llamax, small: Path, tmp_path: Path, workers: int) -> None:
    """Texts and both sides of pairs count; texts without words are left out; any number of workers is the same."""
    records = [*(text(n, "eng", text=words) for n, words in enumerate(TEXTS)), pair(0, "en", "de", src="a", tgt="b c")]
    blank = [text(5, "en", text=" "), text(6, "fr", text="")]
    file = write(tmp_path / "t.jsonl", [*records, *blank])
    done = llamax("analyze", "fertility", "--tokenizer", small, file, "--workers", workers)
    english, german = parsed(done)
    assert (english["lang"], english["n"], english["words"], english["empty"]) == ("en", 6 - 1, 11, 1)
    assert (german["lang"], german["n"], german["words"]) == ("de", 1, 2)
    assert done.stdout == llamax("analyze", "fertility", "--tokenizer", small, file).stdout


def test_words_of_languages_without_spaces(llamax: Llamax, small: Path, tmp_path: Path) -> None:
    """A segmenter finds them, punctuation is none, and a language that has no segmenter is named."""
    records = [text(0, "zh", text="我喜欢北京。"), text(1, "my", text="မြန်မာစာ"), text(2, "en", text="I like it.")]
    file = write(tmp_path / "t.jsonl", records)
    done = llamax("analyze", "fertility", "--unit", "word", "--tokenizer", small, file)
    chinese, burmese, english = parsed(done)
    assert (chinese["words"], english["words"]) == (3, 3)
    assert "words" not in burmese and "tokens_per_word" not in burmese
    assert b"no segmenter for my, so their words are not counted" in done.stderr
    assert llamax("analyze", "fertility", "--segmenter", "jieba", "--tokenizer", small, file).returncode == 2
    refused = llamax("analyze", "fertility", "--unit", "word", "--segmenter", "dictionary", "--tokenizer", small, file)
    assert b"needs a lexicon" in refused.stderr


def test_a_folder_is_read_as_convert_reads_it(llamax: Llamax, small: Path, tmp_path: Path) -> None:
    """Each language of a parallel corpus once, by one name or by all files of the folder."""
    folder = tmp_path / "corpus" / "devtest"
    folder.mkdir(parents=True)
    for name in ("eng", "deu", "fra"):
        (folder / f"{name}.devtest").write_text("one two\nthree\n")
    whole = llamax("analyze", "fertility", "--tokenizer", small, "corpus/devtest")
    assert [(row["lang"], row["n"], row["words"]) for row in parsed(whole)] == [(c, 2, 3) for c in ("de", "en", "fr")]
    assert b"corpus/devtest read as flores" in whole.stderr
    converted = llamax("convert", "corpus/devtest", "--mono", "*")
    assert llamax("analyze", "fertility", "--tokenizer", small, stdin=converted.stdout).stdout == whole.stdout


def test_errors_are_one_line(llamax: Llamax, small: Path, tmp_path: Path) -> None:
    """A folder without a tokenizer, one named twice, a record of another kind."""
    (tmp_path / "empty").mkdir()
    file = write(tmp_path / "t.jsonl", [text(0, "en", text="a")])
    done = llamax("analyze", "fertility", "--tokenizer", "empty", file)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert done.stderr.startswith(b"llamax analyze fertility: empty has no tokenizer;")
    done = llamax("analyze", "fertility", "--tokenizer", f"{small},{small}", file)
    assert (done.returncode, done.stderr) == (
        2,
        b"llamax analyze fertility: --tokenizer: one tokenizer is named twice\n",
    )
    done = llamax("analyze", "fertility", "--tokenizer", small, stdin=b'{"word":"a"}\n')
    assert (done.returncode, done.stdout) == (65, b"")
    assert b"stdin:1: no 'text' or 'src' or 'tgt' in the record" in done.stderr


def test_a_table_has_a_row_for_each_language(llamax: Llamax, small: Path, tmp_path: Path) -> None:
    """In Markdown, as `score --table` writes it."""
    file = write(tmp_path / "t.jsonl", [text(0, "en", text="a b"), text(1, "de", text="a")])
    done = llamax("analyze", "fertility", "--tokenizer", small, file, "--table", "md")
    assert [line.split(" | ")[0] for line in done.stdout.decode().splitlines()] == ["| lang", "| ---", "| en", "| de"]
