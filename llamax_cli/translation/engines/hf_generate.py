"""Generation by the `generate` of transformers: encoder-decoders, sampling, architectures unknown to our search."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from llamax_cli.models.batching import Job
from llamax_cli.models.contracts import Decoding, TranslationRequest
from llamax_cli.models.request_encoding import Encoding
from llamax_cli.randomness import bits


class Limits(StoppingCriteria):
    """Ends each sequence at its own limit of new tokens; the `begun` tokens before them are not counted."""

    def __init__(self, limits: Sequence[int], begun: int) -> None:
        self._limits = torch.tensor(limits)
        self._begun = begun

    def __call__(self, input_ids: Tensor, scores: Any, **_: object) -> Tensor:
        """Return which sequences end, of any number of sequences for each sentence."""
        limits = self._limits.to(input_ids.device).repeat_interleave(len(input_ids) // len(self._limits))
        return limits <= input_ids.shape[1] - self._begun


class Lead(LogitsProcessor):
    """Begins each translation with the token that names its language."""

    def __init__(self, leads: Sequence[int]) -> None:
        self._leads = torch.tensor(leads)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return logits that leave the leading token alone, where the first one is due."""
        if input_ids.shape[1] > 1:
            return scores
        leads = self._leads.to(scores.device).repeat_interleave(len(scores) // len(self._leads))
        return torch.full_like(scores, float("-inf")).scatter(1, leads[:, None], 0.0)


class Draw(LogitsProcessor):
    """Leaves one token for each sequence: one drawn by its key and place, never by a shared generator.

    `keys` are 64-bit numbers, one for each sequence. Tokens beyond the `top_p` most likely share are not drawn.
    `scores` sums the log-probabilities of what was drawn, up to an `eos`.
    """

    def __init__(self, keys: Sequence[int], decoding: Decoding, eos: Sequence[int]) -> None:
        self._keys = keys
        self._decoding = decoding
        self._eos = set(eos)
        self._ended: set[int] = set()
        self._place = 0
        self.scores = [0.0] * len(keys)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return logits of which all but one are minus infinity."""
        logs = torch.log_softmax(scores.float().cpu() / self._decoding.temperature, -1)
        ordered, tokens = logs.sort(dim=-1, descending=True, stable=True)
        shares = ordered.exp().cumsum(-1)
        within = torch.cat(
            [torch.ones_like(shares[:, :1], dtype=torch.bool), shares[:, :-1] < self._decoding.top_p], -1
        )
        totals = shares.where(within, torch.zeros(())).amax(-1)
        points = torch.tensor([bits(key, "token", self._place) / 2**64 for key in self._keys]) * totals
        picked = (shares < points[:, None]).sum(-1).clamp(max=within.sum(-1) - 1)
        self._place += 1
        rows = torch.arange(len(picked))
        chosen = tokens[rows, picked]
        for row, (score, token) in enumerate(zip(ordered[rows, picked].tolist(), chosen.tolist(), strict=True)):
            if row not in self._ended:
                self.scores[row] += score
            if token in self._eos:
                self._ended.add(row)
        drawn = torch.full_like(scores, float("-inf"))
        return drawn.scatter(1, chosen[:, None].to(scores.device), 0.0)


def generate(
    model: Any, encoding: Encoding, decoding: Decoding, batch: Sequence[Job], requests: Sequence[TranslationRequest]
) -> list[list[list[int]]]:
    """Return the tokens of the best sequences of each job, best first, EOS included where it was reached."""
    copies = decoding.nbest if decoding.sample else 1
    rows = [job for job in batch for _ in range(copies)]
    is_pair = model.config.is_encoder_decoder
    ids, mask = _padded([job.tokens for job in rows], left=not is_pair)
    begun = 1 if is_pair else ids.shape[1]
    draw = Draw(
        [_key(decoding, requests[job.place], copy) for job in batch for copy in range(copies)], decoding, encoding.eos
    )
    leads = [job.lead for job in rows if job.lead is not None]
    processors = [*([Lead(leads)] if leads else []), *([draw] if decoding.sample else [])]
    with torch.inference_mode():
        output = model.generate(
            ids.to(model.device),
            attention_mask=mask.to(model.device),
            generation_config=_settings(model, encoding, decoding, max(job.limit for job in rows)),
            logits_processor=LogitsProcessorList(processors),
            stopping_criteria=StoppingCriteriaList([Limits([job.limit for job in rows], begun)]),
        )
    each = 1 if decoding.sample else decoding.nbest
    limits = [job.limit for job in rows for _ in range(each)]
    eos = set(encoding.eos)
    ended = [_ended(tokens[begun:], limit, eos) for tokens, limit in zip(output.tolist(), limits, strict=True)]
    grouped = [ended[start : start + each * copies] for start in range(0, len(ended), each * copies)]
    return _by_score(grouped, draw.scores) if decoding.sample else grouped


def _padded(tokens: Sequence[list[int]], *, left: bool) -> tuple[Tensor, Tensor]:
    """Return rows of one length, and where they are real."""
    width = max(map(len, tokens))
    gaps = [[0] * (width - len(ids)) for ids in tokens]
    rows = [gap + ids if left else ids + gap for ids, gap in zip(tokens, gaps, strict=True)]
    reals = [gap + [1] * len(ids) if left else [1] * len(ids) + gap for ids, gap in zip(tokens, gaps, strict=True)]
    return torch.tensor(rows), torch.tensor(reals)


def _settings(model: Any, encoding: Encoding, decoding: Decoding, limit: int) -> GenerationConfig:
    """Return settings that come from the flags alone; of the model's own only the token that begins is taken."""
    return GenerationConfig(  # type: ignore[no-untyped-call]
        num_beams=1 if decoding.sample else decoding.beam,
        num_return_sequences=1 if decoding.sample else decoding.nbest,
        max_new_tokens=limit,
        do_sample=False,
        eos_token_id=encoding.eos,
        pad_token_id=encoding.eos[0],
        decoder_start_token_id=model.generation_config.decoder_start_token_id,
    )


def _key(decoding: Decoding, request: TranslationRequest, copy: int) -> int:
    return bits(decoding.seed, "translate", *request, copy)


def _ended(tokens: list[int], limit: int, eos: set[int]) -> list[int]:
    """Return a sequence up to its end."""
    end = next((place for place, token in enumerate(tokens[:limit]) if token in eos), limit - 1)
    return tokens[: end + 1]


def _by_score(grouped: list[list[list[int]]], scores: Sequence[float]) -> list[list[list[int]]]:
    """Return the samples of each sentence, the likeliest by the mean of its log-probabilities first."""
    result, start = [], 0
    for group in grouped:
        means = [score / max(1, len(ids)) for score, ids in zip(scores[start:], group, strict=False)]
        order = sorted(range(len(group)), key=lambda place: -means[place])
        result.append([group[place] for place in order])
        start += len(group)
    return result
