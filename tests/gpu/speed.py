"""Tokens per second and MFU of a 1B in bf16 on packed documents, beside other trainers on the same card.

All train the same LLaMA with fp32 weights, activations kept, on documents of a like length, 16 blocks of 2,048 tokens a
step in micro-batches of 4. Only tokens of documents count, no padding.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import util
from itertools import cycle
from statistics import median
from typing import Any

import numpy as np
import torch
from torch.profiler import DeviceType, ProfilerActivity, profile
from transformers import LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments

from gpu.checks import Bench, Check, Figure, need_package
from gpu.correctness import packed
from gpu.models import config, documents, samples, size_for, tokenizer, untrained
from gpu.runs import first_steps, new_job
from llamax_cli.config import Training
from llamax_cli.models.causal_lm import CausalLM, prepare_for_training
from llamax_cli.models.packed_batch import Batch
from llamax_cli.models.sample_encoding import Encoded
from llamax_cli.training.estimates import peak_flops, read_shape
from llamax_cli.training.optimizer import make_optimizer
from llamax_cli.training.packing import pack
from llamax_cli.training.parallelize import make_mesh, shard
from llamax_cli.training.process_group import process_group
from llamax_cli.training.setup import find_dtype

BLOCK, BATCH, MICRO_BATCH = 2048, 16, 4
STEPS, WARMUP, LOG_EVERY = 30, 10, 5
TINY_BLOCK = 256  # of a trial on a CPU
PLAIN: dict[str, Any] = {"block": BLOCK, "batch": BATCH, "micro_batch": MICRO_BATCH, "gradient_checkpointing": False}
FP8_GAIN = 1.2  # from which on FP8 would be worth a setting


def by_train(bench: Bench, **settings: Any) -> Figure:
    """Return the tokens per second of `llamax train`, as its metrics have them, the first ones left out."""
    folder = new_job(
        bench,
        "speed",
        untrained(bench, "1b"),
        samples(bench, 2000 if bench.is_cpu else 20_000),
        **{**PLAIN, "epochs": 3, "log_every": LOG_EVERY, **settings},
    )
    lines = first_steps(bench, folder, STEPS // LOG_EVERY)[WARMUP // LOG_EVERY :]
    mfu = [line["mfu"] for line in lines if "mfu" in line]
    note = f"MFU {median(mfu):.1%}, {lines[-1]['memory_gb']} GB" if mfu else "no MFU without a known card"
    return Figure(median(line["tokens_per_second"] for line in lines), note)


def plain(bench: Bench) -> Figure:
    """Train as a user does who sets nothing about speed."""
    return by_train(bench)


def compiled(bench: Bench) -> Figure:
    """Train with compiled layers."""
    return by_train(bench, compile=True)


def liger(bench: Bench) -> Figure:
    """Train with Liger's kernels."""
    bench.need_gpu()
    need_package("liger_kernel")
    return by_train(bench, liger=True)


# -- the same in this process ------------------------------------------------------------------------------------------


def rows(bench: Bench, count: int) -> list[list[Encoded]]:
    """Return documents packed as train packs them, each row a micro-batch."""
    block, vocabulary = (TINY_BLOCK, 512) if bench.is_cpu else (BLOCK, 128256)
    size = block * MICRO_BATCH
    given = documents(size * count, vocabulary)
    bins = pack(np.array([len(each.tokens) for each in given]), size)
    spans = zip(bins.starts[:-1], bins.starts[1:], strict=True)
    return [[given[number] for number in bins.items[start:end]] for start, end in spans][:count]


