"""Requests as tokens and tokens as translations: prompts for decoders, language tokens for encoder-decoders."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

from llamax_cli.errors import ModelError, RecordError, UsageError
from llamax_cli.models import pretrained
from llamax_cli.models.batching import EncodedRequest
from llamax_cli.models.bos import set_bos
from llamax_cli.models.chat_template import chat_template_text, render_prompt
from llamax_cli.models.contracts import GROUP, Answer, Decoding, Hypothesis, ModelChoice, TranslationRequest
from llamax_cli.models.language_tokens import LanguageTokens, code_in
from llamax_cli.models.output_lengths import OutputLengths
from llamax_cli.models.prompts import AUTO, Template, choose, without_reasoning
from llamax_cli.models.special_text import LiteralText, SpecialText

# Encoder-decoders whose languages are tokens, and those that a prompt in English can instruct (Aya-101 is an mT5).
BY_TOKENS = {"m2m_100", "nllb-moe", "mbart"}
BY_PROMPT = {"t5", "mt5", "umt5", "longt5", "switch_transformers", "t5gemma", "t5gemma2"}

# Yields each request with the sequences of tokens generated for it, best first; in any order of requests.
Decode: TypeAlias = Callable[[list[EncodedRequest]], Iterable[tuple[EncodedRequest, list[list[int]]]]]


@dataclass(frozen=True)
class _Prompt:
    """The text that the model reads for a request, and the token that must begin the answer, if any."""

    index: int
    request: TranslationRequest
    text: LiteralText
    forced_bos: int | None


class RequestEncoder:
    """Encodes requests for one model, and decodes what it generates.

    An encoder-decoder that has a token for each language gets the languages as tokens; any other model gets a prompt
    from `template` (`--template`). `eos` are the tokens that end a translation. A special token that a source names is
    text: only the template writes special tokens.
    """

    def __init__(
        self,
        model: str,
        template: str,
        tokenizer: Any,
        config: Any,
        decoding: Decoding,
        *,
        thinking: bool = False,
        lora: str | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.eos = _eos(config, tokenizer)
        self._is_encoder_decoder = bool(config.is_encoder_decoder)
        # M2M-100's tokenizer lists its language tokens separately.
        self._vocabulary = {**tokenizer.get_vocab(), **getattr(tokenizer, "lang_token_to_id", {})}
        self._language_tokens = LanguageTokens(self._vocabulary)
        self._has_prefix_tokens = self._is_encoder_decoder and self._language_tokens.are_prefixes
        self._has_forced_tokens = (
            self._is_encoder_decoder and self._language_tokens.are_forced and hasattr(tokenizer, "src_lang")
        )
        if self._is_encoder_decoder and not (self._has_prefix_tokens or self._has_forced_tokens):
            _check_prompted(model, template, config)
        if self._is_encoder_decoder and template == AUTO:
            template = "madlad" if self._has_prefix_tokens else "aya-101"
        self.template: Template = choose(
            template,
            model,
            has_chat=bool(getattr(tokenizer, "chat_template", None)),
            chat_template=chat_template_text(tokenizer),
        )
        self._thinking = thinking
        self._only_group = merged_group(model, lora) if self.template.groups else None
        self._special = SpecialText(tokenizer)
        self._lengths = OutputLengths(decoding.max_new_tokens, self._count_tokens)
        self._positions: int | None = getattr(config, "max_position_embeddings", None)

    def check_shots(self, model: str) -> None:
        """Raise UsageError if a prompt of this model has no place for examples."""
        if self._has_forced_tokens or self._has_prefix_tokens:
            raise UsageError(f"--shots is for prompts, and {model} reads the source alone")
        if not self.template.takes_shots:
            raise UsageError(
                "the template has no place for examples: choose --template chat, or a file with "
                "{shot_src} and {shot_tgt}"
            )

    def _count_tokens(self, text: str) -> int:
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def answers(self, requests: Sequence[TranslationRequest], decode: Decode) -> Iterator[tuple[int, Answer]]:
        """Yield (index in `requests`, hypotheses best first, or why there are none) for each request."""
        encoded, refused = self.encode(requests)
        yield from refused
        for request, sequences in decode(encoded):
            yield request.index, [self.hypothesis(tokens, forced_bos=request.forced_bos) for tokens in sequences]

    def encode(
        self, requests: Sequence[TranslationRequest]
    ) -> tuple[list[EncodedRequest], list[tuple[int, RecordError]]]:
        """Return the requests as tokens, in any order, and (index, reason) for those that the model cannot take."""
        prompts: list[_Prompt] = []
        encoded: list[EncodedRequest] = []
        refused: list[tuple[int, RecordError]] = []
        for index, request in enumerate(requests):
            try:
                prompts.append(_Prompt(index, request, *self._prompt(request)))
            except RecordError as error:
                refused.append((index, error))
        for _, group in groupby(sorted(prompts, key=self._tokenizer_state), key=self._tokenizer_state):
            together = list(group)
            for prompt, tokens in zip(together, self._tokenize(together), strict=True):
                try:
                    limit = self._max_new_tokens(prompt.request, len(tokens))
                except RecordError as error:
                    refused.append((prompt.index, error))
                else:
                    adapter = self._group(prompt.request)
                    encoded.append(EncodedRequest(prompt.index, tokens, limit, prompt.forced_bos, adapter))
        return encoded, refused

    def describe(self, request: TranslationRequest) -> dict[str, Any]:
        """Return what the model reads for a request; RecordError if it cannot take it.

        The keys: `prompt`, its text; `tokens` and `token_ids`; `forced`, the token that begins the answer, if one does.
        """
        encoded, refused = self.encode([request])
        for _, error in refused:
            raise error
        text, forced = self._prompt(request)
        ids = encoded[0].tokens
        names = self.tokenizer.convert_ids_to_tokens
        answer = {} if forced is None else {"forced": names([forced])[0]}
        return {"prompt": text.text, "tokens": names(ids), "token_ids": ids, **answer}

    def _prompt(self, request: TranslationRequest) -> tuple[LiteralText, int | None]:
        """Return the text for the model, and the token that must begin the answer, if any."""
        if self._has_forced_tokens:
            self._language_tokens.token(request.src_lang)  # refuses a language that the model does not know
            source = LiteralText(request.src, self._special.find(request.src))
            return source, self._vocabulary[self._language_tokens.token(request.tgt_lang)]
        code = ""
        if self._has_prefix_tokens:
            code = code_in(self._language_tokens.token(request.tgt_lang))
        self._group(request)  # refuses a language that the model does not know
        if self.template.chat:
            prompt = render_prompt(
                self.tokenizer,
                self._special,
                self.template.turns(*request),
                add_generation_prompt=self.template.has_generation_prompt,
                thinking=self._thinking,
            )
            return prompt, None
        text, data = self.template.locate(*request.key, code, request.shots)
        return LiteralText(text, self._special.literals(text, data)), None

    def _group(self, request: TranslationRequest) -> str:
        """Return the group of a direction; RecordError if the model does not know it, or has another group."""
        group = self.template.group(request.src_lang, request.tgt_lang)
        if self._only_group is not None and group != self._only_group:
            raise RecordError(
                f"{request.src_lang}-{request.tgt_lang} is for the model of group {group}, not of {self._only_group}"
            )
        return group

    def _tokenizer_state(self, prompt: _Prompt) -> str:
        """Return what has to be set in the tokenizer for a prompt: the source language, for models with its token."""
        return prompt.request.src_lang if self._has_forced_tokens else ""

    def _tokenize(self, prompts: Sequence[_Prompt]) -> list[list[int]]:
        """Return the tokens of prompts that share the tokenizer's state."""
        if self._has_forced_tokens:
            self.tokenizer.src_lang = code_in(self._language_tokens.token(prompts[0].request.src_lang))
        # A chat template writes the first token itself, and so may another one.
        bos = self.tokenizer.bos_token
        add_special_tokens = not self.template.chat and not (bos and self.template.text.startswith(bos))
        texts = [prompt.text.text for prompt in prompts]
        encoded: list[list[int]] = self.tokenizer(texts, add_special_tokens=add_special_tokens)["input_ids"]
        for place, prompt in enumerate(prompts):
            if prompt.text.literals:
                encoded[place] = self._special.encode_prompt(prompt.text, add_special_tokens=add_special_tokens)
        if self._is_encoder_decoder:
            return encoded
        return [ids[:-1] if ids[-1:] == [self.tokenizer.eos_token_id] else ids for ids in encoded]

    def _max_new_tokens(self, request: TranslationRequest, length: int) -> int:
        """Return the most new tokens after a prompt of `length` tokens, within the positions that the model has."""
        limit = self._lengths.limit(request.src, request.tgt_lang)
        if self._positions is None:
            return limit
        left = self._positions - (1 if self._is_encoder_decoder else length)
        if length > self._positions or left < 1:
            raise RecordError(
                f"the source is too long: {length:,} tokens with its prompt, but the model takes {self._positions:,}"
            )
        return min(limit, left)

    def hypothesis(self, tokens: list[int], *, forced_bos: int | None = None) -> Hypothesis:
        """Return generated tokens as a translation, truncated unless the model or the template ended it."""
        has_eos = bool(tokens) and tokens[-1] in self.eos
        if forced_bos is not None and tokens[:1] == [forced_bos]:
            tokens = tokens[1:]
        text = self.tokenizer.decode(tokens, skip_special_tokens=True)
        text, reasoned = without_reasoning(text) if self.template.chat else (text, False)
        text, has_stop = self.template.answer(text)
        return Hypothesis(text, not (has_eos or has_stop), reasoned)


