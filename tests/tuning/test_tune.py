"""Runs of tune: the loss against an independent computation, resumed runs, a rising accuracy, and errors."""

import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support import zygote
from support.processes import Outcome
from support.records import write
from support.runs import WORDS, begin, end, job, losses, metrics, model_folder, train
from support.tiny_models import byte_level
from torch.nn.functional import cross_entropy

from llamax_cli.errors import ModelError
from llamax_cli.instructions.questions import Question, read_questions
from llamax_cli.models.contracts import ModelChoice
from llamax_cli.tuning import evaluation
from llamax_cli.tuning.evaluation import Accuracy
from llamax_cli.tuning.predictors import GenerationPredictor, LikelihoodPredictor

Run = Callable[..., Outcome]
CLUES = {"entailment": "red", "neutral": "blue", "contradiction": "tall"}  # the word that gives the label away
ALONE = {**os.environ, "OMP_NUM_THREADS": "1"}  # tensors this small are slower in two threads
SMALL = ["--set", "block=512", "--set", "batch=24"]


def xnli(path: Path, count: int, first: int = 0) -> Path:
    """Write a file of XNLI whose labels depend on one word of the hypothesis."""
    rows = []
    for number in range(first, first + count):
        label = list(CLUES)[number % 3]
        premise, hypothesis = WORDS[number * 5 % 20], f"{CLUES[label]} {WORDS[number * 7 % 20]}"
        rows.append(f"the dog sees {premise}\ta {hypothesis}\t{label}\n")
    path.write_text("".join(rows))
    return path


def alpaca(count: int) -> list[dict[str, str]]:
    """Return instructions of several lengths."""
    words = " ".join(WORDS)
    return [{"instruction": words[: 5 + n % 9], "output": words[n % 7 : 20 + n * 7 % 50]} for n in range(count)]


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a tokenizer that encodes the templates in a few dozen tokens."""
    path = xnli(tmp_path_factory.mktemp("words") / "x-en.tsv", 60)
    return byte_level([f"{question.prompt} {question.answer}" for question in read_questions(path, "xnli")])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, words: Any) -> Path:
    """Return a small model with that tokenizer."""
    torch.set_num_threads(1)  # tensors this small are slower in two
    return model_folder(tmp_path_factory.mktemp("model") / "model", words=words, vocab_size=512)


@pytest.fixture
def inputs(tmp_path: Path, model: Path) -> Path:
    """Return a folder with a model and data."""
    (tmp_path / "model").symlink_to(model)
    write(tmp_path / "alpaca.jsonl", alpaca(60))
    xnli(tmp_path / "dev-sw.tsv", 9)
    return tmp_path


# -- training ----------------------------------------------------------------------------------------------------------


def test_the_loss_equals_an_independent_computation(tmp_path: Path, model: Path, words: Any) -> None:
    """It is the mean over the tokens of all responses and their ends, computed with the library's own model."""
    from transformers import LlamaForCausalLM

    records = alpaca(20)
    data = tmp_path / "a.json"
    data.write_text(json.dumps(records))
    train(job(tmp_path / "run", model, data, command="tune", batch=1000, block=256))
    plain = LlamaForCausalLM.from_pretrained(model)
    total = count = 0.0
    for record in records:
        prompt = (
            "Below is an instruction that describes a task. Write a response that appropriately completes the request."
            f"\n### Instruction:\n{record['instruction']}\n### Response:"
        )
        prompt_ids = words(prompt)["input_ids"]
        ids = torch.tensor([*prompt_ids, *words(f" {record['output']}", add_special_tokens=False)["input_ids"], 2])
        logits = plain(ids[None]).logits[0, len(prompt_ids) - 1 : -1].detach()
        total += float(cross_entropy(logits, ids[len(prompt_ids) :], reduction="sum"))
        count += len(ids) - len(prompt_ids)
    (step,) = metrics(tmp_path / "run")
    assert step["loss"] == pytest.approx(total / count, rel=1e-5)
    assert step["origin"] == {"alpaca": pytest.approx(total / count, rel=1e-5)}


