"""Data to tune on: its forms, the paper's template, chats, the files of tasks, and the tokens with a loss."""

import bz2
import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.records import write
from support.runs import small_tokenizer
from support.tiny_models import byte_level

from llamax_cli.config import BLOCKS, RECORDS, TUNING, Training, read_training
from llamax_cli.errors import DataError, ModelError, RecordError
from llamax_cli.instructions.chat import ChatTemplate
from llamax_cli.instructions.questions import language_from_name, read_questions
from llamax_cli.instructions.rendering import read_samples
from llamax_cli.instructions.tasks.mgsm import final_number, parse_number
from llamax_cli.models.pretrained import load_tokenizer
from llamax_cli.models.prompts import TEMPLATES, alpaca
from llamax_cli.models.sample_encoding import encoder_of
from llamax_cli.models.samples import Sample
from llamax_cli.training.dataset import Cache
from llamax_cli.training.job import Job
from llamax_cli.training.packed_dataset import describe_rejected, prepare
from llamax_cli.training.packing import Bins
from llamax_cli.training.sampler import EpochPlan, make_plan

QWEN = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# The same, and it says itself what the assistant generates.
MARKED = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] }}<|im_end|>\n{% endgeneration %}"
    "{% else %}{{ message['content'] }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Thoughts of earlier turns are taken out, as Qwen3 does.
