"""Write tasks for lm-evaluation-harness that read XCOPA, MGSM and texts from files; the rest is its own.

python examples/paper/local_tasks.py xcopa/data mgsm eng.devtest tasks
python -m lm_eval --include_path tasks --tasks xcopa_local,mgsm_direct_local,perplexity_eng_local ...

A folder holds LANGUAGE/val.LANGUAGE.jsonl and LANGUAGE/test.LANGUAGE.jsonl, as https://github.com/cambridgeltl/xcopa,
or mgsm_LANGUAGE.tsv, as https://github.com/google-research/url-nlp. Of a file, whose lines are texts, the perplexity is
measured, and its name up to the first dot is in that of the task. The tasks are written to the last folder.
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

TASK = """\
include: {original}
task: {name}_{language}_local
tag: {name}_local
dataset_path: json
dataset_name: null
training_split: null
dataset_kwargs:
  data_files:
"""

PERPLEXITY = """\
task: perplexity_{name}_local
dataset_path: text
dataset_kwargs:
  data_files:
    test: {path}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{{{text}}}}"
metric_list:
  - metric: word_perplexity
  - metric: byte_perplexity
  - metric: bits_per_byte
metadata:
  version: 1.0
"""


def main(*arguments: Path) -> None:
    """Write a file for each language of the corpora that the harness has a task for."""
    *corpora, folder = arguments
    harness = find_spec("lm_eval")
    if harness is None or harness.origin is None:
        sys.exit("local_tasks.py: lm-evaluation-harness is not installed: pip install 'llamax[lm-eval]'")
    tasks = Path(harness.origin).parent / "tasks"
    folder.mkdir(parents=True, exist_ok=True)
    for corpus in corpora:
        if corpus.is_file():
            write_perplexity(corpus, folder)
        elif not write_xcopa(tasks / "xcopa", corpus, folder) + write_mgsm(tasks / "mgsm" / "direct", corpus, folder):
            sys.exit(
                f"local_tasks.py: {corpus} has neither LANGUAGE/test.LANGUAGE.jsonl in a language of XCOPA nor "
                "mgsm_LANGUAGE.tsv in one of MGSM"
            )


def write_xcopa(tasks: Path, corpus: Path, folder: Path) -> int:
    """Write a task for each language of XCOPA, and return how many they are."""
    written = 0
    for test in sorted(corpus.absolute().glob("*/test.*.jsonl")):
        language = test.parent.name
        parts = {"validation": test.with_name(f"val.{language}.jsonl"), "test": test}
        written += write_task(folder, "xcopa", language, tasks / f"default_{language}.yaml", parts)
    return written


def write_mgsm(tasks: Path, corpus: Path, folder: Path) -> int:
    """Write a task and its questions for each language of MGSM, and return how many they are."""
    written = 0
    for table in sorted(corpus.glob("mgsm_*.tsv")):
        language = table.stem.removeprefix("mgsm_")
        questions = folder.absolute() / f"mgsm_{language}.jsonl"
        if not write_task(folder, "mgsm_direct", language, tasks / f"mgsm_direct_{language}.yaml", {"test": questions}):
            continue
        with questions.open("w", encoding="utf-8") as file:
            for line in table.read_text(encoding="utf-8").rstrip("\n").split("\n"):
                question, number = line.split("\t")
                record = {"question": question, "answer": None, "answer_number": int(number.replace(",", ""))}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        written += 1
    return written


def write_perplexity(texts: Path, folder: Path) -> None:
    """Write the task that measures the perplexity of each line of a file."""
    name = texts.name.partition(".")[0]
    task = PERPLEXITY.format(name=name, path=json.dumps(str(texts.absolute())))
    (folder / f"perplexity_{name}_local.yaml").write_text(task, encoding="utf-8")


def write_task(folder: Path, name: str, language: str, original: Path, parts: dict[str, Path]) -> bool:
    """Write a task like one of the harness, with files in place of its data; return whether it has such a task."""
    if not original.is_file():
        return False
    text = TASK.format(original=original, name=name, language=language)
    text += "".join(f"    {part}: {json.dumps(str(path))}\n" for part, path in parts.items())
    (folder / f"{name}_{language}_local.yaml").write_text(text, encoding="utf-8")
    return True


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
