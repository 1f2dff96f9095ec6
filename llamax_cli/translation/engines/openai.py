"""Translation by a server with OpenAI's API: vLLM, llama.cpp, or a hosted model (figure 7 has GPT-4).

The key is OPENAI_API_KEY from the environment. By default a request is a chat; with any other template the prompt is
sent unchanged (/completions).
"""

import os
import queue
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from llamax_cli.errors import LlamaxError, RecordError, ServerError, UsageError, WorkerError
from llamax_cli.models import prompts
from llamax_cli.models.chat_template import THINKING
from llamax_cli.models.contracts import Answer, Decoding, Hypothesis, ModelChoice, TranslationRequest
from llamax_cli.models.prompts import without_reasoning
from llamax_cli.models.server_address import ServerAddress
from llamax_cli.randomness import bits
from llamax_cli.translation.engines.http_client import RateLimiter, Server

KEY_VARIABLE = "OPENAI_API_KEY"
NEW_LIMIT = "max_completion_tokens"  # what newer models call max_tokens
# A server that does not support one of these refuses every request; any other setting may depend on the text.
FIXED_SETTINGS = re.compile(r"""['"`](temperature|top_p|n|seed)['"`]""")


class OpenaiEngine:
    """A server that gets requests from several threads at once."""

    def __init__(self, choice: ModelChoice, decoding: Decoding) -> None:
        self._model = choice.model
        self._decoding = decoding
        self._concurrency = choice.concurrency
        name = prompts.CHAT if choice.template == prompts.AUTO else choice.template
        self._template = prompts.choose(name, choice.model, has_chat=True)
        if choice.shot_count and not self._template.takes_shots:
            raise UsageError(f"--template {name} has no place for examples; use --template chat")
        # Only where the template is named: a server may not know this setting.
        self._switches = {THINKING[0]: choice.thinking} if name in prompts.REASONING else {}
        if choice.server is None:
            raise UsageError("--engine openai needs --server")
        self._server = Server(
            choice.server, os.environ.get(KEY_VARIABLE), choice.timeout, RateLimiter(choice.per_minute)
        )
        self._limit = "max_tokens"

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
                    yield from _arrived(answers)  # they may be kept, although the run ends
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
            except RecordError as error:
                answer = error
            except LlamaxError as error:
                answer = error
                stop.set()  # here, so that no thread sends another request before the answer is read
            finally:
                answers.put((index, answer))

    def _translate(self, request: TranslationRequest, stop: threading.Event) -> list[Hypothesis]:
        choices = _choices(self._ask(request, stop), self._server.address)
        if len(choices) < self._decoding.nbest:
            raise ServerError(
                f"{self._server.address}: got {len(choices)} of {self._decoding.nbest} candidates; `n` is not supported"
            )
        return [self._hypothesis(choice, request) for choice in choices[: self._decoding.nbest]]

    def _ask(self, request: TranslationRequest, stop: threading.Event) -> Any:
        """Return the server's answer; if it knows the limit of tokens by its newer name only, so from now on."""
        path = "/chat/completions" if self._template.chat else "/completions"
        body = self._body(request)
        try:
            return self._server.post(path, body, stop)
        except RecordError as error:
            self._check_settings(str(error))
            if "max_tokens" not in body or NEW_LIMIT not in str(error):
                raise
        self._limit = NEW_LIMIT
        try:
            return self._server.post(path, self._body(request), stop)
        except RecordError as error:
            self._check_settings(str(error))
            raise

    def _check_settings(self, refusal: str) -> None:
        """Raise ServerError if a refusal is about a setting that all requests have, not about the text."""
        setting = FIXED_SETTINGS.search(refusal)
        if setting is None or "support" not in refusal.lower():
            return
        is_greedy = setting[1] == "temperature" and not self._decoding.sample
        hint = "; the model only draws at random: add --sample --top-p 1" if is_greedy else ""
        raise ServerError(f"{self._server.address}: {refusal}{hint}")

    def _body(self, request: TranslationRequest) -> dict[str, Any]:
        return {"model": self._model, **self._settings(request), **self._content(request)}

    def describe(self, request: TranslationRequest) -> dict[str, Any]:
        """Return what the server gets for a request: `messages` or `prompt`; only it knows the tokens."""
        return self._content(request)

    def _content(self, request: TranslationRequest) -> dict[str, Any]:
        """Return what is asked: a prompt, or a chat with what its template is given besides."""
        if not self._template.chat:
            return {"prompt": self._template.render(*request.key, shots=request.shots)}
        turns = self._template.turns(*request)
        switches: dict[str, Any] = dict(self._switches)
        if self._template.takes_codes:  # llama.cpp takes them beside the messages, not within
            switches |= self._template.code_fields(request.src_lang, request.tgt_lang)
            turns = [{**turn, "content": _text_of(turn["content"])} for turn in turns]
        return {"messages": turns, **({"chat_template_kwargs": switches} if switches else {})}

    def _settings(self, request: TranslationRequest) -> dict[str, Any]:
        settings: dict[str, Any] = {"temperature": self._decoding.temperature if self._decoding.sample else 0.0}
        if self._decoding.max_new_tokens is not None:
            settings[self._limit] = self._decoding.max_new_tokens
        if self._decoding.sample:
            settings["top_p"] = self._decoding.top_p
            settings["n"] = self._decoding.nbest
            settings["seed"] = bits(self._decoding.seed, "translate", *request.key) >> 33
        return settings

    def _hypothesis(self, choice: dict[str, Any], request: TranslationRequest) -> Hypothesis:
        """Return the translation in a choice; RecordError if the server withholds it or it is not a text."""
        try:
            finish_reason = choice.get("finish_reason")
            text = _content(choice["message"]) if self._template.chat else choice["text"]
            if finish_reason == "content_filter" or (text is None and finish_reason != "length"):
                refusal = choice["message"].get("refusal") if self._template.chat else None
                ending = None if finish_reason == "stop" else finish_reason
                reason = self._server.cleaned(refusal or ending or "no text")
                raise RecordError(f"the server withholds the translation: {reason}")
            text, reasoned = without_reasoning(text or "", request.src) if self._template.chat else (text or "", False)
            text, stopped = self._template.answer(text)
        except (KeyError, TypeError, AttributeError) as error:
            raise ServerError(
                f"{self._server.address}: the answer has no text; does the server have OpenAI's API?"
            ) from error
        truncated = finish_reason == "length" and not stopped
        if reasoned and not text and not truncated:
            raise RecordError("the answer is reasoning without a translation")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            half = ascii(error.object[error.start])[1:-1]
            raise RecordError(f"the answer is not a text: it has half of a character, {half}") from error
        return Hypothesis(text, truncated, reasoned)

    def close(self) -> None:
        """Do nothing: connections are closed after each answer."""


