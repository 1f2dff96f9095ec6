"""The mean of models: equal to torch's, sharded as the first model, and refused for models that do not match."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from support import zygote
from support.processes import Outcome, wait_until
from support.runs import config, model_folder, tokenizer

from llamax_cli.errors import LlamaxError, ModelError
from llamax_cli.models.weight_files import Weights
from llamax_cli.tuning import averaging

Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return three models of the same kind."""
    folder = tmp_path_factory.mktemp("models")
    return [model_folder(folder / name, seed) for seed, name in enumerate(("one", "two", "three"))]


def reshaped(source: Path, target: Path, **how: Any) -> Path:
    """Write a model again, in another number format (`dtype`) or in shards (`max_shard_size`)."""
    from transformers import AutoTokenizer, LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(source, dtype=how.pop("dtype", torch.float32))
    model.save_pretrained(target, **how)
    AutoTokenizer.from_pretrained(source).save_pretrained(target)
    return target


def loaded(folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights of a model as transformers loads them."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert len(AutoTokenizer.from_pretrained(folder)) > 0
    return dict(AutoModelForCausalLM.from_pretrained(folder, dtype="auto").state_dict())


def test_the_mean_is_torchs(tmp_path: Path, models: list[Path], llamax: Run) -> None:
    """Each weight is equal to the last bit; the tokenizer is copied, and the card names the parents."""
    done = llamax("tune", "--average", *models, "--output", "mean")
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.startswith(b"llamax tune: the mean of 3 models, 21 weights; mean; ")
    parents = [loaded(model) for model in models]
    for name, weight in loaded(tmp_path / "mean").items():
        assert torch.equal(weight, torch.stack([parent[name] for parent in parents]).mean(0)), name
    assert (tmp_path / "mean" / "tokenizer.json").read_bytes() == (models[0] / "tokenizer.json").read_bytes()
    card = (tmp_path / "mean" / "README.md").read_text()
    assert "The mean of 3 models, weight by weight in fp32" in card
    assert all(f"- `{model}`, xxh3 `" in card for model in models)
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("form", ["shards", "bin", "bin shards"])
def test_weights_are_read_from_any_files(tmp_path: Path, models: list[Path], form: str) -> None:
    """The mean is the same for one file or shards, of safetensors or of PyTorch, and sharded as the first model is."""
    first = reshaped(models[0], tmp_path / "first", max_shard_size="40KB" if "shards" in form else "5GB")
    if "bin" in form:
        for path in first.glob("*.safetensors"):
            name = path.name.replace("model", "pytorch_model", 1).replace("safetensors", "bin")
            torch.save(load_file(path), first / name)
            path.unlink()
        for path in first.glob("*.index.json"):
            text = path.read_text().replace("model-", "pytorch_model-").replace("safetensors", "bin")
            (first / "pytorch_model.bin.index.json").write_text(text)
            path.unlink()
    count = len(Weights(first).files)
    assert (count > 1) == ("shards" in form)
    averaging.write_average([first, *models[1:]], tmp_path / "mean", quiet=True)
    averaging.write_average(models, tmp_path / "plain", quiet=True)
    assert len(list((tmp_path / "mean").glob("model*.safetensors"))) == count
    expected = loaded(tmp_path / "plain")
    assert all(torch.equal(weight, expected[name]) for name, weight in loaded(tmp_path / "mean").items())


def test_the_mean_is_computed_in_fp32(tmp_path: Path, models: list[Path]) -> None:
    """For bf16 models it differs from a mean in bf16, and it is written as bf16."""
    halves = [reshaped(model, tmp_path / model.name, dtype=torch.bfloat16) for model in models]
    averaging.write_average(halves, tmp_path / "mean", quiet=True)
    parents = [loaded(model) for model in halves]
    found, worse = loaded(tmp_path / "mean"), 0
    for name, weight in found.items():
        stacked = torch.stack([parent[name].float() for parent in parents])
        assert torch.equal(weight, stacked.mean(0).to(torch.bfloat16))
        worse += int((weight != (parents[0][name] + parents[1][name] + parents[2][name]) / 3).sum())
    assert worse > 0


def test_a_model_counts_as_often_as_it_is_named(tmp_path: Path, models: list[Path]) -> None:
    """So a mean can be weighted, and the mean of a model with itself is that model."""
    averaging.write_average([models[0], models[0]], tmp_path / "same", quiet=True)
    one, two = loaded(models[0]), loaded(models[1])
    assert all(torch.equal(weight, one[name]) for name, weight in loaded(tmp_path / "same").items())
    averaging.write_average([models[0], models[0], models[1]], tmp_path / "more", quiet=True)
    for name, weight in loaded(tmp_path / "more").items():
        assert torch.equal(weight, torch.stack([one[name], one[name], two[name]]).mean(0))


KINDS = st.sampled_from([torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool])
SHAPES = st.lists(st.integers(0, 4), max_size=3)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(KINDS, SHAPES), min_size=1, max_size=6))
def test_what_is_written_is_safetensors(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[tuple[torch.dtype, list[int]]]
) -> None:
    """For any number formats and shapes, the library reads the mean of a model with itself as that model."""
    folder = tmp_path_factory.mktemp("kinds")
    source = folder / "source"
    source.mkdir()
    given = {f"w{place}": torch.ones(shape).to(kind) * (place + 1) for place, (kind, shape) in enumerate(kinds)}
    save_file(given, source / "model.safetensors")
    (source / "config.json").write_text("{}")
    averaging.write_average([source, source], folder / "mean", quiet=True)
    found = load_file(folder / "mean" / "model.safetensors")
    assert found.keys() == given.keys()
    for name, weight in found.items():
        assert weight.dtype == given[name].dtype and torch.equal(weight, given[name])


