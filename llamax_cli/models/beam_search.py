"""Beam search with the results of transformers' `generate`, at less work.

The beginning that prompts share is read once, each prompt is read once for all its beams, and a sentence leaves the
batch when its search ends, so that another one joins it. Scoring and stopping follow the defaults of `generate`: a
sequence's score is its mean log-probability, and a search ends when no running beam can beat the worst finished one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from llamax_cli.models.batching import EncodedRequest, RunningBatch
from llamax_cli.models.prefix_attention import KeyValueCache, Prefix

IMPOSSIBLE = -1.0e9  # the score of a beam that must not be chosen


@dataclass
class Beams:
    """The state of a search, one row per sentence.

    `indices`: the index of the request of each row. `limits`, `lengths`, `ages`: its most new tokens, the tokens of its
    prompt, and its new tokens so far. `running`, `finished`: (rows, beams, tokens). `scores`, `finished_scores`: (rows,
    beams), sums and means of log-probabilities. `is_finished`: which entries of `finished` are in use. `can_improve`:
    (rows, 1), whether a running beam may still beat a finished one.
    """

    indices: Tensor
    limits: Tensor
    lengths: Tensor
    ages: Tensor
    running: Tensor
    scores: Tensor
    finished: Tensor
    finished_scores: Tensor
    is_finished: Tensor
    can_improve: Tensor

    def select(self, rows: Tensor) -> "Beams":
        """Return the state of some rows."""
        return Beams(**{name: tensor[rows] for name, tensor in vars(self).items()})

    def joined(self, others: "Beams") -> "Beams":
        """Return these rows, and the others after them."""
        width = max(self.running.shape[2], others.running.shape[2])
        return Beams(
            **{
                name: torch.cat([_widened(tensor, width), _widened(getattr(others, name), width)])
                for name, tensor in vars(self).items()
            }
        )

    def shared_tokens(self) -> Tensor:
        """Return how many new tokens from the first on all running beams of each row have in common, (rows,)."""
        is_new = torch.arange(self.running.shape[2], device=self.ages.device) < self.ages[:, None]
        return ((self.running == self.running[:, :1]).all(1) & is_new).cumprod(1).sum(1)


@dataclass
class Search:
    """The search of some sentences.

    `logits` are those of their next tokens. `parents`, (rows, beams), are the beams of `cache` that those of `state`
    continue, and the first `shared` tokens, (rows,), of all beams of a row are the same.
    """

    state: Beams
    cache: KeyValueCache
    logits: Tensor
    parents: Tensor
    shared: Tensor

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows alone."""
        self.state, self.parents, self.shared = self.state.select(rows), self.parents[rows], self.shared[rows]
        self.cache.select_prompts(rows)

    def join(self, other: "Search") -> None:
        """Go on with the rows of both; of the others, the cache has the prompts alone."""
        self.state = self.state.joined(other.state)
        any_beams = torch.zeros_like(other.parents)  # of which they see nothing
        self.parents = torch.cat([self.parents, any_beams])
        self.shared = torch.cat([self.shared, other.shared])
        self.cache.join(other.cache)

    def step(self) -> None:
        """Read the last token of every beam."""
        state, beams = self.state, self.parents.shape[1]
        last = (state.ages - 1)[:, None]
        tokens = state.running.gather(2, last[:, None].expand(-1, beams, -1))
        self.cache.select_beams(self.parents.flatten(), self.shared)
        self.logits = self.cache.step(tokens.flatten(), (state.lengths + state.ages - 1).repeat_interleave(beams))


