"""A process that scores with COMET in an environment of its own: run by its path, it imports nothing of llamax.

    python comet_worker.py MODEL BATCH_SIZE

First it writes `{"version": ..., "model": ...}`, or `{"error": ...}` if it cannot start. Then it answers each line
`{"segments": [[source, translation, reference], ...]}` with a line `{"scores": [...]}`, until its input ends.
"""

import json
import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

CACHE_SIZE = 1 << 30  # bytes of sentence embeddings


class Embeddings:
    """A COMET model whose estimator takes three sentence embeddings: each text is encoded once."""

    def __init__(self, model: Any, batch_size: int) -> None:
        self._torch = import_module("torch")
        self._model = model
        self._batch_size = batch_size
        self._cache: dict[str, Any] = {}
        self._capacity = CACHE_SIZE // (4 * model.encoder.output_units)

    def scores(self, segments: list[list[str]]) -> list[float]:
        """Return the score of each segment; the embeddings of sources and references are cached for later calls."""
        sources, translations, references = (list(column) for column in zip(*segments, strict=True))
        if len(self._cache) > self._capacity:
            self._cache.clear()
        self._cache.update(self._encode({*sources, *references} - self._cache.keys()))
        embeddings = {**self._cache, **self._encode(set(translations) - self._cache.keys())}
        scores: list[float] = []
        for start in range(0, len(segments), self._batch_size):
            batch = slice(start, start + self._batch_size)
            stacked = [
                self._torch.stack([embeddings[text] for text in column[batch]]).to(self._model.device)
                for column in (sources, translations, references)
            ]
            with self._torch.no_grad():
                scores += self._model.estimate(*stacked).score.tolist()
        return scores

    def _encode(self, texts: set[str]) -> dict[str, Any]:
        """Return the embedding of each text, the longest first: a batch too large for the memory fails at once."""
        ordered = sorted(texts, key=lambda text: (-len(text), text))
        embeddings: dict[str, Any] = {}
        for start in range(0, len(ordered), self._batch_size):
            batch = ordered[start : start + self._batch_size]
            inputs = self._model.encoder.prepare_sample(batch).to(self._model.device)
            with self._torch.no_grad():
                vectors = self._model.get_sentence_embedding(inputs["input_ids"], inputs["attention_mask"])
            embeddings.update(zip(batch, vectors.float().cpu(), strict=True))
        return embeddings


class Predictions:
    """Any other COMET model, scored by its own `predict`."""

    def __init__(self, model: Any, batch_size: int) -> None:
        self._model = model
        self._options = {"batch_size": batch_size, "gpus": int(model.device.type == "cuda"), "progress_bar": False}

    def scores(self, segments: list[list[str]]) -> list[float]:
        """Return the score of each segment."""
        samples = [dict(zip(("src", "mt", "ref"), segment, strict=True)) for segment in segments]
        scores: list[float] = self._model.predict(samples, **self._options).scores
        return scores


def load(name: str) -> Any:
    """Return a model by its checkpoint or its name on the hub, on the GPU if there is one."""
    comet, torch = import_module("comet"), import_module("torch")
    path = name if os.path.isfile(name) else comet.download_model(name)
    model = comet.load_from_checkpoint(path)
    return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def main() -> None:
    """Load the model, then answer."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not get among the answers

    def answer(content: dict[str, Any]) -> None:
        print(json.dumps(content), file=answers, flush=True)

    name, batch_size = sys.argv[1], int(sys.argv[2])
    try:
        model = load(name)
    except ModuleNotFoundError as error:
        answer(
            {"error": f"{sys.executable} lacks {error.name}; install it there: 'setuptools<81' unbabel-comet==2.2.7"}
        )
        raise
    except Exception as error:
        answer({"error": f"{type(error).__name__}: {error}"})
        raise
    kind = Embeddings if type(model).__name__ == "RegressionMetric" else Predictions
    scorer = kind(model, batch_size)
    answer({"version": version("unbabel-comet"), "model": name})
    for line in sys.stdin:
        answer({"scores": scorer.scores(json.loads(line)["segments"])})


if __name__ == "__main__":
    main()