def test_a_run_continues_where_it_stopped(tmp_path: Path, model: Path) -> None:
    """The losses are those of an uninterrupted run, on two ranks too, and every record is used once."""
    data = tmp_path / "a.json"
    data.write_text(json.dumps(alpaca(90)))
    settings = {"command": "tune", "batch": 20, "batch_of": "records", "epochs": 2, "block": 256}
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    train(job(whole, model, data, **settings))
    train(job(parted, model, data, **settings, stop_after=3))
    train(job(parted, model, data, **settings, resume=True), ranks=2)
    assert losses(parted) == pytest.approx(losses(whole), rel=1e-6)
    assert [line["records"] for line in metrics(whole, "end")] == [180]
    assert metrics(parted, "end")[-1]["records"] == 180


def test_changed_data_is_refused_on_resuming(tmp_path: Path, model: Path) -> None:
    """A changed file is rendered again, and its plan is not that of the checkpoint."""
    data = write(tmp_path / "a.jsonl", alpaca(30))
    train(job(tmp_path / "run", model, data, command="tune", block=256))
    data.touch()
    train(job(tmp_path / "run", model, data, command="tune", block=256, resume=True))
    assert len(list((tmp_path / "run" / "cache").glob("rendered-*.jsonl"))) == 1
    write(data, alpaca(31))
    folder = job(tmp_path / "run", model, data, command="tune", block=256, resume=True)
    codes, said = end(folder, begin(folder))
    assert codes == [1]
    assert said.startswith("llamax tune: the data, the tokenizer or its use of bos_token differs from the")


def test_bad_records_end_the_run_before_its_first_step(tmp_path: Path, model: Path) -> None:
    """The exit code is that of bad data, and the error names the place."""
    data = write(tmp_path / "a.jsonl", [*alpaca(3), {"messages": []}])
    folder = job(tmp_path / "run", model, data, command="tune")
    codes, said = end(folder, begin(folder))
    assert codes == [65]
    assert said == (
        f"llamax tune: {data}:4: a chat (messages), but the file begins with Alpaca (instruction, input, output); "
        "keep to one form in a file\n"
    )
    assert not list((tmp_path / "run" / "cache").glob("rendered*"))


def test_the_card_names_the_users_file(tmp_path: Path, model: Path) -> None:
    """It gives the hash of that file, not of the rendered one."""
    from xxhash import xxh3_128_hexdigest

    data = write(tmp_path / "a.jsonl", alpaca(5))
    train(job(tmp_path / "run", model, data, command="tune", block=256))
    card = (tmp_path / "run" / "model" / "README.md").read_text()
    assert f"Trained by `llamax tune` from `{model}`" in card
    assert f"- `{data}`: 5 records, xxh3 `{xxh3_128_hexdigest(data.read_bytes())}`" in card


# -- the whole way -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_task_is_learned(tmp_path: Path, model: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """After training in English, the accuracy in another language rises from chance to almost 100 percent."""
    data, test = xnli(tmp_path / "train-en.tsv", 120), xnli(tmp_path / "test-sw.tsv", 60, 200)
    settings = {"block": 512, "batch": 24, "batch_of": "records", "epochs": 20, "learning_rate": 5e-3, "warmup": 0.1}
    settings |= {"weight_decay": 0.0, "gradient_checkpointing": False}
    train(job(tmp_path / "run", model, data, command="tune", task="xnli", **settings))
    scores = []
    for each in (model, tmp_path / "run" / "model"):
        evaluation.evaluate(ModelChoice(str(each)), "xnli", [test], quiet=True)
        scores.append(json.loads(capsysbinary.readouterr().out)["score"])
    assert scores[0] < 50
    assert scores[1] > 90


