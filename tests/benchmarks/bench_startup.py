"""How long a command takes before it does anything, as a multiple of `python -c pass`.

python tests/benchmarks/bench_startup.py
"""

import statistics
import sys
import tempfile
from pathlib import Path

from measure import seconds

ROUNDS = 25


def main() -> None:
    """Time each command in turn with the empty program, so that both meet the same machine."""
    llamax = [str(Path(sys.executable).parent / "llamax")]
    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder) / "two.jsonl"
        records.write_text('{"id":"a:1","text":"one","lang":"en"}\n{"id":"a:2","text":"two","lang":"en"}\n')
        commands = {
            "import typer": [sys.executable, "-c", "import typer"],
            "llamax --help": [*llamax, "--help"],
            "llamax convert --help": [*llamax, "convert", "--help"],
            "llamax convert FILE": [*llamax, "convert", "-q", str(records)],
        }
        print(f"medians of {ROUNDS} rounds in turn\n{'':24}{'ms':>8}{'pass, ms':>10}{'ratio':>8}")
        for name, command in commands.items():
            rounds = [(seconds(command)[0], seconds([sys.executable, "-c", "pass"])[0]) for _ in range(ROUNDS)]
            own, empty = (statistics.median(side) * 1000 for side in zip(*rounds, strict=True))
            print(f"{name:24}{own:>8.1f}{empty:>10.1f}{own / empty:>8.1f}")


if __name__ == "__main__":
    main()
