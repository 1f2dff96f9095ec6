"""Tokens per second of translation by each engine and by plain `generate`, and whether they write the same.

All decode with 4 beams the same 1,012 sentences, with a 1B of random weights and with SmolLM2-135M-Instruct. Plain
`generate`, in batches of 8 in the order of the file, and vLLM have a part of them. Only the tokens of the best
translation count.
"""

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from support.tiny_models import llama
from transformers import LlamaForCausalLM

from gpu.checks import Bench, Check, Figure, need_package
from gpu.models import config, smollm2, sources, tokenizer
from gpu.processes import in_child
from llamax_cli.models.contracts import Decoding, ModelChoice, TranslationRequest
from llamax_cli.models.gguf import model_folder
from llamax_cli.models.pretrained import load_tokenizer
from llamax_cli.translation.engines.registry import open_engine

BEAM, LONGEST = 4, 128
WHOLE, PART, SLOW_PART = 1012, 256, 64  # sentences; for vLLM, and for `generate`
GENERATE_BATCH = 8
GOAL = 4.0  # times as fast
Models = dict[str, Callable[[Bench], ModelChoice]]


def big(bench: Bench) -> ModelChoice:
    """Return a 1B with weights so large that beams do not tie, and a likely end of sentence; on a CPU a tiny one."""
    folder = bench.work / "models" / "translation"
    if not folder.exists():
        if bench.is_cpu:
            llama(folder)
        else:
            _write_big(bench, folder)
    return ModelChoice(str(folder), template="llamax-alpaca", device=bench.device)


def _write_big(bench: Bench, folder: Path) -> None:
    words = tokenizer(bench)
    ends = {"bos_token_id": words.bos_token_id, "eos_token_id": words.eos_token_id}
    torch.manual_seed(0)
    with torch.device(bench.device):
        model: Any = LlamaForCausalLM(config("1b", vocab_size=len(words), tie_word_embeddings=False, **ends))
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(3.0 if weights.dim() > 1 else 1.0)
        model.lm_head.weight[words.eos_token_id] *= 2.0
    model.to(torch.bfloat16).save_pretrained(folder)
    words.save_pretrained(folder)


def small(bench: Bench) -> ModelChoice:
    """Return SmolLM2, which is unpacked from its GGUF file on first use, as by `--model FILE.gguf`."""
    need_package("gguf")
    return ModelChoice(model_folder(str(smollm2(bench))), template="chat", device=bench.device)


MODELS: Models = {"1b": big, "smollm2": small}


def requests(bench: Bench, count: int) -> list[TranslationRequest]:
    """Return sentences to translate; 6 on a CPU."""
    return [TranslationRequest(line, "en", "de") for line in sources(6 if bench.is_cpu else count)]


def decoding(bench: Bench) -> Decoding:
    """Return 4 beams, and a limit to the length for the sake of `generate`."""
    return Decoding(beam=BEAM, max_new_tokens=12 if bench.is_cpu else LONGEST)


def by_engine(bench: Bench, choice: ModelChoice, count: int) -> tuple[float, list[str]]:
    """Return the tokens per second of an engine, after some sentences to warm up, and its translations."""
    engine, given = open_engine(choice, decoding(bench)), requests(bench, count)
    list(engine.translate(given[:16]))
    start = time.perf_counter()
    answers = dict(engine.translate(given))
    seconds = time.perf_counter() - start
    texts = [answers[place][0].text for place in range(len(given))]  # type: ignore[index]
    engine.close()
    return _token_count(choice, texts) / seconds, texts


def by_generate(bench: Bench, choice: ModelChoice, count: int) -> tuple[float, list[str]]:
    """Return the same of transformers' `generate`, with the model, prompts and special tokens of our engine."""
    engine: Any = open_engine(choice, decoding(bench))
    encoder, model = engine._encoder, engine._model
    prompts = [each.tokens for each in sorted(encoder.encode(requests(bench, count))[0], key=lambda each: each.index)]
    pad, found = encoder.eos[0], []
    start = time.perf_counter()
    for at in range(0, len(prompts), GENERATE_BATCH):
        batch = prompts[at : at + GENERATE_BATCH]
        width = max(map(len, batch))
        ids = torch.tensor([[pad] * (width - len(each)) + each for each in batch], device=model.device)
        mask = torch.tensor([[0] * (width - len(each)) + [1] * len(each) for each in batch], device=model.device)
        limits = {"num_beams": BEAM, "max_new_tokens": decoding(bench).max_new_tokens, "do_sample": False}
        with torch.inference_mode():
            rows = model.generate(ids, attention_mask=mask, eos_token_id=encoder.eos, pad_token_id=pad, **limits)
        found += [encoder.hypothesis(_until(row[width:].tolist(), encoder.eos)).text for row in rows]
    return _token_count(choice, found) / (time.perf_counter() - start), found


def _until(ids: list[int], ends: list[int]) -> list[int]:
    """Return a sequence without the padding after its end."""
    end = next((place for place, token in enumerate(ids) if token in ends), len(ids))
    return ids[: end + 1]


def _token_count(choice: ModelChoice, texts: list[str]) -> int:
    words = load_tokenizer(choice.model)
    return sum(len(ids) for ids in words(texts, add_special_tokens=False)["input_ids"])


