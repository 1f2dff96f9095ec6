"""The lease of a run's folder: who holds it, who may take it over, and who notices that it is gone."""

import errno
import fcntl
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from support.processes import wait_until

from llamax_cli.errors import FileError
from llamax_cli.training import lease, worker
from llamax_cli.training.lease import Lease, this_process


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten all waits."""
    for name, seconds in (("BEAT", 0.05), ("EXPIRY", 1.0), ("POLL", 0.02)):
        monkeypatch.setattr(lease, name, seconds)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Lease]:
    """Return the lease of the folder, held by this process."""
    taken = Lease(tmp_path)
    taken.acquire()
    yield taken
    taken.release()


def written(folder: Path, **changes: Any) -> Path:
    """Write a lease that another process left, and return its path."""
    path = folder / lease.FILE
    path.write_text(f"{7:{lease.WIDTH}}\n{json.dumps(asdict(replace(this_process(), **changes)))}\n")
    return path


def test_the_second_is_refused_by_the_name_of_the_first(tmp_path: Path, held: Lease) -> None:
    """On one machine at once; nothing is left of the attempt, and released, the lease is free."""
    with pytest.raises(FileError, match=rf"another run is training in {tmp_path}: process {os.getpid()} on "):
        Lease(tmp_path).acquire()
    assert [path.name for path in tmp_path.iterdir()] == [lease.FILE]
    held.check()
    held.release()
    assert not list(tmp_path.iterdir())


def test_a_run_on_another_machine_is_known_by_its_heartbeat(
    tmp_path: Path, held: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process cannot be looked up, and its clock is not read."""
    monkeypatch.setattr(lease, "_machine", lambda: "another machine")
    os.utime(tmp_path / lease.FILE, (0, 0))
    with pytest.raises(FileError, match="another run is training in"):
        Lease(tmp_path).acquire()
    held.check()


def test_the_lease_of_a_killed_run_is_taken_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that another process has by now is told apart by the time of its start."""
    monkeypatch.setattr(lease, "EXPIRY", 1000.0)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for changes in ({"pid": dead.pid}, {"started": "12"}):
        written(tmp_path, **changes)
        new = Lease(tmp_path)
        new.acquire()
        new.check()
        new.release()


def test_what_a_killed_attempt_left_is_removed(tmp_path: Path) -> None:
    """By its name, as the file may be empty; that of a process that lives, or of another machine, stays."""
    here = this_process()
    others = [replace(here, started="12"), here, replace(here, machine="another machine", started="12")]
    left = [tmp_path / f"{lease.FILE}.{owner.name}" for owner in others]
    for path in left:
        path.touch()
    taken = Lease(tmp_path)
    taken.acquire()
    taken.release()
    assert sorted(tmp_path.iterdir()) == sorted(left[1:])


def test_a_run_that_nobody_has_waited_for_is_gone(tmp_path: Path) -> None:
    """As in a container whose first process reaps no children."""
    process = subprocess.Popen(["sleep", "60"])
    started = lease._start_time(process.pid)
    process.kill()
    wait_until(lambda: lease._start_time(process.pid) is None)
    assert started
    written(tmp_path, pid=process.pid, started=started)
    taken = Lease(tmp_path)
    taken.acquire()
    taken.release()
    process.wait()


@pytest.mark.parametrize("content", ["of another machine", "", "damaged"])
def test_a_lease_that_stands_still_expires(tmp_path: Path, content: str) -> None:
    """Where the owner cannot be looked up, or is not named; one of several that wait takes it."""
    path = written(tmp_path, machine="another")
    if content != "of another machine":
        path.write_text(content)
    taken, refused = [], []

    def wait() -> None:
        mine = Lease(tmp_path)
        try:
            mine.acquire()
            taken.append(mine)
        except FileError:
            refused.append(mine)

    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), len(refused)) == (1, 3)
    taken[0].check()
    taken[0].release()
    assert not list(tmp_path.iterdir())


def test_a_suspended_owner_notices_on_waking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its heartbeats go into its own file, so that the new owner keeps the lease."""
    with monkeypatch.context() as suspended:
        suspended.setattr(lease, "BEAT", 3.0)
        old = Lease(tmp_path)
        old.acquire()
        suspended.setattr(lease, "_machine", lambda: "another machine")
        suspended.setattr(lease, "BEAT", 0.05)
        new = Lease(tmp_path)
        new.acquire()
    with pytest.raises(FileError, match=rf"another run \(process {os.getpid()} on .*\) has taken over {tmp_path}; th"):
        old.check()
    path = tmp_path / lease.FILE
    before = path.read_text()
    wait_until(lambda: path.read_text() != before)
    old.release()
    new.check()
    new.release()


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_has_the_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """As Lustre mounted without `flock`."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "lockf", refuse)
    assert worker._lock(tmp_path)
    monkeypatch.undo()
    assert worker._lock(tmp_path)
