"""Small tokenizers, models and data for tests of training, made on the spot."""

import json
import multiprocessing
import os
import resource
import socket
import sys
import time
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from conftest import wait_for

TEXT = "a of the red blue tall small man woman dog cat runs sits sees house river in on under with mti nyumba paka"
WORDS = TEXT.split()


def sample(number: int, length: int = 5, prompt: str = "") -> dict[str, str]:
    """Return a Sample of `length` words, by its number another one."""
    words = [WORDS[(number * 7 + place * place + place) % len(WORDS)] for place in range(length)]
    record = {"prompt": prompt, "completion": " ".join(words), "id": f"made:{number}", "origin": "para"}
    return {**record, "src_lang": "en", "tgt_lang": "sw" if number % 2 else "de"}


def write(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """Write records as lines and return the path."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def tokenizer(texts: Sequence[str] = WORDS, size: int = 120, *, eos: str | None = "</s>") -> Any:
    """Return a byte-pair tokenizer in LLaMA-2's manner: a space opens a word, what is unknown falls back to bytes."""
    from tokenizers import Tokenizer, decoders, models, normalizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<unk>", "<s>", "</s>"]
    backend = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=False))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special, show_progress=False)
    backend.train_from_iterator(texts, trainer)
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

    small = {"block": 64, "batch": 7, "micro_batch": 2, "log_every": 1, "checkpoint_every": 5, "learning_rate": 1e-3}
    training = Training(**{**small, **settings})
    Job(str(model), str(model), (str(data),), str(folder), False, resume, False, training, command, task).write()
    return folder


def begin(folder: Path, ranks: int = 1, limit: int | None = None) -> list[Any]:
    """Start the ranks of a run, each a process forked from one that has torch loaded; `limit` bounds their files."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["llamax_cli.training.worker", "transformers.models.llama.modeling_llama"])
    port = free_port()
    processes = [context.Process(target=_rank, args=(folder, rank, ranks, port, limit)) for rank in range(ranks)]
    for process in processes:
        process.start()
    return processes


def end(folder: Path, processes: list[Any]) -> tuple[list[int], str]:
    """Wait for the ranks of a run; return their exit codes and what they said, in the order of the ranks."""
    for process in processes:
        process.join(180)
        if process.is_alive():
            process.kill()
            process.join()
    said = "".join((folder / f"stderr-{rank}").read_text() for rank in range(len(processes)))
    return [process.exitcode for process in processes], said


def train(folder: Path, ranks: int = 1, limit: int | None = None) -> str:
    """Run a job to its end and return what it said."""
    codes, said = end(folder, begin(folder, ranks, limit))
    assert codes == [0] * ranks, said
    return said


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _rank(folder: Path, rank: int, ranks: int, port: int, limit: int | None) -> None:
    """Be one rank, as the launcher would start it."""
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(ranks), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "ACCELERATE_USE_CPU": "true"}
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    sys.stderr.flush()
    os.dup2(os.open(folder / f"stderr-{rank}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    import torch

    from llamax_cli.training import worker

    torch.set_num_threads(1)
    sys.exit(worker.run(folder))


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
    limit = time.monotonic() + 60
    while len(steps_so_far(folder)) < steps:
        assert time.monotonic() < limit
        time.sleep(0.01)


def steps_so_far(folder: Path) -> list[str]:
    """Return the lines of steps that are whole."""
    return [line for line in (folder / "metrics.jsonl").read_text().split("\n")[:-1] if '"step", ' in line]