FORGETFUL = (
    "{% for m in messages %}[{{ m['role'] }}]"
    "{{ m['content'] if loop.last or m['role'] == 'user' else 'x' }}{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
TALK = [
    {"role": "system", "content": "Be short."},
    {"role": "user", "content": "the dog?"},
    {"role": "assistant", "content": "a cat sits"},
    {"role": "user", "content": "the man?"},
    {"role": "assistant", "content": "he runs"},
]


def words(template: str | None = None, *special: str) -> Any:
    """Return a byte-level tokenizer with a chat template."""
    made = byte_level(["the dog sees a cat, the man runs"])
    made.add_special_tokens({"additional_special_tokens": list(special)})
    made.chat_template = template
    return made


def rendered(path: Path, task: str = "", tokenizer: Any = None) -> list[dict[str, Any]]:
    """Return the samples that a file is rendered as."""
    return list(read_samples(path, task, tokenizer or words(), "small"))


# -- forms -------------------------------------------------------------------------------------------------------------


def test_alpaca_is_rendered_as_the_paper_has_it(tmp_path: Path) -> None:
    """The template has two forms, with and without an input; the translation prompt of LLaMAX-Alpaca is one of them."""
    assert alpaca("Add.", "1, 2") == (
        "Below is an instruction that describes a task, paired with an input that provides further context. Write a "
        "response that appropriately completes the request.\n### Instruction:\nAdd.\n### Input:\n1, 2\n### Response:"
    )
    assert alpaca("Greet.") == (
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n"
        "### Instruction:\nGreet.\n### Response:"
    )
    translate = "Translate the following sentences from German to English."
    assert TEMPLATES["llamax-alpaca"].render("Hallo", "de", "en") == alpaca(translate, "Hallo")
    records = [
        {"instruction": "Add.", "input": "1, 2", "output": "3", "id": 7, "lang": "en"},
        {"instruction": "Greet.", "input": "", "output": "Hi"},
        {"instruction": "Greet.", "input": None, "output": "Hi", "text": "what Alpaca has besides"},
        {"instruction": "Greet.", "output": " \n"},
    ]
    assert rendered(write(tmp_path / "a.jsonl", records)) == [
        {"prompt": alpaca("Add.", "1, 2"), "completion": " 3", "origin": "alpaca", "lang": "en", "id": 7},
        {"prompt": alpaca("Greet."), "completion": " Hi", "origin": "alpaca"},
        {"prompt": alpaca("Greet."), "completion": " Hi", "origin": "alpaca"},
        {"prompt": alpaca("Greet."), "completion": "", "origin": "alpaca"},
    ]


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5)), min_size=1, max_size=5))
def test_lines_and_an_array_are_the_same(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    """The layout of the array and its compression make no difference."""
    folder = tmp_path_factory.mktemp("forms")
    records = [dict(zip(("instruction", "input", "output"), row, strict=True)) for row in rows]
    lines = rendered(write(folder / "a.jsonl", records))
    (folder / "a.json").write_text(json.dumps(records, indent=2))
    (folder / "b.json.bz2").write_bytes(bz2.compress(b"\n " + json.dumps(records, ensure_ascii=False).encode()))
    assert rendered(folder / "a.json") == rendered(folder / "b.json.bz2") == lines
    assert len(lines) == len(rows)


def test_what_mix_writes_is_a_form_too(tmp_path: Path) -> None:
    """Prompt and completion stay as they are, with origin and languages."""
    record = {"prompt": "a", "completion": " b", "id": "x:1", "origin": "para", "src_lang": "en", "tgt_lang": "sw"}
    assert rendered(write(tmp_path / "a.jsonl", [record, {"completion": "c"}])) == [
        record,
        {"prompt": "", "completion": "c", "origin": "completion"},
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ['{"question":"a","answer":"b"}'],
            ":1: neither a chat (messages), nor Alpaca (instruction, input, output), nor prompt and completion: it has",
        ),
        (['{"instruction":"a"}'], ":1: no 'output' in the record (it has instruction)"),
        (['{"instruction":"a","output":3}'], ":1: 'output' is a number, not a string"),
        (['{"completion":"a"}', "", ""], ":2: empty line"),
        (['{"completion":"a"}', "{"], ":2: not JSON"),
        (
            ['{"completion":"a"}', '{"instruction":"a","output":"b"}'],
            ":2: Alpaca (instruction, input, output), but the file begins with prompt and completion; keep to one",
        ),
        (
            ['{"instruction":"a","output":"b","history":[["c","d"]]}'],
            ":1: 'history' is not supported in Alpaca (instruction, input, output); write the record as a chat",
        ),
        (['[{"completion":"a"},', '{"completion":1}]'], ": record 2: 'completion' is a number, not a string"),
        (['[{"completion":"a"}, 3]'], ": record 2: not a record: expected object, got int"),
        (['[{"completion":"a"}, {"completion":"a","completion":"b"}]'], ": record 2: not a record: it has the key "),
        (['{"messages":[{"role":"user","content":"a","content":"b"}]}'], ":1: not a record: 'messages' has the key "),
        (['[{"completion":"a"}'], ": not an array of records: "),
        (['{"messages":"a"}'], ":1: 'messages' is not a list of messages"),
        (['{"messages":[{"content":"a"}]}'], ":1: message 1 has no 'role'"),
        (['{"messages":[{"role":"user","content":[]}]}'], ":1: message 1 has no text under 'content'"),
    ],
)
def test_an_error_names_the_place_of_a_bad_record(tmp_path: Path, lines: list[str], message: str) -> None:
    """The error names the file, the line or number, and the reason."""
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines))
    with pytest.raises(DataError) as raised:
        rendered(path, tokenizer=words(QWEN))
    assert str(raised.value).startswith(f"{path}{message}")


def test_real_alpaca_is_read(data: Path) -> None:
    """Of three published files every record is read; only a space is added before the answer."""
    for path in sorted((data / "alpaca").glob("*.json")):
        records = json.loads(path.read_text())
        made = rendered(path)
        assert [each["completion"] for each in made] == [f" {each['output']}" for each in records]
        assert all(record["instruction"] in sample["prompt"] for record, sample in zip(records, made, strict=True))
    with pytest.raises(DataError, match=r"seed_tasks.jsonl:1: no 'output' in the record"):
        rendered(data / "alpaca" / "seed_tasks.jsonl")


# -- chats -------------------------------------------------------------------------------------------------------------


def learned(tokenizer: Any, sample: dict[str, Any]) -> tuple[list[int], list[bool]]:
    """Return the tokens of a sample and which are learned."""
    given = Sample(sample["completion"], sample["prompt"], sample.get("assistant_spans"))
    (found,) = encoder_of(tokenizer, "small").encode([given])
    return found.tokens, found.learned


