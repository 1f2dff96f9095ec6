"""Predictors, which answer questions with a model: by the likeliest option, or by what the model writes.

A choice is scored by likelihood and not by what the model writes. So every question gets an answer, no answer has to
be found in free text, and an untuned model can be compared with a tuned one. The likelihood of an option is that of
all its tokens and of the end of the text, which is what tuning makes likely. The prompt names the options, so short
ones have no advantage. A problem without options is answered by greedy decoding.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple, Protocol

import torch

from llamax_cli.errors import ModelError, RecordError
from llamax_cli.instructions.questions import Question, as_completion
from llamax_cli.models import causal_lm, loading
from llamax_cli.models.causal_lm import CausalLM
from llamax_cli.models.contracts import Decoding, ModelChoice, TranslationRequest
from llamax_cli.models.packed_batch import make_batch
from llamax_cli.models.prompts import VERBATIM
from llamax_cli.models.sample_encoding import Encoded, open_encoder
from llamax_cli.models.samples import Sample
from llamax_cli.models.varlen_attention import NAME
from llamax_cli.translation.engines.hf import HfEngine

CPU_TOKENS, GPU_TOKENS = 1 << 13, 1 << 16  # in a batch that is scored
LOGITS = 2048  # tokens whose logits are in memory at once
ANSWER_TOKENS = 512  # that a model may generate
TOO_LONG = float("-inf")  # in place of a score
NEXT = "###"  # begins the next instruction, which a model writes if it does not stop


class Prediction(NamedTuple):
    """The answer to the question at index `question`; None if that question is too long for the model."""

    question: int
    answer: str | None


class Predictor(Protocol):
    """Answers questions with a model; `name` is the method in the signature of a score."""

    name: str

    def predict(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        """Yield one prediction for each question, in any order."""
        ...


def open_predictor(
    choice: ModelChoice, questions: Sequence[Question], extract: Callable[[str], str | None]
) -> Predictor:
    """Return the predictor for questions of a task; `extract` finds the answer in what a model writes."""
    return LikelihoodPredictor(choice) if questions[0].options else GenerationPredictor(choice, extract)


class Option(NamedTuple):
    """One option of the question at index `question`; `encoded` is the prompt with the option."""

    question: int
    text: str
    encoded: Encoded


class LikelihoodPredictor:
    """Chooses the likeliest option; of equally likely ones the first."""

    name = "likelihood"

    def __init__(self, choice: ModelChoice) -> None:
        config = causal_lm.load_config(choice.model, trust_remote_code=choice.trust_remote_code)
        tokenizer, self._encoder = open_encoder(choice.model, trust_remote_code=choice.trust_remote_code)
        window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
        self._max_tokens: int = min(config.max_position_embeddings, window or config.max_position_embeddings)
        causal_lm.check(config, len(tokenizer), 0)
        loaded = loading.load_model(choice, config)
        loaded.set_attn_implementation(NAME)
        self._device = loaded.device
        self._model = CausalLM(loaded, LOGITS)
        self._batch_tokens = CPU_TOKENS if self._device.type == "cpu" else GPU_TOKENS

    def predict(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        """Yield the predictions in order."""
        for options in self._batches(questions):
            scored = zip(options, self._scores_in_parts(options), strict=True)
            for question, pairs in groupby(scored, key=lambda pair: pair[0].question):
                best, score = max(pairs, key=lambda pair: pair[1])
                yield Prediction(question, best.text if score > TOO_LONG else None)

    def _batches(self, questions: Sequence[Question]) -> Iterator[list[Option]]:
        """Yield the options of as many whole questions as fit in `_batch_tokens` tokens, of at least one."""
        batch: list[Option] = []
        size = 0
        for number, question in enumerate(questions):
            samples = [Sample(prompt=question.prompt, completion=as_completion(text)) for text in question.options]
            encoded = self._encoder.encode(samples)
            tokens = sum(len(option.tokens) for option in encoded)
            if batch and size + tokens > self._batch_tokens:
                yield batch
                batch, size = [], 0
            batch += [Option(number, *option) for option in zip(question.options, encoded, strict=True)]
            size += tokens
        if batch:
            yield batch

    def _scores_in_parts(self, options: Sequence[Option]) -> list[float]:
        """Return `_scores`; if the memory runs out, halve the batch."""
        try:
            return self._scores(options)
        except torch.OutOfMemoryError as error:
            starts = [n for n in range(1, len(options)) if options[n].question != options[n - 1].question]
            if not starts:
                raise ModelError("a single question does not fit in the memory of the GPU") from error
        torch.cuda.empty_cache()
        self._batch_tokens //= 2
        half = starts[len(starts) // 2]
        return [*self._scores_in_parts(options[:half]), *self._scores_in_parts(options[half:])]

    @torch.inference_mode()
    def _scores(self, options: Sequence[Option]) -> list[float]:
        """Return the log-likelihood of each option; TOO_LONG for all options of a question if one is too long."""
        too_long = {option.question for option in options if len(option.encoded.tokens) > self._max_tokens}
        fitting = [index for index, option in enumerate(options) if option.question not in too_long]
        scores = [TOO_LONG] * len(options)
        if fitting:
            encoded = [options[index].encoded for index in fitting]
            batch = make_batch(encoded, fitting, [Sample("")] * len(fitting)).to(self._device)
            losses = torch.zeros(len(fitting), dtype=torch.float64)  # on the CPU, because not every device has fp64
            losses.index_add_(0, batch.owners.cpu(), self._model(batch).cpu().double())
            for index, loss in zip(batch.numbers, losses.tolist(), strict=True):
                scores[index] = -loss
        return scores


class GenerationPredictor:
    """Generates a response greedily; `extract` finds the answer in it."""

    name = "generation"

    def __init__(self, choice: ModelChoice, extract: Callable[[str], str | None]) -> None:
        verbatim = replace(choice, template=VERBATIM)
        self._engine = HfEngine(verbatim, Decoding(beam=1, max_new_tokens=ANSWER_TOKENS))
        self._extract = extract

    def predict(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        """Yield the predictions as they are finished."""
        requests = [TranslationRequest(question.prompt, "en", "en") for question in questions]
        for number, outcome in self._engine.translate(requests):
            if isinstance(outcome, RecordError):
                yield Prediction(number, None)
            else:
                yield Prediction(number, self._extract(outcome[0].text.partition(NEXT)[0]) or "")