def test_memory_is_that_of_a_tensor(tmp_path: Path) -> None:
    """Memory does not grow from the tenth of 40 tensors to the last, which have 5 MB each."""
    script = (
        "import ctypes, sys\n"
        "from pathlib import Path\n"
        "from llamax_cli.tuning import averaging\n"
        "def anonymous():\n"
        "    lines = Path('/proc/self/status').read_text().splitlines()\n"
        "    return next(int(line.split()[1]) for line in lines if line.startswith('RssAnon'))\n"
        "ctypes.CDLL(None).mallopt(-3, 1 << 17)\n"
        "seen, mean = [], averaging.average_weight\n"
        "def watched(*given):\n"
        "    made = mean(*given)\n"
        "    seen.append(anonymous())\n"
        "    return made\n"
        "averaging.average_weight = watched\n"
        "averaging.write_average([Path(each) for each in sys.argv[2:]], Path(sys.argv[1]), quiet=True)\n"
        "print(max(seen) - seen[9])\n"
    )
    folders = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        save_file({f"w{n}": torch.full((1280, 1024), float(n)) for n in range(40)}, folder / "model.safetensors")
        (folder / "config.json").write_text("{}")
        folders.append(str(folder))
    # With a fixed M_MMAP_THRESHOLD, glibc gives a tensor's memory back as it is freed; what it keeps differs else.
    (tmp_path / "watched.py").write_text(script)
    done = zygote.run_module(tmp_path / "watched.py", tmp_path / "mean", *folders)
    assert int(done.stdout) < 10_000  # kilobytes


# -- what is refused ---------------------------------------------------------------------------------------------------


def changed(folder: Path, source: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> Path:
    """Write a model with other weights."""
    folder.mkdir()
    for path in source.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")
    return folder


def test_models_of_different_kinds_have_no_mean(tmp_path: Path, models: list[Path], llamax: Run) -> None:
    """Each error is one line, and nothing is left behind."""
    one = models[0]
    head = "lm_head.weight"
    changed(tmp_path / "less", one, lambda weights: weights.pop(head))
    changed(tmp_path / "wide", one, lambda weights: weights.update({head: torch.zeros(129, 32)}))
    model_folder(tmp_path / "words", words=tokenizer(size=60))
    qwen = changed(tmp_path / "qwen", one, lambda weights: None)
    (qwen / "config.json").write_text(json.dumps({**config().to_dict(), "model_type": "qwen2"}))
    changed(tmp_path / "torn", one, lambda weights: None)
    (tmp_path / "torn" / "model.safetensors").write_bytes(b"torn")
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "config.json").write_text("{}")
    (tmp_path / "run" / "model").mkdir(parents=True)
    (tmp_path / "run" / "model" / "config.json").write_text("{}")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    alike = "only models of the same kind can be averaged"
    for other, output, message in (
        ("less", "x", f"less has no {head}, which {one} has; {alike}"),
        ("wide", "x", f"{head} is 128 x 32 and 129 x 32 in {one} and wide; {alike}"),
        ("qwen", "x", f"qwen is a qwen2, {one} a llama; {alike}"),
        ("words", "x", f"{one} and words have different vocabularies, so their weights do not match"),
        ("torn", "x", "torn/model.safetensors cannot be read: "),
        ("bare", "x", "bare has no weights (model.safetensors or pytorch_model.bin)"),
        ("run", "x", "run is the output folder of a run; its model is in run/model"),
        ("none", "x", "none: no such folder; download a model of the hub first"),
        ("full", "x", "full is not a model folder: config.json is missing"),
        (models[1], "full", "full already exists; name a new folder for the mean"),
    ):
        done = llamax("tune", "--average", one, other, "-o", output)
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.decode().startswith(f"llamax tune: {message}")
        assert done.stderr.count(b"\n") == 1
    assert not list(tmp_path.glob("x*"))


