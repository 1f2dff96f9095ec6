"""A small model on the card against the same on a CPU, and each kernel and setting against the plain computation."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._dynamo.utils import counters
from torch.nn.attention.flex_attention import create_block_mask, flex_attention
from torch.profiler import ProfilerActivity, profile
from transformers import LlamaForCausalLM

from gpu.checks import Bench, Check, Figure, need_package
from gpu.models import SIZES, config, documents
from llamax_cli.config import SELECTIVE, Training
from llamax_cli.models import varlen_attention
from llamax_cli.models.causal_lm import CausalLM, compile_layer, prepare_for_training
from llamax_cli.models.liger import use_liger
from llamax_cli.models.packed_batch import Batch, make_batch
from llamax_cli.models.sample_encoding import Encoded
from llamax_cli.models.samples import Sample

TOKENS = 2000
PLAIN = Training(gradient_checkpointing=False, loss_chunk=256)
BF16 = 2e-2  # of a value, what the rounding of bf16 may add up to


class Pass(NamedTuple):
    """The losses of a batch, and the gradient of their mean, as one vector."""

    losses: Tensor
    gradient: Tensor


def packed(encoded: Sequence[Encoded]) -> Batch:
    """Return documents as a batch."""
    return make_batch(encoded, range(len(encoded)), [Sample("")] * len(encoded))


def made(device: str, dtype: torch.dtype, training: Training = PLAIN) -> CausalLM:
    """Return the same small model on any device, as train prepares it."""
    torch.manual_seed(0)
    model = prepare_for_training(LlamaForCausalLM(config("tiny")), training)
    return CausalLM(model, training.loss_chunk).to(device, dtype).train()


def forward_backward(model: CausalLM, batch: Batch) -> Pass:
    """Return the losses and the gradient of a batch."""
    weights = list(model.parameters())
    losses = model(batch.to(weights[0].device))
    model.zero_grad()
    losses.mean().backward()
    gradient = torch.cat([weight.grad.float().flatten() for weight in weights if weight.grad is not None])
    return Pass(losses.detach().float().cpu(), gradient.cpu())


def reference() -> Pass:
    """Return what a CPU computes in fp32."""
    return forward_backward(made("cpu", torch.float32), packed(documents(TOKENS, 512)))


def on_device(bench: Bench, dtype: torch.dtype, training: Training = PLAIN) -> Pass:
    """Return what the device computes of the same batch."""
    return forward_backward(made(bench.device, dtype, training), packed(documents(TOKENS, 512)))


def difference(found: Tensor, expected: Tensor) -> float:
    """Return the norm of the difference over that of what is expected."""
    return float((found.double() - expected.double()).norm() / expected.double().norm())


def compared(found: Pass, expected: Pass) -> Figure:
    """Return how much the losses differ, and note how much the gradients do."""
    gradient = difference(found.gradient, expected.gradient)
    return Figure(difference(found.losses, expected.losses), f"gradient {gradient:.1e}")


def in_fp32(bench: Bench) -> Figure:
    """Compare losses and gradients in fp32; the figure is the greater difference."""
    found, expected = on_device(bench, torch.float32), reference()
    losses, gradient = (difference(*pair) for pair in zip(found, expected, strict=True))
    return Figure(max(losses, gradient), f"losses {losses:.1e}, gradient {gradient:.1e}")


def in_bf16(bench: Bench) -> Figure:
    """Compare torch's kernel for documents of any length with fp32 on a CPU, whether flash-attn is installed or not."""
    varlen_attention._is_installed = lambda package: False  # type: ignore[assignment]
    figure = compared(on_device(bench, torch.bfloat16), reference())
    return figure._replace(note=f"{figure.note}; no kernel on a CPU") if bench.is_cpu else figure


def flash_attn(bench: Bench) -> Figure:
    """Compare flash-attn's kernel with fp32 on a CPU."""
    need_package("flash_attn")
    bench.need_gpu()
    return compared(on_device(bench, torch.bfloat16), reference())


def flex(bench: Bench) -> Figure:
    """Compare attention as train computes it with flex attention under a mask of documents, forward and backward."""
    dtype = torch.float32 if bench.is_cpu else torch.bfloat16
    batch = packed(documents(TOKENS, 512)).to(torch.device(bench.device))
    lengths = torch.tensor(batch.documents.lengths, device=bench.device)
    owner = torch.repeat_interleave(torch.arange(len(lengths), device=bench.device), lengths)
    count = len(owner)

    def visible(_: Any, __: Any, query: Tensor, key: Tensor) -> Tensor:
        return (query >= key) & (owner[query] == owner[key])

    torch.manual_seed(0)
    states = [torch.randn(1, heads, count, 64, device=bench.device, dtype=dtype) for heads in (4, 2, 2)]
    query, key, value = (each.requires_grad_(not bench.is_cpu) for each in states)
    mask = create_block_mask(visible, None, None, count, count, device=bench.device)
    kernel: Any = flex_attention if bench.is_cpu else torch.compile(flex_attention)
    found = varlen_attention.attend(None, query, key, value, None, documents=batch.documents)[0]
    expected = kernel(query, key, value, block_mask=mask, enable_gqa=True).transpose(1, 2)
    output = difference(found.detach(), expected.detach())
    if bench.is_cpu:
        return Figure(output, "forward only: a CPU has no backward pass of it")
    gradients = [
        torch.cat([each.flatten() for each in torch.autograd.grad(result.float().pow(2).sum(), states)])
        for result in (found, expected)
    ]
    gradient = difference(*gradients)
    return Figure(max(output, gradient), f"output {output:.1e}, gradient {gradient:.1e}")


