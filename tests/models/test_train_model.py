"""The model with its loss: packed documents have the losses and gradients that each has alone."""

import inspect
import itertools
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
import torch
from support import zygote
from support.runs import config, model_folder
from torch._dynamo.testing import CompileCounter
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import AttentionInterface

from llamax_cli import config as settings
from llamax_cli.config import SELECTIVE, Training
from llamax_cli.errors import ModelError, UsageError
from llamax_cli.models import causal_lm
from llamax_cli.models.causal_lm import CausalLM
from llamax_cli.models.config_file import TRAINABLE
from llamax_cli.models.loss_rules import LOSS_RULES
from llamax_cli.models.packed_batch import Batch, make_batch
from llamax_cli.models.sample_encoding import Encoded
from llamax_cli.models.samples import Sample
from llamax_cli.models.varlen_attention import NAME, attend, disable_compilation
from llamax_cli.training.dataloader import prefetch
from llamax_cli.training.lr_scheduler import SCHEDULES, LRScheduler, scheduled_rate
from llamax_cli.training.optimizer import OPTIMIZERS, make_optimizer, parameter_groups
from llamax_cli.training.setup import find_dtype

PLAIN = Training(gradient_checkpointing=False)


def documents(count: int = 9, seed: int = 0) -> list[Encoded]:
    """Return documents of several lengths, two of them equal, with prompts that are not learned."""
    chance = random.Random(seed)
    lengths = [chance.randint(3, 30) for _ in range(count - 2)] + [7, 7]
    encoded = []
    for length in lengths:
        prompt = chance.choice([1, length // 2])
        tokens = [1, *(chance.randint(3, 127) for _ in range(length - 2)), 2]
        encoded.append(Encoded(tokens, [False] * prompt + [True] * (length - prompt)))
    return encoded


def architecture(kind: str, more: Mapping[str, Any] = MappingProxyType({}), **changes: Any) -> Any:
    """Return a small model of an architecture; `more` are settings that only some of them have."""
    from transformers import AutoConfig, AutoModelForCausalLM

    plain = config(**changes).to_dict()
    kept = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    kept = (*kept, "num_key_value_heads", "max_position_embeddings", "tie_word_embeddings")
    given = {key: plain[key] for key in kept} | {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    torch.manual_seed(0)
    # The library's own kernels would leave out Gemma's bound of the logits of attention.
    return AutoModelForCausalLM.from_config(
        AutoConfig.for_model(kind, **given, **more), attn_implementation="eager" if kind == "gemma2" else None
    )


def packed(encoded: list[Encoded], first: int = 0) -> Batch:
    """Return documents as a batch; their records are numbered from `first`."""
    return make_batch(encoded, range(first, first + len(encoded)), [Sample("")] * len(encoded))


def alone(model: Any, encoded: list[Encoded]) -> torch.Tensor:
    """Return the sum of the losses as the library computes them, document by document."""
    total = torch.zeros(())
    for tokens, learned in encoded:
        labels = [token if wanted else -100 for token, wanted in zip(tokens, learned, strict=True)]
        count = sum(learned[1:])
        total = total + model(input_ids=torch.tensor([tokens]), labels=torch.tensor([labels])).loss * count
    return total


def gradients(model: Any) -> dict[str, torch.Tensor]:
    """Return the gradient of every weight that is trained."""
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.requires_grad}


@pytest.mark.parametrize("kind", TRAINABLE)
@pytest.mark.parametrize("tied", [False, True])
def test_packed_documents_learn_as_if_alone(kind: str, tied: bool) -> None:
    """Loss and gradients are those of the library's own loss on each document, for every architecture."""
    model = architecture(kind, tie_word_embeddings=tied)
    encoded = documents()
    expected = alone(model, encoded)
    expected.backward()
    want = gradients(model)
    model.zero_grad()
    trained = CausalLM(causal_lm.prepare_for_training(model, Training()), chunk=16).train()
    losses = trained(packed(encoded))
    losses.sum().backward()
    assert len(losses) == sum(sum(each.learned[1:]) for each in encoded)
    assert torch.isclose(losses.sum(), expected, rtol=1e-6, atol=0)
    for name, gradient in gradients(model).items():
        assert torch.allclose(gradient, want[name], atol=1e-6 * float(want[name].abs().max() + 1), rtol=0), name


@pytest.mark.parametrize("kind", ["mistral", "qwen2", "gemma2", "gemma3_text"])
def test_a_window_shorter_than_a_document_is_kept(kind: str) -> None:
    """Loss and gradients are the library's where a token sees only the last few before it."""
    more: dict[str, Any] = {"sliding_window": 5}
    if kind == "qwen2":
        more |= {"use_sliding_window": True, "max_window_layers": 0}
    encoded = documents()
    model = architecture(kind, more)
    expected = alone(model, encoded)
    without = alone(architecture(kind), encoded)
    assert not torch.isclose(expected, without, rtol=1e-5)  # the window matters
    losses = CausalLM(causal_lm.prepare_for_training(model, PLAIN), chunk=16).train()(packed(encoded))
    assert torch.isclose(losses.sum(), expected, rtol=1e-6, atol=0)


def test_documents_do_not_see_each_other() -> None:
    """Other neighbours change no loss of a document, not even in its last digit."""
    model = CausalLM(causal_lm.prepare_for_training(architecture("llama"), PLAIN), chunk=64)
    encoded = documents()
    other = [Encoded([1, *(3 for _ in each.tokens[2:]), 2], each.learned) for each in encoded]
    for kept in range(len(encoded)):
        mixed = [encoded[place] if place == kept else other[place] for place in range(len(encoded))]
        losses = []
        for which in (encoded, mixed):
            batch = packed(which)
            losses.append(model(batch)[batch.owners == batch.numbers.index(kept)])
        assert torch.equal(*losses)


def test_a_batch_says_whose_each_learned_token_is() -> None:
    """Targets, and the records that they belong to, are those of the documents."""
    encoded = documents()
    batch = packed(encoded, 100)
    for place, number in enumerate(batch.numbers):
        tokens, learned = encoded[number - 100]
        want = [token for token, wanted in zip(tokens[1:], learned[1:], strict=True) if wanted]
        assert batch.targets[batch.owners == place].tolist() == want
    assert sorted(batch.documents.lengths, reverse=True) == list(batch.documents.lengths)


def test_a_pinned_batch_has_every_tensor_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A single tensor that is not would make the copy to the GPU wait."""
    pinned: list[torch.Tensor] = []

    def pin_memory(tensor: torch.Tensor) -> torch.Tensor:
        pinned.append(tensor)
        return tensor.clone()

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin_memory)

    def tensors(batch: Batch) -> list[torch.Tensor]:
        values = [*(getattr(batch, name) for name in batch.__struct_fields__), batch.documents.ends]
        return [value for value in values if isinstance(value, torch.Tensor)]

    batch = packed(documents())
    copied = batch.pin_memory()
    assert sorted(map(id, pinned)) == sorted(map(id, tensors(batch)))
    for one, other in zip(tensors(batch), tensors(copied), strict=True):
        assert one is not other and torch.equal(one, other)


def test_the_empty_model_matches_the_full_one(tmp_path: Path) -> None:
    """Its tied weights are tied, and its buffers are filled, before and after its weights have memory."""
    folder = model_folder(tmp_path / "model", tie_word_embeddings=True)
    loaded = causal_lm.load_config(str(folder))
    empty = causal_lm.empty_model(loaded)
    assert empty.get_output_embeddings().weight is empty.get_input_embeddings().weight
    full = causal_lm.load_weights(str(folder), loaded, 0, init=False)
    assert {name: each.shape for name, each in empty.named_parameters()} == {
        name: each.shape for name, each in full.named_parameters()
    }
    assert all(weight.is_meta for weight in empty.parameters())
    for _ in range(2):
        for (name, one), (_, other) in zip(empty.named_buffers(), full.named_buffers(), strict=True):
            assert torch.equal(one, other), name
        causal_lm.materialise(empty, torch.device("cpu"))
    assert not any(weight.is_meta for weight in empty.parameters())
    assert empty.get_output_embeddings().weight is empty.get_input_embeddings().weight


EMPTY = """
import resource
import torch
from transformers import LlamaConfig
from llamax_cli.config import Training
from llamax_cli.models import causal_lm

def virtual():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmSize")) * 1024

sizes = {"hidden_size": 4096, "intermediate_size": 8192, "num_hidden_layers": 8, "vocab_size": 4096}
facts = LlamaConfig(**sizes, num_attention_heads=32, torch_dtype="float32")
causal_lm.empty_model(LlamaConfig(hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2))
allowed = virtual() + 400_000_000
resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
for lora in (0, 4):
    model = causal_lm.prepare_for_training(causal_lm.empty_model(facts), Training(lora=lora))
    print(sum(weight.numel() for weight in model.parameters()) * 4)
"""


def test_the_empty_model_takes_no_address_space(tmp_path: Path) -> None:
    """5 GB of weights fit into 400 MB, which no rank could reserve where memory is not overcommitted."""
    (tmp_path / "empty.py").write_text(EMPTY)
    done = zygote.run_module(tmp_path / "empty.py")
    assert done.returncode == 0, done.stderr.decode()
    assert [int(size) > 5e9 for size in done.stdout.split()] == [True, True]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # at which Dynamo looks
@pytest.mark.parametrize(("checkpointed", "lora"), [(False, 0), (True, 0), ("selective", 0), ("selective", 4)])
def test_layers_are_compiled_whether_checkpointed_or_not(
    monkeypatch: pytest.MonkeyPatch, checkpointed: bool | str, lora: int
) -> None:
    """Graphs are compiled, no more of them for more layers; losses and gradients are those of the plain model."""
    batch, results, counter, graphs = packed(documents()), {}, CompileCounter(), []

    def counting_compile(function: Any, **how: Any) -> Any:
        return compile_function(function, backend=counter, **how)

    compile_function = torch.compile
    monkeypatch.setattr(torch, "compile", counting_compile)
    torch._dynamo.reset()
    for layers in (0, 2, 4):
        training = Training(compile=layers > 0, gradient_checkpointing=checkpointed, lora=lora)
        model = causal_lm.prepare_for_training(architecture("llama", num_hidden_layers=layers or 2), training).train()
        if layers:
            disable_compilation()
            for layer in model.get_decoder().layers:
                causal_lm.compile_layer(layer, checkpointed=checkpointed)
        losses = CausalLM(model, 7)(batch)
        losses.sum().backward()
        results[layers] = losses, gradients(model)
        graphs.append(counter.frame_count)
    AttentionInterface.register(NAME, attend)
    assert torch.allclose(results[0][0], results[2][0], atol=1e-6)
    assert results[0][1].keys() == results[2][1].keys()
    assert all(torch.allclose(weight, results[2][1][name], atol=1e-5) for name, weight in results[0][1].items())
    plain, two, four = graphs
    assert plain == 0 < two == four


class Executed(TorchDispatchMode):
    """Counts the operations that are carried out, which those with a kept output are not."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = Counter[str]()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.counts[function.name()] += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen2", "qwen3"])
