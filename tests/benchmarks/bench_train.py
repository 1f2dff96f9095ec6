"""How fast training is, how full its blocks are, how quickly it resumes, and whether a small model learns.

    python tests/benchmarks/bench_train.py throughput packing index learning

`throughput` compares with the library's model on padded batches of 32, in random order as in the paper and grouped by
length, on the same documents: LLaMA-2 tokens of FLORES-101 pairs in many languages. `learning` trains a small LLaMA
from scratch on Multi30k, English to German, and takes some minutes.
"""

import argparse
import itertools
import json
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measure import DATA, LLAMAX, timed

from llamax_cli.config import Training
from llamax_cli.models import causal_lm
from llamax_cli.models.causal_lm import CausalLM
from llamax_cli.models.packed_batch import make_batch
from llamax_cli.models.pretrained import load_tokenizer
from llamax_cli.models.sample_encoding import Encoded, Encoder, encoder_of
from llamax_cli.models.samples import Sample
from llamax_cli.training.dataset import Cache, Dataset, open_sample_file
from llamax_cli.training.optimizer import make_optimizer
from llamax_cli.training.packing import pack
from llamax_cli.training.sampler import open_plan

BLOCK = 2048


def sentences() -> dict[str, list[str]]:
    """Return the lines of each language of FLORES-101 devtest."""
    files = sorted((DATA / "flores101" / "devtest").iterdir())
    return {path.name.partition(".")[0]: path.read_text(encoding="utf-8").splitlines() for path in files}


def pairs(count: int, seed: int = 0) -> list[Sample]:
    """Return connected pairs of English and another language, drawn at random."""
    chance, lines = random.Random(seed), sentences()
    codes = [code for code in lines if code != "eng"]
    drawn = [(chance.choice(codes), chance.randrange(1012)) for _ in range(count)]
    return [Sample(f"{lines['eng'][line]} {lines[code][line]}", tgt_lang=code) for code, line in drawn]


def llama2() -> Encoder:
    """Return the encoder of LLaMA-2."""
    return encoder_of(load_tokenizer(str(DATA / "tokenizers" / "llama2")), "llama2")


# -- throughput --------------------------------------------------------------------------------------------------------


def small_model(layers: int = 4, hidden: int = 256) -> Any:
    """Return a LLaMA of some million weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    facts = {"hidden_size": hidden, "intermediate_size": 3 * hidden, "num_hidden_layers": layers}
    return LlamaForCausalLM(LlamaConfig(vocab_size=32000, num_attention_heads=hidden // 64, **facts)).train()


def padded(documents: Sequence[Encoded]) -> dict[str, torch.Tensor]:
    """Return a padded batch in the library's form."""
    longest = max(len(each.tokens) for each in documents)

    def rows(values: Iterator[list[int]], filler: int) -> torch.Tensor:
        return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in values])

    labels = ([t if wanted else -100 for t, wanted in zip(*each, strict=True)] for each in documents)
    return {
        "input_ids": rows((each.tokens for each in documents), 0),
        "attention_mask": rows(([1] * len(each.tokens) for each in documents), 0),
        "labels": rows(labels, -100),
    }


