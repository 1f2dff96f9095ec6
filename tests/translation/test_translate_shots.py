"""`llamax translate --shots` and `--show-prompt`: examples in prompts, and prompts without weights."""

import json
from pathlib import Path
from typing import Any

import pytest
from support import tiny_models
from support.fakes import Tagger
from support.translations import got, pair, put, text, translate

from llamax_cli.errors import FileError
from llamax_cli.models.contracts import TranslationRequest
from llamax_cli.models.prompt_template import Shot
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.outputs import AtomicFile
from llamax_cli.translation import windows
from llamax_cli.translation.shots import Shots

ALL = [{"src": f"s{number}", "tgt": f"t{number}", "src_lang": "eng", "tgt_lang": "de"} for number in range(40)]


def shots(records: list[dict[str, Any]], count: int = 3, seed: int = 0) -> Shots:
    """Return the examples in a file of these records."""
    put(*records, name="shots.jsonl")
    return Shots(Input("shots.jsonl"), count, seed)


def test_examples_are_of_the_same_direction_and_never_the_source_itself(tagger: type[Tagger]) -> None:
    """As many as asked for, each source once; which ones, depends on the seed and the request alone."""
    others = [{**pair, "tgt_lang": "fr"} for pair in ALL]
    drawn = {}
    with shots([*others, *ALL, *ALL[:5]]) as given:
        for number in range(60):
            request = TranslationRequest(f"s{number}", "en", "de")
            drawn[number] = given.add(request).shots
            assert len({shot.src for shot in drawn[number]}) == 3
            assert all(shot.src != request.src and shot == Shot(shot.src, "t" + shot.src[1:]) for shot in drawn[number])
            assert given.add(request).shots == drawn[number]
    assert len(set(drawn.values())) > 50
    assert len({shot.src for each in drawn.values() for shot in each}) > 30
    with shots([*others, *ALL, *ALL[:5]], seed=1) as given:
        assert given.add(request).shots != drawn[59]


@pytest.mark.parametrize("size", [4, 5, 40])
def test_the_last_example_is_found(tagger: type[Tagger], size: int) -> None:
    """However few there are; one fewer makes a bad record."""
    with shots([*ALL[:size], *[ALL[0]] * 200], count=size - 1) as given:
        found = given.add(TranslationRequest("s0", "en", "de")).shots
    assert {shot.src for shot in found} == {pair["src"] for pair in ALL[1:size]}
    put(pair("s0"), pair("s99"))
    options = ("--shots", "shots.jsonl", "--shot-count", str(size), "--rejects", "bad.jsonl")
    translate(*options)
    assert [record["id"] for record in got()] == ["s99"]
    (bad,) = got("bad.jsonl")
    assert bad["reason"].startswith(f"shots.jsonl has {size - 1} examples in en-de besides the record itself, and ")


