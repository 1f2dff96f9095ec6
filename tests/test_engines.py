"""Filters under GNU parallel, Slurm and Spark write what one process writes, also where a task dies and is tried again.

Each engine is the real one. A test is skipped where its engine is not installed; `bash tests/engines.sh` installs all.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path
from typing import Any

import pytest
from support import zygote
from support.processes import ROOT
from support.records import write

PROGRAMS = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
FILTERS = {
    "augment": "llamax augment --dict small.lex --rate 0.5 -q",
    "langid": "llamax langid -q",
    "convert": "llamax convert --as hf -q",
    "translate": "llamax translate --engine command --model 'sed -u s/cat/Katze/' --into de -q",
}
# The first attempt of all dies while it writes, as if the machine had run out of memory.
DYING = """#!/bin/bash
if mkdir "${0%/*}/died" 2>/dev/null; then
    head -n 7 | llamax langid -q
    kill -9 $$
fi
exec llamax langid -q
"""


def needs(*programs: str) -> Any:
    """Return the mark of a test of an engine; where `ENGINES=all`, an engine that is missing is an error."""
    missing = [each for each in programs if shutil.which(each, path=PROGRAMS) is None]
    is_skipped = bool(missing) and os.environ.get("ENGINES") != "all"
    return pytest.mark.skipif(is_skipped, reason=f"not installed: {', '.join(missing)}; bash tests/engines.sh does it")


def path() -> str:
    """Return the PATH of a user, with commands that start at once."""
    return f"{zygote.commands()}:{PROGRAMS}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with pairs, a lexicon and a filter that dies once."""
    pairs = [
        {"id": str(n), "src": f"The cat \u2028 sees {n} dogs.", "tgt": f"Paka {n}.", "src_lang": "en", "tgt_lang": "sw"}
        for n in range(200)
    ]
    write(tmp_path / "pairs.jsonl", pairs)
    (tmp_path / "en-fr.txt").write_text("cat chat\ndogs chiens\nsees voit\n")
    shell("llamax build-lexicon en-fr.txt -q -o small.lex", tmp_path)
    (tmp_path / "dying").write_text(DYING)
    (tmp_path / "dying").chmod(0o755)
    return tmp_path


