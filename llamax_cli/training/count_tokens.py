"""What an epoch is in tokens, as a process of its own, because tokenizers bring torch along.

python -m llamax_cli.training.count_tokens < run.json
"""

import json
import sys
from pathlib import Path
from typing import Any

from llamax_cli.console import Progress, say
from llamax_cli.errors import LlamaxError
from llamax_cli.instructions.rendering import renderer
from llamax_cli.models.sample_encoding import open_encoder
from llamax_cli.training.dataset import Cache
from llamax_cli.training.job import Job, parsed
from llamax_cli.training.packed_dataset import describe_rejected, prepare


def measure(job: Job) -> dict[str, Any]:
    """Return records, tokens, learned tokens, squared lengths, blocks and what is left out; the cache keeps them."""
    tokenizer, encoder = open_encoder(job.tokenizer)
    progress = Progress(job.command, wanted=not job.quiet)
    try:
        paths = [Path(path) for path in job.data]
        training = job.training
        data = prepare(
            paths,
            encoder,
            training.block,
            training.seed,
            Cache(job.cache),
            lambda done, total: progress.update(done, lambda: (done, total)),
            renderer(job, tokenizer),
        )
    finally:
        progress.close()
    plan = data.plan(0)
    blocks = len(plan)
    return {
        "records": data.records,
        "tokens": data.tokens,
        "learned": data.learned,
        "squares": data.squares,
        "blocks": blocks,
        "steps": plan.steps(training.batch, training.batch_of),
        "filled": data.tokens / (blocks * training.block),
        "left_out": describe_rejected(data.rejected()),
    }


def main() -> None:
    """Print the measures as JSON, or one line on stderr."""
    job = parsed(sys.stdin.read())
    try:
        print(json.dumps(measure(job)))
    except LlamaxError as error:
        say(job.command, str(error))
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
