"""A C extension compiled with a sanitizer, which ends the process at the first wrong read, shift or overflow."""

import os
import subprocess
import sys
import sysconfig
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
SANITIZERS = {"address": "libasan.so", "undefined": "libubsan.so"}


def run_sanitized(sanitizer: str, source: Path, module: str, folder: Path, count: int) -> str:
    """Compile an extension in a folder, run `python -m MODULE EXTENSION.so COUNT`, and return what that prints."""
    extension = folder / f"{source.stem}.so"
    flags = [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all", "-g", "-O1", "-fPIC", "-shared"]
    include = sysconfig.get_paths()["include"]
    subprocess.run(["cc", *flags, f"-I{include}", source, "-o", extension, "-lm"], check=True)
    library = subprocess.run(
        ["cc", f"-print-file-name={SANITIZERS[sanitizer]}"], capture_output=True, check=True, text=True
    )
    # Each bytes object has a block of its own, so that what lies behind it is known to be outside.
    environment = {
        **os.environ,
        "LD_PRELOAD": library.stdout.strip(),
        "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": "detect_leaks=0",
    }
    command = [sys.executable, "-S", "-m", module, extension, str(count)]
    done = subprocess.run(command, cwd=TESTS, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def load_extension(path: str) -> Any:
    """Return the extension in a file; its name is that of the file."""
    name = Path(path).name.partition(".")[0]
    spec = spec_from_file_location(name, path, loader=ExtensionFileLoader(name, path))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