def test_the_tuned_model_is_evaluated_in_the_end(inputs: Path, llamax: Run) -> None:
    """The worker becomes the evaluation, which writes a record for each language; there are two summary lines."""
    xnli(inputs / "train-en.tsv", 24)
    call = ("tune", "--model", "model", "--task", "xnli", "--data", "train-en.tsv", "-o", "run", *SMALL)
    done = llamax(*call, "--eval", "train-en.tsv", "dev-sw.tsv", "--", "--num_processes", 2, env=ALONE)
    assert done.returncode == 0, done.stderr.decode()
    first, second = map(json.loads, done.stdout.splitlines())
    assert [(each["task"], each["lang"], each["metric"], each["n"]) for each in (first, second)] == [
        ("xnli", "en", "accuracy", 24),
        ("xnli", "sw", "accuracy", 9),
    ]
    assert first["signature"].startswith("task:xnli|by:likelihood|prompt:llamax-alpaca|version:")
    trained, measured = done.stderr.decode().splitlines()
    assert trained.startswith("llamax tune: 72 records in ")
    mean = (first["score"] + second["score"]) / 2
    assert measured.startswith(f"llamax tune: xnli: accuracy {mean:.1f} on average over 2 languages, 33 questions; ")
    alone = llamax("tune", "--task", "xnli", "--model", "run/model", "--eval", "dev-sw.tsv", "-q", env=ALONE)
    assert (json.loads(alone.stdout), alone.stderr) == (second, b"")


@pytest.mark.filterwarnings("ignore")  # what peft and transformers say to each other
def test_lora_writes_an_adapter_and_the_model_with_it(inputs: Path, llamax: Run) -> None:
    """The original model with the adapter equals the merged model."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    call = ("tune", "--model", "model", "--data", "alpaca.jsonl", "-o", "run", *SMALL, "--set", "learning_rate=1e-2")
    done = llamax(*call, "--lora", "--set", "epochs=1", env=ALONE)
    assert done.returncode == 0, done.stderr.decode()
    result = inputs / "run" / "model"
    assert json.loads((result / "training.json").read_text())["training"]["lora"] == 16
    merged = AutoModelForCausalLM.from_pretrained(result).state_dict()
    base = AutoModelForCausalLM.from_pretrained(inputs / "model")
    before = {name: weight.clone() for name, weight in base.state_dict().items()}
    adapted = PeftModel.from_pretrained(base, result / "adapter").merge_and_unload().state_dict()
    assert all(torch.allclose(adapted[name], weight, atol=1e-6) for name, weight in merged.items())
    assert any(not torch.equal(before[name], weight) for name, weight in merged.items())


def test_preflight_counts_steps_of_records(inputs: Path, llamax: Run) -> None:
    """These are the steps that the run makes afterwards."""
    call = ("tune", "--model", "model", "--data", "alpaca.jsonl", "-o", "run", *SMALL, "--set", "epochs=2")
    rows = llamax(*call, "--preflight", env=ALONE).stdout.decode().splitlines()
    steps_row = next(row for row in rows if row.startswith("steps"))
    done = llamax(*call, env=ALONE)
    steps = int(done.stderr.decode().split(" steps")[0].split()[-1])
    assert steps_row == f"steps      {steps} of 24 records, 2 epochs"


def test_dry_run_and_lora_without_a_rank(inputs: Path, llamax: Run) -> None:
    """The call of accelerate is the same, whatever follows --lora."""
    call = ("tune", "--model", "model", "--data", "alpaca.jsonl", "alpaca.json", "-o", "run", "--dry-run")
    (inputs / "alpaca.json").write_text(json.dumps(alpaca(3)))
    expected = (
        b"accelerate launch --cpu --num_processes 1 --num_machines 1 --mixed_precision no --dynamo_backend no"
        b" --x 1 -m llamax_cli.training.worker run\n"
    )
    for lora in (["--lora"], ["--lora", "8"], ["--lora", "--set", "epochs=1"], []):
        done = llamax(*call, *lora, "--", "--x", 1)
        assert (done.returncode, done.stdout, done.stderr) == (0, expected, b"")
    refused = llamax(*call, "--lora", "-1")
    assert refused.stderr == b"llamax tune: Invalid value for '--lora': -1 is not in the range x>=0.\n"


# -- answers -----------------------------------------------------------------------------------------------------------


def test_the_likeliest_option_is_chosen(model: Path, words: Any) -> None:
    """The oracle is the log-probability of each option and its end, by the library's own model, one by one."""
    from transformers import LlamaForCausalLM

    questions = []
    for place in range(12):
        options = tuple(" ".join(WORDS[(place + step * k) % 20] for k in range(6)) for step in (3, 7, 11, 13))
        questions.append(Question("Say it.", WORDS[place], "", "", options, "en"))
    plain = LlamaForCausalLM.from_pretrained(model)
    expected = []
    for question in questions:
        scores = []
        for option in question.options:
            prompt = words(question.prompt)["input_ids"]
            ids = torch.tensor([*prompt, *words(f" {option}", add_special_tokens=False)["input_ids"], 2])
            logits = plain(ids[None]).logits[0, len(prompt) - 1 : -1].detach()
            scores.append(-float(cross_entropy(logits, ids[len(prompt) :], reduction="sum")))
        expected.append(question.options[scores.index(max(scores))])
    assert len({question.options.index(each) for question, each in zip(questions, expected, strict=True)}) > 1
    for budget in (1, 500, 10**6):  # in groups of one question, of some, of all
        likelihood = LikelihoodPredictor(ModelChoice(str(model)))
        likelihood._batch_tokens = budget
        assert list(likelihood.predict(questions)) == list(enumerate(expected))


