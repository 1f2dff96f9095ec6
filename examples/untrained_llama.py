"""Build a LLaMA of a million weights that has learnt nothing, and its SentencePiece tokenizer, for texts of few words.

    llamax convert train.* --mono '*' | python examples/untrained_llama.py FOLDER
    llamax convert train.* --mono '*' | python examples/untrained_llama.py FOLDER 3 64

Takes texts from standard input. `llamax train --model FOLDER --init` trains it. The numbers after FOLDER are those of
layers and of hidden units, 4 and 128 unless said.
"""

import json
import sys
from itertools import permutations
from pathlib import Path

import torch
import transformers
from sentencepiece import SentencePieceTrainer

from llamax_cli.augmentation.segmenters import package_splitter
from llamax_cli.models.prompts import PLACEHOLDER, TEMPLATES, language_name

PIECES = 2000
BORDER = "\u0001"  # no piece crosses it
HEADS = 4
POSITIONS = 1024


def words(text: str) -> list[str]:
    """Return the words of a Chinese text, as `llamax augment` finds them."""
    return package_splitter("jieba")(text)[0]


def write_tokenizer(records: list[dict[str, str]], folder: Path) -> None:
    """Write a tokenizer like LLaMA-2's, its pieces learnt from the texts.

    Texts are learnt with and without a space before them, as they stand after a prompt and in it. What the prompt of
    LLaMAX-Alpaca says around a sentence is one piece each, so that a small model need not learn to read it.
    """
    lines = [BORDER.join(words(each["text"])) if each["lang"] == "zh" else each["text"] for each in records]
    names = [language_name(code, "authors") for code in sorted({each["lang"] for each in records})]
    lines += [f"{source} to {target}" for source, target in permutations(names, 2)] * 20
    SentencePieceTrainer.train(
        sentence_iterator=(start + line for line in lines for start in ("", " ")),
        model_prefix=str(folder / "tokenizer"),
        model_type="bpe",
        vocab_size=PIECES,
        character_coverage=1.0,
        byte_fallback=True,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        pretokenization_delimiter=BORDER,
        user_defined_symbols=[part for part in PLACEHOLDER.split(TEMPLATES["llamax-alpaca"].text) if "\n" in part],
        minloglevel=2,
    )
    facts = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_prefix_space": False}
    marks = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(facts | marks, indent=1) + "\n")


def write_model(folder: Path, layers: int, hidden: int) -> int:
    """Write a LLaMA with weights drawn at random; return their number."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=PIECES,
        hidden_size=hidden,
        intermediate_size=3 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=HEADS,
        max_position_embeddings=POSITIONS,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
    )
    model = transformers.LlamaForCausalLM(config)
    model.save_pretrained(folder)
    return model.num_parameters()


def main(folder: Path, layers: int = 4, hidden: int = 128) -> None:
    """Write tokenizer and model into a folder."""
    transformers.logging.disable_progress_bar()
    folder.mkdir(parents=True, exist_ok=True)
    write_tokenizer([json.loads(line) for line in sys.stdin], folder)
    weights = write_model(folder, layers, hidden)
    print(f"{folder}: {weights:,} weights, {PIECES:,} pieces", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 4):
        sys.exit("usage: python examples/untrained_llama.py FOLDER [LAYERS HIDDEN] < texts.jsonl")
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
