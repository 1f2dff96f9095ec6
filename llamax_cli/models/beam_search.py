"""Beam search with the results of transformers' `generate`, at less work.

The beginning that all prompts share is read once, each prompt is read once for all its beams, and a sentence leaves the
batch when its search ends. Scoring and stopping follow the defaults of `generate`: a sequence's score is its mean
log-probability, and a search ends when no running beam can beat the worst finished one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from llamax_cli.models.prefix_attention import KeyValueCache, Prefix

IMPOSSIBLE = -1.0e9  # the score of a beam that must not be chosen


@dataclass
class Beams:
    """The state of a search, one row per sentence.

    `prompts`: the index of the prompt of each row. `limits`, `lengths`: its most new tokens, and the tokens of its
    prompt. `running`, `finished`: (rows, beams, tokens). `scores`, `finished_scores`: (rows, beams), sums and means of
    log-probabilities. `is_finished`: which entries of `finished` are in use. `can_improve`: (rows, 1), whether a
    running beam may still beat a finished one.
    """

    prompts: Tensor
    limits: Tensor
    lengths: Tensor
    running: Tensor
    scores: Tensor
    finished: Tensor
    finished_scores: Tensor
    is_finished: Tensor
    can_improve: Tensor

    def select(self, rows: Tensor) -> "Beams":
        """Return the state of some rows."""
        return Beams(**{name: tensor[rows] for name, tensor in vars(self).items()})


class BeamSearch:
    """A search with `beams` beams, in which any of the `eos` tokens ends a sequence."""

    def __init__(self, model: Any, eos: Sequence[int], beams: int) -> None:
        self._model = model
        self._beams = beams
        self._eos = torch.tensor(sorted(eos), device=model.device)
        self._candidates_per_row = max(2, 1 + len(eos)) * beams
        self._last_prefix: tuple[list[int], Prefix] = ([], [])

    @torch.inference_mode()
    def __call__(self, prompts: Sequence[list[int]], limits: Sequence[int]) -> list[list[list[int]]]:
        """Return the best sequences of each prompt, best first, with EOS if it was reached.

        `limits` are the most new tokens of each prompt.
        """
        cache, logits = self._read(prompts)
        state = self._start(prompts, limits)
        results: list[list[list[int]]] = [[] for _ in prompts]
        for length in range(1, max(limits) + 1):
            shared = _shared_tokens(state.running[:, :, : length - 1])
            parents, done = self._advance(state, logits, length)
            if bool(done.any()):
                self._collect(state, done, length, results)
                if bool(done.all()):
                    break
                remaining = (~done).nonzero()[:, 0]
                state, parents = state.select(remaining), parents[remaining]
                cache.select_prompts(remaining)
            if length == 1:
                cache.start(self._beams)
            else:
                cache.select_beams(parents.flatten(), shared)
            positions = (state.lengths + length - 1).repeat_interleave(self._beams)
            logits = cache.step(state.running[:, :, length - 1].flatten(), positions)
        return results

    def _read(self, prompts: Sequence[list[int]]) -> tuple[KeyValueCache, Tensor]:
        """Read the prompts; return their cache and the logits of the first new token, (rows, vocabulary)."""
        prefix = _common_prefix([prompt[:-1] for prompt in prompts])
        cache = self._cache_with_prefix(prefix)
        rest = [prompt[len(prefix) :] for prompt in prompts]
        width = max(map(len, rest))
        ids = torch.tensor([[0] * (width - len(tokens)) + tokens for tokens in rest], device=self._model.device)
        mask = torch.tensor([[False] * (width - len(tokens)) + [True] * len(tokens) for tokens in rest])
        return cache, cache.read_prompts(ids, mask.to(ids.device), len(prefix))

    def _cache_with_prefix(self, ids: list[int]) -> KeyValueCache:
        """Return a cache that has read the tokens; they are kept, because most batches begin with the same ones."""
        cache = KeyValueCache(self._model)
        last_ids, last_prefix = self._last_prefix
        if ids and ids == last_ids:
            cache.prefix = last_prefix
        elif ids:
            cache.read_prefix(ids)
            self._last_prefix = (ids, cache.prefix)
        return cache

    def _start(self, prompts: Sequence[list[int]], limits: Sequence[int]) -> Beams:
        rows, beams, device = len(prompts), self._beams, self._model.device
        tokens = torch.zeros(rows, beams, max(limits), dtype=torch.long, device=device)
        return Beams(
            prompts=torch.arange(rows, device=device),
            limits=torch.tensor(limits, device=device),
            lengths=torch.tensor([len(prompt) for prompt in prompts], device=device),
            running=tokens,
            scores=torch.zeros(rows, beams, device=device),
            finished=tokens.clone(),
            finished_scores=torch.full((rows, beams), IMPOSSIBLE, device=device),
            is_finished=torch.zeros(rows, beams, dtype=torch.bool, device=device),
            can_improve=torch.ones(rows, 1, dtype=torch.bool, device=device),
        )

    def _advance(self, state: Beams, logits: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """Append token number `length` to every beam; return the beam that each one continues and which rows end."""
        scores, parents, tokens = self._candidates(state, logits)
        is_at_limit = state.limits[:, None] <= length
        ends = torch.isin(tokens, self._eos) | is_at_limit
        sequences = _gather(state.running, parents)
        sequences[:, :, length - 1] = tokens
        self._finish(state, scores, sequences, ends, length)
        running_scores = scores + ends * IMPOSSIBLE
        best = running_scores.topk(self._beams)[1]
        state.scores, state.running = running_scores.gather(1, best), _gather(sequences, best)
        worst = torch.where(state.is_finished, state.finished_scores.amin(1, keepdim=True), IMPOSSIBLE)
        state.can_improve &= (state.scores[:, :1] / length > worst).any(1, keepdim=True)
        done = ~state.can_improve[:, 0] | is_at_limit[:, 0]
        if self._beams == 1:  # a greedy search ends with its first EOS
            done |= state.is_finished[:, 0]
        rows = torch.arange(len(parents), device=parents.device)[:, None]
        return parents.gather(1, best) + rows * self._beams, done

    def _candidates(self, state: Beams, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the best continuations of each row, best first: scores, the beams they continue, and tokens."""
        # In generate's arithmetic and order: the sums of long outputs are so large (-2,000) that float32 has steps of
        # 1e-4 there, so that many candidates tie, and another way to the same sum would choose others of them.
        log_probs = logits.float().log_softmax(-1)
        rows, vocabulary = len(state.prompts), log_probs.shape[-1]
        if len(log_probs) == rows:  # after the prompt, all beams are still the same
            scores, tokens = log_probs.topk(min(self._candidates_per_row, vocabulary))
            return scores, torch.zeros_like(tokens), tokens
        sums = log_probs.view(rows, self._beams, vocabulary).add_(state.scores[:, :, None]).flatten(1)
        scores, indices = sums.topk(self._candidates_per_row)
        return scores, indices // vocabulary, indices % vocabulary

    def _finish(self, state: Beams, scores: Tensor, sequences: Tensor, ends: Tensor, length: int) -> None:
        """Add the sequences that end here to the finished ones, if they are among the best candidates of their row."""
        is_among_best = torch.arange(scores.shape[1], device=scores.device) < self._beams
        is_taken = ends & is_among_best & state.can_improve
        means = torch.where(is_taken, scores / length, IMPOSSIBLE)
        state.finished_scores, indices = torch.cat([state.finished_scores, means], 1).topk(self._beams)
        state.finished = _gather(torch.cat([state.finished, sequences], 1), indices)
        state.is_finished = torch.cat([state.is_finished, is_taken], 1).gather(1, indices)

    def _collect(self, state: Beams, done: Tensor, length: int, results: list[list[list[int]]]) -> None:
        """Write the finished sequences of the rows that are done into `results`."""
        eos = set(self._eos.tolist())
        for prompt, sequences, are_finished in zip(
            state.prompts[done].tolist(),
            state.finished[done, :, :length].tolist(),
            state.is_finished[done].tolist(),
            strict=True,
        ):
            finished = zip(sequences, are_finished, strict=True)
            results[prompt] = [_until_eos(tokens, eos) for tokens, is_finished in finished if is_finished]


def _common_prefix(sequences: Sequence[list[int]]) -> list[int]:
    """Return the beginning that all sequences share: `_common_prefix([[1, 2, 3], [1, 2, 4]]) -> [1, 2]`."""
    least, greatest = min(sequences), max(sequences)  # all sequences share what these two share
    pairs = enumerate(zip(least, greatest, strict=False))
    return least[: next((index for index, (one, other) in pairs if one != other), len(least))]


def _shared_tokens(running: Tensor) -> int:
    """Return how many tokens from the beginning all beams of each row have in common; `running`: (rows, beams, n)."""
    return int((running == running[:, :1]).all(1).all(0).cumprod(0).sum())


def _gather(sequences: Tensor, indices: Tensor) -> Tensor:
    """Return the beams at `indices` (rows, n) of `sequences` (rows, beams, tokens)."""
    return sequences.gather(1, indices[:, :, None].expand(-1, -1, sequences.shape[2]))


def _until_eos(tokens: list[int], eos: set[int]) -> list[int]:
    """Return a sequence up to its first EOS, that included."""
    end = next((index for index, token in enumerate(tokens) if token in eos), len(tokens) - 1)
    return tokens[: end + 1]
