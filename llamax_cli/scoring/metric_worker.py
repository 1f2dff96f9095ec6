"""A process that scores with a model in an environment of its own: run by its path, it imports nothing of llamax.

    python metric_worker.py comet|metricx MODEL TOKENIZER BATCH_SIZE

First it writes `{"version": ..., "model": ...}`, or `{"error": ...}` if it cannot start. Then it answers each line
`{"segments": [[source, translation, reference], ...]}` with a line `{"scores": [...]}`, until its input ends. A metric
without references gets null in their place.
"""

import json
import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

CACHE_SIZE = 1 << 30  # bytes of sentence embeddings
METRICX_TOKENS = 1536  # of a segment, as MetricX-24 was trained
METRICX_OUTPUT = 250089  # the token <extra_id_10> of mT5, whose logit is the score
METRICX_RANGE = 0.0, 25.0


class UnavailableError(Exception):
    """A model cannot be had; the message is one line."""


class Embeddings:
    """A COMET model whose estimator takes three sentence embeddings: each text is encoded once."""

    def __init__(self, model: Any, batch_size: int) -> None:
        self.batch_size = batch_size
        self._torch = import_module("torch")
        self._model = model
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
        for start in range(0, len(segments), self.batch_size):
            batch = slice(start, start + self.batch_size)
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
        for start in range(0, len(ordered), self.batch_size):
            batch = ordered[start : start + self.batch_size]
            inputs = self._model.encoder.prepare_sample(batch).to(self._model.device)
            with self._torch.no_grad():
                vectors = self._model.get_sentence_embedding(inputs["input_ids"], inputs["attention_mask"])
            embeddings.update(zip(batch, vectors.float().cpu(), strict=True))
        return embeddings


class Predictions:
    """Any other COMET model, scored by its own `predict`: xCOMET, CometKiwi, and those without a reference."""

    def __init__(self, model: Any, batch_size: int) -> None:
        self.batch_size = batch_size
        self._model = model
        self._options = {"gpus": int(model.device.type == "cuda"), "progress_bar": False}

    def scores(self, segments: list[list[str]]) -> list[float]:
        """Return the score of each segment."""
        samples = [
            {key: text for key, text in zip(("src", "mt", "ref"), segment, strict=True) if text is not None}
            for segment in segments
        ]
        scores: list[float] = self._model.predict(samples, batch_size=self.batch_size, **self._options).scores
        return scores


class MetricX:
    """MetricX-24: one step of mT5's decoder, in which the logit of one token is the number of errors (0 to 25).

    What a segment is written as, how it is cut, and that it has no end-of-sequence token, is in the module
    metricx24.predict of github.com/google-research/metricx; the output is in metricx24.models.
    """

    def __init__(self, model: Any, tokenizer: Any, batch_size: int) -> None:
        self.batch_size = batch_size
        self._torch = import_module("torch")
        self._model = model
        self._tokenizer = tokenizer

    def scores(self, segments: list[list[str]]) -> list[float]:
        """Return the score of each segment; those of a batch are of similar length, the longest first."""
        encoded = [self._encode(*segment) for segment in segments]
        order = sorted(range(len(encoded)), key=lambda n: -len(encoded[n]))
        scores = [0.0] * len(segments)
        for start in range(0, len(order), self.batch_size):
            batch = order[start : start + self.batch_size]
            for n, score in zip(batch, self._predict([encoded[n] for n in batch]), strict=True):
                scores[n] = score
        return scores

    def _encode(self, source: str, translation: str, reference: str | None) -> list[int]:
        text = f"source: {source} candidate: {translation}"
        if reference is not None:
            text += f" reference: {reference}"
        ids: list[int] = self._tokenizer(text, max_length=METRICX_TOKENS, truncation=True)["input_ids"]
        return ids[:-1]

    def _predict(self, batch: list[list[int]]) -> list[float]:
        torch = self._torch
        inputs = torch.zeros(len(batch), max(map(len, batch)), dtype=torch.long)
        mask = torch.zeros_like(inputs)
        for row, ids in enumerate(batch):
            inputs[row, : len(ids)] = torch.tensor(ids)
            mask[row, : len(ids)] = 1
        device = self._model.device
        start = torch.zeros(len(batch), 1, dtype=torch.long, device=device)
        with torch.no_grad():
            logits = self._model(
                input_ids=inputs.to(device), attention_mask=mask.to(device), decoder_input_ids=start, use_cache=False
            ).logits
        predictions: list[float] = logits[:, 0, METRICX_OUTPUT].float().clamp(*METRICX_RANGE).tolist()
        return predictions


