"""The extension of a model's vocabulary: a new folder with the larger tokenizer and the larger embeddings."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from torch import Tensor

from llamax_cli import __version__
from llamax_cli.analysis.embeddings import INPUT, OUTPUT, local_folder, matrix_names
from llamax_cli.analysis.texts import texts_of
from llamax_cli.errors import DataError, FileError, ModelError, UsageError
from llamax_cli.models.config_file import read_config
from llamax_cli.models.model_files import find_descriptions
from llamax_cli.models.pretrained import load_config, silence
from llamax_cli.models.safetensors_writer import DTYPES
from llamax_cli.models.weight_files import Weights, write_weights
from llamax_cli.streams.run import Run
from llamax_cli.vocabulary.embedding_rows import MEAN, NewRows, extended_matrix
from llamax_cli.vocabulary.piece_list import check_reached, read_pieces
from llamax_cli.vocabulary.piece_trainer import WordCounter, learn_pieces
from llamax_cli.vocabulary.tokenizer_files import TokenizerFiles

SAMPLE = 1000  # texts of a language by which fertility is measured
TOLD = 3  # languages whose fertility the summary line tells, at most
DIGITS = 6


@dataclass(frozen=True)
class ExtensionRequest:
    """The model, the pieces to add (a number to learn, or the file of a list), the folder to make, and its rows.

    The number of rows becomes a multiple of `multiple`.
    """

    model: str
    pieces: int | Path
    output: Path
    init: str = MEAN
    seed: int = 0
    multiple: int = 1


Texts = dict[str, list[str]]  # by language


class EmbeddingWeights:
    """The weights of a model, and which of them have a row for each token; ModelError if they cannot be extended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.weights = Weights(folder)
        entries = self.weights.entries
        inputs = matrix_names(self.weights, INPUT)
        if not inputs:
            raise ModelError(f"{folder} has no input embeddings by a name that is known ({', '.join(INPUT)})")
        self.rows = entries[inputs[0]].shape[0]
        outputs = matrix_names(self.weights, OUTPUT)
        biases = [name.removesuffix("weight") + "bias" for name in outputs]
        config = load_config(str(folder)).get_text_config()
        if not outputs and not config.tie_word_embeddings and not config.is_encoder_decoder:
            raise ModelError(f"{folder} has no output embeddings by a name that is known ({', '.join(OUTPUT)})")
        if getattr(config, "vocab_size_per_layer_input", None):
            raise ModelError(
                f"{folder} has embeddings in every layer (vocab_size_per_layer_input), and cannot be extended"
            )
        self.names = [
            name for name in (*inputs, *outputs, *biases) if name in entries and entries[name].shape[0] == self.rows
        ]
        self._check(outputs)

    def _check(self, outputs: Sequence[str]) -> None:
        entries = self.weights.entries
        for name in outputs:
            if name not in self.names:
                rows = entries[name].shape[0]
                raise ModelError(f"{self.folder}: {name} has {rows:,} rows, the input embeddings {self.rows:,}")
        for name, entry in entries.items():
            if name in self.names and not entry.dtype.is_floating_point:
                raise ModelError(f"{self.folder}: {name} is in {entry.dtype}; quantized embeddings cannot be extended")
            if entry.dtype not in DTYPES:
                raise ModelError(f"{self.folder}: {name} is in {entry.dtype}, which cannot be written")

    def write(self, folder: Path, new: NewRows) -> None:
        """Write all weights into a folder, one after another, those with a row for each token larger."""
        resized = {name: (new.total, *self.weights.entries[name].shape[1:]) for name in self.names}

        def tensor(name: str) -> Tensor:
            weight = self.weights[name]
            return extended_matrix(weight, new, f"{self.folder}: {name}") if name in resized else weight

        write_weights(folder, self.weights, tensor, resized)


def extend_vocabulary(run: Run, request: ExtensionRequest) -> None:
    """Write the folder of the extended model; it appears whole or not at all."""
    run.make(lambda: _extend(run, request), "piece")