def with_padding(documents: Sequence[Encoded]) -> tuple[float, float]:
    """Train on batches of 32 in the given order; return the seconds and the mean loss."""
    model = small_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, fused=True)
    total = learned = 0.0
    start = time.perf_counter()
    for at in range(0, len(documents), 32):
        chosen = documents[at : at + 32]
        loss = model(**padded(chosen), use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        count = sum(sum(each.learned[1:]) for each in chosen)
        total, learned = total + loss.item() * count, learned + count
    return time.perf_counter() - start, total / learned


def with_packing(documents: Sequence[Encoded]) -> tuple[float, float]:
    """Train on packed blocks, two at a time, which hold about 32 of these documents; return the same."""
    training = Training(gradient_checkpointing=False, learning_rate=0.0)
    model = CausalLM(causal_lm.prepare_for_training(small_model(), training), training.loss_chunk)
    optimizer = make_optimizer(model, training)
    total = learned = 0.0
    start = time.perf_counter()
    bins = pack(np.array([len(each.tokens) for each in documents]), BLOCK)
    for at in range(0, len(bins), 2):
        numbers = bins.items[bins.starts[at] : bins.starts[min(at + 2, len(bins))]].tolist()
        chosen = [documents[number] for number in numbers]
        losses = model(make_batch(chosen, numbers, [Sample("")] * len(chosen)))
        (losses.sum() / len(losses)).backward()
        optimizer.step()
        optimizer.zero_grad()
        total, learned = total + float(losses.detach().sum()), learned + len(losses)
    return time.perf_counter() - start, total / learned


def throughput(count: int) -> None:
    """Print tokens a second, without padding, and the loss of each way to batch."""
    documents = [each for each in llama2().encode(pairs(count)) if len(each.tokens) <= BLOCK]
    tokens = sum(len(each.tokens) for each in documents)
    grouped = sorted(documents, key=lambda each: len(each.tokens))
    batchings: list[tuple[str, Callable[[Sequence[Encoded]], tuple[float, float]], Sequence[Encoded]]] = [
        ("padded, 32 at random", with_padding, documents),
        ("padded, 32 of like length", with_padding, grouped),
        ("packed", with_packing, documents),
    ]
    print(f"{len(documents)} documents, {tokens:,} tokens")
    with_packing(documents[:64])
    for name, train, given in batchings:
        seconds, loss = train(given)
        print(f"{name:<26} {tokens / seconds:8,.0f} tokens/s  loss {loss:.7f}")


# -- data --------------------------------------------------------------------------------------------------------------


def packing(count: int) -> None:
    """Print how full the blocks of real sentences are, and how long packing a million lengths takes."""
    lengths = np.array([length for length, *_ in llama2().measure(pairs(count))])
    lengths = lengths[lengths <= BLOCK]
    bins = pack(lengths, BLOCK)
    print(f"{count:,} pairs: {100 * lengths.sum() / len(bins) / BLOCK:.2f}% of the slots filled")
    many = np.random.Generator(np.random.Philox(0)).choice(lengths, 1_000_000)
    seconds, bins = timed(lambda: pack(many, BLOCK), time.perf_counter)
    print(f"1,000,000 lengths packed in {seconds:.2f} s, {100 * many.sum() / len(bins) / BLOCK:.2f}% filled")


def index(count: int) -> None:
    """Print how long it takes to index a million records, and to read the last block of the order on resuming."""
    with tempfile.TemporaryDirectory() as folder:
        path, cache = Path(folder) / "mix.jsonl", Cache(Path(folder) / "cache")
        texts = [json.dumps({"prompt": "", "completion": each.completion, "id": "x"}) for each in pairs(10_000)]
        with path.open("w") as file:
            for line in itertools.islice(itertools.cycle(texts), count):
                file.write(line + "\n")
        path.read_bytes()  # from memory, not from the disk
        seconds, source = timed(lambda: open_sample_file(path, cache), time.perf_counter)
        print(f"{len(source):,} records, {path.stat().st_size / 1e6:,.0f} MB, indexed and hashed in {seconds:.2f} s")
        lengths = np.random.Generator(np.random.Philox(1)).integers(20, 400, count)
        open_plan(cache, (lengths, lengths), [source.digest], BLOCK, 0, 0)
        start = time.perf_counter()
        samples = Dataset([open_sample_file(path, cache)])
        plan = open_plan(cache, (lengths, lengths), [source.digest], BLOCK, 0, 0)
        samples[plan.records(len(plan) - 1)[-1]]
        print(f"last block read again after {1000 * (time.perf_counter() - start):.1f} ms")


# -- learning ----------------------------------------------------------------------------------------------------------


def learn(epochs: int) -> None:
    """Print the held-out loss and spBLEU of a small LLaMA before and after training on Multi30k."""
    from transformers import LlamaConfig

    folder = Path(tempfile.mkdtemp(prefix="llamax-learning-"))
    words = bilingual_tokenizer()
    LlamaConfig(
        vocab_size=len(words),
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
    ).save_pretrained(folder / "start")
    words.save_pretrained(folder / "start")
    for split in ("train", "val"):
        samples = [
            {"prompt": source, "completion": f" = {target}", "id": f"{split}:{n}", "src_lang": "en", "tgt_lang": "de"}
            for n, (source, target) in enumerate(multi30k(split))
        ]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in samples))
    settings = {"block": 512, "batch": 4, "micro_batch": 4, "epochs": epochs, "learning_rate": 4e-3, "log_every": 50}
    more = {"gradient_checkpointing": "false", "checkpoint_every": 0, "validation": str(folder / "val.jsonl")}
    given = [f"--set={key}={value}" for key, value in {**settings, **more}.items()]
    command = ["--model", str(folder / "start"), "--init", "--data", str(folder / "train.jsonl"), *given]
    for name, limit in (("untrained", ["--set=stop_after=1", "--set=learning_rate=0.0"]), ("trained", [])):
        run = [*LLAMAX, "train", *command, *limit, "-o", str(folder / name)]
        start = time.perf_counter()
        subprocess.run(run, check=True)
        seconds = time.perf_counter() - start
        lines = map(json.loads, (folder / name / "metrics.jsonl").read_text().splitlines())
        loss = [line["loss"] for line in lines if line["event"] == "validation"][-1]
        print(f"{name:<10} loss {loss:.3f}, spBLEU {spbleu(folder / name / 'model'):.1f}, {seconds:.0f} s")