def test_selective_checkpointing_is_between_all_and_none(kind: str) -> None:
    """Losses and gradients are the same to the last bit; what is kept and what is computed again lies in between."""
    batch, results, kept, products, attention = packed(documents()), {}, {}, {}, {}
    for how in (True, SELECTIVE, False):
        training = Training(gradient_checkpointing=how)
        model = CausalLM(causal_lm.prepare_for_training(architecture(kind), training), 1000).train()
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as forward:
            losses = model(batch)
        with Executed() as backward:
            losses.sum().backward()
        results[how] = losses, gradients(model)
        kept[how] = sum(event.self_cpu_memory_usage for event in forward.key_averages())
        products[how] = backward.counts["aten::mm"] + backward.counts["aten::addmm"]
        attention[how] = backward.counts["aten::_scaled_dot_product_flash_attention_for_cpu"]
    assert kept[True] < kept[SELECTIVE] < kept[False]
    recomputed = products[True] - products[False]
    assert recomputed == 2 * 6  # of two layers; the output of the last product is not needed again
    assert products[SELECTIVE] - products[False] == 2 * 3
    assert attention[SELECTIVE] == attention[False] == 0 < attention[True]
    for how in (True, SELECTIVE):
        assert torch.equal(results[how][0], results[False][0])
        assert all(torch.equal(gradient, results[False][1][name]) for name, gradient in results[how][1].items())