def test_a_batch_that_does_not_fit_in_memory_is_halved(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches are halved down to a single question, and the answers stay the same."""
    questions = [Question("Say it.", word, "", "", tuple(WORDS[:3]), "en") for word in WORDS[:7]]
    likelihood = LikelihoodPredictor(ModelChoice(str(model)))
    expected, learner, most, calls = list(likelihood.predict(questions)), likelihood._model, 6, []

    def narrow(batch: Any) -> torch.Tensor:
        calls.append(len(batch.numbers))
        if len(batch.numbers) > most:
            raise torch.OutOfMemoryError
        return learner(batch)

    monkeypatch.setattr(likelihood, "_model", narrow)
    assert list(likelihood.predict(questions)) == expected
    assert max(calls) == 21 and min(calls) == 3
    most = 2
    with pytest.raises(ModelError, match="a single question does not fit in the memory of the GPU"):
        list(likelihood.predict(questions))


def test_a_question_that_is_too_long_is_left_out(tmp_path: Path, model: Path) -> None:
    """It is counted, and its neighbours are answered."""
    path = tmp_path / "x-sw.tsv"
    path.write_text("a\tb\tneutral\n" + "dog " * 600 + "\tb\tneutral\na\tb\tneutral\na\tb\t-\n")
    questions = list(read_questions(path, "xnli"))[:3]
    answers = dict(LikelihoodPredictor(ModelChoice(str(model))).predict(questions))
    assert answers[1] is None
    assert answers[0] == answers[2] is not None


def test_a_problem_is_answered_greedily(tiny_model: Callable[[str], Path]) -> None:
    """The answer is what `generate` writes for the same prompt, up to the next instruction."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tiny_model("llama")
    questions = [Question("Translate.", text, "", "1", (), "en") for text in ("kalo mi.", "vodu stare")]
    found = dict(GenerationPredictor(ModelChoice(str(folder)), lambda text: text).predict(questions))
    plain, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    for place, question in enumerate(questions):
        ids = tokenizer(question.prompt, return_tensors="pt")["input_ids"]
        made = plain.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=512, do_sample=False)
        text = tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True).strip()
        assert found[place] == text.partition("###")[0]


