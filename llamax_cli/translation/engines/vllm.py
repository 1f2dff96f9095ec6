"""Translation by vLLM, for decoders on GPUs that it supports.

Its beam search lies outside its core and is slow; it is fastest with `--beam 1` or `--sample`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from vllm import LLM, SamplingParams
from vllm.lora.request import LoRARequest
from vllm.sampling_params import BeamSearchParams

from llamax_cli.errors import ModelError
from llamax_cli.models import loading
from llamax_cli.models.batching import Job
from llamax_cli.models.contracts import Answer, Decoding, ModelChoice, TranslationRequest
from llamax_cli.models.request_encoding import Encoding
from llamax_cli.randomness import bits


class VllmEngine:
    """A model under vLLM in this process; it makes its own batches."""

    def __init__(self, choice: ModelChoice, decoding: Decoding) -> None:
        config = loading.load_config(choice.model)
        if config.is_encoder_decoder:
            raise ModelError(f"vLLM has no encoder-decoders such as {choice.model}; use --engine hf or ctranslate2")
        loading.find_device("cuda" if choice.device == "auto" else choice.device)
        self._decoding = decoding
        self._encoding = Encoding(choice.model, choice.template, loading.load_tokenizer(choice.model), config, decoding)
        self._lora = LoRARequest("adapter", 1, choice.lora) if choice.lora else None
        options: dict[str, Any] = {"quantization": "bitsandbytes"} if choice.quantize else {}
        with loading.legible(choice.model):
            self._model = LLM(
                model=choice.model,
                dtype=choice.dtype,
                enable_lora=choice.lora is not None,
                enable_prefix_caching=True,
                disable_log_stats=True,
                tensor_parallel_size=loading.gpus() if choice.device == "all" else 1,
                **options,
            )

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield (place, hypotheses) once all are done."""
        jobs, refused = self._encoding.jobs(requests)
        yield from refused
        if not jobs:
            return
        searches = not self._decoding.sample and self._decoding.beam > 1
        found = self._searched(jobs) if searches else self._sampled(jobs, requests)
        for job, sequences in zip(jobs, found, strict=True):
            yield job.place, [self._encoding.hypothesis(tokens) for tokens in sequences]

    def _searched(self, jobs: Sequence[Job]) -> Iterator[list[list[int]]]:
        """Yield the best beams of each job; jobs of one limit go together."""
        found: dict[int, list[list[int]]] = {}
        for limit in {job.limit for job in jobs}:
            group = [job for job in jobs if job.limit == limit]
            outputs = self._model.beam_search(
                [{"prompt_token_ids": job.tokens} for job in group],
                BeamSearchParams(beam_width=self._decoding.beam, max_tokens=limit),
                lora_request=self._lora,
            )
            for job, output in zip(group, outputs, strict=True):
                best = output.sequences[: self._decoding.nbest]
                found[job.place] = [sequence.tokens[len(job.tokens) :] for sequence in best]
        yield from (found[job.place] for job in jobs)

    def _sampled(self, jobs: Sequence[Job], requests: Sequence[TranslationRequest]) -> Iterator[list[list[int]]]:
        """Yield samples, or the greedy translation, of each job."""
        settings = [self._settings(job, requests[job.place]) for job in jobs]
        prompts = [{"prompt_token_ids": job.tokens} for job in jobs]
        outputs = self._model.generate(prompts, settings, lora_request=self._lora, use_tqdm=False)
        for output in outputs:
            ordered = sorted(output.outputs, key=lambda each: -(each.cumulative_logprob or 0.0))
            yield [list(each.token_ids) for each in ordered]

    def _settings(self, job: Job, request: TranslationRequest) -> SamplingParams:
        sample = self._decoding.sample
        return SamplingParams(
            n=self._decoding.nbest,
            temperature=self._decoding.temperature if sample else 0.0,
            top_p=self._decoding.top_p if sample else 1.0,
            seed=bits(self._decoding.seed, "translate", *request) >> 1 if sample else None,
            max_tokens=job.limit,
            stop_token_ids=self._encoding.eos,
            logprobs=1 if sample else None,
        )

    def close(self) -> None:
        """Free the memory."""
        del self._model
