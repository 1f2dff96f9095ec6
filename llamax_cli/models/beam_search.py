"""Beam search over prompts that share a beginning: the search of transformers' `generate`, at less work.

The beginning that all prompts have is read once, beams are parted only after the prompt is read, and a sentence leaves
the batch when it is done. Which sequences are kept, when a sentence is done and how it is scored are `generate`'s, with
its defaults: scores are means of log-probabilities, and a search ends when no running beam can beat the worst finished.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from llamax_cli.models.prefix_attention import KeyValueCache, Prefix

NEVER = -1.0e9  # the score of what cannot be
BLOCK = 128  # entries of the vocabulary among which the best is found first


@dataclass
class Beams:
    """The state of a search, sentence by sentence.

    `running`, `finished`: (rows, beams, tokens). `scores`, `finished_scores`: (rows, beams), sums and means of
    log-probabilities. `is_finished`: which places of `finished` are taken. `row`: which prompt each row is of.
    """

    row: Tensor
    limits: Tensor
    lengths: Tensor
    running: Tensor
    scores: Tensor
    finished: Tensor
    finished_scores: Tensor
    is_finished: Tensor
    open: Tensor

    def select(self, rows: Tensor) -> "Beams":
        """Return the state of some rows."""
        return Beams(**{name: each[rows] for name, each in vars(self).items()})


class BeamSearch:
    """A search with `beams` beams that ends sequences at any of the `eos` tokens."""

    def __init__(self, model: Any, eos: Sequence[int], beams: int) -> None:
        self._model = model
        self._beams = beams
        self._eos = torch.tensor(sorted(eos), device=model.device)
        self._width = max(2, 1 + len(eos)) * beams
        self._prefix: tuple[list[int], Prefix] = ([], [])

    @torch.inference_mode()
    def __call__(self, prompts: Sequence[list[int]], limits: Sequence[int]) -> list[list[list[int]]]:
        """Return the tokens of the best sequences of each prompt, best first, EOS included where it was reached."""
        memory, logits = self._read(prompts)
        state = self._begin(prompts, limits)
        results: list[list[list[int]]] = [[] for _ in prompts]
        for length in range(1, max(limits) + 1):
            chosen, done = self._advance(state, logits, length)
            if bool(done.any()):
                self._take(state, done, length, results)
                if bool(done.all()):
                    break
                kept = (~done).nonzero()[:, 0]
                state, chosen = state.select(kept), chosen[kept]
                memory.keep(kept)
            if length == 1:
                memory.start(self._beams)
            else:
                memory.choose(chosen.flatten())
            positions = (state.lengths + length - 1).repeat_interleave(self._beams)
            logits = memory.step(state.running[:, :, length - 1].flatten(), positions)
        return results

    def _read(self, prompts: Sequence[list[int]]) -> tuple[KeyValueCache, Tensor]:
        """Read the prompts and return the logits of the first token, (rows, vocabulary)."""
        shared = _common([prompt[:-1] for prompt in prompts])
        memory = self._with_prefix(shared)
        rest = [prompt[len(shared) :] for prompt in prompts]
        width = max(map(len, rest))
        ids = torch.tensor([[0] * (width - len(tokens)) + tokens for tokens in rest], device=self._model.device)
        real = torch.tensor([[False] * (width - len(tokens)) + [True] * len(tokens) for tokens in rest])
        return memory, memory.read_prompts(ids, real.to(ids.device), len(shared))

    def _with_prefix(self, ids: list[int]) -> KeyValueCache:
        """Return a memory that has read the tokens; they are kept, as batches mostly begin alike."""
        memory = KeyValueCache(self._model)
        known, before = self._prefix
        if ids and ids == known:
            memory.prefix = before
        elif ids:
            memory.read_prefix(ids)
            self._prefix = (ids, memory.prefix)
        return memory

    def _begin(self, prompts: Sequence[list[int]], limits: Sequence[int]) -> Beams:
        rows, beams, device = len(prompts), self._beams, self._model.device
        tokens = torch.zeros(rows, beams, max(limits), dtype=torch.long, device=device)
        return Beams(
            row=torch.arange(rows, device=device),
            limits=torch.tensor(limits, device=device),
            lengths=torch.tensor([len(prompt) for prompt in prompts], device=device),
            running=tokens,
            scores=torch.zeros(rows, beams, device=device),
            finished=tokens.clone(),
            finished_scores=torch.full((rows, beams), NEVER, device=device),
            is_finished=torch.zeros(rows, beams, dtype=torch.bool, device=device),
            open=torch.ones(rows, 1, dtype=torch.bool, device=device),
        )

    def _advance(self, state: Beams, logits: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """Give every beam its token number `length`; return from which beam each came and which rows are done."""
        scores, parents, tokens = self._candidates(state, logits)
        at_limit = state.limits[:, None] <= length
        ends = torch.isin(tokens, self._eos) | at_limit
        sequences = _gather(state.running, parents)
        sequences[:, :, length - 1] = tokens
        self._finish(state, scores, sequences, ends, length)
        remaining = scores + ends * NEVER
        best = remaining.topk(self._beams)[1]
        state.scores, state.running = remaining.gather(1, best), _gather(sequences, best)
        # Could the best running beam still beat the worst finished one?
        worst = torch.where(state.is_finished, state.finished_scores.amin(1, keepdim=True), NEVER)
        state.open &= (state.scores[:, :1] / length > worst).any(1, keepdim=True)
        done = ~state.open[:, 0] | at_limit[:, 0]
        if self._beams == 1:  # a greedy search ends with its first end
            done |= state.is_finished[:, 0]
        rows = torch.arange(len(parents), device=parents.device)[:, None]
        return parents.gather(1, best) + rows * self._beams, done

    def _candidates(self, state: Beams, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the best continuations of each row, best first: scores, beams they come from, tokens."""
        logits = logits.float()
        values, tokens = _best(logits, min(self._width, logits.shape[-1]))
        values = values - logits.logsumexp(-1, keepdim=True)
        rows = len(state.row)
        if len(logits) == rows:  # after the prompt: all beams are one
            return values, torch.zeros_like(tokens), tokens
        values = (values.view(rows, self._beams, -1) + state.scores[:, :, None]).flatten(1)
        scores, places = values.topk(self._width)
        return scores, places // tokens.shape[-1], tokens.view(rows, -1).gather(1, places)

    def _finish(self, state: Beams, scores: Tensor, sequences: Tensor, ends: Tensor, length: int) -> None:
        """Take in the sequences that end here, where they are among the best of their row and better than others."""
        among_best = torch.arange(scores.shape[1], device=scores.device) < self._beams
        takes = ends & among_best & state.open
        means = torch.where(takes, scores / length, NEVER)
        merged = torch.cat([state.finished_scores, means], 1)
        state.finished_scores, places = merged.topk(self._beams)
        state.finished = _gather(torch.cat([state.finished, sequences], 1), places)
        state.is_finished = torch.cat([state.is_finished, takes], 1).gather(1, places)

    def _take(self, state: Beams, done: Tensor, length: int, results: list[list[list[int]]]) -> None:
        """Write down the sequences of the rows that are done."""
        eos = set(self._eos.tolist())
        for row, sequences, taken in zip(
            state.row[done].tolist(),
            state.finished[done, :, :length].tolist(),
            state.is_finished[done].tolist(),
            strict=True,
        ):
            results[row] = [_ended(tokens, eos) for tokens, is_taken in zip(sequences, taken, strict=True) if is_taken]