def test_accuracy_is_counted_by_language() -> None:
    """It is in percent; questions that are too long do not count."""
    accuracy = Accuracy()
    for lang, answer in (("sw", "a"), ("en", "a"), ("sw", "b"), ("sw", None), ("sw", "b"), ("en", "a")):
        accuracy.add(Question("", "", "a", "a", ("a", "b"), lang), answer)
    scores = [(each["lang"], each["score"], each["n"]) for each in accuracy.records("xnli", "likelihood")]
    assert scores == [("sw", 33.3333, 3), ("en", 100.0, 2)]
    assert accuracy.summary("xnli") == (
        "xnli: accuracy 66.7 on average over 2 languages, 5 questions; left out: 1 too long for the model"
    )
    assert accuracy.left_out == Counter({"too long for the model": 1})


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("--model model", 2, "nothing to do: name files to tune on with --data, or files to evaluate on with --eval"),
        ("--data alpaca.jsonl -o run", 2, "--model is missing: it names the model to tune or to evaluate"),
        ("--model model --data alpaca.jsonl", 2, "-o is missing: it names the folder for the tuned model"),
        ("--model model --eval dev-sw.tsv", 2, "--eval needs --task, the name of the task"),
        ("--model model --task xnlj --eval dev-sw.tsv", 2, "Invalid value for '--task': 'xnlj' is unknown; did you"),
        (
            "--model model --task xnli --eval dev-sw.tsv -o x --set a=1",
            2,
            "without --data the model is only evaluated: leave out -o, --set",
        ),
        (
            "--model model --task xnli --eval dev-sw.tsv --lora 0 --preflight -- --num_processes 2",
            2,
            "without --data the model is only evaluated: leave out --lora, --preflight, --num_processes 2",
        ),
        ("--average model -o x", 2, "--average needs at least two models, and -o FOLDER for their mean"),
        ("--average model model", 2, "--average needs at least two models, and -o FOLDER for their mean"),
        (
            "--average model model --model model --lora -o x",
            2,
            "--average takes only models and -o: leave out --model, --lora",
        ),
        ("--model model --data none.json -o run", 1, "none.json: no such file or directory"),
        ("--model model --data pairs.jsonl -o run", 65, "pairs.jsonl:1: neither a chat (messages), nor Alpaca"),
        ("--model model --task mgsm --data dev-sw.tsv -o run", 65, "dev-sw.tsv:1: 3 columns, not 2; MGSM has"),
        (
            "--model model --task xnli --data dev-sw.tsv --eval alpaca.jsonl -o run",
            65,
            "alpaca.jsonl:1: no 'sentence1' (it has no known key); XNLI has premise, hypothesis and label",
        ),
        ("--model nowhere/at/all --data alpaca.jsonl -o run", 1, "nowhere/at/all: no such folder"),
        ("--model model --data hollow.jsonl -o run", 65, "hollow.jsonl is empty\n"),
        ("--model empty --data alpaca.jsonl -o run", 1, "empty is not a model folder: config.json is missing"),
        (
            "--model older --data alpaca.jsonl -o run",
            1,
            "older is the output folder of a run; its model is in older/model",
        ),
        ("--model empty --task xnli --eval dev-sw.tsv", 1, "empty is not a model folder: config.json is missing"),
        (
            "--model model --task xnli --eval blank-sw.tsv",
            65,
            "blank-sw.tsv: no question has an answer to compare with",
        ),
        ("--model model --data alpaca.jsonl -o old", 1, "old already holds a run; continue it with --resume auto or"),
        ("--model model --data alpaca.jsonl -o run --set bach=1", 2, "--set bach=1: unknown key 'bach'; did you mean"),
        (
            "alpaca.jsonl --model model --data alpaca.jsonl -o run",
            2,
            "'alpaca.jsonl' is not a flag of accelerate; name",
        ),
    ],
)
def test_a_contradiction_is_refused_in_one_line(
    inputs: Path, llamax: Run, arguments: str, code: int, message: str
) -> None:
    """The error comes before anything is written."""
    (inputs / "empty").mkdir()
    (inputs / "hollow.jsonl").touch()
    (inputs / "older").mkdir()
    (inputs / "older" / "model").symlink_to(inputs / "model")
    (inputs / "pairs.jsonl").write_text('{"src":"a","tgt":"b"}\n')
    (inputs / "blank-sw.tsv").write_text("a\tb\t-\n")
    (inputs / "old" / "checkpoints" / "step-00000001").mkdir(parents=True)
    (inputs / "old" / "checkpoints" / "step-00000001" / "facts.json").write_text("{}")
    done = llamax("tune", *arguments.split(), env=ALONE)
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.decode().startswith(f"llamax tune: {message}")
    assert done.stderr.count(b"\n") == 1
    assert not (inputs / "run").exists()


def test_a_reader_that_goes_away(inputs: Path) -> None:
    """As with `| head -c 0`, the exit code is that of a closed pipe, and there is no traceback."""
    call = ["tune", "--task", "xnli", "--eval", "dev-sw.tsv", "--model", "model"]
    reader, writer = os.pipe()
    os.close(reader)
    process = zygote.start(*call, cwd=inputs, env=ALONE, stdout=writer, stderr=zygote.PIPE)
    os.close(writer)
    assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == 128 + signal.SIGPIPE