@pytest.mark.parametrize("template", [QWEN, MARKED], ids=["found", "marked"])
def test_all_turns_of_the_assistant_are_learned_and_nothing_else(template: str) -> None:
    """The mask equals that of transformers for a template that marks what is generated."""
    special = ("<|im_start|>", "<|im_end|>")
    oracle, tokenizer = words(MARKED, *special), words(template, *special)
    expected = oracle.apply_chat_template(TALK, return_dict=True, return_assistant_tokens_mask=True)
    tokens, mask = learned(tokenizer, ChatTemplate(tokenizer, "small").render(TALK))
    assert tokens == expected["input_ids"]
    assert [int(each) for each in mask] == expected["assistant_masks"]
    said = tokenizer.decode([token for token, wanted in zip(tokens, mask, strict=True) if wanted])
    assert said == "a cat sits<|im_end|>\nhe runs<|im_end|>\n"


@pytest.mark.filterwarnings("ignore")  # what TRL and transformers say to each other
@pytest.mark.parametrize("form", ["chat", "alpaca"])
def test_trl_learns_the_same(tmp_path: Path, form: str) -> None:
    """Tokens and labels equal those of TRL's trainer, for the turns of a chat and the response to an instruction."""
    import trl
    from datasets import Dataset
    from support.runs import config
    from transformers import LlamaForCausalLM

    tokenizer = words(MARKED, "<|im_start|>", "<|im_end|>")
    (alpaca,) = rendered(write(tmp_path / "a.jsonl", [{"instruction": "the dog", "output": "a cat sits"}]))
    record, sample = {
        "chat": ({"messages": TALK}, ChatTemplate(tokenizer, "small").render(TALK)),
        "alpaca": ({key: alpaca[key] for key in ("prompt", "completion")}, alpaca),
    }[form]
    given = {"assistant_only_loss": form == "chat", "use_cpu": True, "bf16": False, "max_length": None, "report_to": []}
    trainer = trl.SFTTrainer(
        LlamaForCausalLM(config(vocab_size=600)),
        trl.SFTConfig(str(tmp_path), **given),
        train_dataset=Dataset.from_list([record]),
        processing_class=tokenizer,
    )
    row = trainer.train_dataset[0]
    tokens, mask = learned(tokenizer, sample)
    assert tokens == row["input_ids"]
    assert [token if wanted else -100 for token, wanted in zip(tokens, mask, strict=True)] == row["labels"]


def test_a_chat_ends_where_the_template_ends_it() -> None:
    """If the template ends with no special token, the tokenizer's is added, so that the model learns to stop."""
    plain = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    plain += "{% if add_generation_prompt %}assistant:{% endif %}"
    sample = ChatTemplate(words(plain), "small").render(TALK)
    assert sample["completion"].endswith("assistant: he runs\n</s>")
    assert [sample["completion"][start:end] for start, end in sample["assistant_spans"]] == [
        " a cat sits\n",
        " he runs\n</s>",
    ]
    unanswered = ChatTemplate(words(plain), "small").render(TALK[:4])
    assert unanswered["completion"].endswith("the man?\n")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (FORGETFUL, "the chat template renders message 3 differently once others follow"),
        ("{{ raise_exception('no system role') }}", "the chat template refuses it: no system role"),
    ],
)
def test_a_chat_that_the_template_refuses(template: str, reason: str) -> None:
    """The error gives the template's reason, or says why the turns cannot be located."""
    with pytest.raises(RecordError, match=reason):
        ChatTemplate(words(template), "small").render(TALK)


def test_messages_need_a_chat_template(tmp_path: Path) -> None:
    """The tokenizer of a base model has none."""
    path = write(tmp_path / "a.jsonl", [{"messages": TALK}])
    with pytest.raises(ModelError, match="the tokenizer of small has no chat template, which messages need"):
        rendered(path, tokenizer=words(None))


# -- tasks -------------------------------------------------------------------------------------------------------------


def contents(path: Path, task: str) -> list[tuple[str, str, str]]:
    """Return (input, answer, language) of the questions in a file."""
    return [(each.input, each.answer, each.lang) for each in read_questions(path, task)]


