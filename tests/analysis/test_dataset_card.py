"""The dataset card: what the hub's own library, `datasets` and mlcroissant make of it."""

import errno
import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.processes import Outcome, one_line
from support.records import jsonl, pair, read, text, write

from llamax_cli.analysis import dataset_card
from llamax_cli.analysis.croissant import CONTEXT, data_type, license_url, record_set_name
from llamax_cli.analysis.dataset import Dataset
from llamax_cli.analysis.dataset_card import size_category
from llamax_cli.errors import FileError

Llamax = Callable[..., Outcome]
# mlcroissant is a program of its own here: it logs, and its libraries warn of what they will change.
LOAD = """
import json, sys
import mlcroissant
dataset = mlcroissant.Dataset(sys.argv[1])
text = lambda value: value.decode() if isinstance(value, bytes) else value
print(json.dumps({
    "errors": sorted(dataset.metadata.ctx.issues.errors),
    "warnings": sorted(dataset.metadata.ctx.issues.warnings),
    "version": dataset.metadata.ctx.conforms_to.value,
    "records": {
        each.uuid: [{key: text(value) for key, value in record.items()} for record in dataset.records(each.uuid)]
        for each in dataset.metadata.record_sets
    },
}))
"""


def loaded(path: Path) -> dict[str, Any]:
    """Return what mlcroissant says of metadata, and the records that it reads by them; it checks hashes of files."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD, path], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def front_matter(card: Path) -> dict[str, Any]:
    """Return the YAML at the top of a card."""
    opening, matter, _ = card.read_text(encoding="utf-8").split("---\n", 2)
    assert opening == ""
    found: dict[str, Any] = yaml.safe_load(matter)
    return found


def named(records: Sequence[Mapping[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return records with the names of the fields of a record set."""
    return [{f"{name}/{key}": value for key, value in record.items()} for record in records]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Return a folder with a file of pairs, which langid has seen, and a compressed one of texts."""
    folder = tmp_path / "corpus of mine"
    (folder / "data").mkdir(parents=True)
    pairs = [pair(1, "en", "no", lid_tgt="no", lid_tgt_score=0.5, n=3), pair(2, "en", "zhtrad", src='a "b" <c>|', n=4)]
    write(folder / "data" / "pairs.jsonl", pairs)
    texts = [text(number, "ku", text=f"تێکست {number}") for number in range(3)]
    (folder / "texts.jsonl.gz").write_bytes(gzip.compress(jsonl(texts)))
    return folder


@pytest.mark.slow
def test_mlcroissant_reads_the_dataset(llamax: Llamax, dataset: Path) -> None:
    """Its validation finds no error, and every record comes back with its values."""
    files = [dataset / "data" / "pairs.jsonl", dataset / "texts.jsonl.gz"]
    done = llamax("analyze", "corpus", *files, "--card", dataset, "--license", "cc-by-sa-4.0")
    assert done.returncode == 0, done.stderr
    told = json.loads((dataset / "croissant.json").read_text())
    assert told["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    for path, file in zip(files, told["distribution"], strict=True):
        assert file["contentUrl"] == str(path.relative_to(dataset))
        assert file["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert file["contentSize"] == f"{path.stat().st_size} B"
    found = loaded(dataset / "croissant.json")
    assert (found["errors"], found["version"]) == ([], told["conformsTo"])
    assert [warning.split('"')[1] for warning in found["warnings"]] == ["http://mlcommons.org/croissant/citeAs"]
    pairs = read(files[0].read_bytes())
    assert found["records"]["texts"] == named(read(gzip.decompress(files[1].read_bytes())), "texts")
    absent = {"data/pairs/lid_tgt": None, "data/pairs/lid_tgt_score": None}
    assert found["records"]["data/pairs"][0] == named(pairs, "data/pairs")[0]
    last = found["records"]["data/pairs"][1]
    assert {key: value for key, value in last.items() if key not in absent} == named(pairs, "data/pairs")[1]
    types = {field["@id"]: field["dataType"] for each in told["recordSet"] for field in each["field"]}
    assert types["data/pairs/n"] == "sc:Integer"
    assert types["data/pairs/lid_tgt_score"] == "sc:Float"
    (dataset / "data" / "pairs.jsonl").write_bytes(jsonl(pairs[:1]))  # no longer what was described
    with pytest.raises(subprocess.CalledProcessError):
        loaded(dataset / "croissant.json")


@pytest.mark.slow
def test_the_hub_s_libraries_read_the_card(
    llamax: Llamax, dataset: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Languages by ISO 639, tasks and sizes as the hub has them; each part loads with its own keys."""
    from huggingface_hub import DatasetCard

    files = [dataset / "data" / "pairs.jsonl", dataset / "texts.jsonl.gz"]
    assert llamax("analyze", "corpus", *files, "--card", dataset, "--license", "mit").returncode == 0
    matter = front_matter(dataset / "README.md")
    assert matter["language"] == ["ckb", "en", "nb", "zh"]
    assert matter["language_bcp47"] == ["ckb", "en", "nb", "zh-Hant"]
    assert matter["task_categories"] == ["text-generation", "translation"]
    assert matter["size_categories"] == ["n<1K"]
    card = DatasetCard.load(dataset / "README.md")
    assert card.data.to_dict() == matter
    assert card.data.license == "mit"
    script = "import datasets, json, sys; print(json.dumps({part: datasets.load_dataset(sys.argv[1], part)['train'][:]"
    script += " for part in datasets.get_dataset_config_names(sys.argv[1])}))"
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    done = subprocess.run([sys.executable, "-c", script, dataset], capture_output=True, text=True, check=True)
    parts = json.loads(done.stdout)
    assert parts["texts"]["lang"] == ["ku"] * 3
    assert parts["pairs"]["src"] == ["en text 1", 'a "b" <c>|']