def test_a_gpu_without_bf16_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, which names the way out; fp32 is computed everywhere, and nothing is asked on a CPU."""
    device = torch.device("cuda", 0)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Tesla V100-SXM2-32GB")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 0))
    for precision in ("auto", "bf16"):
        with pytest.raises(UsageError) as refused:
            find_dtype(precision, device)
        assert str(refused.value) == (
            "a Tesla V100-SXM2-32GB (compute capability 7.0) cannot compute in bf16, which needs 8.0 or more; "
            'set precision = "fp32"'
        )
    assert find_dtype("fp32", device) == torch.float32
    assert find_dtype("bf16", torch.device("cpu")) == torch.bfloat16
    assert find_dtype("auto", torch.device("cpu")) == torch.float32
    for capability in ((8, 0), (10, 0)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, found=capability: found)
        assert find_dtype("auto", device) == torch.bfloat16


def test_weights_are_frozen_by_pattern() -> None:
    """A pattern that matches nothing is refused, as is freezing everything."""
    training = Training(freeze=("model.embed_tokens.*", "*.layers.0.*"))
    model = causal_lm.prepare_for_training(architecture("llama"), training)
    frozen = {name for name, weight in model.named_parameters() if not weight.requires_grad}
    assert "model.embed_tokens.weight" in frozen
    assert len(frozen) == 1 + 9
    assert sum(map(len, (g["params"] for g in make_optimizer(model, PLAIN).param_groups))) == 9 + 2
    with pytest.raises(
        UsageError, match=r"'embed' matches no weight; weights have names like model.embed_tokens.weight"
    ):
        causal_lm.prepare_for_training(architecture("llama"), Training(freeze=("embed",)))
    with pytest.raises(UsageError, match="no weight to train"):
        causal_lm.prepare_for_training(architecture("llama"), Training(freeze=("*",)))


def test_layers_are_frozen_by_ranges() -> None:
    """From the first number to the last; a range beyond the layers is refused, as is one that is none."""
    assert causal_lm.expand_ranges("a.{8..10}.{0..1}") == [
        f"a.{layer}.{part}" for layer in (8, 9, 10) for part in (0, 1)
    ]
    model = causal_lm.prepare_for_training(architecture("llama"), Training(freeze=("model.layers.{0..1}.*",)))
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert not any(".layers." in name for name in trained) and trained
    for pattern, reason in (
        ("model.layers.{1..2}.*", "'model.layers.2.*' matches no weight"),
        ("model.layers.{1..0}.*", "{1..0} in 'model.layers.{1..0}.*' is not a range of layers"),
        ("model.layers.{0..9999}.*", "is not a range of layers"),
    ):
        with pytest.raises(UsageError, match=re.escape(reason)):
            causal_lm.prepare_for_training(architecture("llama"), Training(freeze=(pattern,)))


def test_lora_trains_its_own_weights_only() -> None:
    """The model's own weights are frozen; an unknown layer is refused."""
    model = causal_lm.prepare_for_training(architecture("llama"), Training(lora=4))
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert len(trained) == 2 * 2 * 7
    assert all("lora_" in name for name in trained)
    with pytest.raises(UsageError, match="lora_targets"):
        causal_lm.prepare_for_training(architecture("llama"), Training(lora=4, lora_targets=("nothing",)))