def test_xnli_in_all_its_files(tmp_path: Path) -> None:
    """Each of them gives the same question."""
    text = "Premise: He runs.\nHypothesis: He sits."
    header = "language\tgold_label\tsentence1_binary_parse\tsentence1\tsentence2\tpairID\n"
    files = {
        "xnli.dev.tsv": f"{header}sw\tcontradiction\t( He )\tHe runs.\tHe sits.\t9\nen\t-\t\tHe runs.\tHe sits.\t10\n",
        "multinli.train.en.tsv": "premise\thypo\tlabel\nHe runs.\tHe sits.\tcontradictory\n",
        "dev-sw.tsv": "He runs.\tHe sits.\tcontradiction\r\n",
        "xnli.test.jsonl": json.dumps(
            {"language": "sw", "gold_label": "contradiction", "sentence1": "He runs.", "sentence2": "He sits."}
        ),
        "validation.json": json.dumps([{"premise": "He runs.", "hypothesis": "He sits.", "label": 2}]),
    }
    found = {}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
        found[name] = contents(tmp_path / name, "xnli")
    assert found == {
        "xnli.dev.tsv": [(text, "contradiction", "sw"), (text, "", "en")],
        "multinli.train.en.tsv": [(text, "contradiction", "en")],
        "dev-sw.tsv": [(text, "contradiction", "sw")],
        "xnli.test.jsonl": [(text, "contradiction", "sw")],
        "validation.json": [(text, "contradiction", "?")],
    }


def test_x_csqa_in_both_its_forms(tmp_path: Path) -> None:
    """Choices are a list of objects or two lists; the language is that of the record or of the folder."""
    choices = [{"label": "A", "text": "bank"}, {"label": "B", "text": "mall"}]
    question = {"stem": "Where is a door?", "choices": choices}
    lists = {"stem": "Where is a door?", "choices": {"label": ["A", "B"], "text": ["bank", "mall"]}}
    (tmp_path / "sw").mkdir()
    path = write(
        tmp_path / "sw" / "dev.jsonl",
        [
            {"id": "1", "lang": "jap", "question": question, "answerKey": "B"},
            {"id": "2", "question": lists, "answerKey": ""},
        ],
    )
    text = "Where is a door?\nA. bank\nB. mall"
    assert contents(path, "x-csqa") == [(text, "B", "ja"), (text, "", "sw")]
    assert [each.options for each in read_questions(path, "x-csqa")] == [("A", "B")] * 2


def test_mgsm_and_gsm8k(tmp_path: Path) -> None:
    """MGSM is a table of questions and numbers; solutions of GSM8K lose their calculator annotations."""
    (tmp_path / "mgsm_bn.tsv").write_text("কত?\t1,018\n", encoding="utf-8")
    answer = "She has 2*3=<<2*3=6>>6.\nSo 6.\n#### 6"
    write(tmp_path / "train.jsonl", [{"question": "How many?", "answer": answer}])
    records = [{"question": "How many?", "answer": None, "answer_number": 6, "equation_solution": None}]
    (tmp_path / "test.json").write_text(json.dumps(records))
    assert contents(tmp_path / "mgsm_bn.tsv", "mgsm") == [("কত?", "The answer is 1018.", "bn")]
    assert contents(tmp_path / "train.jsonl", "mgsm") == [
        ("How many?", "She has 2*3=6.\nSo 6.\nThe answer is 6.", "?"),
    ]
    assert contents(tmp_path / "test.json", "mgsm") == [("How many?", "The answer is 6.", "?")]


