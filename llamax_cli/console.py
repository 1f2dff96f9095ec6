"""What a person sees on stderr: one line at the end, and a progress bar while a long run lasts."""

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

PATIENCE = 0.7  # seconds before a bar appears: a short run needs none
INTERVAL = 0.1  # seconds between two drawings of it
WIDTH = 100  # columns of a page at most


def say(command: str, message: str) -> None:
    """Write one line to stderr, and let a closed stderr be."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{f'llamax {command}'.strip()}: {message}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Show rows to a person, on stderr."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(*columns, box=None)
    for row in rows:
        shown.add_row(*row)
    Console(stderr=True).print(shown)


def show_page(markdown: str) -> None:
    """Draw a text in Markdown and show it to a person by way of the pager, on stdout."""
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    # less passes colours on; by itself it also ends at once where all fits the screen.
    os.environ["LESS"] = f"-R {os.environ.get('LESS', '-FX')}"
    console = Console(theme=Theme({"markdown.code": "bold cyan"}))
    console.width = min(console.width, WIDTH)
    with console.pager(styles=True):
        console.print(Markdown(markdown, code_theme="ansi_dark"))


class Progress:
    """A bar on a terminal, nothing off one.

    In a pipe several commands share one terminal; the first to ask gets it, and those that know how much there is to
    do ask first.
    """

    def __init__(self, command: str, *, enabled: bool) -> None:
        self._command = command
        self._bar: Any = None
        self._task: Any = None
        self._has_asked = False
        shown = enabled and sys.stderr is not None and sys.stderr.isatty()
        self._next = time.monotonic() + PATIENCE if shown else float("inf")

    def update(
        self, records: int, read: Callable[[], tuple[int, int | None]], note: Callable[[], str] | None = None
    ) -> None:
        """Show that `records` were done; `read` tells (bytes read, bytes in all or None) when the bar is due.

        `note` tells what stands beside the bar, where that is not how many records.
        """
        now = time.monotonic()
        if now < self._next:
            return
        done, total = read()
        if self._bar is None and not self._claim(total):
            self._next = now + PATIENCE
            return
        if self._bar is None:
            self._start(total)
        self._next = now + INTERVAL
        text = note() if note else f"{records:,} records"
        self._bar.update(self._task, completed=done, total=total, note=text)

    def set_note(self, note: str) -> None:
        """Say beside the bar what is being done, where there is a bar."""
        if self._bar is not None:
            self._bar.update(self._task, note=note)

    def _claim(self, total: int | None) -> bool:
        """Return whether the terminal is ours; one that cannot say how much is left asks one turn later."""
        before, self._has_asked = self._has_asked, True
        return (before or total is not None) and _lock_terminal()

    def _start(self, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(f"llamax {self._command}", total=total, note="")
        self._bar.start()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _lock_terminal() -> bool:
    """Return whether no other process draws on this terminal; the claim ends with the process."""
    try:
        fcntl.lockf(sys.stderr.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a terminal that cannot be locked: better two bars than none
    return True
