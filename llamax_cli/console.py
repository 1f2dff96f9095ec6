"""Messages on stderr: lines, tables, and a progress bar on a terminal.

Nothing else writes to stderr. So whatever comes from data or from the command line passes through `escape`, and cannot
move the cursor, change the terminal or look like a line of its own.
"""

import fcntl
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

PATIENCE = 0.7  # seconds before a bar appears; a short run needs none
INTERVAL = 0.1  # seconds between two updates of the bar
WIDTH = 100  # most columns of a page
# Controls, line ends, marks that override the direction of writing, and halves of characters.
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escape(text: str) -> str:
    r"""Return a text for a terminal, with controls written as in Python: `escape("a\x1b[2J\n") -> r"a\x1b[2J\n"`."""
    return UNSAFE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: `counted(1, "record") -> "1 record"`, and 2000 give "2,000 records"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def say(command: str, message: str) -> None:
    """Write one line to stderr, unless it is closed."""
    _write(escape(f"{f'llamax {command}'.strip()}: {message}") + "\n")


def show_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Write the traceback of an error to stderr; it is Python's `sys.excepthook`, with the lines escaped."""
    lines = "".join(traceback.format_exception(kind, error, trace)).split("\n")
    _write("\n".join(map(escape, lines)))


def _write(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows as a table on stderr."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(*columns, box=None)
    for row in rows:
        shown.add_row(*(Text(escape(cell)) for cell in row))  # a Text has no markup such as [red]
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
    """A progress bar on a terminal, and nothing elsewhere.

    Several commands in a pipe share one terminal, and the first that asks for it draws its bar. Commands that know the
    size of their input ask earlier.
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
        """Show that `records` are done; `read` returns (bytes read, bytes in all or None) when the bar is drawn.

        `note` returns the text beside the bar, if that is not the number of records.
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
        text = note() if note else counted(records, "record")
        self._bar.update(self._task, completed=done, total=total, note=escape(text))

    def set_note(self, note: str) -> None:
        """Show a text beside the bar, if there is a bar."""
        if self._bar is not None:
            self._bar.update(self._task, note=escape(note))

    def _claim(self, total: int | None) -> bool:
        """Return whether this process may draw; without a known total it asks one interval later."""
        before, self._has_asked = self._has_asked, True
        return (before or total is not None) and _lock_terminal()

    def _start(self, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
        from rich.text import Text

        class TimeLeft(TimeRemainingColumn):
            """The time that is left, said to be that; nothing where it is not known."""

            def render(self, task: Any) -> Text:
                return Text("") if task.time_remaining is None else Text.assemble(super().render(task), " left")

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            TimeLeft(compact=True),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(f"llamax {self._command}", total=total, note="")
        self._bar.start()

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _lock_terminal() -> bool:
    """Return whether no other process draws on this terminal; the lock ends with the process."""
    try:
        fcntl.lockf(sys.stderr.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # this terminal cannot be locked; two bars are better than none
    return True