def test_null_is_nothing(tmp_path: Path) -> None:
    """A null counts as an absent key: no answer, no language, no origin. An id may be a number."""
    pair = {"premise": "a", "hypothesis": "b", "language": None, "pairID": None, "label": None}
    write(tmp_path / "dev-sw.jsonl", [pair])
    (found,) = read_questions(tmp_path / "dev-sw.jsonl", "xnli")
    assert (found.gold, found.lang, found.id) == ("", "sw", None)
    problems = [{"question": "a", "answer": None}, {"question": "a", "answer_number": None}]
    problems += [{"question": "a", "answer": "So.\n#### 6", "answer_number": None}]
    write(tmp_path / "mgsm-sw.jsonl", problems)
    assert [each.gold for each in read_questions(tmp_path / "mgsm-sw.jsonl", "mgsm")] == ["", "", "6"]
    choices = {"label": ["A", "B"], "text": ["b", "c"]}
    question = {"id": 7, "question": {"stem": "a", "choices": choices}, "answerKey": None, "lang": None}
    write(tmp_path / "csqa-sw.jsonl", [question])
    (found,) = read_questions(tmp_path / "csqa-sw.jsonl", "x-csqa")
    assert (found.gold, found.lang, found.id) == ("", "sw", 7)
    write(tmp_path / "alpaca.jsonl", [{"instruction": "a", "output": None, "lang": None, "origin": None, "id": None}])
    assert rendered(tmp_path / "alpaca.jsonl") == [{"prompt": alpaca("a"), "completion": "", "origin": "alpaca"}]


def test_real_tasks_are_read(data: Path) -> None:
    """XNLI has 2,490 questions, 830 of each label; MGSM has 250, with the same answers in every language."""
    for path in sorted((data / "xnli").glob("*.tsv")):
        found = list(read_questions(path, "xnli"))
        assert {each.lang for each in found} == {path.stem.partition("-")[2]}
        assert [sum(each.gold == label for each in found) for label in found[0].options] == [830, 830, 830]
    golds = {
        path.stem[-2:]: [each.gold for each in read_questions(path, "mgsm")] for path in (data / "mgsm").glob("*.tsv")
    }
    assert len(golds) == 11 and all(len(each) == 250 for each in golds.values())
    assert all(each == golds["en"] for each in golds.values())


@pytest.mark.parametrize(
    ("task", "name", "content", "message"),
    [
        (
            "xnli",
            "a.tsv",
            "one\ttwo\n",
            ":1: 2 columns, not 3; XNLI has premise, hypothesis and label, separated by tabs",
        ),
        (
            "xnli",
            "a.tsv",
            "one\ttwo\tmaybe\n",
            ":1: 'maybe' is not a label of XNLI; have: entailment, neutral, contradiction",
        ),
        ("xnli", "a.jsonl", '{"question":"a"}', ":1: no 'sentence1' (it has no known key); XNLI has premise"),
        ("xnli", "a.jsonl", '{"premise":"a","hypothesis":"b"}', ":1: no 'gold_label' (it has premise, hypothesis)"),
        ("xnli", "a.tsv", "", ": it has no questions"),
        ("x-csqa", "a.tsv", "one\ttwo\n", ":1: not JSON; X-CSQA has question (stem, choices with label and text)"),
        ("x-csqa", "a.jsonl", '{"question":"a"}', ":1: 'question' has no 'stem'; X-CSQA has"),
        ("x-csqa", "a.jsonl", '{"question":{"stem":"a"}}', ":1: 'question' has no 'choices'; X-CSQA has"),
        (
            "x-csqa",
            "a.jsonl",
            '{"question":{"stem":"a","choices":[{"label":"A","text":"b"},{"label":"A","text":"c"}]}}',
            ":1: each choice needs a 'text' and a 'label' of its own",
        ),
        (
            "x-csqa",
            "a.jsonl",
            '{"answerKey":"C","question":{"stem":"a","choices":{"label":["A","B"],"text":["b","c"]}}}',
            ":1: the answer 'C' is not one of the choices A, B",
        ),
        ("mgsm", "a.tsv", "one\n", ":1: 1 column, not 2; MGSM has question and number"),
        ("mgsm", "a.tsv", "one\ttwo\n", ":1: 'two' is not a number; MGSM has"),
        ("mgsm", "a.jsonl", '{"question":"a","answer":"6"}', ":1: no '####' in 'answer'; MGSM has"),
        ("mgsm", "a.jsonl", '{"question":"a"}', ":1: no '####' in 'answer'; MGSM has"),
    ],
)
def test_a_file_that_is_not_the_tasks(tmp_path: Path, task: str, name: str, content: str, message: str) -> None:
    """The error says where it is, what is wrong, and what the task has."""
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError) as raised:
        list(read_questions(tmp_path / name, task))
    assert str(raised.value).startswith(f"{tmp_path / name}{message}")


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("mgsm_sw.tsv", "sw"),
        ("dev-th.tsv", "th"),
        ("multinli.train.zh.tsv", "zh"),
        ("xnli.dev.tsv", "?"),
        ("train.jsonl", "?"),
        ("hi/dev.jsonl", "hi"),
        ("dev-en.tsv.gz", "en"),
    ],
)
def test_the_language_in_a_name(name: str, language: str) -> None:
    """The names are those of the tasks' files."""
    assert language_from_name(Path(name)) == language


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("2 x 9 = 18. The answer is 1,018.00.", "1018"),
        ("The answer is $-3.50 a day, of 7.", "-3.5"),
        ("So it is 18 dollars in 2 days", "2"),
        ("উত্তর ১৮", "18"),
        ("80.000 Euro", "80"),
        ("The answer is unknown. 5", "5"),
        ("none", None),
        ("", None),
    ],
)
def test_the_number_in_which_an_answer_ends(said: str, found: str | None) -> None:
    """It is the number after the conclusion, otherwise the last one."""
    assert final_number(said) == found


