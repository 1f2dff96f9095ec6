"""Translation by vLLM, for decoders and GPUs that it supports.

Its beam search runs outside its core and is slow; it is fastest with `--beam 1` or `--sample`.
"""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from vllm import LLM, SamplingParams
from vllm.lora.request import LoRARequest
from vllm.sampling_params import BeamSearchParams

from llamax_cli.errors import ModelError
from llamax_cli.models import loading, pretrained
from llamax_cli.models.batching import EncodedRequest, Pace
from llamax_cli.models.contracts import GROUP, Answer, Decoding, ModelChoice, TranslationRequest
from llamax_cli.models.request_encoding import load_encoder
from llamax_cli.randomness import bits

MOST, LEAST = 1024, 256  # sentences handed over at once; vLLM translates as many as LEAST at the same time


class VllmEngine:
    """A model under vLLM in this process; vLLM forms its own batches."""

    def __init__(self, choice: ModelChoice, decoding: Decoding) -> None:
        config, self._encoder = load_encoder(choice, decoding)
        if config.is_encoder_decoder:
            raise ModelError(
                f"vLLM does not support encoder-decoders such as {choice.model}; use --engine hf or ctranslate2"
            )
        loading.find_device("cuda" if choice.device == "auto" else choice.device)
        if choice.lora and GROUP in choice.lora:
            raise ModelError("--engine vllm takes one adapter; choose a group in --lora, or use --engine hf")
        self._decoding = decoding
        self._pace = Pace(MOST, MOST, LEAST)
        self._lora = LoRARequest("adapter", 1, choice.lora) if choice.lora else None
        options: dict[str, Any] = {"quantization": "bitsandbytes"} if choice.quantize else {}
        with pretrained.loading_errors(choice.model):
            self._model = LLM(
                model=choice.model,
                dtype=choice.dtype,
                trust_remote_code=choice.trust_remote_code,
                enable_lora=choice.lora is not None,
                enable_prefix_caching=True,
                disable_log_stats=True,
                tensor_parallel_size=loading.count_gpus() if choice.device == "all" else 1,
                **options,
            )

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield (index, hypotheses) part by part, which are all of them if that takes a few seconds."""
        return self._encoder.answers(requests, partial(self._decode_all, requests))

    def _decode_all(
        self, requests: Sequence[TranslationRequest], encoded: list[EncodedRequest]
    ) -> Iterator[tuple[EncodedRequest, list[list[int]]]]:
        while encoded:
            size = self._pace.size
            part, encoded = encoded[:size], encoded[size:]
            start = time.monotonic()
            if self._decoding.beam > 1 and not self._decoding.sample:
                yield from self._beam_search(part)
            else:
                yield from self._generate(part, requests)
            self._pace.note(len(part), time.monotonic() - start)

    def _beam_search(self, encoded: Sequence[EncodedRequest]) -> Iterator[tuple[EncodedRequest, list[list[int]]]]:
        """Yield the best beams of each request; those with the same limit are searched together."""
        for limit in sorted({request.max_new_tokens for request in encoded}):
            group = [request for request in encoded if request.max_new_tokens == limit]
            outputs = self._model.beam_search(
                [{"prompt_token_ids": request.tokens} for request in group],
                BeamSearchParams(beam_width=self._decoding.beam, max_tokens=limit),
                lora_request=self._lora,
            )
            for request, output in zip(group, outputs, strict=True):
                best = output.sequences[: self._decoding.nbest]
                yield request, [sequence.tokens[len(request.tokens) :] for sequence in best]

    def _generate(
        self, encoded: Sequence[EncodedRequest], requests: Sequence[TranslationRequest]
    ) -> Iterator[tuple[EncodedRequest, list[list[int]]]]:
        """Yield the samples, or the greedy translation, of each request."""
        settings = [self._settings(request, requests[request.index]) for request in encoded]
        prompts = [{"prompt_token_ids": request.tokens} for request in encoded]
        outputs = self._model.generate(prompts, settings, lora_request=self._lora, use_tqdm=False)
        for request, output in zip(encoded, outputs, strict=True):
            ordered = sorted(output.outputs, key=lambda sequence: -(sequence.cumulative_logprob or 0.0))
            yield request, [list(sequence.token_ids) for sequence in ordered]

    def _settings(self, encoded: EncodedRequest, request: TranslationRequest) -> SamplingParams:
        sample = self._decoding.sample
        return SamplingParams(
            n=self._decoding.nbest,
            temperature=self._decoding.temperature if sample else 0.0,
            top_p=self._decoding.top_p if sample else 1.0,
            seed=bits(self._decoding.seed, "translate", *request.key) >> 1 if sample else None,
            max_tokens=encoded.max_new_tokens,
            stop_token_ids=self._encoder.eos,
            logprobs=1 if sample else None,
        )

    def close(self) -> None:
        """Free the memory."""
        del self._model