@contextmanager
def stepper(bench: Bench, change: Callable[[Any], None] = lambda decoder: None, **settings: Any) -> Iterator[Any]:
    """Give a function that takes a step with llamax's own model, shards and optimizer, and returns its batches."""
    training = Training(**{**PLAIN, **settings})
    with process_group() as ranks:
        with torch.device(ranks.device):
            whole: Any = LlamaForCausalLM(config(size_for(bench, "1b")))
        model = CausalLM(prepare_for_training(whole, training), training.loss_chunk).train()
        change(whole.get_decoder())
        shard(model, make_mesh(ranks, training), find_dtype("auto", ranks.device), training)
        optimizer = make_optimizer(model, training)
        batches = cycle([packed(row).to(ranks.device) for row in rows(bench, 8)])

        def step() -> list[Batch]:
            used = [next(batches) for _ in range(BATCH // MICRO_BATCH)]
            for batch in used:
                (model(batch).mean() / len(used)).backward()
            optimizer.step()
            optimizer.zero_grad()
            return used

        yield step


def wait(bench: Bench) -> float:
    """Return the time once the card has done all that it was given."""
    if not bench.is_cpu:
        torch.cuda.synchronize()
    return time.perf_counter()


def measured(bench: Bench, step: Callable[[], list[Batch]]) -> tuple[float, list[Batch]]:
    """Return the seconds of some steps after the first ones, and their batches."""
    warmup, count = (1, 2) if bench.is_cpu else (WARMUP, STEPS - WARMUP)
    for _ in range(warmup):
        step()
    start = wait(bench)
    used = [batch for _ in range(count) for batch in step()]
    return wait(bench) - start, used


def tokens(batches: list[Batch]) -> int:
    """Return how many tokens the documents of batches have."""
    return sum(batch.input_ids.numel() for batch in batches)


def mfu(bench: Bench) -> Figure:
    """Return the share of the card's peak that the compiled model reaches, recomputed operations not counted."""
    bench.need_gpu()
    with stepper(bench, compile=True) as step:
        seconds, used = measured(bench, step)
    squares = sum(length**2 for batch in used for length in batch.documents.lengths)
    learned = sum(len(batch.targets) for batch in used)
    flops = read_shape(config("1b").to_dict()).flops(tokens(used), learned, squares)
    card = torch.cuda.get_device_name()
    peak = peak_flops(card)
    if peak is None:
        raise RuntimeError(f"the peak of a {card} is unknown; add it to PEAK_FLOPS in llamax_cli/training/estimates.py")
    return Figure(100 * flops / seconds / peak, f"{tokens(used) / seconds:,.0f} tokens/s, of {peak / 1e12:.0f} TFLOPS")


def fp8(bench: Bench) -> Figure:
    """Return how many times as fast the compiled layers are with torchao's FP8."""
    bench.need_gpu()
    need_package("torchao")
    from torchao.float8 import convert_to_float8_training

    speeds = []
    for change in (lambda decoder: None, convert_to_float8_training):
        with stepper(bench, change, compile=True) as step:
            seconds, used = measured(bench, step)
        speeds.append(tokens(used) / seconds)
        torch._dynamo.reset()
        torch.cuda.empty_cache()
    return Figure(speeds[1] / speeds[0], f"{speeds[1]:,.0f} tokens/s; from {FP8_GAIN} on it would be worth a setting")


def busy(bench: Bench) -> Figure:
    """Return the share of a step during which the card works, and the kernels that take its time."""
    activity, device = (
        (ProfilerActivity.CPU, DeviceType.CPU) if bench.is_cpu else (ProfilerActivity.CUDA, DeviceType.CUDA)
    )
    with stepper(bench) as step:
        step()
        with profile(activities=[activity]) as profiled:
            start = wait(bench)
            step()
            seconds = wait(bench) - start
    kernels = [event for event in profiled.key_averages() if event.device_type == device]
    name = "self_cpu_time_total" if bench.is_cpu else "self_device_time_total"
    times = sorted(((getattr(event, name) / 1e6, event.key, event.count) for event in kernels), reverse=True)
    lines = [f"{100 * each / seconds:5.1f} %  {count:6,}  {key[:90]}" for each, key, count in times[:15]]
    share = 100 * sum(each for each, *_ in times) / seconds
    return Figure(share, f"{seconds:.2f} s a step", "\n".join(["share    calls  kernel, of one step", *lines]))


# -- other trainers ----------------------------------------------------------------------------------------------------


class Meter(TrainerCallback):
    """Counts the tokens and seconds of transformers' trainer after its first steps."""

    def __init__(self, bench: Bench, model: Any, warmup: int) -> None:
        self._bench, self._warmup = bench, warmup
        self.tokens, self._start, self.seconds = 0, 0.0, 0.0
        model.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, model: Any, args: Any, inputs: dict[str, Any]) -> None:
        mask = inputs.get("attention_mask")
        self.tokens += inputs["input_ids"].numel() if mask is None else int(mask.sum())

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Begin to count once the first steps are over; note the time at the last one."""
        now = wait(self._bench)
        if state.global_step == self._warmup:
            self.tokens, self._start = 0, now
        self.seconds = now - self._start


def other_model(bench: Bench) -> tuple[Any, str]:
    """Return the library's own 1B, and the attention that it uses: flash-attn's if it is installed."""
    has_flash = not bench.is_cpu and util.find_spec("flash_attn") is not None
    attention = "flash_attention_2" if has_flash else "sdpa"
    kind: Any = LlamaForCausalLM
    with torch.device(bench.device):
        model = kind._from_config(config(size_for(bench, "1b")), attn_implementation=attention)
    return model.train(), attention


def arguments(bench: Bench, **more: Any) -> dict[str, Any]:
    """Return the settings of transformers' trainer and of TRL's."""
    return {
        "output_dir": str(bench.work / "other"),
        "max_steps": 3 if bench.is_cpu else STEPS,
        "bf16": not bench.is_cpu,
        "use_cpu": bench.is_cpu,
        "optim": "adamw_torch_fused",
        "gradient_checkpointing": False,  # which TRL has on
        "disable_tqdm": True,
        "save_strategy": "no",
        "logging_steps": LOG_EVERY,
        "report_to": [],
        **more,
    }


def hf_trainer(bench: Bench) -> Figure:
    """Return the tokens per second of transformers' Trainer on rows of packed documents."""
    model, attention = other_model(bench)

    def inputs(row: list[Encoded]) -> dict[str, Any]:
        ids = [token for each in row for token in each.tokens]
        labels = [label for each in row for label in (-100, *each.tokens[1:])]
        positions = [place for each in row for place in range(len(each.tokens))]
        facts = {"input_ids": ids, "labels": labels, "position_ids": positions}
        return {name: torch.tensor([values]) for name, values in facts.items()}

    more = {"gradient_accumulation_steps": BATCH // MICRO_BATCH, "remove_unused_columns": False}
    settings = TrainingArguments(**arguments(bench, per_device_train_batch_size=1, **more))
    data: Any = [inputs(row) for row in rows(bench, 32)]
    trainer = Trainer(model, settings, data_collator=lambda items: items[0], train_dataset=data)
    return metered(bench, trainer, model, attention)


def trl(bench: Bench) -> Figure:
    """Return the tokens per second of TRL's SFTTrainer, which packs the documents itself."""
    need_package("trl")
    from datasets import Dataset
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    model, attention = other_model(bench)
    block = TINY_BLOCK if bench.is_cpu else BLOCK
    given = documents(block * MICRO_BATCH * 32, model.config.vocab_size)
    more = {"per_device_train_batch_size": MICRO_BATCH, "gradient_accumulation_steps": BATCH // MICRO_BATCH}
    settings = SFTConfig(**arguments(bench, packing=True, max_length=block, **more))
    data = Dataset.from_list([{"input_ids": each.tokens} for each in given])
    trainer = SFTTrainer(model, settings, train_dataset=data, processing_class=tokenizer(bench))
    return metered(bench, trainer, model, attention)


def metered(bench: Bench, trainer: Any, model: Any, attention: str) -> Figure:
    """Run a trainer and return its tokens per second."""
    meter = Meter(bench, model, 1 if bench.is_cpu else WARMUP)
    trainer.add_callback(meter)
    trainer.train()
    return Figure(meter.tokens / meter.seconds, attention)


def torchtitan(bench: Bench) -> Figure:
    """Return the tokens per second of torchtitan, compiled; it fills its rows with parts of documents."""
    need_package("torchtitan")
    bench.need_gpu()
    texts, words = bench.work / "titan-texts", bench.work / "titan-tokenizer"
    texts.mkdir(exist_ok=True)
    lines = samples(bench, 20_000).read_text().splitlines()
    (texts / "texts.jsonl").write_text(
        "".join(json.dumps({"text": json.loads(each)["completion"]}) + "\n" for each in lines)
    )
    tokenizer(bench).save_pretrained(words)
    place = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29555"}
    environment = {**os.environ, **place, "TITAN_TEXTS": str(texts), "TITAN_TOKENIZER": str(words)}
    command = [sys.executable, "-m", "torchtitan.train", "--module", "gpu.titan", "--config", "ours"]
    ran = subprocess.run(command, env=environment, cwd=bench.work, capture_output=True, text=True)
    rates = [float(each.replace(",", "")) for each in re.findall(r"tps: ([\d,]+)", ran.stdout + ran.stderr)]
    if ran.returncode or len(rates) <= WARMUP // LOG_EVERY:
        raise RuntimeError(f"exit code {ran.returncode}: {(ran.stderr.strip().splitlines() or ['said nothing'])[-1]}")
    return Figure(median(rates[1 + WARMUP // LOG_EVERY :]), "compiled, flex attention")


CHECKS = (
    Check("plain", "`llamax train`, 1B", plain, "tokens/s"),
    Check("compile", "`llamax train`, compile=true", compiled, "tokens/s", limit=400),
    Check("liger", "`llamax train`, liger=true", liger, "tokens/s"),
    Check("mfu", "MFU of the compiled 1B", mfu, "%", least=50),
    Check("hf-trainer", "transformers' Trainer, packed", hf_trainer, "tokens/s"),
    Check("trl", "TRL's SFTTrainer, packed", trl, "tokens/s"),
    Check("torchtitan", "torchtitan, compiled, bf16", torchtitan, "tokens/s", limit=400),
    Check("fp8", "FP8 by torchao over bf16, both compiled", fp8, "times", limit=400),
    Check("busy", "share of a step during which the card works", busy, "%"),
)