def test_what_the_card_says(llamax: Llamax, dataset: Path) -> None:
    """The tables of the analysis, files with their hashes, and that no licence is stated."""
    done = llamax("analyze", "corpus", "data/pairs.jsonl", "texts.jsonl.gz", "--card", ".", cwd=dataset)
    assert b"; card in ., without a licence, as no --license is named; " in done.stderr
    card = (dataset / "README.md").read_text(encoding="utf-8")
    assert "\n# corpus of mine\n\n3 texts and 2 pairs in 4 languages. No licence is stated.\n" in card
    assert "\n| ku | Central Kurdish (Sorani) | 3 | 0 | 6 | 0 | 0 | 0 | 0 |" in card
    assert "\n| en | no | 1 | 0 | 3 | 3 | 1.00 |" in card
    assert hashlib.sha256((dataset / "texts.jsonl.gz").read_bytes()).hexdigest() in card
    assert "license" not in front_matter(dataset / "README.md")
    assert "license" not in json.loads((dataset / "croissant.json").read_text())
    assert llamax("analyze", "corpus", "data/pairs.jsonl", "texts.jsonl.gz", "-q", cwd=dataset).stdout == done.stdout


def test_nobody_s_card_is_replaced(llamax: Llamax, dataset: Path) -> None:
    """Somebody may have written to it; the run ends before it has read anything."""
    for name in ("README.md", "croissant.json"):
        (dataset / name).write_text("mine")
        said = one_line(llamax("analyze", "corpus", "-", "--card", dataset), 1, f"{name} is there already")
        assert "name another folder" in said
        assert (dataset / name).read_text() == "mine"
        (dataset / name).unlink()
    assert {path.name for path in dataset.iterdir()} == {"data", "texts.jsonl.gz"}
    (dataset / "x").write_text("")
    one_line(llamax("analyze", "corpus", "texts.jsonl.gz", "--card", "x", cwd=dataset), 1, "--card x is not a folder")