@given(st.integers(-(10**12), 10**12), st.sampled_from(["{:d}", "{:,d}", "{:d}.0", "{:d}.00", " {:d}"]))
def test_a_number_is_the_same_however_it_is_written(value: int, form: str) -> None:
    """Commas and zeros after the point make no difference, also when it is read from a sentence."""
    written = form.format(value)
    assert parse_number(written) == str(value)
    assert final_number(f"7 and 8. The answer is {written}.") == str(value)


# -- the loss ----------------------------------------------------------------------------------------------------------


def test_the_loss_is_on_the_response_alone(tmp_path: Path) -> None:
    """Tokens of the prompt are not learned; those of the response and its end are."""
    (sample,) = rendered(write(tmp_path / "a.jsonl", [{"instruction": "the dog", "output": "a cat sits"}]))
    tokenizer = words()
    tokens, mask = learned(tokenizer, sample)
    prompt = tokenizer(alpaca("the dog"))["input_ids"]
    response = tokenizer(" a cat sits", add_special_tokens=False)["input_ids"]
    assert tokens == [*prompt, *response, tokenizer.eos_token_id]
    assert mask == [False] * len(prompt) + [True] * (len(response) + 1)


@pytest.mark.parametrize("name", ["llama2", "mistral", "chinese-llama2"])
def test_no_token_crosses_into_a_real_response(data: Path, name: str) -> None:
    """The tokens of a prompt are the same in training, before a response, as in translation."""
    tokenizer = load_tokenizer(str(data / "tokenizers" / name))
    encoder = encoder_of(tokenizer, name)
    made = rendered(data / "alpaca" / "alpaca_tiny.json")
    for sample, found in zip(made, encoder.encode([Sample(m["completion"], m["prompt"]) for m in made]), strict=True):
        prompt = tokenizer(sample["prompt"])["input_ids"]
        assert found.tokens[: len(prompt)] == prompt
        assert found.learned == [False] * len(prompt) + [True] * (len(found.tokens) - len(prompt))


def test_what_is_left_out_is_counted_by_language_or_origin(tmp_path: Path) -> None:
    """The reasons are that a record is too long or has no answer."""
    records = [{"instruction": "a", "output": "dog " * n} for n in (1, 400, 0)]
    made = partial(Job, "m", "m", (), str(tmp_path / "run"), False, False, False, Training(), "tune")
    encoder, cache = encoder_of(small_tokenizer(), "small"), Cache(tmp_path / "run" / "cache")
    path = write(tmp_path / "a.jsonl", records)
    prepared = prepare([path], encoder, 300, 0, cache, render=made().renderer(words()))
    assert describe_rejected(prepared.rejected()) == (
        "1 record longer than the block (alpaca 1); 1 record with nothing to learn (alpaca 1)"
    )
    assert prepared.samples.where(1) == f"{path}: record 2"
    (tmp_path / "dev-sw.tsv").write_text("a\tb\tneutral\na\tb\t-\n")
    prepared = prepare([tmp_path / "dev-sw.tsv"], encoder, 512, 0, cache, render=made("xnli").renderer(words()))
    assert describe_rejected(prepared.rejected()) == "1 record with nothing to learn (sw 1)"


