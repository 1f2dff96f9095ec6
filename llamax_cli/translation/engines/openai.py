"""Translation by a server with OpenAI's API: vLLM, llama.cpp, or a hosted model (figure 7 has GPT-4).

The key is OPENAI_API_KEY from the environment. By default a request is a chat; with any other template the prompt is
sent unchanged (/completions).
"""

import os
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from llamax_cli.errors import LlamaxError, RecordError, ServerError, WorkerError
from llamax_cli.models import prompts
from llamax_cli.models.contracts import Answer, Decoding, Hypothesis, ModelChoice, TranslationRequest
from llamax_cli.randomness import bits
from llamax_cli.translation.engines.http_client import RateLimiter, Server

KEY_VARIABLE = "OPENAI_API_KEY"


class OpenaiEngine:
    """A server that gets requests from several threads at once."""

    def __init__(self, choice: ModelChoice, decoding: Decoding) -> None:
        self._model = choice.model
        self._decoding = decoding
        self._concurrency = choice.concurrency
        name = prompts.CHAT if choice.template == prompts.AUTO else choice.template
        self._template = prompts.choose(name, choice.model, has_chat=True)
        self._server = Server(
            choice.server or "", os.environ.get(KEY_VARIABLE), choice.timeout, RateLimiter(choice.per_minute)
        )

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield (index, hypotheses) as answers arrive; ServerError once the server has finally failed."""
        pending: queue.SimpleQueue[int] = queue.SimpleQueue()
        answers: queue.SimpleQueue[tuple[int, Answer | LlamaxError]] = queue.SimpleQueue()
        for index in range(len(requests)):
            pending.put(index)
        stop = threading.Event()
        for _ in range(min(self._concurrency, len(requests))):
            # Daemon threads, so that an interrupted run need not wait for the server.
            threading.Thread(target=self._work, args=(requests, pending, answers, stop), daemon=True).start()
        try:
            for _ in requests:
                index, answer = _next(answers)
                if isinstance(answer, LlamaxError) and not isinstance(answer, RecordError):
                    raise answer
                yield index, answer
        finally:
            stop.set()

    def _work(
        self,
        requests: Sequence[TranslationRequest],
        pending: "queue.SimpleQueue[int]",
        answers: "queue.SimpleQueue[tuple[int, Answer | LlamaxError]]",
        stop: threading.Event,
    ) -> None:
        while not stop.is_set():
            try:
                index = pending.get_nowait()
            except queue.Empty:
                return
            # Whatever happens here, the thread that reads the answers must get one; it raises errors.
            answer: Answer | LlamaxError = WorkerError("a thread that sends requests to the server has died")
            try:
                answer = self._translate(requests[index], stop)
            except LlamaxError as error:
                answer = error
            finally:
                answers.put((index, answer))

    def _translate(self, request: TranslationRequest, stop: threading.Event) -> list[Hypothesis]:
        text = self._template.render(*request)
        body: dict[str, Any] = {"model": self._model, **self._settings(request)}
        if self._template.chat:
            body["messages"] = [{"role": "user", "content": text}]
        else:
            body["prompt"] = text
        path = "/chat/completions" if self._template.chat else "/completions"
        choices = _choices(self._server.post(path, body, stop), self._server.url)
        if len(choices) < self._decoding.nbest:
            raise ServerError(
                f"{self._server.url}: got {len(choices)} of {self._decoding.nbest} candidates; `n` is not supported"
            )
        return [self._hypothesis(choice) for choice in choices[: self._decoding.nbest]]

    def _settings(self, request: TranslationRequest) -> dict[str, Any]:
        settings: dict[str, Any] = {"temperature": self._decoding.temperature if self._decoding.sample else 0.0}
        if self._decoding.max_new_tokens is not None:
            settings["max_tokens"] = self._decoding.max_new_tokens
        if self._decoding.sample:
            settings["top_p"] = self._decoding.top_p
            settings["n"] = self._decoding.nbest
            settings["seed"] = bits(self._decoding.seed, "translate", *request) >> 33
        return settings

    def _hypothesis(self, choice: dict[str, Any]) -> Hypothesis:
        """Return the translation in a choice; RecordError if the server withholds it."""
        try:
            finish_reason = choice.get("finish_reason")
            text = choice["message"]["content"] if self._template.chat else choice["text"]
            if finish_reason == "content_filter" or (text is None and finish_reason != "length"):
                raise RecordError(f"the server withholds the translation: {finish_reason or 'no text'}")
            text, stopped = self._template.answer(text or "")
        except (KeyError, TypeError, AttributeError) as error:
            raise ServerError(
                f"{self._server.url}: the answer has no text; does the server have OpenAI's API?"
            ) from error
        return Hypothesis(text, finish_reason == "length" and not stopped)

    def close(self) -> None:
        """Do nothing: connections are closed after each answer."""


def _choices(answer: Any, url: str) -> list[dict[str, Any]]:
    """Return the choices in an answer; ServerError if it has none."""
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if not isinstance(choices, list) or not choices:
        raise ServerError(f"{url}: the answer has no choices; does the server have OpenAI's API?")
    return choices


def _next(answers: "queue.SimpleQueue[tuple[int, Answer | LlamaxError]]") -> tuple[int, Answer | LlamaxError]:
    """Return the next answer; signals are handled while it waits."""
    while True:
        with suppress(queue.Empty):
            return answers.get(timeout=0.2)
