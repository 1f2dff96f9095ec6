"""A process that scores with COMET, in an environment of its own: run by its path, it imports nothing of llamax.

    python comet_worker.py MODEL BATCH

First it writes `{"version": ..., "model": ...}`, or `{"error": ...}` where it cannot begin. Then it answers each line
`{"segments": [[source, translation, reference], ...]}` with a line `{"scores": [...]}`, until its input ends.
"""

import json
import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

REMEMBERED = 1 << 30  # bytes of sentence embeddings that are kept


class Embeddings:
    """Sentence embeddings of a COMET model whose estimator takes three of them, each text encoded once."""

    def __init__(self, model: Any, batch: int) -> None:
        self._torch = import_module("torch")
        self._model = model
        self._batch = batch
        self._kept: dict[str, Any] = {}
        self._room = REMEMBERED // (4 * model.encoder.output_units)

    def scores(self, segments: list[list[str]]) -> list[float]:
        """Return the score of each segment; sources and references are remembered, translations are not."""
        sources, translations, references = (list(column) for column in zip(*segments, strict=True))
        if len(self._kept) > self._room:
            self._kept.clear()
        self._kept.update(self._encoded({*sources, *references} - self._kept.keys()))
        own = self._encoded(set(translations) - self._kept.keys())
        found: list[float] = []
        for start in range(0, len(segments), self._batch):
            part = slice(start, start + self._batch)
            stacked = [
                self._torch.stack([own[text] if text in own else self._kept[text] for text in column[part]])
                for column in (sources, translations, references)
            ]
            with self._torch.no_grad():
                found += self._model.estimate(*(each.to(self._model.device) for each in stacked)).score.tolist()
        return found

    def _encoded(self, texts: set[str]) -> dict[str, Any]:
        """Return the embedding of each text, long ones first: a batch too large for the memory shows at once."""
        ordered = sorted(texts, key=lambda text: (-len(text), text))
        made: dict[str, Any] = {}
        for start in range(0, len(ordered), self._batch):
            batch = ordered[start : start + self._batch]
            inputs = self._model.encoder.prepare_sample(batch).to(self._model.device)
            with self._torch.no_grad():
                vectors = self._model.get_sentence_embedding(inputs["input_ids"], inputs["attention_mask"])
            made.update(zip(batch, vectors.float().cpu(), strict=True))
        return made


class Predictions:
    """Any other COMET model, by its own loop."""

    def __init__(self, model: Any, batch: int) -> None:
        self._model = model
        self._options = {"batch_size": batch, "gpus": int(model.device.type == "cuda"), "progress_bar": False}

    def scores(self, segments: list[list[str]]) -> list[float]:
        """Return the score of each segment."""
        samples = [dict(zip(("src", "mt", "ref"), segment, strict=True)) for segment in segments]
        scores: list[float] = self._model.predict(samples, **self._options).scores
        return scores


def load(name: str) -> Any:
    """Return a model by its checkpoint or its name on the hub, on the GPU where there is one."""
    comet, torch = import_module("comet"), import_module("torch")
    path = name if os.path.isfile(name) else comet.download_model(name)
    model = comet.load_from_checkpoint(path)
    return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def main() -> None:
    """Load, then answer."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(content: dict[str, Any]) -> None:
        print(json.dumps(content), file=answers, flush=True)

    name, batch = sys.argv[1], int(sys.argv[2])
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
    scorer = kind(model, batch)
    answer({"version": version("unbabel-comet"), "model": name})
    for line in sys.stdin:
        answer({"scores": scorer.scores(json.loads(line)["segments"])})


if __name__ == "__main__":
    main()
