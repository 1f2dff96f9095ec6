"""Translation by a model of Hugging Face: our own beam search where it fits the model, `generate` elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import torch
from transformers import GenerationConfig

from llamax_cli.errors import ModelError
from llamax_cli.models import loading, prefix_attention
from llamax_cli.models.batching import AIM, AT_RISK, EncodedRequest, Pace, RunningBatch, batches, paced, token_budget
from llamax_cli.models.beam_search import BeamSearch
from llamax_cli.models.contracts import GROUP, Answer, Decoding, ModelChoice, TranslationRequest
from llamax_cli.models.group_adapters import GroupAdapters
from llamax_cli.models.request_encoding import load_encoder
from llamax_cli.translation.engines.hf_generate import generate

Decoded: TypeAlias = tuple[EncodedRequest, list[list[int]]]  # a request and its sequences, best first


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
        self._window = getattr(config, "sliding_window", None)
        self._has_search = self._supports_search(config, is_on_one_device=choice.device != "all")
        aim = AT_RISK if self._has_search else AIM
        self._pace = Pace.of_tokens(self._budget, on_cpu=on_cpu, is_resumable=choice.is_resumable, aim=aim)

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

    def _supports_search(self, config: Any, *, is_on_one_device: bool) -> bool:
        """Return whether our own search knows the model's attention, and how to decode."""
        layers = set(getattr(config, "layer_types", None) or ["full_attention"])
        is_supported = config.model_type in prefix_attention.ARCHITECTURES and (
            layers == {"full_attention"} or bool(self._window)
        )
        return is_supported and not self._decoding.sample and is_on_one_device

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield (index, hypotheses) as they come, that of the first request among the first."""
        return self._encoder.answers(requests, partial(self._decode_all, requests))

    def _decode_all(self, requests: Sequence[TranslationRequest], encoded: list[EncodedRequest]) -> Iterator[Decoded]:
        for group in dict.fromkeys(request.group for request in encoded):
            if self._adapters is not None:
                self._adapters.use(group)
            of_group = [request for request in encoded if request.group == group]
            yield from self._search([request for request in of_group if self._is_searched(request)])
            yield from self._generate(requests, [request for request in of_group if not self._is_searched(request)])

    def _is_searched(self, request: EncodedRequest) -> bool:
        """Return whether our own search translates it: no sliding window may hide a part of it."""
        longest = len(request.tokens) + request.max_new_tokens
        return self._has_search and not (self._window and longest > self._window)

    def _search(self, encoded: list[EncodedRequest]) -> Iterator[Decoded]:
        """Translate with our own search; what does not fit into memory begins again, with fewer at once."""
        beams = self._decoding.beam
        waiting = [request for batch in batches(encoded, self._budget, beams) for request in batch]
        while waiting:
            batch = RunningBatch(waiting, beams, self._pace)
            waiting = []
            try:
                with prefix_attention.use_prefix_attention(self._model):
                    for request, sequences in BeamSearch(self._model, self._encoder.eos, beams)(batch):
                        yield request, sequences[: self._decoding.nbest]
            except RuntimeError as error:
                if not _is_out_of_memory(error):
                    raise
                waiting = batch.unfinished
            # Outside the handler, so that the error no longer keeps tensors in memory.
            if waiting:
                self._shrink(len(batch.running), batch.cost)

    def _generate(self, requests: Sequence[TranslationRequest], encoded: list[EncodedRequest]) -> Iterator[Decoded]:
        """Translate with the `generate` of transformers, batch by batch, in halves if one does not fit into memory."""
        beams = self._decoding.nbest if self._decoding.sample else self._decoding.beam
        for batch in paced(batches(encoded, self._budget, beams), beams, self._pace):
            waiting = [batch]
            while waiting:
                part = waiting.pop(0)
                try:
                    decoded = generate(self._model, self._encoder, self._decoding, part, requests)
                except RuntimeError as error:
                    if not _is_out_of_memory(error):
                        raise
                    decoded = None
                if decoded is None:
                    self._shrink(len(part), len(part) * max(request.cost(beams) for request in part))
                    waiting[:0] = [part[: len(part) // 2], part[len(part) // 2 :]]
                else:
                    for request, sequences in zip(part, decoded, strict=True):
                        yield request, sequences[: self._decoding.nbest]

    def _shrink(self, sentences: int, tokens: int) -> None:
        """Translate half at once from now on of what did not fit into memory; ModelError if that is one sentence."""
        if sentences == 1:
            raise ModelError("a single sentence does not fit into memory; try --beam, --dtype or --quantize")
        self._budget = min(self._budget, tokens) // 2
        self._pace.limit(self._budget)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def close(self) -> None:
        """Free the memory."""
        self._model = None


def _as_list(value: int | list[int] | None) -> list[int]:
    return [] if value is None else [value] if isinstance(value, int) else value


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
