"""A Slurm cluster of one node, this machine, from Debian's packages, for as long as a test needs.

All its files are in one folder, but for ``slurm.conf``: submitted jobs find only the one at the
standard place. Its daemons talk over loopback and are stopped by their process ids.

    apt-get install slurm-wlm munge
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psutil

NAME = "ncnet-test"
CONFIGURATION = Path("/etc/slurm/slurm.conf")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo")


def missing() -> str | None:
    """Return why no cluster can be brought up here, or None if one can."""
    absent = [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]
    if absent:
        return f"Slurm is not installed ({absent[0]}): apt-get install slurm-wlm munge"
    if os.geteuid() != 0:
        return "only root may start Slurm's daemons"
    if CONFIGURATION.exists():
        return f"this machine has a cluster of its own ({CONFIGURATION})"
    return None


@contextmanager
def cluster(folder: Path) -> Iterator[list[subprocess.Popen]]:
    """Bring up the cluster, give its daemons, and take it down again whatever happens."""
    daemons = []
    folder.chmod(0o755)  # munge refuses a socket in a folder that others could not reach
    with ExitStack() as stack:
        _write_configuration(folder)
        stack.callback(CONFIGURATION.unlink)
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        authentication = [f"--socket={folder}/munge.socket", f"--key-file={key}"]
        authentication += [
            f"--{name}-file={folder}/munge.{name}" for name in ("pid", "log", "seed")
        ]
        for command in (
            ["munged", "--foreground", "--force", *authentication],
            ["slurmctld", "-D"],
            ["slurmd", "-D"],
        ):
            daemons.append(_started(command, folder))
            stack.callback(_stop, daemons[-1])
        _wait_for_idle_node(folder)
        stack.callback(_stop_jobs)
        yield daemons


def processes_of_jobs() -> list[psutil.Process]:
    """Return the processes that jobs of this cluster have started and that still run."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("SLURM_CLUSTER_NAME") == NAME:
                found.append(process)
    return found


def _write_configuration(folder: Path) -> None:
    host = socket.gethostname().split(".")[0]
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 - 512
    CONFIGURATION.parent.mkdir(exist_ok=True)
    CONFIGURATION.write_text(
        f"""ClusterName={NAME}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={_free_port()}
SlurmdPort={_free_port()}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_min_interval=0
ReturnToService=2
KillWait=2
MinJobAge=3600
NodeName={host} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} RealMemory={megabytes}
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE
""",
        encoding="utf-8",
    )


def _started(command: list[str], folder: Path) -> subprocess.Popen:
    with (folder / f"{command[0]}.out").open("wb") as output:
        return subprocess.Popen(
            command, stdout=output, stderr=output, env=os.environ | {"PATH": _path()}
        )


def _stop_jobs() -> None:
    for process in processes_of_jobs():
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _stop(daemon: subprocess.Popen) -> None:
    daemon.terminate()
    try:
        daemon.wait(20)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _wait_for_idle_node(folder: Path) -> None:
    for _ in range(120):
        shown = subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, encoding="utf-8")
        if shown.stdout.strip() == "idle":
            return
        time.sleep(0.5)
    logs = "\n".join(path.read_text(encoding="utf-8")[-500:] for path in folder.glob("slurm*.log"))
    raise RuntimeError(f"the node did not come up: {shown.stdout}{shown.stderr}\n{logs}")


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _path() -> str:
    return os.environ["PATH"] + ":/usr/sbin:/sbin"
