"""`llamax extend-vocab`: what is the same with a larger vocabulary, and what is new."""

import json
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.processes import Outcome, one_line
from support.records import text, write
from support.runs import model_folder, sample
from support.vocabularies import GREEK, KINDS, extensible, texts

from llamax_cli import cli
from llamax_cli.models.weight_files import Weights
from llamax_cli.vocabulary.piece_trainer import split_word

Llamax = Callable[..., Outcome]
COUNT = 40
TEXT = st.text(st.characters(exclude_categories=("Cs",))) | st.lists(
    st.sampled_from([*GREEK, *texts()[:5], " ", "  ", "\n", "▁", "Ġ", "é", "κό", "3", "45", "<", ">", "😀", "\u0301"])
).map("".join)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Path]]:
    """Return a function that gives the folders of a model and of its extension, by the kind of its tokenizer."""
    folder = tmp_path_factory.mktemp("made")
    corpus = write(folder / "greek.jsonl", [text(n, "el", text=line) for n, line in enumerate(GREEK * 3)])

    @cache
    def make(kind: str) -> tuple[Path, Path]:
        base, extended = extensible(folder / kind, kind, rows=3), folder / f"{kind}-extended"
        call = ["extend-vocab", "--model", base, "--tokens", COUNT, corpus, "-q", "-o", extended]
        assert cli.run(list(map(str, call))) == 0
        return base, extended

    return make