def test_only_its_own_folder_is_removed(
    tmp_path: Path, models: list[Path], monkeypatch: pytest.MonkeyPatch, llamax: Run
) -> None:
    """Another run's partial folder stays. A mean may fill an empty folder, but not the current one."""
    (tmp_path / "mean.partial").mkdir()
    (tmp_path / "mean.partial" / "file").touch()
    (tmp_path / "mean").mkdir()
    monkeypatch.chdir(tmp_path)
    averaging.write_average(models[:2], Path("mean"), quiet=True)
    assert (tmp_path / "mean" / "config.json").exists() and (tmp_path / "mean").stat().st_mode & 0o777 == 0o755
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".partial")] == ["mean.partial"]
    assert (tmp_path / "mean.partial" / "file").exists()
    done = llamax("tune", "--average", *models, "-o", ".")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"llamax tune: . is the current folder; name a new folder for the mean\n"


@pytest.mark.parametrize("held", [[torch.zeros(2)], {"epoch": 3}, {1: torch.zeros(2)}], ids=str)
def test_a_file_without_named_weights_is_refused(tmp_path: Path, held: object) -> None:
    """PyTorch's format may hold anything."""
    torch.save(held, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin holds something other than named weights"):
        Weights(tmp_path)


def test_whole_numbers_have_to_be_the_same(tmp_path: Path, models: list[Path]) -> None:
    """Equal integers are kept; different ones are an error, since they are quantized weights."""
    same = [changed(tmp_path / n, models[0], lambda w: w.update(places=torch.arange(9))) for n in ("a", "b")]
    averaging.write_average(same, tmp_path / "mean", quiet=True)
    assert torch.equal(load_file(tmp_path / "mean" / "model.safetensors")["places"], torch.arange(9))
    other = changed(tmp_path / "c", models[0], lambda w: w.update(places=torch.arange(9) + 1))
    with pytest.raises(ModelError, match=r"places holds whole numbers and differs in .*/c; quantized models"):
        averaging.write_average([same[0], other], tmp_path / "x", quiet=True)
    assert not list(tmp_path.glob("x*"))


def test_a_missing_shard_is_named(tmp_path: Path, models: list[Path]) -> None:
    """The error names a shard that the index lists but the folder lacks."""
    parted = reshaped(models[0], tmp_path / "parted", max_shard_size="40KB")
    gone = max(parted.glob("*.safetensors"))
    gone.unlink()
    with pytest.raises(LlamaxError, match=rf"{gone.name}.*no such file"):
        averaging.write_average([parted, models[1]], tmp_path / "x", quiet=True)


def test_a_full_disk_leaves_nothing(tmp_path: Path, models: list[Path], llamax: Run) -> None:
    """There are one line, exit code 1 and no folder."""
    done = llamax("tune", "--average", *models, "-o", "mean", limit=50_000)
    assert (done.returncode, done.stderr) == (1, b"llamax tune: mean: file too large\n")
    assert not list(tmp_path.glob("mean*"))


def test_terminated_midway_leaves_nothing(tmp_path: Path) -> None:
    """No half-written model can be taken for a whole one."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save_file({f"w{n}": torch.zeros(1 << 18) for n in range(300)}, tmp_path / name / "model.safetensors")
        (tmp_path / name / "config.json").write_text("{}")
    process = zygote.start("tune", "--average", "a", "b", "-o", "mean", cwd=tmp_path, stderr=zygote.PIPE)
    wait_until(lambda: list(tmp_path.glob("mean.*.partial/model.safetensors")), process)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (143, b"llamax tune: terminated\n")
    assert not list(tmp_path.glob("mean*"))


def test_a_signal_while_a_tensor_is_read_is_not_lost(tmp_path: Path) -> None:
    """It is handled after the tensor is read; the reader would take what the handler raises for its own error."""
    save_file({"w": torch.ones(2)}, tmp_path / "model.safetensors")
    weights = Weights(tmp_path)
    (path,) = weights.files
    names, read = weights._readers[path]
    seen: list[str] = []

    def interrupted(name: str) -> torch.Tensor:
        signal.raise_signal(signal.SIGINT)
        seen.append(name)
        return read(name)

    weights._readers[path] = names, interrupted
    with pytest.raises(KeyboardInterrupt):
        weights["w"]
    assert seen == ["w"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
