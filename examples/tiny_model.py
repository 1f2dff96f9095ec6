"""Build a LLaMA small enough to train while you wait, to try out the commands that need a model.

    llamax convert flores101/dev --pairs en-sw,sw-en | python examples/tiny_model.py tiny-llamax

Takes pairs from files or from standard input and trains on the beginnings of their sentences with the prompt of
LLaMAX-Alpaca: some twenty seconds on one core. What it writes is mostly in the right language, and never a translation:
it takes a model ten thousand times its size to know what words mean. The same pairs make the same model on the same
machine. Its name has `llamax` in it for a reason: by that, `llamax translate` finds the prompt. The variable STEPS sets
the number of training steps.
"""

import fileinput
import json
import os
import random
import sys
from collections.abc import Iterator

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from llamax_cli.models.prompts import TEMPLATES

PROMPT = TEMPLATES["llamax-alpaca"]
PIECES = 1000
LETTERS = 80  # of a sentence
STEPS, BATCH = int(os.environ.get("STEPS", "250")), 16
PAD, BEGIN, END = 0, 1, 2
Row = tuple[list[int], list[int]]  # the tokens of a prompt, and of the answer to it


def build_tokenizer(texts: list[str], directions: list[tuple[str, str]]) -> PreTrainedTokenizerFast:
    """Return a byte-level tokenizer like LLaMA-3's, its pieces learnt from the texts.

    What the prompt of a direction says before the source is one token, so that a small model need not learn to read it.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=PIECES,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens(sorted({part for pair in directions for part in PROMPT.render("\0", *pair).split("\0")}))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", BEGIN)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>")


def build_model(pieces: int) -> LlamaForCausalLM:
    """Return an untrained LLaMA of two layers."""
    config = LlamaConfig(
        vocab_size=pieces,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=1024,
        initializer_range=0.1,
        tie_word_embeddings=False,
        pad_token_id=PAD,
        bos_token_id=BEGIN,
        eos_token_id=END,
    )
    return LlamaForCausalLM(config)


def batches(rows: list[Row]) -> Iterator[dict[str, torch.Tensor]]:
    """Yield batches for ever; only answers are learnt, a label of -100 is passed over."""
    draw = random.Random(1)
    while True:
        chosen = draw.choices(rows, k=BATCH)
        width = max(len(prompt) + len(answer) for prompt, answer in chosen)
        gaps = [width - len(prompt) - len(answer) for prompt, answer in chosen]
        ids = [prompt + answer + [PAD] * gap for (prompt, answer), gap in zip(chosen, gaps, strict=True)]
        labels = [
            [-100] * len(prompt) + answer + [-100] * gap for (prompt, answer), gap in zip(chosen, gaps, strict=True)
        ]
        yield {"input_ids": torch.tensor(ids), "labels": torch.tensor(labels)}


def train(model: LlamaForCausalLM, rows: list[Row]) -> None:
    """Train the model, the learning rate falling in a straight line."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, fused=True)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, STEPS)
    stream = batches(rows)
    for _ in range(STEPS):
        model(**next(stream)).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()


def main(folder: str, *files: str) -> None:
    """Read pairs, train, and write the model and its tokenizer as a folder of Hugging Face."""
    transformers.logging.disable_progress_bar()
    torch.manual_seed(1)
    torch.set_num_threads(1)  # sums in another order would make another model
    with fileinput.input(files or ["-"], encoding="utf-8") as lines:
        pairs = [json.loads(line) for line in lines]
    directions = [(pair["src_lang"], pair["tgt_lang"]) for pair in pairs]
    tokenizer = build_tokenizer([pair["tgt"] for pair in pairs], directions)
    prompts = [
        PROMPT.render(pair["src"][:LETTERS], *direction) for pair, direction in zip(pairs, directions, strict=True)
    ]
    answers = tokenizer([" " + pair["tgt"][:LETTERS] for pair in pairs], add_special_tokens=False)["input_ids"]
    model = build_model(len(tokenizer))
    train(model, [(p, [*a, END]) for p, a in zip(tokenizer(prompts)["input_ids"], answers, strict=True)])
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    print(f"{folder}: {model.num_parameters():,} parameters, {len(pairs):,} pairs", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python examples/tiny_model.py FOLDER [PAIRS ...]")
    main(*sys.argv[1:])
