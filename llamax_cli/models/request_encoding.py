"""From requests to tokens and back: prompts for decoders, language tokens for encoder-decoders."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from llamax_cli.errors import RecordError
from llamax_cli.models import language_tokens
from llamax_cli.models.batching import Job
from llamax_cli.models.contracts import Decoding, Hypothesis, TranslationRequest
from llamax_cli.models.output_lengths import Lengths
from llamax_cli.models.prompts import AUTO, Template, choose


class Encoding:
    """How requests are put to one model.

    An encoder-decoder that has a token for each language is told the languages by them, any other model by a template;
    `template` is that of `--template`.
    """

    def __init__(self, model: str, template: str, tokenizer: Any, config: Any, decoding: Decoding) -> None:
        self.tokenizer = tokenizer
        self.eos = _eos(config, tokenizer)
        self._is_pair = bool(config.is_encoder_decoder)
        # M2M-100's tokenizer keeps its languages apart.
        vocabulary = {**tokenizer.get_vocab(), **getattr(tokenizer, "lang_token_to_id", {})}
        self._vocabulary = vocabulary
        self._is_prefixed = self._is_pair and language_tokens.is_prefixed(vocabulary)
        self.is_marked = self._is_pair and language_tokens.is_marked(vocabulary) and hasattr(tokenizer, "src_lang")
        if self._is_prefixed and template == AUTO:
            template = "madlad"
        elif self._is_pair and template == AUTO:
            template = "aya-101"
        self.template: Template = choose(template, model, has_chat=bool(getattr(tokenizer, "chat_template", None)))
        self._lengths = Lengths(decoding.max_new_tokens, self._count)
        self._room: int | None = getattr(config, "max_position_embeddings", None)

    def _count(self, text: str) -> int:
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def jobs(self, requests: Sequence[TranslationRequest]) -> tuple[list[Job], list[tuple[int, RecordError]]]:
        """Return the requests as tokens, in any order, and for what the model cannot be asked: (place, why)."""
        jobs: list[Job] = []
        refused: list[tuple[int, RecordError]] = []
        known: list[tuple[int, TranslationRequest, str, int | None]] = []
        for place, request in enumerate(requests):
            try:
                known.append((place, request, *self._put(request)))
            except RecordError as error:
                refused.append((place, error))
        # The tokenizers of marked models have the source language as a state.
        by_source = sorted(known, key=lambda each: each[1].src_lang if self.is_marked else "")
        for source, group in groupby(by_source, key=lambda each: each[1].src_lang if self.is_marked else ""):
            asked = list(group)
            for (place, request, _, lead), tokens in zip(asked, self._tokens(source, asked), strict=True):
                try:
                    jobs.append(Job(place, tokens, self._limit(request, len(tokens)), lead))
                except RecordError as error:
                    refused.append((place, error))
        return jobs, refused

    def _put(self, request: TranslationRequest) -> tuple[str, int | None]:
        """Return the text for the model, and the token that begins the answer, where one has to."""
        if self.is_marked:
            language_tokens.marker(self._vocabulary, request.src_lang)
            return request.src, self._vocabulary[language_tokens.marker(self._vocabulary, request.tgt_lang)]
        code = (
            language_tokens.bare(language_tokens.marker(self._vocabulary, request.tgt_lang))
            if self._is_prefixed
            else ""
        )
        text = self.template.render(*request, code)
        if self.template.chat:
            turns = [{"role": "user", "content": text}]
            text = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return text, None

    def _tokens(self, source: str, asked: Sequence[tuple[int, TranslationRequest, str, int | None]]) -> list[list[int]]:
        texts = [text for _, _, text, _ in asked]
        if self.is_marked:
            self.tokenizer.src_lang = language_tokens.bare(language_tokens.marker(self._vocabulary, source))
        beginning = self.tokenizer.bos_token
        # A chat template writes the first token itself.
        special = not (beginning and texts[0].startswith(beginning)) and not self.template.chat
        encoded: list[list[int]] = self.tokenizer(texts, add_special_tokens=special)["input_ids"]
        if self._is_pair:
            return encoded
        return [ids[:-1] if ids[-1:] == [self.tokenizer.eos_token_id] else ids for ids in encoded]

    def _limit(self, request: TranslationRequest, length: int) -> int:
        """Return the most new tokens, no more than the model has positions for after a prompt of that length."""
        limit = self._lengths.limit(request.src, request.tgt_lang)
        if self._room is None:
            return limit
        left = self._room - (1 if self._is_pair else length)
        if length > self._room or left < 1:
            raise RecordError(
                f"the source is too long: {length:,} tokens with its prompt, the model takes {self._room:,}"
            )
        return min(limit, left)

    def hypothesis(self, tokens: list[int], *, lead: int | None = None) -> Hypothesis:
        """Return what was generated as a translation; it is cut where the model itself came to no end."""
        ended = bool(tokens) and tokens[-1] in self.eos
        if lead is not None and tokens[:1] == [lead]:
            tokens = tokens[1:]
        text = self.tokenizer.decode(tokens, skip_special_tokens=True)
        text, stopped = self.template.answer(text)
        return Hypothesis(text, not (ended or stopped))


def _eos(config: Any, tokenizer: Any) -> list[int]:
    """Return the tokens that end a text: those of the generation settings where there are any, and the tokenizer's."""
    found = getattr(config, "eos_token_id", None)
    ids = found if isinstance(found, list) else [found]
    return sorted({each for each in (*ids, tokenizer.eos_token_id) if each is not None})