def _text_of(content: Any) -> str:
    return content if isinstance(content, str) else str(content[0]["text"])


def _content(message: dict[str, Any]) -> str | None:
    """Return the text of a message, whose content is a string, or a list of parts of which some are text.

    Some servers leave the key out where there is no text, as where the limit of tokens was spent on reasoning.
    """
    content = message.get("content")
    if not isinstance(content, list):
        return None if content is None else content + ""  # TypeError for anything but a string
    texts = [part["text"] for part in content if part.get("type") in ("text", "output_text")]
    return "".join(texts) if texts else None


def _choices(answer: Any, address: ServerAddress) -> list[dict[str, Any]]:
    """Return the choices in an answer; ServerError if it has none."""
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if not isinstance(choices, list) or not choices:
        raise ServerError(f"{address}: the answer has no choices; does the server have OpenAI's API?")
    return choices


def _arrived(answers: "queue.SimpleQueue[tuple[int, Answer | LlamaxError]]") -> Iterator[tuple[int, Answer]]:
    """Yield the answers that have arrived already, without the errors that end the run."""
    with suppress(queue.Empty):
        while True:
            index, answer = answers.get_nowait()
            if isinstance(answer, RecordError) or not isinstance(answer, LlamaxError):
                yield index, answer


def _next(answers: "queue.SimpleQueue[tuple[int, Answer | LlamaxError]]") -> tuple[int, Answer | LlamaxError]:
    """Return the next answer; signals are handled while it waits."""
    while True:
        with suppress(queue.Empty):
            return answers.get(timeout=0.2)
