"""Small tokenizers, models and data for tests of training, made on the spot, and runs of training."""

import json
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from support.processes import free_port, wait_for, wait_until
from support.zygote import TESTS, Process, zygote

TEXT = "a of the red blue tall small man woman dog cat runs sits sees house river in on under with mti nyumba paka"
WORDS = TEXT.split()
WORKER = "llamax_cli.training.worker"


def sample(number: int, length: int = 5, prompt: str = "") -> dict[str, str]:
    """Return a Sample of `length` words, by its number another one."""
    words = [WORDS[(number * 7 + place * place + place) % len(WORDS)] for place in range(length)]
    record = {"prompt": prompt, "completion": " ".join(words), "id": f"made:{number}", "origin": "para"}
    return {**record, "src_lang": "en", "tgt_lang": "sw" if number % 2 else "de"}


def tokenizer(texts: Sequence[str] = WORDS, size: int = 120, *, eos: str | None = "</s>", add_bos: bool = True) -> Any:
    """Return a byte-pair tokenizer in LLaMA-2's manner: a space opens a word, what is unknown falls back to bytes."""
    from tokenizers import Tokenizer, decoders, models, normalizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<unk>", "<s>", "</s>"]
    backend = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=False))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special, show_progress=False)
    backend.train_from_iterator(texts, trainer)
    if add_bos:
        backend.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A <s> $B", [("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", bos_token="<s>", eos_token=eos)


@cache
def small_tokenizer() -> Any:
    """Return one tokenizer for all tests that need just any."""
    return tokenizer()


def config(**changes: Any) -> Any:
    """Return the configuration of a LLaMA of some thousand weights."""
    from transformers import LlamaConfig

    facts = {"vocab_size": 128, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512}
    return LlamaConfig(**{**facts, **heads, "bos_token_id": 1, "eos_token_id": 2, **changes})


def model_folder(folder: Path, seed: int = 0, words: Any = None, **changes: Any) -> Path:
    """Write a small LLaMA with a tokenizer (`words`, where given) and return the folder."""
    import torch
    from transformers import LlamaForCausalLM

    torch.manual_seed(seed)
    LlamaForCausalLM(config(**changes)).save_pretrained(folder)
    (words or small_tokenizer()).save_pretrained(folder)
    return folder


# -- runs --------------------------------------------------------------------------------------------------------------


def job(
    folder: Path,
    model: Path,
    data: Path,
    *,
    resume: bool = False,
    command: str = "train",
    task: str = "",
    **settings: Any,
) -> Path:
    """Write what a run in a folder is to do, in small steps, and return the folder."""
    from llamax_cli.config import Training
    from llamax_cli.training.job import Job

    small = {"block": 64, "batch": 7, "micro_batch": 4, "log_every": 1, "checkpoint_every": 0, "learning_rate": 1e-3}
    training = Training(**{**small, **settings})
    Job(str(model), str(model), (str(data),), str(folder), False, resume, False, training, command, task).write()
    return folder


def begin(
    folder: Path, ranks: int = 1, limit: int | None = None, machines: int = 1, worker: str = WORKER, slow: str = ""
) -> list[Process]:
    """Start the ranks of a run as the launchers of `machines` would; `limit` bounds their files.

    `worker` is the module that each rank runs. `slow` is what `slow_worker` reads; it is run instead then, and says in
    `folder/slow` when that part begins.
    """
    port = free_port()
    started = []
    for rank in range(ranks):
        local = ranks // machines
        place = {"RANK": rank, "WORLD_SIZE": ranks, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        place |= {"LOCAL_RANK": rank % local, "LOCAL_WORLD_SIZE": local}
        how = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": 1, "TORCHINDUCTOR_COMPILE_THREADS": 1}
        slowed = {"SLOW": slow, "SLOW_SAYS": folder / "slow"} if slow else {}
        env = {**os.environ, **{name: str(value) for name, value in {**place, **how, **slowed}.items()}}
        with (folder / f"stderr-{rank}").open("wb") as said:
            module = "support.slow_worker" if slow else worker
            where = TESTS if module.startswith("support.") else None
            started.append(zygote().start([module, folder], cwd=where, env=env, stderr=said, limit=limit))
    return started


def end(folder: Path, processes: list[Process]) -> tuple[list[int], str]:
    """Wait for the ranks of a run; return their exit codes and what they said, in the order of the ranks."""
    try:
        codes = [process.wait(300) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return codes, "".join((folder / f"stderr-{rank}").read_text() for rank in range(len(processes)))


def train(folder: Path, ranks: int = 1, limit: int | None = None, machines: int = 1, worker: str = WORKER) -> str:
    """Run a job to its end and return what it said."""
    codes, said = end(folder, begin(folder, ranks, limit, machines, worker))
    assert codes == [0] * ranks, said
    return said


def metrics(folder: Path, event: str = "step") -> list[dict[str, Any]]:
    """Return the lines of metrics of one kind."""
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [line for line in lines if line["event"] == event]


def losses(folder: Path) -> list[float]:
    """Return the loss of each step."""
    return [line["loss"] for line in metrics(folder)]


def until(folder: Path, steps: int) -> None:
    """Wait until a run has made some steps."""
    wait_for(folder / "metrics.jsonl")
    wait_until(lambda: len(steps_so_far(folder)) >= steps)


def steps_so_far(folder: Path) -> list[str]:
    """Return the lines of steps that are whole."""
    return [line for line in (folder / "metrics.jsonl").read_text().split("\n")[:-1] if '"step", ' in line]