def test_the_cached_file_depends_on_the_tokenizer(tmp_path: Path) -> None:
    """The cached file depends on the template, the tokens at both ends and the added tokens."""
    made = Job("m", "m", (), str(tmp_path / "run"), False, False, False, Training(), "tune")
    path = write(tmp_path / "a.jsonl", [{"messages": TALK}])
    others = [words(QWEN), words(MARKED), words(QWEN, "<|im_end|>"), words(QWEN), words(QWEN)]
    others[3].eos_token, others[4].bos_token = "a", "a"
    files = []
    for tokenizer in (words(QWEN), *others):
        render = made.renderer(tokenizer)
        assert render is not None
        files.append(render(path).path)
    assert files[0] == files[1]
    assert len(set(files)) == 5


# -- steps of records --------------------------------------------------------------------------------------------------


def ends(plan: EpochPlan, batch: int, unit: str, start: int = 0) -> Iterable[int]:
    """Yield where each step ends."""
    while start < len(plan):
        start = plan.step_end(start, batch, unit)
        yield start


@settings(max_examples=50)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=60), st.integers(1, 30), st.integers(0, 3))
def test_a_step_of_records_is_the_blocks_that_come_nearest(sizes: list[int], batch: int, seed: int) -> None:
    """A step is at least one whole block; no other number of blocks holds a number of records nearer to the batch."""
    import numpy as np

    lengths = np.array(sizes, np.int64)
    plan = EpochPlan(0, make_plan(lengths, lengths, 12, seed, 0), "")
    counts = np.diff(plan.bins.starts)
    start = 0
    for end in ends(plan, batch, RECORDS):
        sums = np.cumsum(counts[start:])
        best = min(range(len(sums)), key=lambda place: (abs(int(sums[place]) - batch), place))
        assert end == start + best + 1
        start = end
    assert start == len(plan)
    assert plan.steps(batch, RECORDS) == len(list(ends(plan, batch, RECORDS)))
    assert list(ends(plan, batch, BLOCKS)) == [min(n + batch, len(plan)) for n in range(0, len(plan), batch)]
    assert isinstance(plan.bins, Bins)


def test_tuning_has_the_papers_settings() -> None:
    """They are 128 records at 2e-5; a file and settings override them."""
    assert (TUNING.batch, TUNING.batch_of, TUNING.learning_rate) == (128, "records", 2e-5)
    assert read_training(None, ["epochs=1"], TUNING) == Training(
        batch=128, batch_of="records", epochs=1, weight_decay=0.0, beta2=0.999
    )


XCSQA = {"stem": "a", "choices": {"label": ["A", "B"], "text": ["b", "c"]}}


@pytest.mark.parametrize("key", ["lang", "language"])
@pytest.mark.parametrize(
    ("task", "record"),
    [
        ("xnli", {"premise": "a", "hypothesis": "b", "label": 1}),
        ("x-csqa", {"question": XCSQA, "answerKey": "B"}),
        ("mgsm", {"question": "a", "answer": "b #### 3"}),
    ],
)
def test_the_language_of_a_record_counts_more_than_that_of_the_name(
    tmp_path: Path, task: str, record: dict[str, object], key: str
) -> None:
    """Of every task, under the key of XNLI and under that of X-CSQA and of our own records."""
    path = tmp_path / "questions-fr.jsonl"
    write(path, [{**record, key: "swh_Latn"}, record])
    assert [each.lang for each in read_questions(path, task)] == ["sw", "fr"]
    write(path, [{**record, key: "klingonish"}])
    with pytest.raises(DataError, match=r"questions-fr\.jsonl:1: unknown language 'klingonish'"):
        list(read_questions(path, task))
