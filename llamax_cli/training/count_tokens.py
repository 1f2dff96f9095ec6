"""The tokens of an epoch, counted in a process of its own because tokenizers import torch.

python -m llamax_cli.training.count_tokens < run.json
"""

import json
import sys
from pathlib import Path

from llamax_cli.console import Progress, say
from llamax_cli.errors import LlamaxError, because
from llamax_cli.models.bos import describe_bos
from llamax_cli.models.sample_encoding import open_encoder
from llamax_cli.training.dataset import Cache
from llamax_cli.training.estimates import DataCounts
from llamax_cli.training.job import Job, parse_job
from llamax_cli.training.packed_dataset import describe_rejected, prepare


def count_tokens(job: Job) -> DataCounts:
    """Return the size of the first epoch of a run; the token lengths stay in the cache for the run."""
    training = job.training
    tokenizer, encoder = open_encoder(
        job.tokenizer, training.loss, add_bos=training.add_bos, trust_remote_code=job.trust_remote_code
    )
    progress = Progress(job.command, enabled=not job.quiet)
    try:
        data = prepare(
            [Path(path) for path in job.data],
            encoder,
            training.block,
            training.seed,
            Cache(job.cache),
            lambda done, total: progress.update(done, lambda: (done, total)),
            job.renderer(tokenizer),
        )
    finally:
        progress.close()
    plan = data.plan(0)
    return DataCounts(
        records=data.records,
        tokens=data.tokens,
        learned=data.learned,
        squares=data.squares,
        blocks=len(plan),
        steps=plan.steps(training.batch, training.batch_of),
        filled=data.tokens / (len(plan) * training.block),
        left_out=describe_rejected(data.rejected()),
        bos=describe_bos(tokenizer),
        literals=data.describe_literals(),
    )


def main() -> None:
    """Print the counts as JSON, or an error as one line on stderr."""
    job = parse_job(sys.stdin.read())
    try:
        print(json.dumps(count_tokens(job)._asdict()), flush=True)
    except LlamaxError as error:
        say(job.command, str(error))
        sys.exit(error.exit_code)
    except OSError as error:
        say(job.command, f"{error.filename or 'standard output'}: {because(error)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
