"""Decoding by the `generate` of transformers: encoder-decoders, sampling, and architectures beyond our own search."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from llamax_cli.models.batching import EncodedRequest
from llamax_cli.models.contracts import Decoding, TranslationRequest
from llamax_cli.models.request_encoding import RequestEncoder
from llamax_cli.randomness import bits


class LengthLimits(StoppingCriteria):
    """Ends each sequence at its own limit of new tokens; `prompt` tokens before them are not counted."""

    def __init__(self, limits: Sequence[int], prompt: int) -> None:
        self._limits = torch.tensor(limits)
        self._prompt = prompt

    def __call__(self, input_ids: Tensor, scores: Any, **_: object) -> Tensor:
        """Return which sequences end; there may be several for each limit."""
        limits = self._limits.to(input_ids.device).repeat_interleave(len(input_ids) // len(self._limits))
        return limits <= input_ids.shape[1] - self._prompt


class ForcedBos(LogitsProcessor):
    """Begins each translation with the token that names its language."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self._tokens = torch.tensor(tokens)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return logits that allow only the forced token, if the first token is due."""
        if input_ids.shape[1] > 1:
            return scores
        tokens = self._tokens.to(scores.device).repeat_interleave(len(scores) // len(self._tokens))
        return torch.full_like(scores, float("-inf")).scatter(1, tokens[:, None], 0.0)


class Sampler(LogitsProcessor):
    """Draws the next token of each sequence by a hash of its key and position, never from a shared generator.

    `keys` are 64-bit numbers, one per sequence. Only the most likely tokens whose probabilities add up to `top_p` are
    drawn. `scores` are the summed log-probabilities of the tokens drawn, up to an `eos`.
    """

    def __init__(self, keys: Sequence[int], decoding: Decoding, eos: Sequence[int]) -> None:
        self._keys = keys
        self._decoding = decoding
        self._eos = set(eos)
        self._ended: set[int] = set()
        self._position = 0
        self.scores = [0.0] * len(keys)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return logits that are minus infinity but for the token drawn."""
        logs = torch.log_softmax(scores.float().cpu() / self._decoding.temperature, -1)
        ordered, tokens = logs.sort(dim=-1, descending=True, stable=True)
        cumulative = ordered.exp().cumsum(-1)
        in_top_p = torch.cat(
            [torch.ones_like(cumulative[:, :1], dtype=torch.bool), cumulative[:, :-1] < self._decoding.top_p], -1
        )
        totals = cumulative.where(in_top_p, torch.zeros(())).amax(-1)
        points = torch.tensor([bits(key, "token", self._position) / 2**64 for key in self._keys]) * totals
        drawn = (cumulative < points[:, None]).sum(-1).clamp(max=in_top_p.sum(-1) - 1)
        self._position += 1
        rows = torch.arange(len(drawn))
        drawn_tokens = tokens[rows, drawn]
        self._add_scores(ordered[rows, drawn].tolist(), drawn_tokens.tolist())
        forced = torch.full_like(scores, float("-inf"))
        return forced.scatter(1, drawn_tokens[:, None].to(scores.device), 0.0)

    def _add_scores(self, log_probabilities: list[float], tokens: list[int]) -> None:
        for row, (log_probability, token) in enumerate(zip(log_probabilities, tokens, strict=True)):
            if row not in self._ended:
                self.scores[row] += log_probability
            if token in self._eos:
                self._ended.add(row)


def generate(
    model: Any,
    encoder: RequestEncoder,
    decoding: Decoding,
    batch: Sequence[EncodedRequest],
    requests: Sequence[TranslationRequest],
) -> list[list[list[int]]]:
    """Return the tokens of the best sequences of each request, best first, with EOS if it was reached."""
    samples = decoding.nbest if decoding.sample else 1
    rows = [request for request in batch for _ in range(samples)]
    is_encoder_decoder = model.config.is_encoder_decoder
    ids, mask = _padded([row.tokens for row in rows], left=not is_encoder_decoder)
    prompt = 1 if is_encoder_decoder else ids.shape[1]
    keys = [_key(decoding, requests[request.index], number) for request in batch for number in range(samples)]
    sampler = Sampler(keys, decoding, encoder.eos)
    forced = [row.forced_bos for row in rows if row.forced_bos is not None]
    processors = [*([ForcedBos(forced)] if forced else []), *([sampler] if decoding.sample else [])]
    limits = [row.max_new_tokens for row in rows]
    with torch.inference_mode():
        output = model.generate(
            ids.to(model.device),
            attention_mask=mask.to(model.device),
            generation_config=_settings(model, encoder, decoding, max(limits)),
            logits_processor=LogitsProcessorList(processors),
            stopping_criteria=StoppingCriteriaList([LengthLimits(limits, prompt)]),
        )
    returned = 1 if decoding.sample else decoding.nbest  # sequences per row
    limits = [limit for limit in limits for _ in range(returned)]
    eos = set(encoder.eos)
    ended = [_until_eos(tokens[prompt:], limit, eos) for tokens, limit in zip(output.tolist(), limits, strict=True)]
    size = returned * samples
    grouped = [ended[start : start + size] for start in range(0, len(ended), size)]
    return _by_score(grouped, sampler.scores) if decoding.sample else grouped


def _padded(sequences: Sequence[list[int]], *, left: bool) -> tuple[Tensor, Tensor]:
    """Return sequences padded to one length, and the attention mask."""
    width = max(map(len, sequences))
    paddings = [[0] * (width - len(ids)) for ids in sequences]
    rows = [padding + ids if left else ids + padding for ids, padding in zip(sequences, paddings, strict=True)]
    masks = [
        padding + [1] * len(ids) if left else [1] * len(ids) + padding
        for ids, padding in zip(sequences, paddings, strict=True)
    ]
    return torch.tensor(rows), torch.tensor(masks)


def _settings(model: Any, encoder: RequestEncoder, decoding: Decoding, max_new_tokens: int) -> GenerationConfig:
    """Return settings that come from the flags alone, but for the decoder's start token, which is the model's."""
    return GenerationConfig(  # type: ignore[no-untyped-call]
        num_beams=1 if decoding.sample else decoding.beam,
        num_return_sequences=1 if decoding.sample else decoding.nbest,
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=encoder.eos,
        pad_token_id=encoder.eos[0],
        decoder_start_token_id=model.generation_config.decoder_start_token_id,
    )


def _key(decoding: Decoding, request: TranslationRequest, number: int) -> int:
    """Return the random key of one sample of a request."""
    return bits(decoding.seed, "translate", *request.key, number)


def _until_eos(tokens: list[int], limit: int, eos: set[int]) -> list[int]:
    """Return a sequence up to its first EOS, that included, or its limit."""
    end = next((index for index, token in enumerate(tokens[:limit]) if token in eos), limit - 1)
    return tokens[: end + 1]


def _by_score(grouped: list[list[list[int]]], scores: Sequence[float]) -> list[list[list[int]]]:
    """Return the samples of each sentence, ordered by their mean log-probability, highest first."""
    result, start = [], 0
    for group in grouped:
        means = [score / max(1, len(ids)) for score, ids in zip(scores[start:], group, strict=False)]
        order = sorted(range(len(group)), key=lambda index: -means[index])
        result.append([group[index] for index in order])
        start += len(group)
    return result
