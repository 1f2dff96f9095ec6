"""Write tasks for lm-evaluation-harness that read XCOPA from a folder, not from the hub; the rest is the harness's own.

python examples/paper/local_tasks.py xcopa/data tasks && lm-eval run --include_path tasks --tasks xcopa_local ...

The folder holds LANGUAGE/val.LANGUAGE.jsonl and LANGUAGE/test.LANGUAGE.jsonl, as https://github.com/cambridgeltl/xcopa.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

TASK = """\
include: {original}
task: xcopa_{language}_local
tag: xcopa_local
dataset_path: json
dataset_name: null
dataset_kwargs:
  data_files:
    validation: {validation}
    test: {test}
"""


def main(corpus: Path, folder: Path) -> None:
    """Write a file for each language of the corpus that the harness has a task for."""
    harness = find_spec("lm_eval")
    if harness is None or harness.origin is None:
        sys.exit("local_tasks.py: lm-evaluation-harness is not installed: pip install 'llamax[lm-eval]'")
    tasks = Path(harness.origin).parent / "tasks" / "xcopa"
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for test in sorted(corpus.absolute().glob("*/test.*.jsonl")):
        language = test.parent.name
        original = tasks / f"default_{language}.yaml"
        if original.is_file():
            validation = test.with_name(f"val.{language}.jsonl")
            text = TASK.format(original=original, language=language, validation=validation, test=test)
            (folder / f"xcopa_{language}_local.yaml").write_text(text, encoding="utf-8")
            written += 1
    if not written:
        sys.exit(f"local_tasks.py: {corpus} has no LANGUAGE/test.LANGUAGE.jsonl in a language of XCOPA")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
