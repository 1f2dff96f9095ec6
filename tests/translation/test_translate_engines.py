"""Engines: a batch gives the same translations as each sentence alone, with any of them."""

import gc
import json
import shutil
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from support import tiny_models

from llamax_cli.errors import ModelError, RecordError
from llamax_cli.models import loading, pretrained
from llamax_cli.models import prefix_attention as attention
from llamax_cli.models.batching import EncodedRequest, Pace, RunningBatch
from llamax_cli.models.beam_search import BeamSearch
from llamax_cli.models.contracts import Answer, Decoding, Engine, ModelChoice, TranslationRequest
from llamax_cli.models.fingerprint import fingerprint
from llamax_cli.models.prompts import TEMPLATES
from llamax_cli.models.request_encoding import load_encoder
from llamax_cli.translation.engines.hf import HfEngine
from llamax_cli.translation.engines.registry import open_engine

REQUESTS = [TranslationRequest(each, "en", code) for each in tiny_models.sentences(8, seed=7) for code in ("de", "fr")]
SHORT = Decoding(max_new_tokens=40)


def answers(engine: Engine, requests: list[TranslationRequest]) -> list[Answer]:
    """Return the answers in the order of the requests."""
    found = dict(engine.translate(requests))
    return [found[place] for place in range(len(requests))]


def texts(engine: Engine, requests: list[TranslationRequest]) -> list[str]:
    """Return the best translations."""
    return [answer[0].text for answer in answers(engine, requests) if isinstance(answer, list)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", tiny_models.MAKERS)
def test_a_batch_gives_what_each_sentence_gets_alone(tiny_model: Callable[[str], Path], kind: str) -> None:
    """For each architecture, with all candidates."""
    engine = HfEngine(ModelChoice(str(tiny_model(kind))), Decoding(max_new_tokens=40, nbest=4))
    alone = [answers(engine, [request])[0] for request in REQUESTS]
    assert answers(engine, REQUESTS) == alone
    assert len(set(map(str, alone))) > len(alone) // 2  # otherwise the comparison would mean little
    assert any(isinstance(answer, list) and not answer[0].truncated for answer in alone)


@pytest.mark.parametrize("kind", ["llama", "madlad"])
def test_samples_depend_on_the_sentence_and_the_seed(tiny_model: Callable[[str], Path], kind: str) -> None:
    """A sample is the same in any batch and differs with another seed; candidates differ."""
    choice = ModelChoice(str(tiny_model(kind)))
    drawn = HfEngine(choice, Decoding(max_new_tokens=20, sample=True, nbest=3))
    together = answers(drawn, REQUESTS[:6])
    assert together == [answers(drawn, [request])[0] for request in REQUESTS[:6]]
    assert all(isinstance(answer, list) and len({each.text for each in answer}) > 1 for answer in together)
    other = HfEngine(choice, Decoding(max_new_tokens=20, sample=True, nbest=3, seed=1))
    assert answers(other, REQUESTS[:6]) != together


def random_model(kind: str) -> Any:
    """Return a decoder with large random weights, whose scores have no ties and whose texts end."""
    import transformers

    torch.manual_seed(3)
    sizes = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "tie_word_embeddings": False,
    }
    config = transformers.AutoConfig.for_model(
        kind,
        vocab_size=1000,
        **sizes,
        num_key_value_heads=2,
        head_dim=8,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(3.0 if weights.dim() > 1 else 1.0)
    return model


def by_generate(model: Any, prompt: list[int], eos: list[int], beams: int, limit: int, **more: Any) -> list[list[int]]:
    """Return the sequences that transformers' `generate` finds."""
    ids = torch.tensor([prompt])
    found = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        num_beams=beams,
        num_return_sequences=beams,
        max_new_tokens=limit,
        do_sample=False,
        eos_token_id=eos,
        pad_token_id=0,
        **more,
    )
    return [ended(row[len(prompt) :], eos) for row in found.tolist()]


def ended(tokens: list[int], eos: list[int]) -> list[int]:
    """Return a sequence without its padding, which is an EOS or 0."""
    end = next((place for place, token in enumerate(tokens) if token in eos), len(tokens))
    return [token for token in tokens[: end + 1] if token]


def searched(
    model: Any, prompts: list[list[int]], limits: list[int], eos: list[int], beams: int, size: int
) -> list[list[list[int]]]:
    """Return the sequences that our search finds, with as many prompts at once as have `size` tokens."""
    requests = [EncodedRequest(index, *each) for index, each in enumerate(zip(prompts, limits, strict=True))]
    batch = RunningBatch(requests, beams, Pace.constant(size))
    with attention.use_prefix_attention(model):
        found = {request.index: sequences for request, sequences in BeamSearch(model, eos, beams)(batch)}
    return [found[index] for index in range(len(prompts))]


