"""Translation by a model of Hugging Face: our own beam search where it fits the model, `generate` elsewhere."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import GenerationConfig

from llamax_cli.errors import ModelError
from llamax_cli.models import loading
from llamax_cli.models import prefix_attention as attention
from llamax_cli.models.batching import Job, batches
from llamax_cli.models.beam_search import BeamSearch
from llamax_cli.models.contracts import Answer, Decoding, ModelChoice, TranslationRequest
from llamax_cli.models.request_encoding import Encoding
from llamax_cli.translation.engines.hf_generate import generate

CPU_TOKENS, GPU_TOKENS = 1 << 13, 1 << 17  # in a batch, beams counted


class HfEngine:
    """A model in this process."""

    def __init__(self, choice: ModelChoice, decoding: Decoding) -> None:
        config = loading.load_config(choice.model)
        tokenizer = loading.load_tokenizer(choice.model)
        loading.find_device(choice.device)
        self._model = loading.load_model(choice, config)
        self._decoding = decoding
        self._encoding = Encoding(choice.model, choice.template, tokenizer, config, decoding)
        self._forget_settings(config)
        on_cpu = self._model.device.type == "cpu"
        self._budget = choice.batch_tokens or (CPU_TOKENS if on_cpu else GPU_TOKENS)
        self._window = getattr(config, "sliding_window", None)
        self._search = self._own_search(config, one_device=choice.device != "all")

    def _forget_settings(self, config: Any) -> None:
        """Keep of the model's generation settings only tokens: how to decode is for the flags to say."""
        own = self._model.generation_config
        self._encoding.eos = sorted({*self._encoding.eos, *_listed(own.eos_token_id)})
        start = own.decoder_start_token_id
        if start is None:
            start = getattr(config, "decoder_start_token_id", None)
        self._model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
            decoder_start_token_id=start
        )

    def _own_search(self, config: Any, *, one_device: bool) -> BeamSearch | None:
        """Return our own search where the model's attention is one that it knows."""
        layers = set(getattr(config, "layer_types", None) or ["full_attention"])
        known = config.model_type in attention.ARCHITECTURES and (layers == {"full_attention"} or self._window)
        if not known or self._decoding.sample or not one_device:
            return None
        return BeamSearch(self._model, self._encoding.eos, self._decoding.beam)

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield (place, hypotheses) as batches are done, the batch of the first request first."""
        jobs, refused = self._encoding.jobs(requests)
        yield from refused
        beams = self._decoding.nbest if self._decoding.sample else self._decoding.beam
        for batch in batches(jobs, self._budget, beams):
            yield from self._attempt(batch, requests)

    def _attempt(self, batch: list[Job], requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Translate a batch, in halves where it does not fit the memory."""
        try:
            sequences = self._decode(batch, requests)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            sequences = None
        if sequences is None:  # outside the handler, so that the error holds nothing in memory
            if len(batch) == 1:
                raise ModelError("one sentence alone does not fit the memory; try --beam, --dtype or --quantize")
            self._budget //= 2  # for the windows to come
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            for half in (batch[: len(batch) // 2], batch[len(batch) // 2 :]):
                yield from self._attempt(half, requests)
            return
        for job, found in zip(batch, sequences, strict=True):
            best = found[: self._decoding.nbest]
            yield job.place, [self._encoding.hypothesis(tokens, lead=job.lead) for tokens in best]

    def _decode(self, batch: list[Job], requests: Sequence[TranslationRequest]) -> list[list[list[int]]]:
        longest = max(len(job.tokens) + job.limit for job in batch)
        if self._search is None or (self._window and longest > self._window):
            return generate(self._model, self._encoding, self._decoding, batch, requests)
        with attention.in_use(self._model):
            return self._search([job.tokens for job in batch], [job.limit for job in batch])

    def close(self) -> None:
        """Free the memory."""
        self._model = None


def _listed(value: int | list[int] | None) -> list[int]:
    return [] if value is None else [value] if isinstance(value, int) else value


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
