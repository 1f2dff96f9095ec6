"""A report of 18 systems with all 10,302 directions, and how soon its page can be used.

python tests/benchmarks/bench_report.py [--systems 18]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from llamax_cli.languages import languages


def write_scores(path: Path, shift: float) -> None:
    """Write a score of each direction."""
    codes = list(languages())
    rows = (
        {
            "src_lang": source,
            "tgt_lang": target,
            "metric": "spbleu",
            "score": (7 * row + 3 * column) % 50 + shift,
            "signature": "s",
            "n": 1012,
        }
        for row, source in enumerate(codes)
        for column, target in enumerate(codes)
        if source != target
    )
    path.write_bytes(msgspec.json.Encoder().encode_lines(rows))


def page_seconds(path: Path) -> float | None:
    """Return when the page is ready, in seconds after its navigation began; None without a browser."""
    browser = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if browser is None:
        return None
    with sync_playwright() as tools:
        started = tools.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = started.new_page()
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]")
        ready = float(page.get_attribute("html", "data-ready") or "nan") / 1000
        started.close()
    return ready


def main() -> None:
    """Print seconds and sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", type=int, default=18)
    systems = parser.parse_args().systems
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = []
        for number in range(systems):
            write_scores(folder / f"{number}.jsonl", number)
            given.append(f"S{number}={folder / f'{number}.jsonl'}")
        for more in (["--figures", "none"], []):
            output = folder / f"report-{len(more)}"
            before, began = os.times(), time.monotonic()
            command = [sys.executable, "-m", "llamax_cli", "report", *given, "-q", "-o", str(output), *more]
            subprocess.run(command, check=True)
            after = os.times()
            processor = after.children_user + after.children_system - before.children_user - before.children_system
            print(
                f"{' '.join(more) or 'all figures'}: {time.monotonic() - began:.1f} s, {processor:.1f} s of processor"
            )
        page = output / "index.html"
        ready = page_seconds(page)
        print(f"page: {page.stat().st_size / 1e6:.2f} MB, ready after {ready} s")


if __name__ == "__main__":
    main()
