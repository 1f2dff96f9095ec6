"""Translation by CTranslate2: a model of Hugging Face, converted once, or a folder that its converter wrote."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ctranslate2

from llamax_cli.errors import ModelError
from llamax_cli.models import loading, pretrained
from llamax_cli.models.batching import EncodedRequest, Pace, batches, paced, token_budget
from llamax_cli.models.contracts import Answer, Decoding, ModelChoice, TranslationRequest
from llamax_cli.models.fingerprint import fingerprint
from llamax_cli.models.model_cache import cached_model
from llamax_cli.models.request_encoding import load_encoder

COMPUTE_TYPES = {"auto": "default", "float32": "float32", "bfloat16": "bfloat16", "float16": "float16"}
# The converter supports these kinds of position scaling and silently drops any other.
SCALINGS = {None, "default", "linear"}


class CTranslate2Engine:
    """A converted model in this process."""

    def __init__(self, choice: ModelChoice, decoding: Decoding) -> None:
        config, self._encoder = load_encoder(choice, decoding)
        self._tokenizer = self._encoder.tokenizer
        self._decoding = decoding
        device, _, number = loading.find_device(choice.device).partition(":")
        if device == "mps":
            device = "cpu"
        self._is_encoder_decoder = bool(config.is_encoder_decoder)
        self._budget = token_budget(choice.batch_tokens, on_cpu=device == "cpu")
        self._pace = Pace.of_tokens(self._budget, on_cpu=device == "cpu", is_resumable=choice.is_resumable)
        kind: Any = ctranslate2.Translator if self._is_encoder_decoder else ctranslate2.Generator
        with pretrained.loading_errors(choice.model):
            self._model = kind(
                str(_converted(choice, config)),
                device=device,
                device_index=int(number or 0),
                compute_type="int8" if choice.quantize else COMPUTE_TYPES[choice.dtype],
            )

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield (index, hypotheses) batch by batch, the batch of the first request first."""
        return self._encoder.answers(requests, self._decode_all)

    def _decode_all(self, encoded: list[EncodedRequest]) -> Iterator[tuple[EncodedRequest, list[list[int]]]]:
        decode = self._decode_pairs if self._is_encoder_decoder else self._decode_prompts
        beams = self._decoding.beam
        for batch in paced(batches(encoded, self._budget, beams, same_limit=True), beams, self._pace):
            yield from zip(batch, decode(batch), strict=True)

    def _decode_prompts(self, batch: list[EncodedRequest]) -> list[list[list[int]]]:
        prompts = [self._tokenizer.convert_ids_to_tokens(request.tokens) for request in batch]
        prefix = os.path.commonprefix([prompt[:-1] for prompt in prompts])  # noqa: RUF071 (of lists, not of paths)
        results = self._model.generate_batch(
            [prompt[len(prefix) :] for prompt in prompts],
            static_prompt=list(prefix) or None,
            include_prompt_in_result=False,
            max_length=batch[0].max_new_tokens,
            end_token=self._encoder.eos,
            **self._search_options(),
        )
        return [result.sequences_ids for result in results]

    def _decode_pairs(self, batch: list[EncodedRequest]) -> list[list[list[int]]]:
        to_tokens, to_ids = self._tokenizer.convert_ids_to_tokens, self._tokenizer.convert_tokens_to_ids
        forced = [to_tokens([request.forced_bos]) for request in batch if request.forced_bos is not None]
        results = self._model.translate_batch(
            [to_tokens(request.tokens) for request in batch],
            target_prefix=forced or None,
            max_decoding_length=batch[0].max_new_tokens,
            max_input_length=0,
            **self._search_options(),
        )
        return [[to_ids(tokens) for tokens in result.hypotheses] for result in results]

    def _search_options(self) -> dict[str, Any]:
        return {
            "beam_size": self._decoding.beam,
            "num_hypotheses": self._decoding.nbest,
            "length_penalty": 1,
            "return_end_token": True,
        }

    def close(self) -> None:
        """Free the memory."""
        self._model = None


class _Converter(ctranslate2.converters.TransformersConverter):  # type: ignore[misc]
    """The library's converter, except that it loads models as everything here does."""

    def load_model(self, model_class: Any, model_name_or_path: str, **options: Any) -> Any:
        """Return the model; ModelError if weights are missing."""
        return pretrained.load_weights(model_class, model_name_or_path, **options)

    def load_tokenizer(self, tokenizer_class: Any, model_name_or_path: str, **options: Any) -> Any:
        """Return the tokenizer; ModelError if there is none."""
        return pretrained.load_tokenizer(model_name_or_path, **options)


def _converted(choice: ModelChoice, config: Any) -> Path:
    """Return the folder of the converted model; it is converted once and kept in the user's cache folder."""
    model = choice.model
    if (Path(model) / "model.bin").is_file():
        return Path(model)
    scaling = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    if (kind := scaling.get("rope_type", scaling.get("type"))) not in SCALINGS:
        raise ModelError(f"CTranslate2 does not support the position scaling of {model} ({kind}); use --engine hf")
    name = f"{Path(model).name}-{fingerprint(model).replace('/', '-')}"
    converter = _Converter(model, trust_remote_code=choice.trust_remote_code)
    return cached_model("ctranslate2", name, lambda folder: converter.convert(str(folder), force=True))