def _common(sequences: Sequence[list[int]]) -> list[int]:
    """Return what all sequences begin with: `_common([[1, 2, 3], [1, 2, 4]]) -> [1, 2]`."""
    least, most = min(sequences), max(sequences)  # what these two share, all do
    length = next((place for place, (a, b) in enumerate(zip(least, most, strict=False)) if a != b), len(least))
    return least[:length]


def _best(logits: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the `count` greatest of each row and their places, by way of the blocks in which they must be."""
    rows, size = logits.shape
    whole = size // BLOCK * BLOCK
    if count * 4 > size // BLOCK:
        return logits.topk(count)
    blocks = logits[:, :whole].view(rows, -1, BLOCK)
    nearest = blocks.amax(-1).topk(count)[1]
    found = blocks.gather(1, nearest[:, :, None].expand(-1, -1, BLOCK)).flatten(1)
    places = (nearest[:, :, None] * BLOCK + torch.arange(BLOCK, device=logits.device)).flatten(1)
    if whole < size:
        found = torch.cat([found, logits[:, whole:]], 1)
        rest = torch.arange(whole, size, device=logits.device).expand(rows, -1)
        places = torch.cat([places, rest], 1)
    values, among = found.topk(count)
    return values, places.gather(1, among)


def _gather(each: Tensor, places: Tensor) -> Tensor:
    """Return the beams at (rows, n) places of (rows, beams, tokens)."""
    return each.gather(1, places[:, :, None].expand(-1, -1, each.shape[2]))


def _ended(tokens: list[int], eos: set[int]) -> list[int]:
    """Return a sequence up to its end."""
    end = next((place for place, token in enumerate(tokens) if token in eos), len(tokens) - 1)
    return tokens[: end + 1]