@cache
def tokenizer(folder: Path) -> Any:
    """Return the tokenizer of a folder, as transformers loads it."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


kinds = pytest.mark.parametrize("kind", KINDS)


# -- the tokenizer -----------------------------------------------------------------------------------------------------


@kinds
def test_old_tokens_keep_their_ids(made: Callable[[str], tuple[Path, Path]], kind: str) -> None:
    """The new ones follow, as many as were asked for."""
    old, new = (tokenizer(folder).get_vocab() for folder in made(kind))
    assert {token: new.get(token) for token in old} == old
    assert sorted(set(new.values()) - set(old.values())) == list(range(len(old), len(old) + COUNT))
    assert len(tokenizer(made(kind)[1])) == len(old) + COUNT


@kinds
@given(TEXT)
def test_a_text_stays_the_same(made: Callable[[str], tuple[Path, Path]], kind: str, words: str) -> None:
    """What is encoded and decoded is what it was, in all planes of Unicode, and no old token is cut."""
    old, new = map(tokenizer, made(kind))
    before, after = (each.encode(words, add_special_tokens=False) for each in (old, new))
    assert new.decode(after) == old.decode(before)
    new_tokens = new.convert_ids_to_tokens(after)
    replaced = [
        number
        for number, token in zip(after, new_tokens, strict=True)
        for number in (old.backend_tokenizer.model.tokenize(token) if number >= len(old) else [number])
    ]
    assert [getattr(each, "id", each) for each in replaced] == before
    assert (
        old(words)["input_ids"][: len(old(words)["input_ids"]) - len(before)]
        == (new(words)["input_ids"][: len(new(words)["input_ids"]) - len(after)])
    )


@kinds
def test_new_pieces_are_used(made: Callable[[str], tuple[Path, Path]], kind: str) -> None:
    """Each new token is what its own text is encoded as, and the texts take far fewer tokens."""
    old, new = map(tokenizer, made(kind))
    model = new.backend_tokenizer.model
    for token in new.convert_ids_to_tokens(range(len(old), len(new))):
        assert [each.value for each in model.tokenize(token)] == [token]
    before, after = (sum(len(each.encode(line)) for line in GREEK) for each in (old, new))
    assert after < before / 2


def test_both_forms_of_a_tokenizer_agree(made: Callable[[str], tuple[Path, Path]]) -> None:
    """SentencePiece itself finds the same tokens in `tokenizer.model`, whose ids are places in the file."""
    from sentencepiece import SentencePieceProcessor

    base, extended = made("both")
    processor = SentencePieceProcessor(model_file=str(extended / "tokenizer.model"))
    for line in (*GREEK, *texts()):
        assert processor.encode(line) == tokenizer(extended).encode(line, add_special_tokens=False)
    pad = tokenizer(base).pad_token_id
    assert processor.id_to_piece(pad) == "<pad>"
    assert processor.is_control(pad)
    assert processor.vocab_size() == len(tokenizer(extended))


def test_slow_forms_agree(made: Callable[[str], tuple[Path, Path]]) -> None:
    """The merges of merges.txt are as many as those of the tokenizer."""
    base, extended = made("gpt2")
    assert not (extended / "tokenizer.json").exists()
    old, new = ((folder / "merges.txt").read_text() for folder in (base, extended))
    assert new.startswith(old)
    merged = {"".join(line.split()) for line in new.removeprefix(old).splitlines()}
    assert merged == set(tokenizer(extended).get_vocab()) - set(tokenizer(base).get_vocab())


@kinds
def test_the_same_input_makes_the_same_bytes(
    made: Callable[[str], tuple[Path, Path]], kind: str, tmp_path: Path
) -> None:
    """Also in another order of texts."""
    base, extended = made(kind)
    corpus = write(tmp_path / "g.jsonl", [text(n, "el", text=line) for n, line in enumerate(reversed(GREEK * 3))])
    call = ["extend-vocab", "--model", base, "--tokens", COUNT, corpus, "-q", "-o", tmp_path / "again"]
    assert cli.run(list(map(str, call))) == 0
    files = sorted(path.name for path in extended.iterdir())
    assert files == sorted(path.name for path in (tmp_path / "again").iterdir())
    for name in files:
        assert (extended / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_boundaries_of_sentencepiece() -> None:
    """No new piece has two scripts, two digits or letters and signs."""
    assert list(split_word("▁Go2日本のA!?", split_digits=True)) == ["▁Go", "2", "日本の", "A", "!?"]
    assert list(split_word("▁12a", split_digits=False)) == ["▁12", "a"]
    assert list(split_word("▁12", split_digits=True)) == ["▁1", "2"]
    assert list(split_word("नमस्ते\t", split_digits=True)) == ["नमस्ते"]
    assert list(split_word("▁", split_digits=True)) == ["▁"]


# -- the model ---------------------------------------------------------------------------------------------------------


def named(folder: Path) -> dict[str, torch.Tensor]:
    """Return all weights of a folder."""
    weights = Weights(folder)
    return {name: weights[name] for name in weights.entries}


@kinds
def test_new_embeddings_are_means(made: Callable[[str], tuple[Path, Path]], kind: str) -> None:
    """Of the tokens that each piece replaces, input and output; every other weight keeps its bytes, dtype and shard."""
    base, extended = made(kind)
    old, new = named(base), named(extended)
    words, more = tokenizer(base), tokenizer(extended)
    first, size = len(words), len(more)
    assert [path.name for path in Weights(base).files] == [path.name for path in Weights(extended).files]
    assert old.keys() == new.keys()
    for name, weight in old.items():
        assert new[name].dtype == weight.dtype
        if name not in ("model.embed_tokens.weight", "lm_head.weight"):
            assert torch.equal(new[name], weight)
            continue
        assert len(new[name]) == max(size, first + 3)
        assert torch.equal(new[name][:first], weight[:first])
        for number in range(first, size):
            token = more.convert_ids_to_tokens(number)
            ids = [each.id for each in words.backend_tokenizer.model.tokenize(token)]
            assert len(ids) > 1
            assert torch.equal(new[name][number], weight[ids].float().mean(0).bfloat16())
    assert json.loads((extended / "config.json").read_text()) == {
        **json.loads((base / "config.json").read_text()),
        "vocab_size": size,
    }


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("init", ["mean", "random", "zero"])
def test_transformers_loads_it(tmp_path: Path, init: str, tied: bool) -> None:
    """Tied weights are one tensor before and after; padding rows are those of the mean token."""
    from transformers import AutoModelForCausalLM

    base = extensible(tmp_path / "base", "byte-level", tie_word_embeddings=tied)
    (tmp_path / "list").write_text("κ\nα\nκα\n")
    call = f"extend-vocab --model {base} --tokens {tmp_path / 'list'} --init {init} --pad-to-multiple-of 64 -q"
    assert cli.run([*call.split(), "-o", str(tmp_path / "new")]) == 0
    loaded, report = AutoModelForCausalLM.from_pretrained(tmp_path / "new", output_loading_info=True)
    assert not any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    inputs, outputs = loaded.get_input_embeddings().weight, loaded.get_output_embeddings().weight
    assert (inputs is outputs) == tied == loaded.config.tie_word_embeddings
    first = len(tokenizer(base))
    assert len(inputs) == loaded.config.vocab_size == -(-(first + 3) // 64) * 64
    assert ("lm_head.weight" in named(tmp_path / "new")) != tied
    assert bool((inputs[first] == 0).all()) == (init == "zero")
    old = named(base)["model.embed_tokens.weight"].float()
    assert torch.allclose(inputs[-1].float(), old.mean(0), atol=1e-3)
    if init == "random":
        assert not torch.equal(inputs[first], inputs[first + 1])


@pytest.mark.slow
def test_it_can_be_trained(llamax: Llamax, made: Callable[[str], tuple[Path, Path]], tmp_path: Path) -> None:
    """By `llamax train`, as any other folder."""
    _, extended = made("both")
    data = write(tmp_path / "mix.jsonl", [sample(number) for number in range(8)])
    settings = ["block=64", "batch=4", "micro_batch=2", "max_steps=1"]
    done = llamax("train", "--model", extended, "--data", data, "-o", "run", "--set", *settings)
    assert done.returncode == 0, done.stderr.decode()
    assert len(tokenizer(tmp_path / "run/model")) == len(tokenizer(extended))


def test_other_files_are_copied(made: Callable[[str], tuple[Path, Path]], tmp_path: Path) -> None:
    """Chat template and generation settings are; another form of the vocabulary would be the old one, and is not."""
    base = shutil.copytree(made("byte-level")[0], tmp_path / "base")
    (base / "chat_template.jinja").write_text("{{ messages }}")
    (base / "tokenizer.model").write_bytes(b"aGVsbG8= 0\n")  # tiktoken's
    (base / "weights.log").write_text("x")
    (tmp_path / "list").write_text("κ\n")
    assert (
        cli.run(["extend-vocab", "--model", str(base), "--tokens", str(tmp_path / "list"), "-o", str(tmp_path / "new")])
        == 0
    )
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert {"chat_template.jinja", "generation_config.json", "tokenizer.json", "README.md"} <= names
    assert names.isdisjoint({"tokenizer.model", "weights.log"})
    (base / "chat_template.jinja").unlink()
    (base / "chat_template.jinja").symlink_to(Path(sys.executable))
    assert (
        cli.run(["extend-vocab", "--model", str(base), "--tokens", str(tmp_path / "list"), "-o", str(tmp_path / "no")])
        == 1
    )
    assert not (tmp_path / "no").exists()


# -- lists -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["both", "byte-level"])
def test_a_list_is_taken_in_its_order(
    made: Callable[[str], tuple[Path, Path]], llamax: Llamax, tmp_path: Path, kind: str
) -> None:
    """With a space written as `▁` for every kind of tokenizer; texts are read for the fertility only."""
    base, _ = made(kind)
    words = ["κ", "α", "κα", "λ", "ό", "λό", " λό", "καλό"]
    (tmp_path / "list").write_text("".join(word.replace(" ", "▁") + "\r\n" for word in words))
    (tmp_path / "corpus.el.txt").write_text("".join(f"{line}\n" for line in GREEK))
    done = llamax("extend-vocab", "--model", base, "--tokens", "list", "corpus.el.txt", "-o", "new")
    assert done.returncode == 0, done.stderr.decode()
    assert b"8 pieces; " in done.stderr
    assert b"fertility el " in done.stderr
    old, new = map(tokenizer, (base, tmp_path / "new"))
    backend = new.backend_tokenizer.decoder
    tokens = new.convert_ids_to_tokens(range(len(old), len(new)))
    assert [backend.decode(["<s>", token]).removeprefix("<s>") for token in tokens] == words


REFUSED = {
    "": "is empty; write one piece a line",
    "κ\n\nα\n": "line 2 is blank",
    "κ\nκ\n": "line 2: 'κ' is on line 1 already",
    "a\n": "line 1: 'a' is in the vocabulary already, as token",
    "x<|end|>\n": "line 1: 'x<|end|>' holds the special token <|end|>, at which every text is cut",
    "κα λό\n": "line 1: 'κα λό' crosses a boundary of the pre-tokenizer: ",
    "καλημέρα\n": "cannot be reached by merges: it stays ",
}


@pytest.mark.parametrize("content", REFUSED, ids=REFUSED.values())
def test_a_bad_list_is_refused(
    made: Callable[[str], tuple[Path, Path]], llamax: Llamax, tmp_path: Path, content: str
) -> None:
    """In one line that names the pieces, with the code of bad data, and nothing is made."""
    (tmp_path / "list").write_text(content)
    done = llamax("extend-vocab", "--model", made("byte-level")[0], "--tokens", "list", "-o", "new")
    one_line(done, 65, "list", REFUSED[content])
    assert not (tmp_path / "new").exists()


def test_bytes_are_never_merged_as_text(
    made: Callable[[str], tuple[Path, Path]], llamax: Llamax, tmp_path: Path
) -> None:
    """The name of a token for a byte is not its text, so that no merge of two such tokens is made."""
    (tmp_path / "list").write_text("<0xCE><0xBA>\n")
    done = llamax("extend-vocab", "--model", made("sentencepiece")[0], "--tokens", "list", "-o", "new")
    one_line(done, 65, "'<0xCE><0xBA>' cannot be reached by merges")


# -- errors ------------------------------------------------------------------------------------------------------------


def test_errors_are_one_line(made: Callable[[str], tuple[Path, Path]], llamax: Llamax, tmp_path: Path) -> None:
    """Each says what is wrong with the model, the texts or the folder, and makes nothing."""
    base, _ = made("byte-level")
    (tmp_path / "list").write_text("κ\n")
    broken = shutil.copytree(base, tmp_path / "broken")
    weights = {name: tensor.clone() for name, tensor in named(base).items()}
    weights["model.embed_tokens.weight"][5, 2] = torch.nan
    for path in broken.glob("model*"):
        path.unlink()
    from safetensors.torch import save_file

    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    small = model_folder(tmp_path / "small", vocab_size=64)
    bare = shutil.copytree(base, tmp_path / "bare")
    for path in bare.glob("tokenizer*"):
        path.unlink()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    listed = ["--tokens", "list"]
    cases: list[tuple[list[object], int, str]] = [
        (["--model", broken, *listed], 1, "embed_tokens.weight has a value that is not finite, in the row of token 5"),
        (["--model", small, *listed], 1, "has embeddings of 64 tokens, and its tokenizer has"),
        (["--model", bare, *listed], 1, "has no tokenizer"),
        (["--model", tmp_path / "full", *listed], 1, "is not a model folder"),
        (["--model", base, "--tokens", 5], 65, "there is no text to learn pieces from"),
        (["--model", base, "--tokens", 0], 2, "--tokens"),
        (["--model", base, "--tokens", -3], 2, "--tokens"),
        (["--model", base, "--tokens", "nothing"], 1, "nothing: no such file or directory"),
        (["--model", base, *listed, "-o", "full"], 1, "full already exists"),
        (["--model", base, *listed, "-o", base], 2, "--output"),
        (["--model", base, *listed, "-o", base / "sub"], 2, "is in the folder of --model"),
        (["--model", base, *listed, "-o", "."], 1, "is the current folder"),
    ]
    for arguments, code, message in cases:
        output = [] if "-o" in arguments else ["-o", "new"]
        done = llamax("extend-vocab", *arguments, *output)
        one_line(done, code, message)
        assert not (tmp_path / "new").exists()
        assert not list(tmp_path.glob("*.partial"))
    corpus = write(tmp_path / "g.jsonl", [text(n, "el", text=line) for n, line in enumerate(GREEK * 3)])
    done = llamax("extend-vocab", "--model", base, "--tokens", 99999, corpus, "-o", "new")
    assert "new pieces, not 99,999; add texts, or ask for fewer" in one_line(done, 65)


def test_other_kinds_of_tokenizers_are_refused_by_name(llamax: Llamax, tmp_path: Path) -> None:
    """Unigram of SentencePiece and WordPiece, whose pieces have no merges."""
    import io

    from sentencepiece import SentencePieceTrainer
    from tokenizers import Tokenizer, models

    base = model_folder(tmp_path / "base")
    (tmp_path / "list").write_text("κ\n")
    for kind, model in {
        "WordPiece": models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"),
        "Unigram": models.Unigram([("<unk>", 0.0), ("a", -1.0)], 0, False),
    }.items():
        Tokenizer(model).save(str(base / "tokenizer.json"))
        done = llamax("extend-vocab", "--model", base, "--tokens", "list", "-o", "new")
        one_line(done, 1, f"its tokenizer is a {kind} model; only byte-pair encodings (BPE) can be extended")
    trained = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(texts()), model_writer=trained, vocab_size=60, minloglevel=2, hard_vocab_limit=False
    )
    (base / "tokenizer.json").unlink()
    (base / "tokenizer.model").write_bytes(trained.getvalue())
    done = llamax("extend-vocab", "--model", base, "--tokens", "list", "-o", "new")
    one_line(done, 1, "tokenizer.model is a Unigram model of SentencePiece")
    (base / "tokenizer.model").write_bytes(b"nonsense")
    done = llamax("extend-vocab", "--model", base, "--tokens", "list", "-o", "new")
    one_line(done, 1, "tokenizer.model is not a model of SentencePiece")


def test_bad_lines_are_set_aside(made: Callable[[str], tuple[Path, Path]], llamax: Llamax, tmp_path: Path) -> None:
    """With --rejects, and too many of them leave nothing behind."""
    base, _ = made("byte-level")
    records = write(tmp_path / "g.jsonl", [text(n, "el", text=line) for n, line in enumerate(GREEK)])
    with records.open("a") as file:
        file.write("{}\n")
    call = ["extend-vocab", "--model", base, "--tokens", 5, records, "-o", "new"]
    one_line(llamax(*call), 65, "g.jsonl:5: no 'text'")
    one_line(llamax(*call, "--rejects", "bad", "--max-rejects", 0), 65, "more than --max-rejects 0")
    assert not (tmp_path / "new").exists()
    done = llamax(*call, "--rejects", "bad")
    assert done.returncode == 0
    assert b"5 pieces; 1 rejected, see bad; " in done.stderr


def test_the_paper_s_tokenizer(llamax: Llamax, data: Path, tmp_path: Path) -> None:
    """LLaMA-2's, whose pieces of several spaces come after all others: Bengali takes less than half the tokens."""
    base = model_folder(tmp_path / "base", vocab_size=32000, num_hidden_layers=1)
    for path in base.glob("tokenizer*"):
        path.unlink()
    shutil.copy(data / "tokenizers/llama2/tokenizer.model", base)
    (base / "tokenizer_config.json").write_text('{"tokenizer_class": "LlamaTokenizer", "unk_token": "<unk>"}')
    done = llamax(
        *("extend-vocab", "--model", base, "--tokens", 300, data / "flores101/dev/ben.dev"),
        *("-o", "new", "--manifest", "run.json"),
    )
    assert done.returncode == 0, done.stderr.decode()
    figures = json.loads((tmp_path / "run.json").read_text())["figures"]["fertility"]["bn"]
    assert figures["after"] < figures["before"] / 2
    old, new = map(tokenizer, (base, tmp_path / "new"))
    line = "  a    b        c\n\n  আমি ভালো"
    assert new.decode(new.encode(line)) == old.decode(old.encode(line))
