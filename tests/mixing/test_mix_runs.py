"""`llamax mix` as a user runs it: evaluation sets, blocks, errors, interruptions, full disks, and a trainer."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import zygote
from support.processes import Outcome, one_line, wait_for, wait_until
from support.records import pair, parsed, text, write
from support.zygote import PIPE

from llamax_cli.mixing.decontamination import EvaluationSet, normalise, read_evaluation_set
from llamax_cli.streams.inputs import Input
from llamax_cli.tokenization import load

Mix = Callable[..., Outcome]

# -- evaluation sets


def test_evaluation_sets_are_kept_out_on_either_side_and_within_texts(llamax: Mix, data: Path, tmp_path: Path) -> None:
    """FLORES lines hidden in pairs and documents, with other case and spaces, are all removed."""
    folder = data / "flores101" / "devtest"
    english, thai = (
        (folder / f"{code}.devtest").read_text(encoding="utf-8").split("\n")[:20] for code in ("eng", "tha")
    )
    para = [pair(n) for n in range(10)]
    para += [pair(n, src=line.upper()) for n, line in enumerate(english, 100)]
    para += [pair(n, "en", "th", tgt=f" {line}") for n, line in enumerate(thai, 200)]
    mono = [text(n, text=f"Before. {line}  After.\n{english[0]}\nThe end {n}.") for n, line in enumerate(english)]
    mono += [text(n, "th", text=line) for n, line in enumerate(thai, 100)]
    aug = [pair(n, tgt=line, origin="aug-para") for n, line in enumerate(english, 300)]
    files = [write(tmp_path / f"{name}.jsonl", each) for name, each in (("p", para), ("m", mono), ("a", aug))]
    outcome = llamax(
        "mix", "--para", files[0], "--mono", files[1], "--aug", files[2], "--exclude", folder, "--copies", 1,
        "--manifest", "m.json",
    )  # fmt: skip
    mixed = parsed(outcome)
    assert Counter(sample["origin"] for sample in mixed) == {"para": 10, "mono": 20}
    assert {sample["completion"] for sample in mixed if sample["origin"] == "mono"} == {
        f"Before. After.\nThe end {n}." for n in range(20)
    }
    told = json.loads((tmp_path / "m.json").read_text())
    left_out = {key: value for key, value in told["figures"]["left_out"].items() if "evaluation" in key}
    assert left_out == {
        "in an evaluation set (para)": 40, "in an evaluation set (mono)": 20, "in an evaluation set (aug-para)": 20
    }  # fmt: skip
    assert told["figures"]["sentences_removed"] == 60


def test_every_kind_of_evaluation_set_is_read(data: Path, tmp_path: Path) -> None:
    """Every format that convert reads, and plain text in any language."""
    (tmp_path / "held-out.txt").write_text("In no language.\nTwo\n")
    write(tmp_path / "pairs.jsonl", [pair(1)])
    paths = [data / "tatoeba" / "eng-tha.tsv", data / "ntrex128", tmp_path / "held-out.txt", tmp_path / "pairs.jsonl"]

    def reject(name: str, line: int, reason: str, raw: bytes) -> None:
        raise AssertionError(reason)

    found = read_evaluation_set(list(map(str, paths)), Input, reject)
    for sentence in ("Two", "en text 1", "sw text 1", "เป็นไปไม่ได้", "It can't be"):
        assert sentence in found
    assert len(found) > 60_000 and "absent" not in found


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("held-out.txt", b"caf\xe9\nTwo\n", "1: not UTF-8: byte 0xe9 at 3"),
        ("samples.jsonl", b'{"prompt":"","completion":"Two","lang":"en"}\n', "1: no 'src_lang' in the record"),
        ("latin.jsonl", b'{"text":"caf\xe9","lang":"fr"}\n', "1: not UTF-8: byte 0xe9"),
    ],
)
def test_bad_lines_of_evaluation_sets_are_reported(
    llamax: Mix, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    """A sentence that cannot be read must not get into the mixture silently."""
    (tmp_path / name).write_bytes(content)
    arguments = "mix", "--mono", write(tmp_path / "m.jsonl", [text(1)]), "--exclude", name
    outcome = llamax(*arguments)
    assert (outcome.returncode, outcome.stdout) == (65, b"")
    assert outcome.stderr.decode().startswith(f"llamax mix: {name}:{reason}")
    outcome = llamax(*arguments, "--rejects", "bad.jsonl")
    assert len(parsed(outcome)) == 1
    assert "1 rejected" in outcome.stderr.decode()


@pytest.mark.parametrize(
    ("name", "content", "code", "reason"),
    [
        ("empty.txt", b"", 65, "empty.txt: no sentence to exclude"),
        ("blank.en", b"\n \n", 65, "blank.en: no sentence to exclude"),
        ("odd.tsv", b"x\ty\tz\n", 2, "odd.tsv: which column is which language?"),
    ],
)
def test_evaluation_sets_without_sentences_are_refused(
    llamax: Mix, tmp_path: Path, name: str, content: bytes, code: int, reason: str
) -> None:
    """Nothing would be excluded, and nobody would know."""
    (tmp_path / name).write_bytes(content)
    outcome = llamax("mix", "--mono", write(tmp_path / "m.jsonl", [text(1)]), "--exclude", name)
    assert (outcome.returncode, outcome.stdout) == (code, b"")
    assert outcome.stderr.decode().startswith(f"llamax mix: {reason}")


# -- blocks


def test_texts_are_cut_into_blocks(llamax: Mix, data: Path, tmp_path: Path) -> None:
    """Joined, they are the text; each fits; a duplicate text adds no blocks."""
    lines = (data / "flores101" / "devtest" / "ory.devtest").read_text(encoding="utf-8").split("\n")
    document = " ".join(lines[:40])
    mono = [text(1, "or", text=document), text(2, "or", text=document), text(3, "or", text=lines[50])]
    path = write(tmp_path / "m.jsonl", mono)
    tokenizer = data / "tokenizers" / "llama2"
    options = ["mix", "--mono", path, "--mono-block", 512, "--tokenizer", tokenizer]
    mixed = parsed(llamax(*options))
    blocks = [sample["completion"] for sample in mixed]
    assert all(load(tokenizer).count(block) <= 512 for block in blocks)
    rest = document
    while rest:  # the only way to join them to the text
        (block,) = [block for block in blocks if rest.startswith(block)]
        rest = rest.removeprefix(block)
    assert sum(map(len, blocks)) == len(document) + sum(len(block) for block in blocks if block not in document)
    assert llamax(*options, "--workers", 2).stdout == llamax(*options, "--memory", "1M").stdout


# -- errors


@pytest.mark.parametrize(
    ("option", "line", "message"),
    [
        ("para", '{"id":1,"text":"a"}', "in:2: no 'src' in the record (it has id, text)"),
        ("para", '{"src":"a","tgt":5,"src_lang":"en","tgt_lang":"sw"}', "in:2: 'tgt' is a number, not a string"),
        ("para", '{"src":"a","tgt":null,"src_lang":"en","tgt_lang":"sw"}', "in:2: 'tgt' is null, not a string"),
        ("para", '{"src":"a","tgt":"b","src_lang":"en","tgt_lang":"english"}', "in:2: "),
        (
            "para",
            '{"src":"a","tgt":"b","src_lang":"en","tgt_lang":"eng"}',
            "in:2: source and target language are both en",
        ),
        ("para", '{"src":"a","tgt":"b","src_lang":"en"}', "in:2: no 'tgt_lang' in the record"),
        ("para", '{"src":"a","tgt":"b","src_lang":"en","tgt_lang":"sw","id":{}}', "in:2: 'id' is neither a string nor"),
        (
            "para",
            '{"src":"a","tgt":"b","src_lang":"en","tgt_lang":"sw","origin":"aug-para"}',
            "give augmented pairs to",
        ),
        ("para", '{"src":"a","tgt":"b","src_lang":"en","tgt_lang":"sw","origin":3}', "in:2: 'origin' is a number"),
        (
            "aug",
            '{"src":"a","tgt":"b","src_lang":"en","tgt_lang":"sw","origin":"mt"}',
            "in:2: origin is 'mt', not aug-",
        ),
        (
            "aug",
            '{"src":"a","tgt":"b","src_lang":"en","tgt_lang":"sw","origin":"aug-mono"}',
            "the languages differ: en and sw",
        ),
        ("mt", '{"src":"a","src_lang":"en","tgt_lang":"sw"}', "in:2: no 'mt' in the record"),
        ("mono", '{"text":"a","lang":"qqq"}', "in:2: "),
        ("mono", '{"text":["a"],"lang":"en"}', "in:2: 'text' is an array, not a string"),
        ("mono", '{"text":"\\ud800","lang":"en"}', "in:2: "),
        ("mono", "not JSON", "in:2: not JSON"),
        ("para", "house\tHaus", "if this is text or a table, make records of it with llamax convert"),
    ],
)
def test_a_bad_line_is_placed_and_can_be_set_aside(
    llamax: Mix, tmp_path: Path, option: str, line: str, message: str
) -> None:
    """One line says where and what; with --rejects the bad line is set aside, and the rest is mixed."""
    good = {"para": pair(1), "aug": pair(1, origin="aug-para"), "mt": {**pair(1), "mt": "x"}, "mono": text(1)}[option]
    (tmp_path / "in").write_text(json.dumps(good) + "\n" + line + "\n" + json.dumps({**good, "id": "z"}) + "\n")
    one_line(llamax("mix", f"--{option}", "in"), 65, message)
    outcome = llamax("mix", f"--{option}", "in", "--rejects", "bad", "--workers", 2)
    assert len(parsed(outcome)) in (1, 3)
    assert b"1 rejected, see bad" in outcome.stderr
    (bad,) = [json.loads(each) for each in (tmp_path / "bad").read_text().splitlines()]
    assert (bad["line"], bad["raw"]) == (2, line)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "nothing to read; name files after --para, --mono, --aug, --mt"),
        (["--para", "p", "nowhere"], 1, "nowhere: no such file or directory"),
        (["--para", "p", "--exclude", "nowhere"], 1, "nowhere: no such file or directory"),
        (
            ["--mono", "p", "--mono-block", "512"],
            2,
            "--mono-block and --tokenizer require each other: a block is measured in tokens",
        ),
        (
            ["--mono", "p", "--tokenizer", "p"],
            2,
            "--mono-block and --tokenizer require each other: a block is measured in tokens",
        ),
        (["--mono", "p", "--mono-block", "512", "--tokenizer", "none"], 1, "no tokenizer at none: no such file"),
        (["--mono", "p", "--mono-block", "512", "--tokenizer", "."], 1, "no tokenizer in .: it has neither"),
        (["--para", "p", "--parallel", "splitt"], 2, "did you mean split?"),
        (["--para", "p", "--memory", "lots"], 2, "'lots' is not a size, such as 512M or 1.5G"),
        (["--para", "p", "--flip", "2"], 2, "--flip"),
        (["p", "--para", "p"], 2, "unexpected extra argument"),
        (["--para", "p", "--seed", "1", "p"], 2, "unexpected extra argument"),
    ],
)
def test_wrong_arguments(llamax: Mix, tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    """Each is refused in one line, before anything is read."""
    write(tmp_path / "p", [pair(1)])
    one_line(llamax("mix", *arguments), code, message)


def test_an_option_takes_all_files_that_follow(llamax: Mix, tmp_path: Path) -> None:
    """As a shell expands them, or one by one; standard input may be among them."""
    for name in "abc":
        write(
            tmp_path / name, [pair(n, name.replace("a", "en").replace("b", "de").replace("c", "fr")) for n in range(3)]
        )
    at_once = llamax("mix", "--para", "a", "b", "--seed", 1, "--para", "c").stdout
    assert len(at_once.splitlines()) == 27
    assert at_once == llamax("mix", "--para", "a", "--para", "b", "--para=c", "--seed", 1).stdout
    assert at_once == llamax("mix", "--para", "-", "b", "c", "--seed", 1, stdin=(tmp_path / "a").read_bytes()).stdout


# -- interruptions


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 5 MB of pairs, of which a mixture is made in about a second."""
    records = (pair(n, src=f"{n} " + "some words of a sentence " * 6) for n in range(20_000))
    return write(tmp_path_factory.mktemp("large") / "p.jsonl", records)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_signal_leaves_nothing_behind(large: Path, tmp_path: Path, workers: int) -> None:
    """During the shuffle: one line, the right exit code, no output, no temporary file."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = zygote.start(
        *("mix", "--para", large, large, "--workers", workers, "-o", tmp_path / "out.jsonl"),
        stderr=PIPE,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    wait_until(lambda: list(temporary.glob("*/rows-*")), process)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (143, b"llamax mix: terminated\n")
    assert [path.name for path in tmp_path.iterdir()] == ["tmp"]
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_during_the_shuffle(large: Path, tmp_path: Path, workers: int) -> None:
    """It is reported in one line; neither a partial mixture nor temporary files are left."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    outcome = zygote.run(
        *("mix", "--para", large, "--workers", workers, "-o", tmp_path / "out.jsonl"),
        env={**os.environ, "TMPDIR": str(temporary)},
        limit=40_000,
    )
    message = f"{temporary}: file too large; mix needs temporary disk space for a copy of its inputs: set TMPDIR to"
    one_line(outcome, 1, message)
    assert [path.name for path in tmp_path.iterdir()] == ["tmp"]
    assert not list(temporary.iterdir())


