"""Extensions compiled with a sanitizer, which ends the process at the first wrong read, shift or overflow."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

SANITIZERS = {"address": "libasan.so", "undefined": "libubsan.so"}


def run_sanitized(source: Path, sanitizer: str, folder: Path, script: str, count: int) -> str:
    """Compile an extension, run `tests/support/SCRIPT EXTENSION COUNT`, and return what it prints."""
    extension = folder / source.with_suffix(".so").name
    flags = [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all", "-g", "-O1", "-fPIC", "-shared"]
    include = sysconfig.get_paths()["include"]
    subprocess.run(["cc", *flags, f"-I{include}", source, "-o", extension], check=True)
    name = f"-print-file-name={SANITIZERS[sanitizer]}"
    library = subprocess.run(["cc", name], capture_output=True, check=True, text=True).stdout.strip()
    # Each bytes object has a block of its own, so that what lies behind it is known to be outside.
    memory = {"LD_PRELOAD": library, "PYTHONMALLOC": "malloc", "ASAN_OPTIONS": "detect_leaks=0"}
    command = [sys.executable, "-S", Path(__file__).with_name(script), extension, str(count)]
    done = subprocess.run(command, env={**os.environ, **memory}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
