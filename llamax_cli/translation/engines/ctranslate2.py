"""Translation by CTranslate2: a model of Hugging Face converted once, or a folder that its converter made."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ctranslate2

from llamax_cli.errors import FileError, ModelError, because
from llamax_cli.models import loading
from llamax_cli.models.batching import Job, batches
from llamax_cli.models.contracts import Answer, Decoding, ModelChoice, TranslationRequest
from llamax_cli.models.fingerprint import fingerprint
from llamax_cli.models.request_encoding import Encoding

CPU_TOKENS, GPU_TOKENS = 1 << 13, 1 << 17  # in a batch, beams counted
TYPES = {"auto": "default", "float32": "float32", "bfloat16": "bfloat16", "float16": "float16"}
# The converter knows these ways of scaling positions and drops any other in silence.
SCALINGS = {None, "default", "linear"}


class CTranslate2Engine:
    """A converted model in this process."""

    def __init__(self, choice: ModelChoice, decoding: Decoding) -> None:
        config = loading.load_config(choice.model)
        tokenizer = loading.load_tokenizer(choice.model)
        self._tokenizer = tokenizer
        self._decoding = decoding
        self._encoding = Encoding(choice.model, choice.template, tokenizer, config, decoding)
        device, _, number = loading.find_device(choice.device).partition(":")
        if device == "mps":
            device = "cpu"
        self._is_pair = bool(config.is_encoder_decoder)
        self._budget = choice.batch_tokens or (CPU_TOKENS if device == "cpu" else GPU_TOKENS)
        kind: Any = ctranslate2.Translator if self._is_pair else ctranslate2.Generator
        compute = "int8" if choice.quantize else TYPES[choice.dtype]
        with loading.legible(choice.model):
            self._model = kind(
                str(_converted(choice.model, config)),
                device=device,
                device_index=int(number or 0),
                compute_type=compute,
            )

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield (place, hypotheses) as batches are done, the batch of the first request first."""
        jobs, refused = self._encoding.jobs(requests)
        yield from refused
        for batch in batches(jobs, self._budget, self._decoding.beam, one_limit=True):
            found = self._pairs(batch) if self._is_pair else self._continuations(batch)
            for job, sequences in zip(batch, found, strict=True):
                yield job.place, [self._encoding.hypothesis(tokens, lead=job.lead) for tokens in sequences]

    def _continuations(self, batch: list[Job]) -> list[list[list[int]]]:
        prompts = [self._tokenizer.convert_ids_to_tokens(job.tokens) for job in batch]
        shared = os.path.commonprefix([prompt[:-1] for prompt in prompts])  # noqa: RUF071 (of lists, not of paths)
        results = self._model.generate_batch(
            [prompt[len(shared) :] for prompt in prompts],
            static_prompt=list(shared) or None,
            include_prompt_in_result=False,
            max_length=batch[0].limit,
            end_token=self._encoding.eos,
            **self._search(),
        )
        return [result.sequences_ids for result in results]

    def _pairs(self, batch: list[Job]) -> list[list[list[int]]]:
        names = self._tokenizer.convert_ids_to_tokens
        leads = [names([job.lead]) for job in batch if job.lead is not None]
        results = self._model.translate_batch(
            [names(job.tokens) for job in batch],
            target_prefix=leads or None,
            max_decoding_length=batch[0].limit,
            max_input_length=0,
            **self._search(),
        )
        known = self._tokenizer.convert_tokens_to_ids
        return [[known(tokens) for tokens in result.hypotheses] for result in results]

    def _search(self) -> dict[str, Any]:
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
    """The library's own, which would convert what is not in a model's files as it is drawn at random."""

    def load_model(self, model_class: Any, model_name_or_path: str, **more: Any) -> Any:
        """Return the model; ModelError where it is not whole."""
        loaded = model_class.from_pretrained(
            model_name_or_path, ignore_mismatched_sizes=True, output_loading_info=True, **more
        )
        return loading.whole(model_name_or_path, *loaded)


def _converted(model: str, config: Any) -> Path:
    """Return the folder of the converted model, which is made once and kept in the cache folder."""
    if (Path(model) / "model.bin").is_file():
        return Path(model)
    scaling = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    if (kind := scaling.get("rope_type", scaling.get("type"))) not in SCALINGS:
        raise ModelError(f"CTranslate2 would drop the position scaling ({kind}) of {model}; use --engine hf")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llamax" / "ctranslate2"
    place = cache / f"{Path(model).name}-{fingerprint(model).replace('/', '-')}"
    if not place.is_dir():
        _convert(model, place)
    return place


def _convert(model: str, place: Path) -> None:
    """Convert into a folder that appears whole or not at all."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        made = tempfile.mkdtemp(dir=place.parent, prefix=".making-")
    except OSError as error:
        raise FileError(f"{place.parent}: {because(error)}; XDG_CACHE_HOME names another folder") from error
    try:
        _Converter(model).convert(made, force=True)
        os.rename(made, place)
    except OSError as error:
        if not place.is_dir():  # another run may have been faster
            raise FileError(f"{made}: {because(error)}; XDG_CACHE_HOME names another folder") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