def liger(bench: Bench) -> Figure:
    """Compare Liger's kernels with the library's modules, in bf16 on the card."""
    bench.need_gpu()
    need_package("liger_kernel")
    expected = on_device(bench, torch.bfloat16)
    use_liger("llama", torch.device(bench.device))
    return compared(on_device(bench, torch.bfloat16), expected)


def _compiled(bench: Bench, checkpointed: bool | str) -> CausalLM:
    varlen_attention.disable_compilation()
    model = made(bench.device, torch.float32)
    for layer in model.model.get_decoder().layers:
        compile_layer(layer, checkpointed=checkpointed)
    return model


def compiled(bench: Bench) -> Figure:
    """Compare compiled layers with the plain ones, in fp32."""
    found = forward_backward(_compiled(bench, False), packed(documents(TOKENS, 512)))
    return compared(found, on_device(bench, torch.float32))


def recompilations(bench: Bench) -> Figure:
    """Count the graphs that batches of other lengths need after the second one."""
    model, graphs = _compiled(bench, True), []
    for seed, tokens in enumerate((TOKENS, 1500, 1000, 700)):
        forward_backward(model, packed(documents(tokens, 512, seed)))
        graphs.append(counters["stats"]["unique_graphs"])
    return Figure(graphs[-1] - graphs[1], f"{graphs[0]} graphs for the first batch, {graphs[1]} with the second")


def checkpointing(bench: Bench) -> Figure:
    """Compare the gradients with activations recomputed, in part and altogether, with those that keep all."""
    dtype = torch.float32 if bench.is_cpu else torch.bfloat16
    plain, selective, full = (
        on_device(bench, dtype, Training(gradient_checkpointing=how, loss_chunk=256))
        for how in (False, SELECTIVE, True)
    )
    differences = [difference(each.gradient, plain.gradient) for each in (selective, full)]
    return Figure(max(differences), f"selective {differences[0]:.1e}, full {differences[1]:.1e}")


def attention_kept(bench: Bench) -> Figure:
    """Count how often selective checkpointing computes the attention of a layer going forward; full does so twice."""
    bench.need_gpu()
    selective, full = (_attention_passes(bench, how) for how in (SELECTIVE, True))
    return Figure(selective, f"{full:g} under full checkpointing")


def _attention_passes(bench: Bench, how: bool | str) -> float:
    model = made(bench.device, torch.bfloat16, Training(gradient_checkpointing=how))
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        forward_backward(model, packed(documents(TOKENS, 512)))
        torch.cuda.synchronize()
    kernels = [event for event in profiled.key_averages() if re.search("flash.*fwd", event.key, re.IGNORECASE)]
    return float(sum(event.count for event in kernels) / SIZES["tiny"]["num_hidden_layers"])


def alone(bench: Bench) -> Figure:
    """Compare the losses of documents that are packed with those that each has alone, by the kernel itself."""
    encoded = documents(TOKENS, 512)
    model = made(bench.device, torch.float32 if bench.is_cpu else torch.bfloat16)
    batch = packed(encoded)
    losses = forward_backward(model, batch).losses
    singly = torch.cat([forward_backward(model, packed([encoded[number]])).losses for number in batch.numbers])
    return Figure(difference(losses, singly), f"{len(encoded)} documents")


def unseen(bench: Bench) -> Figure:
    """Change all documents but one, and look how much the losses of that one change."""
    mine, *others = documents(TOKENS, 512)
    model = made(bench.device, torch.float32 if bench.is_cpu else torch.bfloat16)
    changed = [Encoded([3 + (token + 1) % 500 for token in each.tokens], each.learned) for each in others]
    batches = [packed([mine, *rest]) for rest in (others, changed)]
    first, second = (forward_backward(model, batch).losses[batch.owners == batch.numbers.index(0)] for batch in batches)
    return Figure(float((first - second).abs().max()), f"one of {len(others) + 1} documents")


CHECKS = (
    Check("fp32", "fp32 against a CPU: losses and gradients, relative", in_fp32, most=1e-5),
    Check("varlen", "bf16 by torch's varlen kernel against fp32 on a CPU: losses, relative", in_bf16, most=BF16),
    Check("flash-attn", "bf16 by flash-attn's kernel against fp32 on a CPU: losses, relative", flash_attn, most=BF16),
    Check("flex", "attention against flex attention: output and gradient, relative", flex, most=BF16),
    Check("liger", "Liger's kernels against the library's modules in bf16: losses, relative", liger, most=BF16),
    Check("compile", "compiled layers against plain ones in fp32: losses, relative", compiled, most=1e-5),
    Check("recompilations", "graphs compiled for a third and fourth batch", recompilations, most=0),
    Check("checkpointing", "gradients with checkpointing, full and selective, relative", checkpointing, most=BF16),
    Check("attention-kept", "forward attention kernels of a layer, selective", attention_kept, least=1, most=1),
    Check("alone", "packed documents against each alone: losses, relative", alone, most=BF16),
    Check("unseen", "change of a document's losses when its neighbours change", unseen, most=0),
)
