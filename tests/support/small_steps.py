"""`llamax ARGUMENTS` in small steps: a few lines at once, a state saved after each, and an engine without a model.

So that a run over a small file goes through all that one over a large file does: python small_steps.py ARGUMENTS
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from llamax_cli import cli
from llamax_cli.streams import chunks, inputs, journal, outputs, run
from llamax_cli.translation import windows
from llamax_cli.translation.engines import registry

if __name__ == "__main__":
    inputs.CHUNK = 1000
    chunks.SMALL, chunks.LARGE = 500, 500
    journal.CHECKPOINT = 0.0
    outputs.BLOCK = 700
    run.BATCH = 3
    windows.WINDOW = 4
    registry.ENGINES["hf"] = registry.EngineSpec("support.fakes:Tagger", shareable=True)
    sys.argv[0] = "llamax"
    cli.main()