def test_a_model_that_cannot_be_trained_is_refused(tmp_path: Path) -> None:
    """No model, another architecture, a vocabulary that is too small, a block that is too long: one line each."""
    from transformers import GPT2Config

    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"is not a model folder: config.json is missing"):
        causal_lm.load_config(str(tmp_path / "empty"))
    GPT2Config().save_pretrained(tmp_path / "gpt2")
    with pytest.raises(ModelError, match="has the architecture gpt2; train supports llama"):
        causal_lm.load_config(str(tmp_path / "gpt2"))
    with pytest.raises(ModelError, match="tokenizer has 129 tokens, the model 128"):
        causal_lm.check(config(), 129, 64)
    with pytest.raises(ModelError, match="longer than the model's 512 positions"):
        causal_lm.check(config(), 128, 1024)


def test_the_learning_rate_rises_and_falls() -> None:
    """It depends on the share of the run that is done."""
    training = Training(learning_rate=1.0, warmup=0.1, final_rate=0.2)
    assert [round(scheduled_rate(1.0, training, done), 3) for done in (0.05, 0.1, 0.55, 1.0)] == [0.5, 1.0, 0.6, 0.2]
    line = Training(learning_rate=1.0, warmup=0.0, final_rate=0.0, schedule="linear")
    assert [scheduled_rate(1.0, line, done) for done in (0.0, 0.25, 1.0)] == [1.0, 0.75, 0.0]
    assert scheduled_rate(1.0, Training(warmup=0.0, schedule="constant"), 0.9) == 1.0