def test_the_reader_goes_away(large: Path, tmp_path: Path) -> None:
    """`| head` ends the run quietly, and the temporary files are deleted."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "llamax_cli", "mix", "--para", str(large)],
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert process.stdout is not None
    assert process.stdout.readline().endswith(b"\n")
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr is not None and process.stderr.read() == b""
    process.stderr.close()
    assert not list(temporary.iterdir())


def test_an_interrupted_output_is_resumed(llamax: Mix, large: Path, tmp_path: Path) -> None:
    """After an interruption, the command with --resume gives the same bytes; other arguments are refused."""
    general = write(tmp_path / "general.jsonl", [{"text": f"General text {number}. " * 20} for number in range(50)])
    given = "--para", large, "--replay", general, "--replay-share", 0.1
    whole = llamax("mix", *given).stdout
    assert whole.count(b'"origin":"replay"') > 50
    partial = tmp_path / "out.jsonl.partial"
    process = zygote.start("mix", *given, "-o", tmp_path / "out.jsonl", stderr=PIPE)
    wait_for(partial, 1, process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert 0 < partial.stat().st_size < len(whole)
    other = llamax("mix", *given, "-o", "out.jsonl", "--epoch", 1, "--resume")
    assert other.returncode == 1 and b"epoch" in other.stderr
    again = llamax("mix", *given, "-o", "out.jsonl", "--resume", "--workers", 2, "--memory", "50M")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "out.jsonl").read_bytes() == whole


# -- training


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """Return a small LLaMA and a tokenizer of single characters."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = [chr(code) for code in range(32, 127)]
    fast = Tokenizer(
        models.WordLevel({token: n for n, token in enumerate(["<pad>", "</s>", "?", *letters])}, unk_token="?")
    )
    fast.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=fast, pad_token="<pad>", eos_token="</s>", unk_token="?")
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2
    )
    return LlamaForCausalLM(config), tokenizer


