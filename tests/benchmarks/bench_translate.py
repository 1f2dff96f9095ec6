"""Translation by a small LLaMA: the authors' loop, our engine and CTranslate2, compared within one run.

OMP_NUM_THREADS=1 python tests/benchmarks/bench_translate.py --sentences 1012 [--device cuda]

The model has large random weights, so that beams do not tie, and a likelier EOS, so that lengths differ.
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from measure import DATA, timed

AUTHORS_BATCH = 8


def make_model(folder: Path, width: int, layers: int) -> None:
    """Write a LLaMA with the tokenizer of LLaMA-2 and random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, LlamaTokenizer

    torch.manual_seed(0)
    LlamaTokenizer.from_pretrained(DATA / "tokenizers" / "llama2").save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=32000,
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 32,
        num_key_value_heads=width // 32,
        max_position_embeddings=2048,
        bos_token_id=1,
        eos_token_id=2,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(3.0 if weights.dim() > 1 else 1.0)
        model.lm_head.weight[2] *= 2.0
    model.save_pretrained(folder)
    print(f"{sum(weights.numel() for weights in model.parameters()) / 1e6:.0f} million parameters")


def authors_loop(model: Any, prompts: list[list[int]], early: bool = False) -> list[list[int]]:
    """Translate in the order of the file, eight at a time, with `generate`."""
    import torch

    found = []
    for start in range(0, len(prompts), AUTHORS_BATCH):
        batch = prompts[start : start + AUTHORS_BATCH]
        width = max(map(len, batch))
        ids = torch.tensor([[2] * (width - len(each)) + each for each in batch], device=model.device)
        mask = torch.tensor([[0] * (width - len(each)) + [1] * len(each) for each in batch], device=model.device)
        with torch.inference_mode():
            rows = model.generate(
                ids,
                attention_mask=mask,
                num_beams=4,
                max_new_tokens=256,
                do_sample=False,
                early_stopping=early,
                eos_token_id=2,
                pad_token_id=2,
            )
        found += [row[width:].tolist() for row in rows]
    return found


def main() -> None:
    """Translate the same sentences with each method and compare times and outputs."""
    from transformers import AutoModelForCausalLM

    from llamax_cli.models.contracts import Decoding, ModelChoice, TranslationRequest
    from llamax_cli.translation.engines.registry import open_engine

    parser = argparse.ArgumentParser()
    parser.add_argument("--sentences", type=int, default=1012)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--layers", type=int, default=10)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--engines", default="authors,hf,file,ctranslate2,early")
    chosen = parser.parse_args()
    lines = (DATA / "flores101" / "devtest" / "eng.devtest").read_text(encoding="utf-8").split("\n")[:1012]
    lines = random.Random(0).sample(lines, chosen.sentences)
    requests = [TranslationRequest(line, "en", "de") for line in lines]
    with tempfile.TemporaryDirectory() as cache:
        folder = Path(cache) / "model"
        os.environ["XDG_CACHE_HOME"] = cache
        make_model(folder, chosen.width, chosen.layers)
        # As into a pipe, since nothing is kept of what the others translate, either; `file` keeps it.
        choice = ModelChoice(str(folder), template="llamax-alpaca", device=chosen.device, is_resumable=False)
        engine: Any = open_engine(choice, Decoding())
        plain = AutoModelForCausalLM.from_pretrained(folder, dtype=engine._model.dtype).to(chosen.device)
        prompts = [job.tokens for job in sorted(engine._encoder.encode(requests)[0], key=lambda job: job.index)]
        texts: dict[str, list[str]] = {}
        times: dict[str, float] = {}

        def by_engine(which: Any) -> list[str]:
            answers = dict(which.translate(requests))
            return [answers[place][0].text for place in range(len(requests))]

        methods: dict[str, Callable[[], list[str]]] = {
            "authors": lambda: [engine._encoder.hypothesis(each).text for each in authors_loop(plain, prompts)],
            "early": lambda: [engine._encoder.hypothesis(each).text for each in authors_loop(plain, prompts, True)],
            "hf": lambda: by_engine(engine),
            "file": lambda: by_engine(kept),
            "ctranslate2": lambda: by_engine(other),
        }
        if "file" in chosen.engines:
            kept: Any = open_engine(replace(choice, is_resumable=True), Decoding())
        if "ctranslate2" in chosen.engines:
            other = open_engine(replace(choice, engine="ctranslate2"), Decoding())
        for method in chosen.engines.split(","):
            times[method], texts[method] = timed(
                methods[method], time.process_time if chosen.device == "cpu" else time.perf_counter
            )
            new = sum(len(ids) for ids in engine._encoder.tokenizer(texts[method])["input_ids"])
            first = next(iter(times.values()))
            same = {known: sum(map(str.__eq__, texts[method], texts[known])) for known in texts if known != method}
            speed = f"{first / times[method]:6.2f} times; {new / times[method]:,.0f} tokens/s"
            print(f"{method:12} {times[method]:8.1f} s {speed}; same: {same}", flush=True)


if __name__ == "__main__":
    main()