def load_comet(name: str, tokenizer: str, batch_size: int) -> Embeddings | Predictions:
    """Return a COMET model by its checkpoint or its name on the hub, on the GPU if there is one."""
    comet = import_module("comet")
    model = comet.load_from_checkpoint(_checkpoint(comet, name)).eval().to(_device())
    kind = Embeddings if type(model).__name__ == "RegressionMetric" else Predictions
    return kind(model, batch_size)


def _checkpoint(comet: Any, name: str) -> str:
    """Return the path of a checkpoint. COMET's own download says of every model that it cannot get that it is unknown.

    Models from before its version 2, whose names have no owner, are not on the hub.
    """
    if os.path.isfile(name):
        return name
    if "/" not in name:
        path: str = comet.download_model(name)
        return path
    try:
        folder = import_module("huggingface_hub").snapshot_download(repo_id=name)
    except Exception as error:
        reason = next((line.strip() for line in str(error).split("\n") if line.strip()), "")
        raise UnavailableError(
            f"{type(error).__name__}: {reason}; if the model has a licence to accept, do so at "
            f"https://huggingface.co/{name} and log in with `hf auth login`"
        ) from error
    return os.path.join(folder, "checkpoints", "model.ckpt")


def load_metricx(name: str, tokenizer: str, batch_size: int) -> MetricX:
    """Return a MetricX model by its folder or its name on the hub, on the GPU if there is one.

    A folder may have the tokenizer as well.
    """
    transformers = import_module("transformers")
    own = any(os.path.exists(os.path.join(name, file)) for file in ("tokenizer.json", "spiece.model"))
    kind, place = _regression_class(transformers), name if own else tokenizer
    model = kind.from_pretrained(name, dtype="auto", trust_remote_code=False).eval().to(_device())
    return MetricX(model, transformers.AutoTokenizer.from_pretrained(place, trust_remote_code=False), batch_size)


def _regression_class(transformers: Any) -> Any:
    """Return mT5 with an output layer of its own: since version 5, transformers would make it the embedding matrix."""
    mt5 = transformers.MT5ForConditionalGeneration
    tied = {key: weight for key, weight in mt5._tied_weights_keys.items() if key != "lm_head.weight"}
    return type("MT5ForRegression", (mt5,), {"_tied_weights_keys": tied})


def _device() -> str:
    return "cuda" if import_module("torch").cuda.is_available() else "cpu"


def score(scorer: Any, segments: list[list[str]]) -> list[float]:
    """Return the score of each segment, in smaller batches if the memory of the GPU is too small for these."""
    torch = import_module("torch")
    while True:
        try:
            scores: list[float] = scorer.scores(segments)
            return scores
        except torch.cuda.OutOfMemoryError:
            if scorer.batch_size == 1:
                raise
        scorer.batch_size //= 2
        torch.cuda.empty_cache()


LOADERS = {"comet": (load_comet, "unbabel-comet"), "metricx": (load_metricx, "transformers")}


def main() -> None:
    """Load the model, then answer."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not get among the answers

    def answer(content: dict[str, Any]) -> None:
        print(json.dumps(content), file=answers, flush=True)

    family, name, tokenizer, batch_size = sys.argv[1:]
    load, package = LOADERS[family]
    try:
        scorer: Any = load(name, tokenizer, int(batch_size))
    except ModuleNotFoundError as error:
        wanted = "'setuptools<81' unbabel-comet==2.2.7" if family == "comet" else package
        answer({"error": f"{sys.executable} lacks {error.name}: {sys.executable} -m pip install {wanted}"})
        raise
    except UnavailableError as error:
        answer({"error": str(error)})
        raise
    except Exception as error:
        answer({"error": f"{type(error).__name__}: {' '.join(str(error).split())}"})
        raise
    answer({"version": version(package), "model": name})
    for line in sys.stdin:
        answer({"scores": score(scorer, json.loads(line)["segments"])})


if __name__ == "__main__":
    main()