def load_encoder(choice: ModelChoice, decoding: Decoding) -> tuple[Any, RequestEncoder]:
    """Return the configuration of a model, and the encoder of requests to it."""
    pretrained.silence()
    config = pretrained.load_config(choice.model, trust_remote_code=choice.trust_remote_code)
    tokenizer = pretrained.load_tokenizer(choice.model, trust_remote_code=choice.trust_remote_code)
    set_bos(tokenizer, choice.add_bos, choice.model)
    encoder = RequestEncoder(
        choice.model, choice.template, tokenizer, config, decoding, thinking=choice.thinking, lora=choice.lora
    )
    if choice.lora and GROUP in choice.lora and not encoder.template.groups:
        raise UsageError(f"--lora {choice.lora} is for a template whose languages have groups: --template x-alma")
    if choice.shot_count:
        encoder.check_shots(choice.model)
    return config, encoder


def merged_group(model: str, lora: str | None) -> str | None:
    """Return the group in the name of an adapter, or of a model that it was merged into; None if there is none.

    `merged_group("haoranxu/X-ALMA-13B-Group6", None) -> "6"`
    """
    match = re.search(r"group-?(\d+)", Path(lora or model).name, re.IGNORECASE)
    return match[1] if match else None


def _check_prompted(model: str, template: str, config: Any) -> None:
    """Raise ModelError for an encoder-decoder without language tokens that would not understand a prompt either."""
    if config.model_type in BY_TOKENS:
        raise ModelError(
            f"the tokenizer of {model} has no language tokens, which a model of type {config.model_type} needs; "
            "copy tokenizer.json and tokenizer_config.json of the original model into it"
        )
    if template == AUTO and config.model_type not in BY_PROMPT:
        raise ModelError(
            f"{model} is an encoder-decoder of type {config.model_type}, of which no prompt is known; "
            "choose one with --template (verbatim, if it reads the source alone)"
        )


def _eos(config: Any, tokenizer: Any) -> list[int]:
    """Return the tokens that end a text: those of the configuration, if it names any, and the tokenizer's."""
    configured = getattr(config, "eos_token_id", None)
    ids = configured if isinstance(configured, list) else [configured]
    return sorted({token for token in (*ids, tokenizer.eos_token_id) if token is not None})