def shell(line: str, cwd: Path, *, code: int = 0, **environment: str) -> str:
    """Run a line of bash as a user does, and return its standard output; it has to end with the exit code."""
    environment = {**os.environ, "PATH": path(), "HOME": str(cwd), **environment}
    done = subprocess.run(["bash", "-c", line], cwd=cwd, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == code, (line, done.returncode, done.stderr[-3000:])
    return done.stdout


def is_same(folder: Path, command: str = FILTERS["langid"], output: str = "out.jsonl") -> bool:
    """Return whether a file is what one process makes of the pairs, which are not few."""
    whole = shell(f"{command} < pairs.jsonl", folder)
    assert whole.count("\n") == 200
    return (folder / output).read_text(encoding="utf-8") == whole


# -- GNU parallel -----------------------------------------------------------------------------------------------------


@needs("parallel")
@pytest.mark.parametrize("name", FILTERS)
def test_parallel_gives_the_same_bytes(folder: Path, name: str) -> None:
    """Blocks of a pipe, put together in the order of the input."""
    quoted = FILTERS[name].replace("'", "'\\''")
    shell(f"parallel --pipe --keep-order --block 8k --jobs 2 '{quoted}' < pairs.jsonl > out.jsonl", folder)
    assert is_same(folder, FILTERS[name])


@needs("parallel")
def test_parallel_tries_a_dead_task_again(folder: Path) -> None:
    """With --retries the attempt that died leaves nothing; without, its lines are there and the exit code says so."""
    call = "parallel --pipe --keep-order --block 8k --jobs 2"
    shell(f"{call} ./dying < pairs.jsonl > out.jsonl", folder, code=1)
    assert not is_same(folder)
    (folder / "died").rmdir()
    shell(f"{call} --retries 3 --halt soon,fail=1 ./dying < pairs.jsonl > out.jsonl", folder)
    assert (folder / "died").exists() and is_same(folder)


@needs("parallel")
def test_parallel_goes_on_with_the_tasks_that_failed(folder: Path) -> None:
    """Parts by --shard, noted in a log: those that are done are not run again, and no part is there twice."""
    (folder / "part").write_text(
        '#!/bin/bash\necho "$1" >>started\n'
        '[ "$1" != 2 ] || mkdir died 2>/dev/null && [ "$1" = 2 ] && exit 9\n'
        'exec llamax langid pairs.jsonl -q --shard "$1/3" --resume -o "part-$1.jsonl"\n'
    )
    call = "parallel --joblog log --jobs 2 --resume-failed bash part {} ::: 1 2 3"
    shell(call, folder, code=1)
    assert not (folder / "part-2.jsonl").exists()
    shell(call, folder)
    assert sorted((folder / "started").read_text().split()) == ["1", "2", "2", "3"]
    shell("cat part-{1..3}.jsonl > out.jsonl", folder)
    assert is_same(folder)


# -- Spark ------------------------------------------------------------------------------------------------------------


def spark_variables() -> dict[str, str]:
    """Return what the environment of Spark's programs needs: loopback, and the Python that has pyspark."""
    python = Path(shutil.which("spark-submit", path=PROGRAMS) or "").with_name("python")
    return {"SPARK_LOCAL_IP": "127.0.0.1", **({"PYSPARK_PYTHON": str(python)} if python.exists() else {})}


SUBMIT = f"--conf spark.ui.enabled=false --conf spark.default.parallelism=3 {ROOT}/examples/spark.py pairs.jsonl out"


@needs("java", "spark-submit")
@pytest.mark.slow
def test_spark_gives_the_same_bytes_and_tries_again(folder: Path) -> None:
    """In one process, in three partitions, the first attempt of which dies."""
    shell(f"spark-submit --master 'local[2,4]' {SUBMIT} ./dying", folder, **spark_variables())
    assert len(list((folder / "out").glob("part-*"))) >= 3 and (folder / "died").exists()
    shell("cat out/part-* > out.jsonl", folder)
    assert is_same(folder)


@needs("java", "spark-submit")
@pytest.mark.slow
def test_spark_gives_up_where_every_attempt_fails(folder: Path) -> None:
    """The exit code says so, and nothing says that the output is whole."""
    shell(f"spark-submit --master 'local[2]' {SUBMIT} ./dying", folder, code=1, **spark_variables())
    assert (folder / "died").exists() and not (folder / "out" / "_SUCCESS").exists()


@needs("java", "spark-submit")
@pytest.mark.slow
def test_spark_on_two_workers(folder: Path) -> None:
    """A cluster with its own processes on this machine: the same bytes, with a task that dies."""
    with spark_cluster(folder) as master:
        submit = f"spark-submit --master {master} --executor-memory 512m {SUBMIT} {folder}/dying"
        shell(submit, folder, **spark_variables())
    shell("cat out/part-* > out.jsonl", folder)
    assert (folder / "died").exists() and is_same(folder)
    assert len(list((folder / "work").glob("*/app-*/*"))) >= 2  # an executor on each worker


@contextmanager
def spark_cluster(folder: Path) -> Iterator[str]:
    """Start a master and two workers on loopback, and yield the address of the master."""
    port = free_port()
    master, here = f"spark://127.0.0.1:{port}", ["--host", "127.0.0.1", "--webui-port", "0"]
    daemons = [["master.Master", *here, "--port", str(port)]]
    for number in "12":
        place = ["--work-dir", str(folder / "work" / number), "--cores", "1", "--memory", "600m"]
        daemons.append(["worker.Worker", master, *here, *place])
    commands = [["spark-class", f"org.apache.spark.deploy.{name}", *options] for name, *options in daemons]
    with running(commands, folder, **spark_variables(), SPARK_DAEMON_MEMORY="256m") as log:
        wait_until(lambda: log.read_text().count("Registering worker") == 2)
        yield master


# -- Slurm ------------------------------------------------------------------------------------------------------------

DAEMONS = "munged", "slurmctld", "slurmd", "sbatch", "srun"
SLURM_CONF = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SchedulerParameters=batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 RealMemory=1000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2 RealMemory=1000
PartitionName=all Nodes=n1,n2 Default=YES State=UP
"""
SMALL = "--gpus=0 --mem=100M --cpus-per-task=1 --time=5"


@contextmanager
def slurm_cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Start a controller and two nodes on loopback; yield what the environment of Slurm's programs needs."""
    place = folder / "slurm"
    place.mkdir()
    (place / "state").mkdir()
    (place / "key").write_bytes(os.urandom(1024))
    (place / "key").chmod(0o600)
    facts = {"host": socket.gethostname(), "user": getuser(), "ports": [free_port() for _ in range(3)]}
    (place / "slurm.conf").write_text(SLURM_CONF.format(folder=place, **facts))
    environment = {"SLURM_CONF": str(place / "slurm.conf")}
    files = {"key-file": "key", "socket": "munge.socket", "pid-file": "munged.pid", "seed-file": "seed"}
    munged = ["munged", "--foreground", "--force", *(f"--{name}={place / file}" for name, file in files.items())]
    with running([munged], folder, **environment):
        wait_until(lambda: (place / "munge.socket").exists())
        with running(
            [["slurmctld", "-D"], *(["slurmd", "-D", "-N", node] for node in ("n1", "n2"))], folder, **environment
        ):
            wait_until(lambda: shell("sinfo -h -t idle -o %D || true", folder, **environment).strip() == "2")
            yield environment


@needs(*DAEMONS)
@pytest.mark.slow
def test_slurm_gives_the_same_bytes_and_tries_again(folder: Path) -> None:
    """An array of which one task dies: `join` tells which, it is started again, and nothing is there twice."""
    (folder / "bin").mkdir()
    (folder / "bin" / "llamax").write_text(
        f"#!/bin/bash\nPATH={path()}\n"
        '[[ "$*" != *2/3* ]] || ! mkdir died 2>/dev/null || { head -n 7 pairs.jsonl | llamax langid -q; kill -9 $$; }\n'
        'exec llamax "$@"\n'
    )
    (folder / "bin" / "llamax").chmod(0o755)
    script = f"{ROOT}/examples/array.sh"
    submit = f"PATH=$PWD/bin:$PATH sbatch --wait {SMALL}"
    with slurm_cluster(folder) as environment:
        environment |= {"OUTPUT": "out.jsonl", "PARTS": "3"}
        shell(f"{submit} --array=1-3 {script} langid pairs.jsonl", folder, code=137, **environment)
        shell(f"bash {script} join 2>&1 | grep -- --array=2", folder, **environment)
        shell(f"{submit} --array=2 {script} langid pairs.jsonl", folder, **environment)
    shell(f"bash {script} join", folder, **environment)
    assert is_same(folder)


@needs(*DAEMONS)
@pytest.mark.slow
def test_slurm_queues_a_task_again(folder: Path) -> None:
    """A task is stopped where it is, as when a node is taken away, and is started again by Slurm: it goes on."""
    (folder / "slow").write_text(
        "#!/bin/bash\nwhile IFS= read -r line; do\n"
        '    [[ "$line" != *" 150 "* ]] || ! mkdir died 2>/dev/null || sleep 100\n'
        '    printf "%s\\n" "${line/cat/Katze}"\ndone\n'
    )
    translate = f"translate --engine command --into de --model 'bash {folder}/slow'"
    script = f"{ROOT}/examples/array.sh"
    with slurm_cluster(folder) as environment:
        environment |= {"OUTPUT": "out.jsonl", "PARTS": "2"}
        job = shell(f"sbatch --parsable {SMALL} --array=1-2 {script} {translate} pairs.jsonl", folder, **environment)
        wait_until(lambda: (folder / "died").exists())
        shell(f"scontrol requeue {job.strip()}_2", folder, **environment)
        # Slurm lets two minutes pass before it starts a task again.
        start = f"scontrol update JobId={job.strip()}_2 StartTime=now"
        wait_until(lambda: "BeginTime" in shell("squeue -h -o %r", folder, **environment))
        shell(start, folder, **environment)
        wait_until(lambda: not shell("squeue -h", folder, **environment))
    shell(f"bash {script} join", folder, **environment)
    assert is_same(folder, FILTERS["translate"].replace("sed -u s/cat/Katze/", f"bash {folder}/slow"))


# -- what they share --------------------------------------------------------------------------------------------------


@contextmanager
def running(commands: list[list[str]], folder: Path, **environment: str) -> Iterator[Path]:
    """Start programs that run until the end, and yield the file that they write to."""
    log = folder / f"{Path(commands[0][0]).name}.log"
    processes = []
    with log.open("w") as stream:
        try:
            for command in commands:
                variables = {**os.environ, "PATH": path(), **environment}
                processes.append(subprocess.Popen(command, cwd=folder, env=variables, stdout=stream, stderr=stream))
            yield log
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                process.wait(30)


def wait_until(is_so: Callable[[], bool], seconds: float = 90) -> None:
    """Wait until a function returns true."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


def free_port() -> int:
    """Return a port of loopback that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
