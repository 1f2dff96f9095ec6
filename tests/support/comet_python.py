"""A Python that scores without a model: it follows the protocol of metric_worker.py."""

import sys
from pathlib import Path

PROGRAM = """
import json, sys
from pathlib import Path
isolated, worker, family, model, tokenizer, batch = sys.argv[1:]
assert isolated == "-I" and Path(worker).name == "metric_worker.py" and family == "comet" and int(batch) > 0
if model == "missing":
    print(json.dumps({"error": "KeyError: no such model"}), flush=True)
    sys.exit(1)
print(json.dumps({"version": "2.2.7", "model": model}), flush=True)
for number, line in enumerate(sys.stdin):
    segments = json.loads(line)["segments"]
    with open("asked", "a") as log:
        print(len(segments), file=log)
    if model == "dies":
        sys.exit("RuntimeError: out of memory")
    scores = [(len(mt) + len(source) / 10 + 50 * (reference is None)) / 100 for source, mt, reference in segments]
    if model == "no number":
        scores[-1] = float("nan")
    print(json.dumps({"scores": scores}), flush=True)
"""


def comet_python(folder: Path) -> Path:
    """Return a substitute for a Python with COMET; it scores by length and logs the sizes of its requests in `asked`.

    Models whose names say so cannot be had, die, or give no number.
    """
    path = folder / "python"
    path.write_text(f"#!{sys.executable}\n{PROGRAM}")
    path.chmod(0o755)
    return path