class BeamSearch:
    """A search with `beams` beams, in which any of the `eos` tokens ends a sequence."""

    def __init__(self, model: Any, eos: Sequence[int], beams: int) -> None:
        self._model = model
        self._beams = beams
        self._eos = torch.tensor(sorted(eos), device=model.device)
        self._candidates_per_row = max(2, 1 + len(eos)) * beams
        self._last_prefix: tuple[list[int], Prefix] = ([], [])

    @torch.inference_mode()
    def __call__(self, batch: RunningBatch) -> Iterator[tuple[EncodedRequest, list[list[int]]]]:
        """Yield each request when its search ends, with its sequences, best first, each with EOS if it was reached."""
        search: Search | None = None
        while True:
            ended: list[tuple[int, list[list[int]]]] = []
            if joining := batch.join(search.cache.tokens_per_prompt if search else 0):
                search, ended = self._with(search, joining)
            elif search is None:
                return
            if len(search.parents):
                search.step()
                ended += self._advance(search)
            if not len(search.parents):
                search = None
            yield from batch.leave(ended)  # here alone: what has left when memory runs out is not translated again

    def _with(
        self, search: Search | None, requests: Sequence[EncodedRequest]
    ) -> tuple[Search, list[tuple[int, list[list[int]]]]]:
        """Return the search with these sentences, too, and the sequences of those that end with their first token."""
        begun = self._begin(requests)
        ended = self._advance(begun)
        if search is None:
            return begun, ended
        if len(begun.parents):
            search.join(begun)
        return search, ended

    def _begin(self, requests: Sequence[EncodedRequest]) -> Search:
        """Return the search of sentences whose prompts have been read."""
        rows = len(requests)
        cache, logits = self._read([request.tokens for request in requests])
        parents = torch.zeros(rows, self._beams, dtype=torch.long, device=self._model.device)
        return Search(self._start(requests), cache, logits, parents, parents[:, 0])

    def _read(self, prompts: Sequence[list[int]]) -> tuple[KeyValueCache, Tensor]:
        """Read the prompts; return their cache and the logits of the first new token, (rows, vocabulary)."""
        cache, read = self._cache_with_prefix(prompts)
        rest = [prompt[read:] for prompt in prompts]
        width = max(map(len, rest))
        ids = torch.tensor([[0] * (width - len(tokens)) + tokens for tokens in rest], device=self._model.device)
        mask = torch.tensor([[False] * (width - len(tokens)) + [True] * len(tokens) for tokens in rest])
        logits = cache.read_prompts(ids, mask.to(ids.device), read)
        cache.start(self._beams)
        return cache, logits

    def _cache_with_prefix(self, prompts: Sequence[list[int]]) -> tuple[KeyValueCache, int]:
        """Return a cache that has read a beginning of all prompts, and how many tokens that is.

        A beginning is kept, since most prompts have the same one; a longer one is read if that is less work.
        """
        cache = KeyValueCache(self._model)
        common = _common_prefix([prompt[:-1] for prompt in prompts])
        last_ids, last_prefix = self._last_prefix
        read = len(_common_prefix([common, last_ids]))
        if common and (not read or len(prompts) * (len(common) - read) > len(common)):
            cache.read_prefix(common)
            self._last_prefix = (common, cache.prefix)
            read = len(common)
        elif read:
            cache.use_prefix(last_prefix, read)
        return cache, read

    def _start(self, requests: Sequence[EncodedRequest]) -> Beams:
        rows, beams, device = len(requests), self._beams, self._model.device
        limits = [request.max_new_tokens for request in requests]
        tokens = torch.zeros(rows, beams, max(limits), dtype=torch.long, device=device)
        return Beams(
            indices=torch.tensor([request.index for request in requests], device=device),
            limits=torch.tensor(limits, device=device),
            lengths=torch.tensor([len(request.tokens) for request in requests], device=device),
            ages=torch.zeros(rows, dtype=torch.long, device=device),
            running=tokens,
            scores=torch.zeros(rows, beams, device=device),
            finished=tokens.clone(),
            finished_scores=torch.full((rows, beams), IMPOSSIBLE, device=device),
            is_finished=torch.zeros(rows, beams, dtype=torch.bool, device=device),
            can_improve=torch.ones(rows, 1, dtype=torch.bool, device=device),
        )

    def _advance(self, search: Search) -> list[tuple[int, list[list[int]]]]:
        """Append a token to every beam; return the sequences of the requests whose search ends, which leave it."""
        search.shared = search.state.shared_tokens()
        search.cache.move_shared(search.shared)
        search.parents, done = self._append(search.state, search.logits)
        if not bool(done.any()):
            return []
        ended = self._finished(search.state, done)
        search.keep((~done).nonzero()[:, 0])
        return ended

    def _append(self, state: Beams, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Append a token to every beam; return the beam that each one continues, (rows, beams), and which rows end."""
        state.ages = state.ages + 1
        ages = state.ages[:, None]
        scores, parents, tokens = self._candidates(state, logits)
        is_at_limit = state.limits[:, None] <= ages
        ends = torch.isin(tokens, self._eos) | is_at_limit
        sequences = _gather(state.running, parents)
        sequences.scatter_(2, (ages - 1)[:, :, None].expand(-1, sequences.shape[1], -1), tokens[:, :, None])
        self._finish(state, scores, sequences, ends)
        running_scores = scores + ends * IMPOSSIBLE
        best = running_scores.topk(self._beams)[1]
        state.scores, state.running = running_scores.gather(1, best), _gather(sequences, best)
        worst = torch.where(state.is_finished, state.finished_scores.amin(1, keepdim=True), IMPOSSIBLE)
        state.can_improve &= (state.scores[:, :1] / ages > worst).any(1, keepdim=True)
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
        rows, vocabulary = len(state.ages), log_probs.shape[-1]
        if len(log_probs) == rows:  # after the prompt, all beams are still the same
            scores, tokens = log_probs.topk(min(self._candidates_per_row, vocabulary))
            return scores, torch.zeros_like(tokens), tokens
        sums = log_probs.view(rows, self._beams, vocabulary).add_(state.scores[:, :, None]).flatten(1)
        scores, indices = sums.topk(self._candidates_per_row)
        return scores, indices // vocabulary, indices % vocabulary

    def _finish(self, state: Beams, scores: Tensor, sequences: Tensor, ends: Tensor) -> None:
        """Add the sequences that end here to the finished ones, if they are among the best candidates of their row."""
        is_among_best = torch.arange(scores.shape[1], device=scores.device) < self._beams
        is_taken = ends & is_among_best & state.can_improve
        means = torch.where(is_taken, scores / state.ages[:, None], IMPOSSIBLE)
        state.finished_scores, indices = torch.cat([state.finished_scores, means], 1).topk(self._beams)
        state.finished = _gather(torch.cat([state.finished, sequences], 1), indices)
        state.is_finished = torch.cat([state.is_finished, is_taken], 1).gather(1, indices)

    def _finished(self, state: Beams, done: Tensor) -> list[tuple[int, list[list[int]]]]:
        """Return the index and the finished sequences of the rows that are done."""
        eos = set(self._eos.tolist())
        return [
            (
                index,
                [_until_eos(tokens[:age], eos) for tokens, finished in zip(sequences, used, strict=True) if finished],
            )
            for index, age, sequences, used in zip(
                state.indices[done].tolist(),
                state.ages[done].tolist(),
                state.finished[done].tolist(),
                state.is_finished[done].tolist(),
                strict=True,
            )
        ]


def _common_prefix(sequences: Sequence[list[int]]) -> list[int]:
    """Return the beginning that all sequences share: `_common_prefix([[1, 2, 3], [1, 2, 4]]) -> [1, 2]`."""
    least, greatest = min(sequences), max(sequences)  # all sequences share what these two share
    pairs = enumerate(zip(least, greatest, strict=False))
    return least[: next((index for index, (one, other) in pairs if one != other), len(least))]


def _widened(tensor: Tensor, width: int) -> Tensor:
    """Return tokens, (rows, beams, n), with zeros up to `width` of them; other tensors as they are."""
    return functional.pad(tensor, (0, width - tensor.shape[2])) if tensor.dim() == 3 else tensor


def _gather(sequences: Tensor, indices: Tensor) -> Tensor:
    """Return the beams at `indices` (rows, n) of `sequences` (rows, beams, tokens)."""
    return sequences.gather(1, indices[:, :, None].expand(-1, -1, sequences.shape[2]))


def _until_eos(tokens: list[int], eos: set[int]) -> list[int]:
    """Return a sequence up to its first EOS, that included."""
    end = next((index for index, token in enumerate(tokens) if token in eos), len(tokens) - 1)
    return tokens[: end + 1]
