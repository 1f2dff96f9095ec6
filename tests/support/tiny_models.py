"""Models small enough to train on the spot: they learn a made-up language in seconds, so that beams do not tie.

Sentences of English-like words are turned into another language by a change of letters. A model need not do it well; it
has to end its sentences and to prefer one word to another.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SYLLABLES = ["ka", "lo", "mi", "ren", "sta", "vo", "du", "pel", "tor", "an", "es", "ti", "bra", "no", "fu", "gel"]
INTO = {"de": str.maketrans("aeiou", "eioua"), "fr": str.maketrans("klmnprst", "mnlkstpr"), "en": {}}
STEPS = 100
PAIR_STEPS = 120


def sentences(count: int, seed: int = 0) -> list[str]:
    """Return sentences of 2 to 12 words."""
    draw = random.Random(seed)
    words = ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 3))) for _ in range(80)]
    return [" ".join(draw.choices(words, k=draw.randint(2, 12))) + "." for _ in range(count)]


def translated(sentence: str, language: str) -> str:
    """Return a sentence in another language; a longer one for a longer word."""
    return sentence.translate(INTO[language])


def llama(folder: Path, kind: str = "llama") -> Path:
    """Make a decoder with LLaMAX's prompt in a folder; `kind` is an architecture of transformers."""
    import torch
    import transformers

    from llamax_cli.models.prompts import TEMPLATES

    template = TEMPLATES["llamax-alpaca"]
    pairs = [(each, code, translated(each, code)) for each in sentences(300) for code in ("de", "fr")]
    prompts = [template.render(src, "en", code) for src, code, _ in pairs]
    tokenizer = byte_level(prompts[:50] + [target for *_, target in pairs])
    torch.manual_seed(1)
    config = transformers.AutoConfig.for_model(
        kind,
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=1024,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    model = transformers.AutoModelForCausalLM.from_config(config)
    begun = tokenizer(prompts)["input_ids"]
    ends = [tokenizer(" " + target, add_special_tokens=False)["input_ids"] for *_, target in pairs]
    rows = [(ids, [*end, tokenizer.eos_token_id]) for ids, end in zip(begun, ends, strict=True)]
    train(model, _decoder_batches(rows))
    return _saved(folder, model, tokenizer)


def nllb(folder: Path) -> Path:
    """Make an encoder-decoder that names languages as NLLB-200 does."""
    from transformers import NllbTokenizer

    pairs = [(each, code, translated(each, code)) for each in sentences(300) for code in ("de", "fr")]
    vocabulary, merges = _pieces([text for src, _, target in pairs for text in (src, target)])
    codes = {"en": "eng_Latn", "de": "deu_Latn", "fr": "fra_Latn"}
    tokenizer = NllbTokenizer(vocab=vocabulary, merges=merges, additional_special_tokens=list(codes.values()))
    model = _m2m(tokenizer)
    rows = []
    for src, code, target in pairs:
        ids = tokenizer(src)["input_ids"]
        end = tokenizer(target, add_special_tokens=False)["input_ids"]
        rows.append((ids, [tokenizer.convert_tokens_to_ids(codes[code]), *end, tokenizer.eos_token_id]))
    train(model, _pair_batches(rows), steps=PAIR_STEPS)
    return _saved(folder, model, tokenizer)


def m2m(folder: Path) -> Path:
    """Make an encoder-decoder that names languages as M2M-100 does."""
    import json

    import sentencepiece
    from transformers import M2M100Tokenizer

    pairs = [(each, code, translated(each, code)) for each in sentences(300) for code in ("de", "fr")]
    folder.mkdir()
    lines = iter([text for src, _, target in pairs for text in (src, target)])
    pieces = folder / "pieces"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines, model_prefix=str(pieces), vocab_size=200, minloglevel=2, hard_vocab_limit=False
    )
    known = sentencepiece.SentencePieceProcessor(model_file=f"{pieces}.model")
    names = ["<s>", "<pad>", "</s>", "<unk>", *(known.id_to_piece(each) for each in range(3, len(known)))]
    (folder / "vocab.json").write_text(json.dumps({name: number for number, name in enumerate(names)}))
    tokenizer = M2M100Tokenizer(str(folder / "vocab.json"), f"{pieces}.model", src_lang="en", tgt_lang="de")
    model = _m2m(tokenizer)
    rows = []
    for src, code, target in pairs:
        end = tokenizer(target, add_special_tokens=False)["input_ids"]
        rows.append((tokenizer(src)["input_ids"], [tokenizer.get_lang_id(code), *end, tokenizer.eos_token_id]))
    train(model, _pair_batches(rows), steps=PAIR_STEPS)
    return _saved(folder, model, tokenizer)


