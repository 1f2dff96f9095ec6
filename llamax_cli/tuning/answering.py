"""A model's answers to questions: the likeliest of the options, or what it writes.

A choice is scored by likelihood, not by what the model writes: every question gets an answer, nothing has to be read
out of free text, and an untuned model can be compared with a tuned one. The likelihood of an option is that of all its
tokens and of the end after it, which is what tuning makes likely; the prompt names the options, so none is favoured
for being short. A problem without options is answered greedily.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

import torch

from llamax_cli.errors import ModelError, RecordError
from llamax_cli.instructions.questions import Question, said
from llamax_cli.models import causal_lm as learning
from llamax_cli.models import loading
from llamax_cli.models.causal_lm import CausalLM
from llamax_cli.models.contracts import Decoding, ModelChoice, TranslationRequest
from llamax_cli.models.packed_batch import make_batch
from llamax_cli.models.prompts import VERBATIM
from llamax_cli.models.sample_encoding import Encoded, open_encoder
from llamax_cli.models.samples import Sample
from llamax_cli.models.varlen_attention import NAME
from llamax_cli.translation.engines.hf import HfEngine

CPU_TOKENS, GPU_TOKENS = 1 << 13, 1 << 16  # scored at once
LOGITS = 2048  # tokens whose logits are in memory at once
ANSWER_TOKENS = 512  # that a model may write
TOO_LONG = float("-inf")  # in place of a score
NEXT = "###"  # what a model writes that does not stop: the next instruction

# (place of the question, its answer, None where the model cannot be asked)
Answers: TypeAlias = Iterator[tuple[int, str | None]]


class Option(NamedTuple):
    """One option of a question, as tokens after its prompt."""

    question: int
    option: str
    encoded: Encoded


class Likelihood:
    """Chooses the option that the model would most likely say; of equals the first."""

    name = "likelihood"

    def __init__(self, model: str) -> None:
        config = learning.load_config(model)
        tokenizer, self._encoder = open_encoder(model)
        window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
        self._room: int = min(config.max_position_embeddings, window or config.max_position_embeddings)
        learning.check(config, len(tokenizer), 0)
        loaded = loading.load_model(ModelChoice(model), config)
        loaded.set_attn_implementation(NAME)
        self._device = loaded.device
        self._learner = CausalLM(loaded, LOGITS)
        self._budget = CPU_TOKENS if self._device.type == "cpu" else GPU_TOKENS

    def answer(self, questions: Sequence[Question]) -> Answers:
        """Yield the answers in order."""
        for group in self._groups(questions):
            scored = zip(group, self._in_memory(group), strict=True)
            for place, each in groupby(scored, key=lambda pair: pair[0].question):
                best, score = max(each, key=lambda pair: pair[1])
                yield place, best.option if score > TOO_LONG else None

    def _groups(self, questions: Sequence[Question]) -> Iterator[list[Option]]:
        """Yield the options of as many whole questions as fit the budget, of one at least."""
        group: list[Option] = []
        size = 0
        for place, question in enumerate(questions):
            samples = [Sample(prompt=question.prompt, completion=said(option)) for option in question.options]
            encoded = self._encoder.encode(samples)
            tokens = sum(len(each.tokens) for each in encoded)
            if group and size + tokens > self._budget:
                yield group
                group, size = [], 0
            group += [Option(place, *each) for each in zip(question.options, encoded, strict=True)]
            size += tokens
        if group:
            yield group

    def _in_memory(self, options: Sequence[Option]) -> list[float]:
        """Return `_scores`, of half of the questions at a time where all do not fit the memory."""
        try:
            return self._scores(options)
        except torch.OutOfMemoryError as error:
            starts = [n for n in range(1, len(options)) if options[n].question != options[n - 1].question]
            if not starts:
                raise ModelError("the memory of the GPU is full with a single question") from error
        torch.cuda.empty_cache()
        self._budget //= 2
        half = starts[len(starts) // 2]
        return [*self._in_memory(options[:half]), *self._in_memory(options[half:])]

    @torch.inference_mode()
    def _scores(self, options: Sequence[Option]) -> list[float]:
        """Return the log-likelihood of each option, TOO_LONG for all of a question one of whose options is that."""
        too_long = {each.question for each in options if len(each.encoded.tokens) > self._room}
        fitting = [place for place, each in enumerate(options) if each.question not in too_long]
        scores = [TOO_LONG] * len(options)
        if fitting:
            chosen = [options[place].encoded for place in fitting]
            batch = make_batch(chosen, fitting, [Sample("")] * len(fitting)).to(self._device)
            sums = torch.zeros(len(fitting), dtype=torch.float64)  # here, as not every device has fp64
            sums.index_add_(0, batch.owners.cpu(), self._learner(batch).cpu().double())
            for place, loss in zip(batch.numbers, sums.tolist(), strict=True):
                scores[place] = -loss
        return scores


class Generation:
    """Writes an answer greedily; `read` finds in it what is asked for."""

    name = "generation"

    def __init__(self, model: str, read: Callable[[str], str | None]) -> None:
        self._engine = HfEngine(ModelChoice(model, template=VERBATIM), Decoding(beam=1, max_new_tokens=ANSWER_TOKENS))
        self._read = read

    def answer(self, questions: Sequence[Question]) -> Answers:
        """Yield the answers as they are done."""
        requests = [TranslationRequest(question.prompt, "en", "en") for question in questions]
        for place, found in self._engine.translate(requests):
            if isinstance(found, RecordError):
                yield place, None
            else:
                yield place, self._read(found[0].text.partition(NEXT)[0]) or ""


def answerer(model: str, questions: Sequence[Question], read: Callable[[str], str | None]) -> Any:
    """Return what answers the questions of a task."""
    return Likelihood(model) if questions[0].options else Generation(model, read)