def test_files_elsewhere_are_to_be_copied(llamax: Llamax, tmp_path: Path, dataset: Path) -> None:
    """Their names are those in the folder of the card; two of one name cannot both be there."""
    done = llamax("analyze", "corpus", dataset / "data" / "pairs.jsonl", "--card", "new/card")
    assert b"; pairs.jsonl is not there yet; copy it before you publish it; " in done.stderr
    (told,) = json.loads((tmp_path / "new" / "card" / "croissant.json").read_text())["distribution"]
    assert told["contentUrl"] == "pairs.jsonl"
    write(tmp_path / "pairs.jsonl", [pair(3)])
    twice = ["pairs.jsonl", dataset / "data" / "pairs.jsonl"]
    one_line(llamax("analyze", "corpus", *twice, "--card", "other"), 2, "two files would be pairs.jsonl in other")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("given", ["-", "plain.en", "table.tsv", "folder"])
def test_a_card_is_for_files_of_records(llamax: Llamax, tmp_path: Path, given: str) -> None:
    """Of anything else neither the fields nor the place are known."""
    (tmp_path / "plain.en").write_text("Hello.\n")
    (tmp_path / "table.tsv").write_text("a\tb\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "eng.dev").write_text("a\n")
    done = llamax("analyze", "corpus", given, "--langs", "en,de", "--card", "card", stdin=jsonl([text(1)]))
    one_line(done, 65 if given in ("plain.en", "table.tsv") else 2, "--card describes ")
    assert not (tmp_path / "card").exists()


def test_a_failed_run_leaves_no_card(llamax: Llamax, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither after a bad line, nor where one of its files cannot be written."""
    with (dataset / "data" / "pairs.jsonl").open("a") as file:
        file.write("garbage\n")
    one_line(llamax("analyze", "corpus", "data/pairs.jsonl", "--card", "card", cwd=dataset), 65, "pairs.jsonl:3")
    assert not (dataset / "card").exists()

    synced: list[int] = []

    def fail_at_the_second(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(dataset_card.os, "fsync", fail_at_the_second)
    with pytest.raises(FileError, match=r"croissant\.json: no space left on device"):
        dataset_card.write_card(dataset / "card", Dataset("x", None, [], [], []))
    assert not (dataset / "card").exists()


def test_a_file_of_both_kinds_and_an_empty_one(llamax: Llamax, tmp_path: Path) -> None:
    """Texts and pairs in one file are one part; a file without records is in the distribution only."""
    write(tmp_path / "both.jsonl", [text(1), pair(1)])
    write(tmp_path / "none.jsonl", [])
    write(tmp_path / "[1]*.jsonl", [pair(1)])
    files = ["both.jsonl", "none.jsonl", "[1]*.jsonl"]
    assert llamax("analyze", "corpus", *files, "--card", ".").returncode == 0
    configs = {
        each["config_name"]: each["data_files"][0]["path"] for each in front_matter(tmp_path / "README.md")["configs"]
    }
    assert configs == {"pairs": ["[[]1][*].jsonl"], "records": ["both.jsonl"]}
    assert dataset_card._markdown([{"file": "a\nb|c"}]) == "| file |\n| --- |\n| a\\nb\\|c |\n"
    told = json.loads((tmp_path / "croissant.json").read_text())
    assert len(told["distribution"]) == 3
    assert [each["@id"] for each in told["recordSet"]] == ["[1]*", "both"]


# -- mixtures ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def mixture(llamax: Llamax, tmp_path: Path) -> Path:
    """Return the manifest of a mixture."""
    write(tmp_path / "para.jsonl", [pair(number, "en", "pt-PT") for number in range(4)])
    write(tmp_path / "mono.jsonl", [text(number) for number in range(5)])
    done = llamax(
        "mix", "--para", "para.jsonl", "--mono", "mono.jsonl", "-o", "out/mix.jsonl", "--manifest", "mix.json"
    )
    if done.returncode:
        (tmp_path / "out").mkdir()
        arguments = ["--para", tmp_path / "para.jsonl", "--mono", "mono.jsonl", "-o", "out/mix.jsonl"]
        done = llamax("mix", *arguments, "--manifest", "mix.json", "--seed", 3)
    assert done.returncode == 0, done.stderr
    return tmp_path / "mix.json"


@pytest.mark.slow
def test_the_card_of_a_mixture(llamax: Llamax, mixture: Path, tmp_path: Path) -> None:
    """Samples by language and direction as the manifest has them, what was mixed and how; mlcroissant reads them."""
    done = llamax("analyze", "corpus", "--mixture", mixture, "--card", "out", "--table", "csv", "--license", "cc0-1.0")
    assert done.returncode == 0, done.stderr
    figures = json.loads(mixture.read_text())["figures"]["realised"]
    rows = [line.split(",") for line in done.stdout.decode().splitlines()[1:]]
    assert {code: int(count) for code, count, _ in rows} == figures["language"]
    assert {code: int(others) for code, _, others in rows} == {"en": 1, "pt-PT": 1, "sw": 0}
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    for name, count in figures["direction"].items():
        source, _, target = name.partition("-") if name.startswith("en") else name.rpartition("-")
        assert f"\n| {source} | {target} | {count} |\n" in card
    for file, option in (("para", "para"), ("mono", "mono")):
        digest = hashlib.sha256((tmp_path / f"{file}.jsonl").read_bytes()).hexdigest()
        assert f"| {file}.jsonl | {option} | {(tmp_path / f'{file}.jsonl').stat().st_size} | {digest} |" in card
    assert "| seed | 3 |\n" in card
    assert str(tmp_path) not in card  # the path on this machine is nobody's business
    matter = front_matter(tmp_path / "out" / "README.md")
    assert matter["task_categories"] == ["text-generation", "translation"]
    assert matter["language_bcp47"] == ["en", "pt-PT", "sw"]
    found = loaded(tmp_path / "out" / "croissant.json")
    assert found["errors"] == []
    samples = read((tmp_path / "out" / "mix.jsonl").read_bytes())
    assert [record["mix/completion"] for record in found["records"]["mix"]] == [each["completion"] for each in samples]


def test_a_mixture_without_a_card(llamax: Llamax, mixture: Path, tmp_path: Path) -> None:
    """Its languages are those of the manifest alone; its samples need not be there."""
    (tmp_path / "out" / "mix.jsonl").unlink()
    done = llamax("analyze", "corpus", "--mixture", mixture)
    assert [(row["lang"], row["directions"]) for row in read(done.stdout)] == [("en", 1), ("pt-PT", 1), ("sw", 0)]
    one_line(
        llamax("analyze", "corpus", "--mixture", mixture, "--card", "x"), 1, "out/mix.jsonl is not there; name the"
    )
    assert not (tmp_path / "x").exists()


def test_samples_beside_the_manifest(llamax: Llamax, mixture: Path, tmp_path: Path) -> None:
    """A mixture that was moved with its manifest, or whose file is named, is found; another one is refused."""
    moved = tmp_path / "moved"
    moved.mkdir()
    mixture.rename(moved / "mix.json")
    samples = (tmp_path / "out" / "mix.jsonl").rename(moved / "mix.jsonl")
    assert llamax("analyze", "corpus", "--mixture", "moved/mix.json", "--card", "a").returncode == 0
    named_file = samples.rename(tmp_path / "renamed.jsonl")
    assert llamax("analyze", "corpus", named_file, "--mixture", "moved/mix.json", "--card", "b").returncode == 0
    named_file.write_bytes(named_file.read_bytes() * 2)
    done = llamax("analyze", "corpus", named_file, "--mixture", "moved/mix.json", "--card", "c")
    one_line(done, 65, "samples, but moved/mix.json tells of ")
    done = llamax("analyze", "corpus", "para.jsonl", "--mixture", "moved/mix.json", "--card", "c")
    one_line(done, 65, "para.jsonl:1: no 'prompt' in the record")
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a manifest"),
        (b"\xff\xfe", "is not a manifest"),
        (b"[]", "is not a manifest"),
        (b"[" * 5000, "is not a manifest"),
        (b'{"command":"mix"}', "is not a manifest"),
        (None, "is the manifest of llamax convert"),
    ],
)
def test_other_manifests(llamax: Llamax, tmp_path: Path, content: bytes | None, words: str) -> None:
    """What llamax mix did not write is refused in one line."""
    if content is None:
        write(tmp_path / "t.jsonl", [text(1)])
        assert llamax("convert", "t.jsonl", "--manifest", "m.json").returncode == 0
    else:
        (tmp_path / "m.json").write_bytes(content)
    one_line(llamax("analyze", "corpus", "--mixture", "m.json", "--card", "c"), 65, "--mixture m.json", words)


def test_a_manifest_of_a_plan_or_of_no_language(llamax: Llamax, mixture: Path, tmp_path: Path) -> None:
    """It has no samples; and a code that is no language does not reach a card."""
    assert llamax("mix", "--plan", "--para", "para.jsonl", "--manifest", "plan.json").returncode == 0
    one_line(llamax("analyze", "corpus", "--mixture", "plan.json"), 65, "a run that wrote no samples")
    mixture.write_bytes(mixture.read_bytes().replace(b'"sw"', b'"<b>"'))
    one_line(llamax("analyze", "corpus", "--mixture", mixture), 65, "names no language by '<b>'")
    one_line(llamax("analyze", "corpus", "--mixture", "nowhere.json"), 1, "nowhere.json: no such file")


# -- parts -------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**13))
def test_size_categories_are_the_hub_s(count: int) -> None:
    """Each number is in the one range that holds it."""
    category = size_category(count)
    units = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
    bounds = [
        int(part[:-1]) * units[part[-1]] if part[-1] in units else None
        for part in category.replace(">", "<").split("<")
    ]
    if category == "n>1T":
        assert count >= 10**12
    else:
        low, high = (0 if bounds[0] is None else bounds[0]), bounds[-1]
        assert high is not None and low <= count < high


@given(st.text(max_size=8) | st.sampled_from(["no", "on", "null", "1e3", "- a", "a: b", "1K<n<10K", "y"]))
def test_texts_survive_yaml(value: str) -> None:
    """Whatever a name looks like, YAML reads the same text."""
    if value.isprintable():
        assert yaml.safe_load("\n".join(dataset_card._yaml({"key": [value], "k": value}))) == {
            "key": [value],
            "k": value,
        }


def test_names_and_types() -> None:
    """Record sets without endings of files, types that hold all values of a field, licences by their address."""
    assert record_set_name("data/en-de.jsonl.zst") == "data/en-de"
    assert record_set_name("v1.2.records") == "v1.2.records"
    assert data_type({"whole", "null"}) == "sc:Integer"
    assert data_type({"whole", "number"}) == "sc:Float"
    assert data_type({"whole", "text"}) == data_type({"null"}) == "sc:Text"
    assert data_type({"list", "text"}) is None
    assert license_url("cc-by-nc-sa-4.0") == "https://creativecommons.org/licenses/by-nc-sa/4.0/"
    assert license_url("cc0-1.0") == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert license_url("apache-2.0") == "apache-2.0"


def test_the_context_is_that_of_the_specification() -> None:
    """As mlcroissant has it for version 1.1; another word would be another property."""
    script = "import json; from mlcroissant._src.core.context import Context; from mlcroissant._src.core.rdf import "
    script += "make_context; print(json.dumps(make_context(Context(conforms_to='http://mlcommons.org/croissant/1.1'))))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == CONTEXT