def test_every_name_of_the_settings_is_there() -> None:
    """The names that the settings accept are those of the tables."""
    assert set(SCHEDULES) == set(settings.SCHEDULES)
    assert set(OPTIMIZERS) == set(settings.OPTIMIZERS)
    assert set(LOSS_RULES) == set(settings.LOSS_RULES)


def test_the_settings_choose_the_optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name in the table; a name that is not there is refused."""
    monkeypatch.setitem(OPTIMIZERS, "sgd", lambda groups, training: torch.optim.SGD(groups))
    training = Training()
    object.__setattr__(training, "optimizer", "sgd")  # as if the settings accepted it
    assert isinstance(make_optimizer(architecture("llama"), Training()), torch.optim.AdamW)
    assert isinstance(make_optimizer(architecture("llama"), training), torch.optim.SGD)
    with pytest.raises(UsageError, match=r"optimizer = 'adam': did you mean adamw\?"):
        Training(optimizer="adam")


def test_each_group_has_a_rate_of_its_own() -> None:
    """The schedule scales the rate that a group was made with, also after the optimizer's state was loaded."""
    training = Training(learning_rate=1.0, warmup=0.0, final_rate=0.0, schedule="linear")
    matrices, vectors = parameter_groups(architecture("llama"), training)
    optimizer = OPTIMIZERS["adamw"]([matrices, {**vectors, "lr": 0.1}], training)
    scheduler = LRScheduler(optimizer, training)
    scheduler.set_rates(0.5)
    optimizer.load_state_dict(optimizer.state_dict())
    scheduler.set_rates(0.75)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.25, 0.025])
    assert [group["weight_decay"] for group in optimizer.param_groups] == [training.weight_decay, 0.0]
    assert scheduler.rate(0.75) == 0.25


def test_prefetched_items_come_in_order_and_errors_in_their_place() -> None:
    """An error in the reading thread is raised where its item would have come."""

    def items() -> Any:
        yield from range(5)
        raise ModelError("broken")

    found = []
    with pytest.raises(ModelError, match="broken"):
        for item in prefetch(items()):
            found.append(item)
    assert found == list(range(5))
    assert list(prefetch(range(100))) == list(range(100))


def test_no_thread_is_left_behind() -> None:
    """A thread that still reads when Python exits would free its tensors too late and abort the process."""

    def items() -> Iterator[int]:
        for number in itertools.count():
            time.sleep(0.02)
            yield number

    before = threading.enumerate()
    with closing(prefetch(items())) as made:
        assert next(made) == 0
        assert len(threading.enumerate()) == len(before) + 1
    assert threading.enumerate() == before


