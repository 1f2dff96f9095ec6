"""Vectors of sentences: means over the embeddings of their tokens, or over the states of a layer."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag, normalize

from llamax_cli.analysis.embeddings import input_embeddings, output_embeddings
from llamax_cli.errors import ModelError, UsageError
from llamax_cli.models import pretrained
from llamax_cli.models.config_file import check_model_path
from llamax_cli.models.loading import find_device, find_dtype

EMBEDDING, OUTPUT, SENTENCE = LAYERS = ("embedding", "output", "sentence")
ROWS = 4096  # of a matrix that are checked at once
BATCH_TOKENS = 8192  # padding counted
UNBOUNDED = 10**6  # a tokenizer that claims to take more takes anything


class EncoderChoice(NamedTuple):
    """Which model encodes, with which layer (one of LAYERS or a number), on which device."""

    model: str
    layer: str = EMBEDDING
    prefix: str = ""
    device: str = "auto"
    dtype: str = "auto"
    trust_remote_code: bool = False


# Returns a vector of unit length for each text, texts x dimensions in float32; zeros for a text without tokens.
Encode = Callable[[Sequence[str]], Tensor]


def load_encoder(choice: EncoderChoice) -> Encode:
    """Return the function that encodes texts; ModelError where the model cannot, UsageError for an unknown layer."""
    if choice.layer not in LAYERS and not choice.layer.isdecimal():
        raise UsageError(f"--layer {choice.layer} is unknown; have: {', '.join(LAYERS)}, or the number of a layer")
    check_model_path(choice.model)
    pretrained.silence()
    tokenizer = pretrained.load_tokenizer(choice.model, trust_remote_code=choice.trust_remote_code)
    if choice.layer in (EMBEDDING, OUTPUT):
        matrix = (input_embeddings if choice.layer == EMBEDDING else output_embeddings)(choice.model)
        return _Embeddings(choice, tokenizer, matrix.rows)
    return _States(choice, tokenizer)


class _Embeddings:
    """Means over the rows of a matrix, without special tokens, as in the authors' code."""

    def __init__(self, choice: EncoderChoice, tokenizer: Any, matrix: Tensor) -> None:
        # In parts, since the sum makes float32 of all that it adds.
        if not all(torch.isfinite(rows.sum(dtype=torch.float32)) for rows in torch.split(matrix, ROWS)):
            raise ModelError(f"{choice.model}: its {choice.layer} embeddings have values that are not finite")
        self._choice = choice
        self._tokenizer = tokenizer
        self._matrix = matrix

    def __call__(self, texts: Sequence[str]) -> Tensor:
        lists = self._tokenizer([self._choice.prefix + text for text in texts], add_special_tokens=False)["input_ids"]
        ids = torch.tensor([token for tokens in lists for token in tokens], dtype=torch.int64)
        if len(ids) and int(ids.max()) >= len(self._matrix):
            raise ModelError(
                f"{self._choice.model}: its tokenizer has token {int(ids.max())}, "
                f"but there are only {len(self._matrix):,} embeddings"
            )
        starts = torch.tensor([0, *map(len, lists)][:-1]).cumsum(0)
        # Only the rows in use, since float32 of all of a large vocabulary takes gigabytes.
        used, places = torch.unique(ids, return_inverse=True)
        return normalize(embedding_bag(places, self._matrix[used].float(), starts, mode="mean"), dim=1)


class _States:
    """Means over the states of a layer; those of `sentence` are the last ones, special tokens included.

    A hidden layer leaves special tokens out, because the first state of many decoders is far from all others. Sentence
    encoders were trained with the mean over all tokens (Reimers and Gurevych, 2019).
    """

    def __init__(self, choice: EncoderChoice, tokenizer: Any) -> None:
        import transformers

        self._choice = choice
        self._tokenizer = tokenizer
        self._device = find_device(choice.device)
        config = pretrained.load_config(choice.model, trust_remote_code=choice.trust_remote_code)
        layers = getattr(config, "num_hidden_layers", 0)
        if choice.layer != SENTENCE and int(choice.layer) > layers:
            raise UsageError(f"--layer {choice.layer}: {choice.model} has layers up to {layers}")
        model = pretrained.load_weights(
            transformers.AutoModel,
            choice.model,
            trust_remote_code=choice.trust_remote_code,
            dtype=find_dtype(choice.dtype, self._device),
        )
        self._model = (model.get_encoder() if config.is_encoder_decoder else model).to(self._device).eval()
        limits = tokenizer.model_max_length, getattr(config, "max_position_embeddings", UNBOUNDED)
        self._longest = min(*limits, UNBOUNDED)
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token  # masked, so any token does
        tokenizer.padding_side = "right"

    def __call__(self, texts: Sequence[str]) -> Tensor:
        encoded = self._tokenizer(
            [self._choice.prefix + text for text in texts],
            truncation=self._longest < UNBOUNDED,
            max_length=self._longest if self._longest < UNBOUNDED else None,
            return_special_tokens_mask=True,
        )
        means: list[tuple[int, Tensor]] = []
        for batch in _batches(encoded["input_ids"]):
            of_batch = {key: [values[place] for place in batch] for key, values in encoded.items()}
            means += zip(batch, self._means(of_batch), strict=True)
        means.sort(key=lambda mean: mean[0])
        return normalize(torch.stack([mean for _, mean in means]), dim=1)

    @torch.inference_mode()
    def _means(self, encoded: dict[str, list[list[int]]]) -> Tensor:
        padded = self._tokenizer.pad(encoded, return_tensors="pt")
        special = padded.pop("special_tokens_mask").to(self._device)
        padded = {key: value.to(self._device) for key, value in padded.items()}
        mask = padded["attention_mask"]
        states = self._model(**padded, output_hidden_states=self._choice.layer != SENTENCE)
        if self._choice.layer == SENTENCE:
            chosen = states.last_hidden_state
        else:
            chosen, mask = states.hidden_states[int(self._choice.layer)], mask * (1 - special)
        weights = mask.unsqueeze(2).float()
        means: Tensor = (chosen.float() * weights).sum(1) / weights.sum(1).clamp(min=1)
        return means.cpu()


def _batches(lists: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Yield the places of texts of like length together, at most BATCH_TOKENS with padding."""
    batch: list[int] = []
    for place in sorted(range(len(lists)), key=lambda place: len(lists[place])):
        if batch and (len(batch) + 1) * len(lists[place]) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
