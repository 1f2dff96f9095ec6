"""The lease of a run's folder: one run at a time, also on file systems without locks, such as Lustre without `flock`.

A lease is a file that names its owner and whose counter the owner advances every BEAT seconds. Clocks of machines are
never compared: who finds another machine's lease watches the counter, and takes the lease over where it has stood still
for EXPIRY seconds. The owner writes into the file that it has open, so it can never overwrite the lease of another run,
and it looks at the name before each write of the run: one that was suspended notices on waking that its lease is gone.
"""

import hashlib
import json
import os
import secrets
import socket
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from llamax_cli.documents import loads
from llamax_cli.errors import FileError, because

FILE = ".lease"
BEAT = 10.0  # seconds between renewals
EXPIRY = 60.0  # seconds without a renewal after which a lease of another machine is stale
POLL = 1.0
ENDED = ("Z", "X")  # the states of a process that nobody has waited for yet
WIDTH = 20  # characters of the counter, which is the first line of the file


@dataclass(frozen=True)
class Owner:
    """A process: `machine` is the boot and the process namespace in which its `pid` and `started` have a meaning."""

    host: str
    pid: int
    started: str
    machine: str
    token: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    @property
    def name(self) -> str:
        """What tells this process from all others, for the name of a file."""
        return f"{hashlib.sha256(self.machine.encode()).hexdigest()[:16]}-{self.pid}-{self.started}-{self.token}"


def this_process() -> Owner:
    """Return this process as the owner of a new lease."""
    pid = os.getpid()
    return Owner(socket.gethostname(), pid, _start_time(pid) or "", _machine(), secrets.token_hex(8))


def _machine() -> str:
    """Return what only processes that see each other's numbers share: the boot, and the namespace of processes."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    return f"{socket.gethostname()} {os.uname().sysname}"


def _start_time(pid: int) -> str | None:
    """Return when a process started, in ticks since the boot; None if it has ended, "" if that is unknown here."""
    try:
        state, *facts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if state in ENDED else facts[18]
    except (OSError, IndexError):
        pass
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return ""


class Lease:
    """The lease of a folder, held from `acquire` to `release` or until another run takes it over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE
        self._owner = this_process()
        self._descriptor = -1
        self._ended = threading.Event()

    def acquire(self) -> None:
        """Take the lease; FileError, which names the owner, if another run holds it.

        The lease of a run that was killed on this machine is taken at once, that of one on another machine after EXPIRY
        seconds.
        """
        try:
            while not self._create():
                self._remove_stale()
            self._remove_left()
        except OSError as error:
            raise FileError(f"{self._path}: {because(error)}") from error
        threading.Thread(target=self._renew, daemon=True).start()

    def check(self) -> None:
        """Raise FileError if another run has taken the lease over; call it before each write of the run."""
        if self._descriptor >= 0 and not self._is_own():
            found = self._read()
            new = f" ({found[0]})" if found else ""
            raise FileError(f"another run{new} has taken over {self._folder}; this one stops without writing")

    def release(self) -> None:
        """Give the lease back, unless another run has taken it over."""
        self._ended.set()
        if self._descriptor >= 0:
            if self._is_own():
                with suppress(OSError):
                    self._path.unlink()
            os.close(self._descriptor)
            self._descriptor = -1

    # -- the file ------------------------------------------------------------------------------------------------------

    def _create(self) -> bool:
        """Create the lease, whole from the first moment; return False if there is one."""
        new = self._path.with_name(f"{FILE}.{self._owner.name}")
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            os.write(descriptor, f"{0:{WIDTH}}\n{json.dumps(asdict(self._owner))}\n".encode())
            os.link(new, self._path)
        except FileExistsError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        finally:
            new.unlink()
        self._descriptor = descriptor
        return True

    def _remove_left(self) -> None:
        """Remove what runs that were killed on this machine while they created a lease have left of it."""
        machine = self._owner.name.partition("-")[0]
        for path in self._folder.glob(f"{FILE}.{machine}-*-*-*"):
            pid, started = path.name.split("-")[1:3]
            if _start_time(int(pid)) != started:
                with suppress(OSError):  # nobody needs it to be gone
                    path.unlink()

    def _read(self) -> tuple[Owner | None, str] | None:
        """Return the owner that the file names, None if it is damaged, with its whole text; None if there is none."""
        try:
            content = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        try:
            return Owner(**loads(content.partition("\n")[2])), content
        except (ValueError, TypeError):
            return None, content

    def _is_own(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._descriptor))
        except OSError:
            return False

    def _renew(self) -> None:
        count = 0
        while not self._ended.wait(BEAT):
            count += 1
            with suppress(OSError):  # tried again at the next beat
                os.pwrite(self._descriptor, f"{count:{WIDTH}}".encode(), 0)

    # -- the lease of another ------------------------------------------------------------------------------------------

    def _remove_stale(self) -> None:
        """Remove the lease of a run that is gone; FileError if the run is alive."""
        found = self._read()
        if found is None:
            return
        owner, content = found
        if owner is not None and owner.machine == self._owner.machine:
            if _start_time(owner.pid) == owner.started:
                raise self._refusal(owner)
        else:
            self._watch(owner, content)
        self._take_away(content)

    def _watch(self, owner: Owner | None, content: str) -> None:
        """Return when a lease has stood still for EXPIRY seconds, or is another or gone; FileError if it is renewed."""
        end = time.monotonic() + EXPIRY
        while time.monotonic() < end:
            time.sleep(POLL)
            found = self._read()
            if found is None or found[0] != owner:
                return
            if found[1] != content:
                raise self._refusal(owner)

    def _refusal(self, owner: Owner | None) -> FileError:
        return FileError(f"another run is training in {self._folder}: {owner or 'its lease names no process'}")

    def _take_away(self, content: str) -> None:
        """Remove the lease with a content, unless it has changed meanwhile.

        Several runs may want to, and one at a time may: who makes the link that is named after the content. So none can
        remove the lease that a faster one has just taken.
        """
        claim = self._path.with_name(f"{FILE}.{hashlib.sha256(content.encode()).hexdigest()[:16]}.stale")
        try:
            os.link(self._path, claim)
        except FileNotFoundError:
            return
        except FileExistsError:
            self._wait_for(claim)
            return
        try:
            if claim.read_text(encoding="utf-8", errors="replace") == content:
                self._path.unlink(missing_ok=True)
        finally:
            claim.unlink(missing_ok=True)

    def _wait_for(self, claim: Path) -> None:
        """Return when another run has removed the stale lease; a claim that stays is that of a run that was killed."""
        end = time.monotonic() + EXPIRY
        while time.monotonic() < end:
            time.sleep(POLL)
            if not claim.exists():
                return
        claim.unlink(missing_ok=True)