def madlad(folder: Path) -> Path:
    """Make a T5 that names the target language before the text, as MADLAD-400 does."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration, T5Tokenizer

    pairs = [(each, code, translated(each, code)) for each in sentences(300) for code in ("de", "fr")]
    vocabulary, _ = _pieces([text for src, _, target in pairs for text in (src, target)])
    names = ["<pad>", "</s>", "<unk>", "<2de>", "<2fr>", "<2en>"]
    pieces = [*names, *(name for name in vocabulary if name not in names)]
    tokenizer = T5Tokenizer(vocab=[(name, -float(place)) for place, name in enumerate(pieces)], extra_ids=0)
    tokenizer.add_tokens(names[3:], special_tokens=True)
    torch.manual_seed(1)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=64,
        d_ff=128,
        d_kv=16,
        num_layers=2,
        num_heads=4,
        dropout_rate=0.0,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    model = T5ForConditionalGeneration(config)
    rows = [(tokenizer(f"<2{code}> {src}")["input_ids"], tokenizer(target)["input_ids"]) for src, code, target in pairs]
    train(model, _pair_batches(rows), steps=PAIR_STEPS)
    return _saved(folder, model, tokenizer)


def train(model: Any, batches: Iterator[dict[str, Any]], rate: float = 3e-3, steps: int = STEPS) -> None:
    """Train a model for some steps."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, fused=True)
    torch.set_num_threads(1)  # tensors this small are slower in two
    model.train()
    for _ in range(steps):
        loss = model(**next(batches)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval()


def _decoder_batches(rows: list[tuple[list[int], list[int]]], size: int = 8) -> Iterator[dict[str, Any]]:
    import torch

    draw = random.Random(0)
    while True:
        chosen = draw.sample(rows, size)
        width = max(len(prompt) + len(answer) for prompt, answer in chosen)
        gaps = [width - len(prompt) - len(answer) for prompt, answer in chosen]
        yield {
            "input_ids": torch.tensor([[*p, *a, *[0] * gap] for (p, a), gap in zip(chosen, gaps, strict=True)]),
            "labels": torch.tensor(
                [[*[-100] * len(p), *a, *[-100] * gap] for (p, a), gap in zip(chosen, gaps, strict=True)]
            ),
        }


def _pair_batches(rows: list[tuple[list[int], list[int]]], size: int = 8) -> Iterator[dict[str, Any]]:
    import torch

    draw = random.Random(0)
    while True:
        chosen = draw.sample(rows, size)
        left, right = (max(len(row[side]) for row in chosen) for side in (0, 1))
        yield {
            "input_ids": torch.tensor([[*src, *[0] * (left - len(src))] for src, _ in chosen]),
            "attention_mask": torch.tensor([[1] * len(src) + [0] * (left - len(src)) for src, _ in chosen]),
            "labels": torch.tensor([[*target, *[-100] * (right - len(target))] for _, target in chosen]),
        }


def _m2m(tokenizer: Any) -> Any:
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration

    torch.manual_seed(1)
    config = M2M100Config(
        vocab_size=len(tokenizer) + 120,  # M2M-100 has its languages besides
        d_model=64,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=128,
        decoder_ffn_dim=128,
        max_position_embeddings=256,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
        dropout=0.0,
        encoder_layerdrop=0.0,
        decoder_layerdrop=0.0,
    )
    return M2M100ForConditionalGeneration(config)


def byte_level(texts: list[str]) -> Any:
    """Return a tokenizer like LLaMA-3's, with tokens learnt from the texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", padding_side="left"
    )


def _pieces(texts: list[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return a vocabulary and merges with `▁` for spaces."""
    import json

    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=150, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(merge) for merge in model["merges"]]


def _saved(folder: Path, model: Any, tokenizer: Any) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


MAKERS: dict[str, Callable[[Path], Path]] = {
    "llama": llama,
    "qwen2": lambda folder: llama(folder, "qwen2"),
    "m2m100": m2m,
    "nllb": nllb,
    "madlad": madlad,
}
