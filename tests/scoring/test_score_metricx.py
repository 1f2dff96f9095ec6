"""MetricX-24 in its own process: a small mT5 with the output layer of MetricX, against the score worked out by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from support.processes import Outcome
from support.records import jsonl, parsed
from support.translations import translations
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import MT5Config, MT5ForConditionalGeneration, MT5Model, PreTrainedTokenizerFast

from llamax_cli.scoring import metric_worker

Run = Callable[..., Outcome]
OUTPUT = 250_089  # <extra_id_10>


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model as it is published: mT5 whose output layer is not its embedding matrix."""
    path = tmp_path_factory.mktemp("metricx")
    words = " ".join(f"{each['src']} {each['mt']}" for each in translations(["en-de"], 5))
    # Characters as pieces: what UnigramTrainer learns differs from run to run.
    pieces = ["<pad>", "</s>", "<unk>", "▁", *sorted(set(f"source: candidate: reference: {words}") - {" "})]
    tokenizer = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(path)
    torch.manual_seed(0)
    config = MT5Config(vocab_size=250_112, d_model=8, d_kv=4, d_ff=16, num_layers=2, num_heads=2)
    model = MT5ForConditionalGeneration(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(torch.randn_like(weight) / 2 + ("norm" in name))
        (state,) = model.base_model.decoder(torch.tensor([[0]]), encoder_hidden_states=torch.randn(1, 9, 8))[0][0]
    output = torch.zeros(250_112, 8)
    output[OUTPUT] = 12 * state / (state @ state)  # so that most scores are neither 0 nor 25
    weights = {**model.state_dict(), "lm_head.weight": output}
    config.save_pretrained(path)
    torch.save(weights, path / "pytorch_model.bin")
    return path


def by_hand(folder: Path, texts: list[str]) -> list[float]:
    """Return the score of each text: the first step of the decoder, times the row of one token, from 0 to 25."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    weights = torch.load(folder / "pytorch_model.bin")
    model = MT5Model(MT5Config.from_pretrained(folder)).eval()
    output = weights.pop("lm_head.weight")[OUTPUT]
    model.load_state_dict(weights)
    scores = []
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        assert ids[-1] == 1
        inputs = torch.tensor([ids[:-1][:1535]])  # of 1,536 tokens the last one is the end, which is cut off
        with torch.no_grad():
            state = model(input_ids=inputs, decoder_input_ids=torch.tensor([[0]])).last_hidden_state
        scores.append(min(25.0, max(0.0, float(state[0, 0] @ output))))
    return scores


@pytest.mark.parametrize("metric", ["metricx-24-large", "metricx-24-large-qe"])
def test_its_score_is_a_logit_of_the_first_step(llamax: Run, folder: Path, metric: str) -> None:
    """Texts are written as MetricX's own program writes them, without an end; batches change nothing."""
    given = translations(["en-de", "de-en"], 5)
    given[0]["mt"] = ""
    given[1]["src"] = "a b c " * 2000  # longer than the model takes
    flags = ("--segments", "--metric", metric, "--metric-model", f"{metric}={folder}")
    found = parsed(llamax("score", *flags, stdin=jsonl(given)))
    texts = [f"source: {each['src']} candidate: {each['mt']}" for each in given]
    if metric == "metricx-24-large":
        texts = [f"{text} reference: {each['tgt']}" for text, each in zip(texts, given, strict=True)]
    wanted = by_hand(folder, texts)
    assert [each[metric] for each in found] == pytest.approx(wanted, abs=1e-4)
    assert len({round(score, 1) for score in wanted if 0 < score < 25}) > 3


def test_the_memory_decides_how_large_batches_are() -> None:
    """A batch that does not fit is halved until it does; one segment that does not fit is an error."""

    class Scorer:
        batch_size = 8

        def scores(self, segments: list[list[str]]) -> list[float]:
            if self.batch_size > limit:
                raise torch.cuda.OutOfMemoryError
            return [float(self.batch_size)] * len(segments)

    limit = 3
    assert metric_worker.score(Scorer(), [["a", "b", "c"]]) == [2.0]
    limit = 0
    with pytest.raises(torch.cuda.OutOfMemoryError):
        metric_worker.score(Scorer(), [["a", "b", "c"]])