@pytest.mark.filterwarnings("default")
def test_what_is_mixed_trains_unchanged(llamax: Mix, tmp_path: Path, tiny: tuple[Any, Any]) -> None:
    """TRL's SFTTrainer reads the file: loss on the completion only, also if the prompt is empty."""
    from datasets import load_dataset
    from trl import SFTConfig, SFTTrainer

    para = write(tmp_path / "p.jsonl", [pair(n) for n in range(4)])
    aug = write(tmp_path / "a.jsonl", [pair(n, "sw", "en", origin="aug-para") for n in range(10, 13)])
    mono = write(tmp_path / "m.jsonl", [text(n) for n in range(3)])
    mixed = parsed(llamax("mix", "--para", para, "--aug", aug, "--mono", mono, "--copies", 1))
    path = write(tmp_path / "mixture.jsonl", mixed)
    model, tokenizer = tiny
    settings = SFTConfig(
        output_dir=str(tmp_path / "out"), max_steps=2, per_device_train_batch_size=10, report_to=[], use_cpu=True,
        completion_only_loss=True, logging_steps=1, save_strategy="no", disable_tqdm=True, max_length=None,
    )  # fmt: skip
    dataset = load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    trainer = SFTTrainer(model=model, args=settings, train_dataset=dataset, processing_class=tokenizer)
    rows = [trainer.train_dataset[place] for place in range(len(mixed))]
    batch = trainer.data_collator(rows)
    for sample, ids, labels in zip(mixed, batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True):
        learnt = [token for token in labels if token != -100]
        assert tokenizer.convert_ids_to_tokens(learnt) == [*sample["completion"], "</s>"]
        prompt = [token for token, label in zip(ids, labels, strict=True) if label == -100 and token]
        assert tokenizer.convert_ids_to_tokens(prompt) == list(sample["prompt"])
    assert {bool(sample["prompt"]) for sample in mixed} == {True, False}
    assert trainer.train().training_loss > 0


def test_normalisation_is_that_of_the_set() -> None:
    """Full-width letters, quotes, case and spaces do not matter."""
    assert normalise("“Ｈello,  World！”") == "hello, world"
    assert "hello, world" in EvaluationSet(["“Ｈello,  World！”"])
