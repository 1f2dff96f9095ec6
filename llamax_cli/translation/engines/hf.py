"""Translation by a model of Hugging Face: our own beam search where it fits the model, `generate` elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from transformers import GenerationConfig

from llamax_cli.errors import ModelError
from llamax_cli.models import loading, prefix_attention
from llamax_cli.models.batching import EncodedRequest, Pace, batches, paced, token_budget
from llamax_cli.models.beam_search import BeamSearch
from llamax_cli.models.contracts import GROUP, Answer, Decoding, ModelChoice, TranslationRequest
from llamax_cli.models.group_adapters import GroupAdapters
from llamax_cli.models.request_encoding import load_encoder
from llamax_cli.translation.engines.hf_generate import generate


class HfEngine:
    """A model of transformers in this process."""

    def __init__(self, choice: ModelChoice, decoding: Decoding) -> None:
        config, self._encoder = load_encoder(choice, decoding)
        self._adapters: GroupAdapters | None = None
        if choice.lora is not None and GROUP in choice.lora:
            self._model = loading.load_model(replace(choice, lora=None), config)
            self._adapters = GroupAdapters(self._model, choice.lora)
        else:
            self._model = loading.load_model(choice, config)
        self._decoding = decoding
        self._ignore_generation_config(config)
        on_cpu = self._model.device.type == "cpu"
        self._budget = token_budget(choice.batch_tokens, on_cpu=on_cpu)
        self._pace = Pace.of_tokens(self._budget, on_cpu=on_cpu, is_resumable=choice.is_resumable)
        self._window = getattr(config, "sliding_window", None)
        self._search = self._beam_search(config, is_on_one_device=choice.device != "all")

    def _ignore_generation_config(self, config: Any) -> None:
        """Keep only the special tokens of the model's generation settings: how to decode is for the flags to say."""
        settings = self._model.generation_config
        self._encoder.eos = sorted({*self._encoder.eos, *_as_list(settings.eos_token_id)})
        start = settings.decoder_start_token_id
        if start is None:
            start = getattr(config, "decoder_start_token_id", None)
        self._model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
            decoder_start_token_id=start
        )

    def _beam_search(self, config: Any, *, is_on_one_device: bool) -> BeamSearch | None:
        """Return our own search if it supports the model's attention, otherwise None."""
        layers = set(getattr(config, "layer_types", None) or ["full_attention"])
        is_supported = config.model_type in prefix_attention.ARCHITECTURES and (
            layers == {"full_attention"} or self._window
        )
        if not is_supported or self._decoding.sample or not is_on_one_device:
            return None
        return BeamSearch(self._model, self._encoder.eos, self._decoding.beam)

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield (index, hypotheses) batch by batch, the batch of the first request first."""
        return self._encoder.answers(requests, partial(self._decode_all, requests))

    def _decode_all(
        self, requests: Sequence[TranslationRequest], encoded: list[EncodedRequest]
    ) -> Iterator[tuple[EncodedRequest, list[list[int]]]]:
        beams = self._decoding.nbest if self._decoding.sample else self._decoding.beam
        for group in dict.fromkeys(request.group for request in encoded):
            if self._adapters is not None:
                self._adapters.use(group)
            of_group = [request for request in encoded if request.group == group]
            for batch in paced(batches(of_group, self._budget, beams), beams, self._pace):
                yield from self._decode_in_memory(batch, requests)

    def _decode_in_memory(
        self, batch: list[EncodedRequest], requests: Sequence[TranslationRequest]
    ) -> Iterator[tuple[EncodedRequest, list[list[int]]]]:
        """Decode a batch, in halves if it does not fit into memory."""
        try:
            decoded = self._decode(batch, requests)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            decoded = None
        if decoded is not None:
            for request, sequences in zip(batch, decoded, strict=True):
                yield request, sequences[: self._decoding.nbest]
            return
        # Outside the handler, so that the error no longer keeps tensors in memory.
        if len(batch) == 1:
            raise ModelError("a single sentence does not fit into memory; try --beam, --dtype or --quantize")
        self._budget //= 2  # for later windows
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        for half in (batch[: len(batch) // 2], batch[len(batch) // 2 :]):
            yield from self._decode_in_memory(half, requests)

    def _decode(self, batch: list[EncodedRequest], requests: Sequence[TranslationRequest]) -> list[list[list[int]]]:
        longest = max(len(request.tokens) + request.max_new_tokens for request in batch)
        if self._search is None or (self._window and longest > self._window):
            return generate(self._model, self._encoder, self._decoding, batch, requests)
        with prefix_attention.use_prefix_attention(self._model):
            return self._search([request.tokens for request in batch], [request.max_new_tokens for request in batch])

    def close(self) -> None:
        """Free the memory."""
        self._model = None


def _as_list(value: int | list[int] | None) -> list[int]:
    return [] if value is None else [value] if isinstance(value, int) else value


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