@pytest.mark.parametrize("beams", [1, 2, 4])
@pytest.mark.parametrize("kind", sorted(attention.ARCHITECTURES))
def test_the_search_is_that_of_generate(kind: str, beams: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All sequences, in the same order, with and without a shared beginning, with few or many EOS tokens."""
    pretrained.silence()
    model = random_model(kind)
    draw = torch.Generator().manual_seed(0)
    numbers = [torch.randint(3, 1000, (length,), generator=draw).tolist() for length in (1, 3, 9, 4, 7, 12, 2)]
    for eos, begin in (([2], [1, 5, 6, 7]), (list(range(900, 960)), [1, 5, 6, 7]), (list(range(400, 700)), [])):
        prompts = [begin + each for each in numbers]
        limits = [12 + 2 * place for place in range(len(prompts))]
        expected = [by_generate(model, *each, eos, beams, limit) for *each, limit in zip(prompts, limits, strict=True)]
        for size in (10**6, 300, 1):  # all at once, or joining those that are there, or one after another
            assert searched(model, prompts, limits, eos, beams, size) == expected
        monkeypatch.setattr(attention, "GROWTH", 3)  # as if they were so long that shared tokens have to be moved
        for size in (10**6, 300, 1):
            assert searched(model, prompts, limits, eos, beams, size) == expected
        monkeypatch.undo()
        if len(eos) > 1:
            assert any(len(found[0]) < limit for found, limit in zip(expected, limits, strict=True))


def test_no_sentence_is_lost_when_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has been yielded or is unfinished, whichever call of the model fails; some end with their first token."""
    model = random_model("llama")
    numbers = torch.randint(3, 1000, (12, 5), generator=torch.Generator().manual_seed(0)).tolist()
    requests = [EncodedRequest(index, prompt, 1 + index % 3 * 2) for index, prompt in enumerate(numbers)]
    forward, calls = model.forward, 0

    def failing(*inputs: Any, **options: Any) -> Any:
        nonlocal calls
        calls -= 1
        if calls == 0:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(*inputs, **options)

    monkeypatch.setattr(model, "forward", failing)
    outcomes = set()
    for failed in range(1, 30):
        calls, batch, done = failed, RunningBatch(requests, 2, Pace.constant(60)), []
        with suppress(torch.OutOfMemoryError), attention.use_prefix_attention(model):
            for request, _ in BeamSearch(model, [2], 2)(batch):
                done.append(request.index)
        assert sorted([*done, *(request.index for request in batch.unfinished)]) == list(range(12))
        outcomes.add(len(done))
    assert {0, 12} < outcomes


def test_only_the_batch_on_its_way_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prompts that have joined it, and batches before it, are freed at once, not when Python looks for garbage."""
    alive: list[weakref.ref[attention.KeyValueCache]] = []
    init = attention.KeyValueCache.__init__

    def tracked(cache: attention.KeyValueCache, model: Any) -> None:
        init(cache, model)
        alive.append(weakref.ref(cache))

    monkeypatch.setattr(attention.KeyValueCache, "__init__", tracked)
    model = random_model("llama")
    numbers = torch.randint(3, 1000, (40, 9), generator=torch.Generator().manual_seed(0)).tolist()
    requests = [EncodedRequest(index, prompt, 3 + 5 * (index % 4)) for index, prompt in enumerate(numbers)]
    gc.collect()
    gc.disable()
    try:
        with attention.use_prefix_attention(model):
            for _ in BeamSearch(model, [2], 2)(RunningBatch(requests, 2, Pace.constant(300))):
                assert sum(cache() is not None for cache in alive) <= 1
    finally:
        gc.enable()
    assert len(alive) > 5


def test_candidates_that_tie_are_chosen_as_generate_does() -> None:
    """Float32 has steps of 1e-4 at -2,000, the sum of a long output, so that many of the best candidates tie."""
    from transformers.generation import GenerationMixin

    draw = torch.Generator().manual_seed(0)
    rows, beams, vocabulary = 16, 4, 32000
    logits = torch.randn(rows * beams, vocabulary, generator=draw) * 0.003
    search = BeamSearch(SimpleNamespace(device="cpu"), [2], beams)
    state = search._start([EncodedRequest(index, [1], 9) for index in range(rows)])
    state.scores = -2000 + torch.rand(rows, beams, generator=draw) * 0.01
    sums = (logits.log_softmax(-1).view(rows, beams, vocabulary) + state.scores[:, :, None]).flatten(1)
    indices = torch.arange(beams).expand(rows, -1)[:, :, None].clone()
    theirs: Any = GenerationMixin
    scores, tokens, parents = theirs._get_top_k_continuations(
        theirs, sums, state.running.clone(), indices, 0, 0, False, 2 * beams, beams, rows
    )
    assert sum(len(set(row)) < 2 * beams for row in scores.tolist()) > rows // 2  # there are ties
    found = search._candidates(state, logits)
    assert torch.equal(found[0], scores)
    assert torch.equal(found[1] + torch.arange(rows)[:, None] * beams, parents[:, :, 0])
    assert torch.equal(found[2], tokens[:, :, 0])


@pytest.mark.parametrize("kind", ["llama", "nllb"])
def test_a_batch_that_does_not_fit_into_memory_is_halved(
    tiny_model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Fewer are translated together until they fit; a single sentence that does not fit is an error."""
    engine = HfEngine(ModelChoice(str(tiny_model(kind))), SHORT)
    expected = answers(engine, REQUESTS)
    forward, sizes, capacity = engine._model.forward, [], 3 * SHORT.beam

    def cramped(*inputs: Any, **options: Any) -> Any:
        rows = len(options["input_ids"] if kind == "llama" else options["decoder_input_ids"])
        sizes.append(rows)
        if rows > capacity:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(*inputs, **options)

    monkeypatch.setattr(engine._model, "forward", cramped)
    assert answers(engine, REQUESTS) == expected
    assert max(sizes) > capacity
    assert answers(engine, REQUESTS) == expected
    assert max(sizes[-20:]) <= capacity  # from now on
    assert sum(size > capacity for size in sizes) <= 8  # it is halved at once
    capacity = 0
    with pytest.raises(ModelError, match="a single sentence does not fit"):
        answers(engine, REQUESTS)


def test_a_source_that_is_too_long_is_one_bad_record(tiny_model: Callable[[str], Path]) -> None:
    """The others are translated."""
    engine = HfEngine(ModelChoice(str(tiny_model("llama"))), SHORT)
    long, short = answers(engine, [TranslationRequest("ka " * 2000, "en", "de"), REQUESTS[0]])
    assert isinstance(long, RecordError) and "too long" in str(long)
    assert isinstance(short, list)


def test_a_language_unknown_to_the_model_is_a_bad_record(tiny_model: Callable[[str], Path]) -> None:
    """The codes of NLLB, MADLAD and M2M-100 are looked up in the vocabulary."""
    for kind in ("nllb", "madlad", "m2m100"):
        engine = HfEngine(ModelChoice(str(tiny_model(kind))), SHORT)
        bad, good = answers(engine, [TranslationRequest("ka", "en", "umb"), TranslationRequest("ka", "en", "de")])
        assert isinstance(bad, RecordError) and "does not know umb (Umbundu)" in str(bad)
        assert isinstance(good, list)


@pytest.mark.parametrize("template", ["auto", "aya-101"])
def test_a_model_without_its_language_tokens_is_refused(
    tiny_model: Callable[[str], Path], tmp_path: Path, template: str
) -> None:
    """It would write nonsense after a prompt; so would any other encoder-decoder of which no prompt is known."""
    folder = Path(shutil.copytree(tiny_model("nllb"), tmp_path / "model"))
    for path in folder.glob("*token*"):
        path.unlink()
    tiny_models.byte_level(["ka lo mi"]).save_pretrained(folder)
    with pytest.raises(ModelError, match=r"the tokenizer of .* has no language tokens, which a model of type m2m_100"):
        HfEngine(ModelChoice(str(folder), template=template), SHORT)
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"m2m_100"', '"marian"'))
    choice = ModelChoice(str(folder), template=template)
    if template == "auto":
        with pytest.raises(ModelError, match=r"encoder-decoder of type marian, of which no prompt is known; choose"):
            load_encoder(choice, SHORT)
    else:
        assert load_encoder(choice, SHORT)[1].template == TEMPLATES["aya-101"]


def test_the_language_token_is_not_in_the_translation(tiny_model: Callable[[str], Path]) -> None:
    """The search begins with it, but it is not part of the text."""
    for kind in ("nllb", "m2m100"):
        engine = HfEngine(ModelChoice(str(tiny_model(kind))), SHORT)
        assert not any("_" in text for text in texts(engine, REQUESTS))


@pytest.mark.parametrize("kind", ["llama", "nllb", "madlad"])
def test_ctranslate2_finds_what_generate_finds(
    tiny_model: Callable[[str], Path], kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With one beam its search equals `generate`, with four beams `generate` with early stopping."""
    pytest.importorskip("ctranslate2")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    choice = ModelChoice(str(tiny_model(kind)), engine="ctranslate2")
    greedy = Decoding(beam=1, max_new_tokens=40)
    assert texts(open_engine(choice, greedy), REQUESTS) == texts(HfEngine(ModelChoice(choice.model), greedy), REQUESTS)
    four = open_engine(choice, SHORT)
    alone = [answers(four, [request])[0] for request in REQUESTS]
    assert answers(four, REQUESTS) == alone
    if kind == "llama":
        assert texts(four, REQUESTS) == stopping_early(HfEngine(ModelChoice(choice.model), SHORT))
    assert [path.name[:1] != "." for path in (tmp_path / "llamax/ctranslate2").iterdir()] == [True]


def stopping_early(engine: HfEngine) -> list[str]:
    """Return the translations by `generate` that stops once it has as many finished sequences as beams."""
    encoded = sorted(engine._encoder.encode(REQUESTS)[0], key=lambda request: request.index)
    eos = engine._encoder.eos
    found = [by_generate(engine._model, request.tokens, eos, 4, 40, early_stopping=True)[0] for request in encoded]
    return [engine._encoder.hypothesis(tokens).text for tokens in found]


def test_a_limit_that_adapts(tiny_model: Callable[[str], Path]) -> None:
    """With `auto` a longer source gets a higher limit; translations cut at one token are marked."""
    engine = HfEngine(ModelChoice(str(tiny_model("llama"))), Decoding(max_new_tokens=None))
    limits = [
        job.max_new_tokens
        for job in engine._encoder.encode([TranslationRequest("ka " * n, "en", "de") for n in (1, 50)])[0]
    ]
    assert limits[0] < limits[1]
    engine = HfEngine(ModelChoice(str(tiny_model("llama"))), Decoding(max_new_tokens=1))
    assert all(isinstance(answer, list) and answer[0].truncated for answer in answers(engine, REQUESTS))


@pytest.fixture
def folder(tmp_path: Path, tiny_model: Callable[[str], Path]) -> Iterator[Path]:
    """Return a copy of a model, for a test to break."""
    yield Path(shutil.copytree(tiny_model("llama"), tmp_path / "model"))


def test_errors_about_a_folder_are_one_line(folder: Path) -> None:
    """Truncated weights, no tokenizer, no weights, no configuration, no folder."""
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="cannot load"):
        HfEngine(ModelChoice(str(folder)), SHORT)
    for name, expected in (
        ("tokenizer*", "no tokenizer"),
        ("model.safetensors", "cannot load"),
        ("config.json", "config.json is missing"),
    ):
        for path in folder.glob(name):
            path.unlink()
        with pytest.raises(ModelError, match=expected) as found:
            HfEngine(ModelChoice(str(folder)), SHORT)
        assert "\n" not in str(found.value)
        if name == "tokenizer*":
            (folder / "tokenizer.json").write_text("{}")
            with pytest.raises(ModelError, match="cannot load"):
                HfEngine(ModelChoice(str(folder)), SHORT)
            (folder / "tokenizer.json").unlink()
            for path in TOKENIZERS:
                shutil.copy(path, folder)
    with pytest.raises(ModelError, match="no such folder"):
        HfEngine(ModelChoice("./nowhere"), SHORT)


def test_a_contradictory_configuration_is_refused(folder: Path) -> None:
    """The library has a class of its own for such errors."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"hidden_size": 9}))
    with pytest.raises(
        ModelError, match=r"The hidden size \(9\) is not a multiple of the number of attention heads"
    ) as found:
        HfEngine(ModelChoice(str(folder)), SHORT)
    assert "\n" not in str(found.value)


def test_missing_weights_are_not_initialized(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor are weights of another size."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    weights = load_file(path)
    save_file({**weights, "lm_head.weight": weights["lm_head.weight"][:, :32].contiguous()}, path, {"format": "pt"})
    with pytest.raises(ModelError, match=r": lm_head\.weight is \d+ x 32 in its files but \d+ x 64 in its config"):
        HfEngine(ModelChoice(str(folder)), SHORT)
    del weights["lm_head.weight"], weights["model.norm.weight"]
    save_file(weights, path, {"format": "pt"})
    for engine in ("hf", "ctranslate2"):
        with pytest.raises(ModelError, match=r": 2 weights are missing from its files, lm_head\.weight first"):
            open_engine(ModelChoice(str(folder), engine=engine), SHORT)


TOKENIZERS: list[Path] = []


@pytest.fixture(autouse=True, scope="module")
def _tokenizers(tiny_model: Callable[[str], Path]) -> None:
    TOKENIZERS.extend(tiny_model("llama").glob("tokenizer*"))


def test_a_missing_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names it and the devices that exist."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ModelError, match="--device cuda: torch sees no CUDA devices; try --device cpu"):
        loading.find_device("cuda")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ModelError, match="--device cuda:1: torch sees 1 CUDA device;"):
        loading.find_device("cuda:1")


def test_an_engine_whose_package_is_missing_says_how_to_get_it(tiny_model: Callable[[str], Path]) -> None:
    """vLLM is an extra."""
    with pytest.raises(ModelError, match=r"--engine vllm needs the package vllm: pip install 'llamax\[vllm\]'"):
        open_engine(ModelChoice(str(tiny_model("llama")), engine="vllm"), SHORT)


@pytest.mark.parametrize(("dtype", "trusts_code"), [("float32", False), ("float32", True), ("bfloat16", False)])
@pytest.mark.parametrize("kind", ["llama", "m2m100"])
def test_linear_layers_are_stored_by_columns(
    tiny_model: Callable[[str], Path], kind: str, dtype: str, trusts_code: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In float32, unless a model's own code may run; once where the words' vectors are the output layer, too."""
    monkeypatch.setattr(loading, "PART", 7)
    choice = ModelChoice(str(tiny_model(kind)), dtype=dtype, trust_remote_code=trusts_code)
    model = HfEngine(choice, SHORT)._model
    plain = type(model).from_pretrained(choice.model, dtype=dtype)
    assert all(map(torch.equal, model.state_dict().values(), plain.state_dict().values()))
    assert (model.lm_head.weight is model.get_input_embeddings().weight) == model.config.tie_word_embeddings
    layers = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    assert layers
    assert {module.weight.stride(0) == 1 for module in layers} == {dtype == "float32" and not trusts_code}


def test_the_fingerprint_of_a_model_depends_on_its_files(folder: Path) -> None:
    """A changed weight changes it, a second call does not; a name on the hub stands for itself."""
    seen = {fingerprint(str(folder))}
    assert fingerprint(str(folder)) in seen
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    assert fingerprint(str(folder)) not in seen
    assert fingerprint("LLaMAX/LLaMAX3-8B-Alpaca") == "LLaMAX/LLaMAX3-8B-Alpaca"


def test_an_adapter_is_merged(folder: Path, tmp_path: Path) -> None:
    """A LoRA adapter changes the translations, unless its weights are zero."""
    from peft import LoraConfig, get_peft_model

    plain = HfEngine(ModelChoice(str(folder)), SHORT)
    expected = texts(plain, REQUESTS)
    adapted = get_peft_model(plain._model, LoraConfig(target_modules=["q_proj", "v_proj"], r=4))
    adapted.save_pretrained(tmp_path / "nothing")
    with torch.no_grad():
        for name, weights in adapted.named_parameters():
            if "lora_B" in name:
                weights.normal_()
    adapted.save_pretrained(tmp_path / "something")
    assert texts(HfEngine(ModelChoice(str(folder), lora=str(tmp_path / "nothing")), SHORT), REQUESTS) == expected
    assert texts(HfEngine(ModelChoice(str(folder), lora=str(tmp_path / "something")), SHORT), REQUESTS) != expected
    with pytest.raises(ModelError, match=r"adapter_config\.json is missing"):
        HfEngine(ModelChoice(str(folder), lora=str(folder)), SHORT)


@pytest.mark.parametrize(
    ("names", "lacking"),
    [
        (lambda name: [name, name.replace("layers.0", "layers.7")], r"the model has no .*layers\.7"),
        (lambda name: [] if "layers.0" in name else [name], r"the adapter has no .*layers\.0"),
    ],
)
def test_an_adapter_of_another_model_is_refused(
    folder: Path, tmp_path: Path, names: Callable[[str], list[str]], lacking: str
) -> None:
    """The library leaves out what does not match, and the model would translate as without an adapter."""
    from peft import LoraConfig, get_peft_model
    from safetensors.torch import load_file, save_file

    plain = HfEngine(ModelChoice(str(folder)), SHORT)
    get_peft_model(plain._model, LoraConfig(r=2, target_modules=["q_proj"])).save_pretrained(tmp_path / "adapter")
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    save_file({new: weight.clone() for old, weight in load_file(file).items() for new in names(old)}, file)
    with pytest.raises(ModelError, match=f"^{tmp_path}/adapter is an adapter of another model: {lacking}"):
        HfEngine(ModelChoice(str(folder), lora=str(tmp_path / "adapter")), SHORT)
