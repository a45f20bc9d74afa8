"""A Slurm cluster of one node with two GPUs that aren't there, for the tests of profiles/slurm.

The real controller, node daemon and munge of Debian's packages, without systemd, cgroups or an
accounting database. All their files lie in one folder. The machine gets a link to the two of its
configuration while it runs, because the jobs' `srun` looks for them nowhere else.
"""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import psutil

ETC = Path("/etc/slurm")
CONFIGURATION = ["slurm.conf", "gres.conf"]
DAEMONS = ["munged", "slurmctld", "slurmd"]
GPUS = 2

CONFIG = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# One line per ended job, in place of an accounting database.
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobs.txt
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
KillWait=5
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=32 RealMemory=128000 Gres=gpu:fake:{gpus} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Why no cluster can be started here; None when it can."""
    absent = [name for name in [*DAEMONS, "sbatch"] if shutil.which(name, path=_path()) is None]
    if absent:
        return f"Slurm isn't installed ({', '.join(absent)}): apt install slurm-wlm munge"
    if os.getuid() != 0:
        return "Slurm's daemons are started as root only"
    if any((ETC / name).exists() for name in CONFIGURATION):
        return f"{ETC} has a configuration: this machine is part of a cluster"
    return None


class SlurmCluster:
    """Starts with `start`, in an empty folder with a short path."""

    def __init__(self, folder: Path):
        self.folder = folder

    def start(self) -> None:
        """Start the daemons and wait until the node takes jobs."""
        folder = self.folder
        for name in ("munge", "state", "spool"):
            (folder / name).mkdir(parents=True)
        # Munge insists that nobody else could have changed its folder.
        (folder / "munge").chmod(0o711)
        key = folder / "munge" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        ports = _free_ports(2)
        host = socket.gethostname().partition(".")[0]
        (folder / "slurm.conf").write_text(
            CONFIG.format(
                host=host,
                folder=folder,
                gpus=GPUS,
                controller_port=ports[0],
                node_port=ports[1],
            )
        )
        # Two files that every machine has: Slurm numbers them, and looks no closer.
        devices = ["/dev/null", "/dev/zero"]
        (folder / "gres.conf").write_text(
            "".join(f"Name=gpu Type=fake File={device}\n" for device in devices)
        )
        ETC.mkdir(exist_ok=True)
        for name in CONFIGURATION:
            (ETC / name).unlink(missing_ok=True)  # left by a test that was killed
            (ETC / name).symlink_to(folder / name)
        munge = folder / "munge"
        files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log"}
        files["seed-file"] = "seed"
        self._run("munged", "--force", *(f"--{k}={munge / v}" for k, v in files.items()))
        self._run("slurmctld")
        self._run("slurmd")
        deadline = time.monotonic() + 30
        while self._run("sinfo", "--noheader", "-o", "%T", check=False).strip() != "idle":
            assert time.monotonic() < deadline, (folder / "slurmctld.log").read_text()[-2000:]
            time.sleep(0.2)

    def stop(self) -> None:
        """End all jobs and daemons."""
        self._run("scancel", "--user=root", check=False)
        for name in ("slurmd.pid", "slurmctld.pid", "munge/pid"):
            try:
                daemon = psutil.Process(int((self.folder / name).read_text()))
                daemon.terminate()
                daemon.wait(timeout=20)
            except (OSError, ValueError, psutil.Error):
                continue
        for name in CONFIGURATION:
            if (ETC / name).is_symlink():
                (ETC / name).unlink()

    def running(self) -> dict[str, str]:
        """All that the controller knows of each running job, by the job's number."""
        jobs = self._run("squeue", "--noheader", "--states=RUNNING", "-o", "%i").split()
        return {job: self._run("scontrol", "--details", "show", "job", job) for job in jobs}

    def cancel(self, job: str) -> None:
        """End a job as an administrator or a scheduler that needs its place does."""
        self._run("scancel", job)

    def fail_node(self) -> None:
        """Lose the node, with all jobs on it, and have it back."""
        node = self._run("sinfo", "--noheader", "-o", "%n").strip()
        self._run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
        self._run("scontrol", "update", f"NodeName={node}", "State=RESUME")

    def ended_jobs(self) -> list[dict[str, str]]:
        """A record per ended job: JobId, JobState, TimeLimit, NodeCnt, ..."""
        path = self.folder / "jobs.txt"
        lines = path.read_text().splitlines() if path.exists() else []
        return [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]

    def _run(self, *command, check: bool = True) -> str:
        done = subprocess.run(
            list(map(str, command)),
            env={**os.environ, "PATH": _path()},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{command}: {done.stderr}"
        return done.stdout


def _path() -> str:
    """The search path with the folders of daemons."""
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