def test_every_request_has_its_examples(tagger: type[Tagger], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in any window and after an interruption; another file or count is refused with --resume."""
    put(*ALL, name="shots.jsonl")
    put(*(pair(f"s{number}") for number in range(9)))
    options = ("--shots", "shots.jsonl", "--shot-count", "2", "--manifest", "m.json")
    translate(*options)
    asked = set(tagger.asked)
    assert {len(request.shots) for request in asked} == {2}
    manifest = json.loads(Path("m.json").read_text())
    assert manifest["arguments"]["shot_count"] == 2
    assert len(manifest["arguments"]["shots_content"]) == 64
    assert [Path(each["path"]).name for each in manifest["inputs"]] == ["shots.jsonl", "in.jsonl"]
    Path("out.jsonl").unlink()
    tagger.asked.clear()
    monkeypatch.setattr(windows, "WINDOW", 2)
    put(*(pair(f"s{number}") for number in range(8)), pair("stop"))
    translate(*options, code=130)
    put(*ALL[:-1], name="shots.jsonl")
    translate(*options, "--resume", code=1)
    assert {request for request in tagger.asked if request.src != "stop"} < asked


def test_without_examples_requests_are_what_they_were(tagger: type[Tagger]) -> None:
    """--shot-count alone changes nothing."""
    put(pair("a"))
    translate("--shot-count", "3")
    assert tagger.asked == [TranslationRequest("a", "en", "de")]


def test_a_bad_example_has_a_place(tagger: type[Tagger], capfd: pytest.CaptureFixture[str]) -> None:
    """A text is no pair."""
    put(ALL[0], text("a"), name="shots.jsonl")
    put(pair("a"))
    translate("--shots", "shots.jsonl", code=65)
    assert "shots.jsonl:2: no 'src' in the record (it has " in capfd.readouterr().err


@pytest.fixture
def without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a model that has a configuration and a tokenizer, and nothing to translate with."""
    import transformers

    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "model"
    tokenizer = tiny_models.byte_level(["German English a b"])
    tokenizer.save_pretrained(folder)
    transformers.AutoConfig.for_model("llama", vocab_size=len(tokenizer)).save_pretrained(folder)
    return folder


def test_prompts_are_shown_without_weights(without_weights: Path) -> None:
    """As text and as tokens, which are what the model would read; three records, or as many as --limit says."""
    put(*(pair(f"a</s>{number}", id=f"x:{number}", note=1) for number in range(9)))
    translate("--model", str(without_weights), "--show-prompt")
    shown = got()
    assert [record["id"] for record in shown] == ["x:0", "x:1", "x:2"]
    assert [*shown[0]] == ["id", "src_lang", "tgt_lang", "prompt", "tokens", "token_ids"]
    assert shown[0]["prompt"] == "English: a</s>0\nGerman:"
    assert shown[0]["tokens"][0] == "<s>"
    assert "</s>" not in shown[0]["tokens"]  # it is text
    assert "".join(shown[0]["tokens"][1:]).replace("Ġ", " ").replace("Ċ", "\n") == shown[0]["prompt"]
    Path("out.jsonl").unlink()
    translate("--model", str(without_weights), "--show-prompt", "--limit", "5")
    assert len(got()) == 5


def test_shown_prompts_go_on_where_they_were(without_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resumed run shows those of the first lines, too, bad ones counted, and not of more."""
    put(pair("a", id="x:0"), {"id": "bad"}, *(pair(f"a{number}", id=f"x:{number}") for number in range(2, 9)))
    call = ("--model", str(without_weights), "--show-prompt", "--rejects", "rejects.jsonl")
    translate(*call)
    whole = Path("out.jsonl").read_bytes()
    assert [record["id"] for record in got()] == ["x:0", "x:2"]
    Path("out.jsonl").unlink()
    with monkeypatch.context() as patched:
        patched.setattr(AtomicFile, "finish", _failing)
        translate(*call, code=1)
    translate(*call, "--resume")
    assert Path("out.jsonl").read_bytes() == whole


def _failing(file: AtomicFile) -> None:
    raise FileError("no space left on device")


def test_a_shown_prompt_has_its_examples(without_weights: Path) -> None:
    """Of the direction that a text is fanned out to."""
    put(*ALL, name="shots.jsonl")
    put(text("a"))
    options = ("--shots", "shots.jsonl", "--shot-count", "1")
    translate("--model", str(without_weights), "--show-prompt", *options, "--into", "de")
    (shown,) = got()
    first, second, *rest = shown["prompt"].split("\n")
    assert (first[:10], second) == ("English: s", first.replace("English: s", "German: t"))
    assert rest == ["English: a", "German:"]
    Path("out.jsonl").unlink()
    translate("--model", str(without_weights), "--show-prompt", *options, "--into", "fr", code=65)
    translate("--model", str(without_weights), "--show-prompt", "--plan", "shots.jsonl", code=2)


def test_what_a_server_or_a_program_gets_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The messages, the settings of a chat template beside them, or a line; nobody is asked."""
    monkeypatch.chdir(tmp_path)
    put(pair("Hi."))
    server = ("--engine", "openai", "--server", "http://localhost:9", "--show-prompt")
    translate(*server)
    (shown,) = got()
    assert [*shown] == ["id", "src_lang", "tgt_lang", "messages"]
    Path("out.jsonl").unlink()
    translate(*server, "--template", "translategemma")
    (shown,) = got()
    assert shown["messages"] == [{"role": "user", "content": "Hi."}]
    assert shown["chat_template_kwargs"] == {"source_lang_code": "en", "target_lang_code": "de"}
    Path("out.jsonl").unlink()
    translate(*server, "--template", "qwen3")
    assert got()[0]["chat_template_kwargs"] == {"enable_thinking": False}
    Path("out.jsonl").unlink()
    translate("--engine", "command", "--model", "cat {src3}", "--show-prompt")
    assert got()[0] == {"id": "Hi.", "src_lang": "en", "tgt_lang": "de", "command": "cat eng", "prompt": "Hi."}


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_each_group_of_languages_has_its_adapter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Any
) -> None:
    """A model with the adapters beside it translates as each of them merged into it, whatever the order.

    Prompts of all groups begin alike, but no group may use what another has read of them.
    """
    import torch
    import transformers
    from peft import LoraConfig, get_peft_model

    monkeypatch.chdir(tmp_path)
    base = Path("X-ALMA-13B-Pretrain")
    base.symlink_to(tiny_model("llama"))
    for group in "16":
        torch.manual_seed(int(group))
        model = transformers.AutoModelForCausalLM.from_pretrained(base, trust_remote_code=False)
        adapted = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False))
        adapted.save_pretrained(f"X-ALMA-13B-Group{group}")
    # The tiny model has no chat template, so the prompt of X-ALMA is given to it as a text.
    monkeypatch.setattr("llamax_cli.models.prompts.TEMPLATES", {**_templates(), "x-alma": _plain("x-alma")})
    sources = tiny_models.sentences(3, seed=7)
    options = ("--template", "x-alma", "--max-new-tokens", "8", "--beam", "2")
    groups = {"1": ("de", "nl"), "6": ("zh", "ja")}
    records = [pair(src, tgt_lang=code) for src in sources for codes in groups.values() for code in codes]
    put(*records)
    translate("--model", str(base), *options)
    together = {(record["src"], record["tgt_lang"]): record["mt"] for record in got()}
    for group, codes in groups.items():
        put(*(record for record in records if record["tgt_lang"] in codes))
        Path("out.jsonl").unlink()
        translate("--model", str(base), *options, "--lora", f"X-ALMA-13B-Group{group}")
        assert {(record["src"], record["tgt_lang"]): record["mt"] for record in got()} == {
            key: mt for key, mt in together.items() if key[1] in codes
        }
    assert [together[src, "de"] for src in sources] != [together[src, "zh"] for src in sources]


def _templates() -> dict[str, Any]:
    from llamax_cli.models.prompts import TEMPLATES

    return TEMPLATES


def _plain(name: str) -> Any:
    from dataclasses import replace

    return replace(_templates()[name], chat=False)