def test_liger_replaces_modules_on_a_gpu_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """All its kernels but the loss, which is our own; without a GPU or the package, an error in one line."""
    from llamax_cli.models.liger import use_liger

    with pytest.raises(UsageError, match="liger: its kernels need a GPU, and there is none"):
        use_liger("llama", torch.device("cpu"))
    for name in ("liger_kernel", "liger_kernel.transformers", "liger_kernel.transformers.monkey_patch"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match="liger cannot be loaded"):
        use_liger("llama", torch.device("cuda"))
    calls: list[dict[str, bool]] = []
    known = SimpleNamespace(MODEL_TYPE_TO_APPLY_LIGER_FN={"llama": lambda **given: calls.append(given)})
    monkeypatch.setitem(sys.modules, "liger_kernel.transformers.monkey_patch", known)
    use_liger("llama", torch.device("cuda"))
    replaced = {"rope": True, "rms_norm": True, "swiglu": True}
    assert calls == [{**replaced, "cross_entropy": False, "fused_linear_cross_entropy": False}]


def reference(query: Any, key: Any, value: Any, ends: Any, scale: float | None) -> torch.Tensor:
    """Return causal attention within each document, written out; all tensors are (tokens, heads, size)."""
    groups = query.shape[1] // key.shape[1]
    key, value = (each.repeat_interleave(groups, 1) for each in (key, value))
    answers = []
    for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        q, k, v = (states[start:end].transpose(0, 1) for states in (query, key, value))
        scores = q @ k.transpose(1, 2) * (scale or query.shape[-1] ** -0.5)
        seen = torch.ones(end - start, end - start).tril().bool()
        answers.append((scores.masked_fill(~seen, -torch.inf).softmax(-1) @ v).transpose(0, 1))
    return torch.cat(answers)


@pytest.mark.parametrize("package", ["flash_attn", "torch"])
def test_kernels_get_the_arguments_that_they_take(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """A stand-in with the signature of each kernel gives what the path for CPUs gives."""
    from llamax_cli.models import varlen_attention as attention

    def flash(
        q: Any,
        k: Any,
        v: Any,
        cu_seqlens_q: Any,
        cu_seqlens_k: Any,
        max_seqlen_q: int,
        max_seqlen_k: int,
        *,
        softmax_scale: float | None,
        causal: bool,
    ) -> torch.Tensor:
        assert causal and cu_seqlens_q is cu_seqlens_k and cu_seqlens_q.dtype == torch.int32
        assert max_seqlen_q == max_seqlen_k == int(torch.diff(cu_seqlens_q).max())
        return reference(q, k, v, cu_seqlens_q, softmax_scale)

    def varlen(
        query: Any,
        key: Any,
        value: Any,
        cu_seq_q: Any,
        cu_seq_k: Any,
        max_q: int,
        max_k: int,
        *,
        scale: float | None,
        window_size: tuple[int, int],
        enable_gqa: bool,
    ) -> torch.Tensor:
        assert window_size == (-1, 0) and enable_gqa
        return flash(query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, softmax_scale=scale, causal=True)

    import torch.nn.attention.varlen as theirs

    assert {"scale", "window_size", "enable_gqa"} <= set(inspect.signature(theirs.varlen_attn).parameters)
    monkeypatch.setattr(attention, "_is_installed", lambda name: package == "flash_attn")
    monkeypatch.setitem(sys.modules, "flash_attn", SimpleNamespace(flash_attn_varlen_func=flash))
    monkeypatch.setattr(theirs, "varlen_attn", varlen)
    lengths = (9, 4, 4, 1)
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, heads, sum(lengths), 8) for heads in (4, 2, 2))
    ends = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)
    documents = attention.Documents(lengths, ends)
    found = attention._by_kernel(query, key, value, attention._Rule(0.3, None, None), documents)
    expected, _ = attention.attend(None, query, key, value, None, 0.3, documents)
    assert torch.allclose(found, expected, atol=1e-6)