def apart(work: Callable[[], tuple[float, list[str]]]) -> tuple[float, list[str]]:
    """Return what work returns in a process of its own, which then leaves the card; RuntimeError if it fails."""
    kind, result = in_child(work, 600)
    if kind != "done":
        raise RuntimeError(str(result))
    rate, texts = result
    return rate, texts


def rate(bench: Bench, choice: ModelChoice) -> Figure:
    """Return the tokens per second of our own engine on all sentences."""
    tokens_per_second, texts = by_engine(bench, choice, WHOLE)
    return Figure(tokens_per_second, f"{len(texts)} sentences, {sum(map(bool, texts))} with a translation")


def against_generate(bench: Bench, choice: ModelChoice) -> Figure:
    """Return how many times as fast as plain `generate` our engine is."""
    ours, _ = apart(lambda: by_engine(bench, choice, WHOLE))
    theirs, _ = apart(lambda: by_generate(bench, choice, SLOW_PART))
    return Figure(ours / theirs, f"{ours:,.0f} and {theirs:,.0f} tokens/s")


def against_vllm(bench: Bench, choice: ModelChoice) -> Figure:
    """Return how many times as fast as vLLM's beam search our engine is."""
    need_package("vllm")
    bench.need_gpu()
    ours, _ = apart(lambda: by_engine(bench, choice, WHOLE))
    theirs, _ = apart(lambda: by_engine(bench, replace(choice, engine="vllm"), PART))
    return Figure(ours / theirs, f"{ours:,.0f} and {theirs:,.0f} tokens/s")


def against_ctranslate2(bench: Bench, choice: ModelChoice) -> Figure:
    """Return how many times as fast as CTranslate2 our engine is, in the same number format."""
    need_package("ctranslate2")
    choice = replace(choice, dtype="float32" if bench.is_cpu else "bfloat16")
    ours, texts = apart(lambda: by_engine(bench, choice, WHOLE))
    theirs, others = apart(lambda: by_engine(bench, replace(choice, engine="ctranslate2"), WHOLE))
    return Figure(ours / theirs, f"{ours:,.0f} and {theirs:,.0f} tokens/s; {_same(texts, others):.1%} equal")


def equal_in_fp32(bench: Bench, choice: ModelChoice) -> Figure:
    """Return how many percent of the translations in fp32 are those of plain `generate`."""
    choice = replace(choice, dtype="float32")
    _, ours = apart(lambda: by_engine(bench, choice, SLOW_PART))
    _, theirs = apart(lambda: by_generate(bench, choice, SLOW_PART))
    return Figure(100 * _same(ours, theirs), f"of {len(ours)}")


def _same(texts: list[str], others: list[str]) -> float:
    return sum(map(str.__eq__, texts, others)) / len(texts)


def vllm_command(bench: Bench) -> Figure:
    """Run `llamax translate --engine vllm` once, greedily, and count what it translates."""
    need_package("vllm")
    bench.need_gpu()
    path = bench.work / "sentences.jsonl"
    lines = [{"src": line, "src_lang": "en", "tgt_lang": "de"} for line in sources(PART)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [sys.executable, "-m", "llamax_cli", "translate", str(path), "--model", big(bench).model, "--beam", "1"]
    command += ["--engine", "vllm", "--template", "llamax-alpaca", "--max-new-tokens", "64"]
    written = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return Figure(sum("mt" in json.loads(line) for line in written))


def halving(bench: Bench) -> Figure:
    """Translate with most of the card taken by something else: batches are halved, and all is translated."""
    bench.need_gpu()
    choice = replace(big(bench), dtype="float32")
    _, expected = apart(lambda: by_engine(bench, choice, PART))
    engine: Any = open_engine(choice, decoding(bench))
    given, whole = requests(bench, PART), engine._budget
    free, _ = torch.cuda.mem_get_info()
    ballast = torch.empty(max(0, int(free - 1.5e9)), dtype=torch.uint8, device="cuda")
    answers = dict(engine.translate(given))
    texts = [answers[place][0].text for place in range(len(given))]
    note = f"with {ballast.numel() / 1e9:.1f} GB taken; {_same(texts, expected):.1%} of {len(texts)} as without"
    return Figure(math.log2(whole / engine._budget), note)


def _ratio(name: str, what: str, measure: Callable[[Bench], Figure], least: float | None = None) -> Check:
    return Check(name, what, measure, "times", least=least, is_for_trials=False, limit=400)


def _checks(name: str, choose: Callable[[Bench], ModelChoice]) -> Iterator[Check]:
    def of(measure: Callable[[Bench, ModelChoice], Figure]) -> Callable[[Bench], Figure]:
        return lambda bench: measure(bench, choose(bench))

    yield Check(name, f"{name}: `llamax translate`", of(rate), "tokens/s")
    what = f"{name}: `llamax translate` over"
    yield _ratio(f"{name}-generate", f"{what} plain `generate`", of(against_generate), GOAL)
    yield _ratio(f"{name}-vllm", f"{what} vLLM's beam search", of(against_vllm), GOAL)
    yield _ratio(f"{name}-ctranslate2", f"{what} CTranslate2", of(against_ctranslate2))
    yield Check(
        f"{name}-equal", f"{name}: translations equal to `generate`'s in fp32", of(equal_in_fp32), "%", least=99
    )


CHECKS = (
    *(check for name, choose in MODELS.items() for check in _checks(name, choose)),
    Check("vllm-command", "sentences by `--engine vllm`", vllm_command, least=PART, most=PART),
    Check("halving", "halvings of a batch that does not fit", halving, least=1),
)