def multi30k(split: str) -> list[tuple[str, str]]:
    """Return the English and German lines of a split."""
    name = {"test": "test_2016_flickr"}.get(split, split)
    files = ((DATA / "multi30k" / f"{name}.{code}").read_text(encoding="utf-8").splitlines() for code in ("en", "de"))
    return list(zip(*files, strict=True))


def bilingual_tokenizer() -> Any:
    """Return a byte-level tokenizer of 4,000 pieces, learned on the training split."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    backend = ByteLevelBPETokenizer()
    texts = itertools.chain.from_iterable(multi30k("train"))
    backend.train_from_iterator(texts, 4000, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False)
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", pad_token="</s>")


def spbleu(model: Path, count: int = 200) -> float:
    """Return spBLEU of greedy translations of the first test sentences."""
    os.environ["SACREBLEU"] = str(DATA / "sacrebleu")  # which is read at the import
    import sacrebleu
    from transformers import AutoModelForCausalLM, AutoTokenizer

    words, trained = AutoTokenizer.from_pretrained(model), AutoModelForCausalLM.from_pretrained(model).eval()
    words.padding_side = "left"
    test = multi30k("test")[:count]
    answers: list[str] = []
    for at in range(0, len(test), 50):
        prompts = [f"{words.bos_token}{source} =" for source, _ in test[at : at + 50]]
        given = words(prompts, return_tensors="pt", padding=True, add_special_tokens=False, return_token_type_ids=False)
        made = trained.generate(**given, max_new_tokens=60, do_sample=False)
        answers += words.batch_decode(made[:, given["input_ids"].shape[1] :], skip_special_tokens=True)
    references = [[target for _, target in test]]
    return float(sacrebleu.corpus_bleu([each.strip() for each in answers], references, tokenize="flores200").score)


def main() -> None:
    """Run the named parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=("throughput", "packing", "index", "learning"))
    parser.add_argument("--documents", type=int, default=96)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--epochs", type=int, default=4)
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))
    parts = {
        "throughput": lambda: throughput(given.documents),
        "packing": lambda: packing(20_000),
        "index": lambda: index(given.records),
        "learning": lambda: learn(given.epochs),
    }
    for part in given.parts:
        parts[part]()


if __name__ == "__main__":
    main()