def _extend(run: Run, request: ExtensionRequest) -> int:
    _check_output(request)
    silence()
    folder = local_folder(request.model)
    files = TokenizerFiles(folder)
    weights = EmbeddingWeights(folder)
    if weights.rows < files.next_id:
        raise ModelError(
            f"{request.model} has embeddings of {weights.rows:,} tokens, and its tokenizer has {files.next_id:,}; "
            "extend a model with its own tokenizer"
        )
    pieces, sample = _pieces(run, request, files)
    run.check_rejects()
    total = -(-max(weights.rows, files.next_id + len(pieces)) // request.multiple) * request.multiple
    sources = [files.encoding.ids(piece) for piece in pieces]
    new = NewRows(files.next_id, sources, total, request.init, request.seed)
    run.start_phase("writing")
    descriptions = find_descriptions(folder)
    with run.folder(request.output) as partial:
        stale = _copy(descriptions, folder, partial, files)
        _write_config(partial, folder, total)
        files.write(partial, pieces)
        tokenizer = files.check_written(partial, pieces)
        weights.write(partial, new)
        (partial / "README.md").write_text(_card(request, len(pieces)), encoding="utf-8")
    run.remarks.append(f"{files.next_id:,} tokens before, {files.next_id + len(pieces):,} after, {total:,} embeddings")
    if sample:
        _tell_fertility(run, sample, files.tokenizer, tokenizer)
    if stale:
        run.remarks.append(f"not copied, as it would be the old vocabulary: {', '.join(stale)}")
    run.remarks.append(str(request.output))
    return len(pieces)


def _check_output(request: ExtensionRequest) -> None:
    output = request.output
    if Path(request.model).is_dir() and output.resolve().is_relative_to(Path(request.model).resolve()):
        raise UsageError(f"--output {output} is in the folder of --model; name a folder outside of it")
    if output.exists() and output.samefile(Path()):
        raise FileError(f"{output} is the current folder; name a new folder for the model")
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise FileError(f"{output} already exists; name a new folder for the model")


def _pieces(run: Run, request: ExtensionRequest, files: TokenizerFiles) -> tuple[list[str], Texts]:
    """Return the new pieces, and texts to measure fertility by."""
    if isinstance(request.pieces, Path):
        pieces = read_pieces(request.pieces, files.encoding)
        check_reached(request.pieces, pieces, files.unreached)
        sample = _read(run, None) if run.settings.files else {}
        return pieces, sample
    counter = WordCounter(files.encoding)
    sample = _read(run, counter)
    words = counter.words(split_digits=files.splits_digits)
    if not words:
        raise DataError("there is no text to learn pieces from")
    run.start_phase("learning")
    return learn_pieces(words, request.pieces, files.encoding, files.unreached), sample


def _read(run: Run, counter: WordCounter | None) -> Texts:
    """Count the words of all texts, and return the first ones of each language."""
    sample: Texts = {}
    for texts in run.read_as(texts_of):
        for lang, text in texts:
            if counter is not None:
                counter.add(text)
            of_language = sample.setdefault(lang, [])
            if len(of_language) < SAMPLE and text.split():
                of_language.append(text)
    return {lang: texts for lang, texts in sample.items() if texts}


def _copy(descriptions: Sequence[Path], folder: Path, target: Path, files: TokenizerFiles) -> list[str]:
    """Copy what describes the model, and return the names of what would describe another vocabulary."""
    names = [str(path.relative_to(folder)) for path in descriptions]
    staying = set(files.stays(names))
    for name in staying:
        (target / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(folder / name, target / name)
    return [name for name in names if name not in staying and name not in files.written]


def _write_config(target: Path, folder: Path, rows: int) -> None:
    config = read_config(str(folder))
    inner = config.get("text_config")
    (inner if "vocab_size" not in config and isinstance(inner, dict) else config)["vocab_size"] = rows
    (target / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _tell_fertility(run: Run, sample: Texts, before: Any, after: Any) -> None:
    """Add tokens per word at white space, the mean over the sample of each language, to the figures and the summary."""
    rates = {lang: [_fertility(texts, tokenizer) for tokenizer in (before, after)] for lang, texts in sample.items()}
    run.figures["fertility"] = {
        lang: {"n": len(sample[lang]), "before": old, "after": new} for lang, (old, new) in rates.items()
    }
    if len(rates) <= TOLD:
        told = ", ".join(f"{lang} {old:.2f} to {new:.2f}" for lang, (old, new) in rates.items())
    else:
        old, new = (mean(of_all) for of_all in zip(*rates.values(), strict=True))
        told = f"{old:.2f} to {new:.2f} on average over {len(rates)} languages"
    run.remarks.append(f"fertility {told}")


def _fertility(texts: Sequence[str], tokenizer: Any) -> float:
    counts = [len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]
    return round(mean(count / len(text.split()) for count, text in zip(counts, texts, strict=True)), DIGITS)


def _card(request: ExtensionRequest, count: int) -> str:
    how: Mapping[str, str] = {
        "mean": "the mean of the embeddings of the pieces that it replaces",
        "random": f"drawn at random, seed {request.seed}",
        "zero": "zero",
    }
    return f"""---
library_name: transformers
pipeline_tag: text-generation
---

`{request.model}` with {count:,} more pieces in its vocabulary, by `llamax extend-vocab` (llamax {__version__}).
Each new embedding is {how[request.init]}; train the model before you use it.
"""
