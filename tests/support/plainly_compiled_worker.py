"""A worker of training whose layers, if they are compiled, become plain machine code, in half the time.

python -m support.plainly_compiled_worker FOLDER
"""

import os

from torch._inductor import config

from llamax_cli.training import worker


def main() -> None:
    """Run the worker."""
    config.cpp.vec_isa_ok = False  # no code for vectors
    os.environ["TORCHINDUCTOR_DEBUG_COMPILE"] = "1"  # -O0
    worker.main()


if __name__ == "__main__":
    main()
