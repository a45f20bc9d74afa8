"""A run on one screen of a terminal: stages with a bar, running jobs, warnings, failures.

A logger of Snakemake's, in place of its blocks of lines for every job; `runtime/loggers.py` says
which runs get it. What a running job says of its progress (layers quantized, prompts per second,
time left) is read from the end of its log. Snakemake's full log is in `.snakemake/log`, as always.
"""

import atexit
import contextlib
import logging
import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

RULES = Path(__file__).parents[3] / "rules"

# What Snakemake says on the way and a reader of this screen needs not, by how it begins.
_ROUTINE = re.compile(
    r"Assuming unrestricted|Building DAG|Using shell|host:|Provided |Rules claiming|Select jobs"
    r"|Execute \d+ jobs|Activating conda|Complete log|Elapsed time|Conda environments: ignored"
    r"|Exiting because|RuleException|WorkflowError:\s+At least one job|None$|\s*$"
)
# These print to the terminal themselves.
_PRINTING_RULES = {"estimate"}
_TAIL = 8192  # bytes at a log's end in which a job's last words are looked for
_MOST_JOBS = 8  # running jobs that are shown


@dataclass
class Job:
    """A job as Snakemake announced it.

    Attributes:
        rule: its name.
        of: its wildcards' values, in words.
        log: its log file, or None.
        start: when it started, on the monotonic clock, in seconds.
    """

    rule: str
    of: str
    log: Path | None
    start: float


@dataclass
class Stage:
    """Jobs of one stage: how many there are and were done, and when.

    Attributes:
        total, done: numbers of jobs.
        failed: the jobs that failed; one that is tried again is among them until it is done.
        start, end: of its first job and of its last so far, in seconds; None before that.
    """

    total: int = 0
    done: int = 0
    failed: set[int] = field(default_factory=set)
    start: float | None = None
    end: float | None = None


def stages_of_rules(folder: Path = RULES) -> dict[str, str]:
    """The stage of every rule: the name of the file that defines it, in the Snakefile's order."""
    snakefile = (folder.parents[1] / "Snakefile").read_text(encoding="utf-8")
    stages = {}
    for name in re.findall(r'^\s*include: "workflow/rules/(\w+)\.smk"', snakefile, re.MULTILINE):
        text = (folder / f"{name}.smk").read_text(encoding="utf-8")
        for rule in re.findall(r"^(?:rule|use rule \w+ as) (\w+)", text, re.MULTILINE):
            stages[rule] = name
    return stages


def last_lines(path: Path) -> list[str]:
    """The lines at a log's end, a progress bar's states each as one; none when it can't be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return [line.strip() for line in re.split(r"[\r\n]+", plain) if line.strip()]


def progress_in(lines: list[str]) -> str:
    """The newest state of a bar that isn't at its end, without the bar itself; else nothing."""
    for line in reversed(lines):
        found = re.search(r"(\d+(?:\.\d+)?)%", line)
        if found is None:
            continue
        if float(found[1]) >= 100:
            return ""
        without_bar = re.sub(r"\|[^|]*\|(?=\s*\d+/)|[\u2580-\u259f]+|\|", " ", line)
        return re.sub(r"\s+", " ", without_bar).strip()
    return ""


def failure_in(lines: list[str]) -> str:
    """Why a job failed, in one line: its error, else the last that it said."""
    errors = [line for line in lines if line.startswith("error: ")]
    return errors[-1].removeprefix("error: ") if errors else lines[-1] if lines else ""


def duration(seconds: float) -> str:
    """As `3:07` or `1:03:07`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Run:
    """What is known of a run: fed with Snakemake's events, shown by `render`."""

    def __init__(self, stages: Mapping[str, str]) -> None:
        """Know the stage of every rule."""
        self.stage_of = stages
        self.stages: dict[str, Stage] = {}
        self.running: dict[int, Job] = {}
        self.jobs: dict[int, Job] = {}
        self.start = time.monotonic()
        self.total = self.done = 0

    def plan(self, counts: Mapping[str, int]) -> None:
        """Take the number of jobs of every rule; a rule of no file (`all`) has no stage."""
        self.total = sum(counts.values())
        self.stages = {stage: Stage() for stage in dict.fromkeys(self.stage_of.values())}
        for rule, count in counts.items():
            if rule in self.stage_of:
                self.stages[self.stage_of[rule]].total += count

    def began(self, number: int, rule: str, wildcards: Mapping, logs: list[str]) -> None:
        """A job starts, perhaps not for the first time."""
        log = Path(logs[0]) if logs else None
        job = Job(rule, ", ".join(map(str, wildcards.values())), log, time.monotonic())
        self.jobs[number] = self.running[number] = job
        stage = self._stage(rule)
        if stage.start is None:
            stage.start = job.start

    def finished(self, number: int) -> None:
        """A job is done."""
        self.done += 1
        job = self.running.pop(number, None)
        if job is not None:
            stage = self._stage(job.rule)
            stage.done += 1
            stage.failed.discard(number)
            stage.end = time.monotonic()

    def broke(self, number: int) -> str:
        """A job has failed; what to say of it, in one line."""
        job = self.running.pop(number, None) or self.jobs.get(number)
        if job is None:
            return f"job {number} failed"
        stage = self._stage(job.rule)
        stage.failed.add(number)
        stage.end = time.monotonic()
        name = f"{job.rule} ({job.of})" if job.of else job.rule
        if job.log is None:
            return f"{name} failed"
        return f"{name}: {failure_in(last_lines(job.log)) or 'failed'} (log: {job.log})"

    def _stage(self, rule: str) -> Stage:
        """Of a rule; a throw-away for rules without one."""
        return self.stages.get(self.stage_of.get(rule, ""), Stage())

    def render(self) -> Group:
        """The screen now."""
        now = time.monotonic()
        stages = Table.grid(padding=(0, 2))
        for name, stage in self.stages.items():
            if stage.total == 0:
                continue
            whole = stage.done == stage.total
            style = "red" if stage.failed else "green" if whole else "default"
            mark = "✗" if stage.failed else "✓" if whole else "•" if stage.start else " "
            end = stage.end if whole or stage.failed else now
            passed = duration(end - stage.start) if stage.start and end else ""
            stages.add_row(
                Text(mark, style),
                Text(name, "dim" if stage.start is None else "bold"),
                ProgressBar(
                    stage.total, stage.done, width=30, complete_style="cyan", finished_style="green"
                ),
                Text(f"{stage.done} of {stage.total}", justify="right"),
                Text(passed, "dim", justify="right"),
            )
        parts = [stages]
        jobs = list(self.running.values())
        for job in jobs[:_MOST_JOBS]:
            line = Text(no_wrap=True, overflow="ellipsis")
            line.append(f"  ▸ {job.rule} ", "bold cyan").append(f"{job.of} ")
            line.append(duration(now - job.start), "dim")
            said = progress_in(last_lines(job.log)) if job.log else ""
            if said:
                line.append(f"\n      {said}", "cyan")
            parts.append(line)
        if len(jobs) > _MOST_JOBS:
            parts.append(Text(f"  and {len(jobs) - _MOST_JOBS} more jobs", "dim"))
        share = f"  {self.done} of {self.total} jobs, {duration(now - self.start)}"
        parts.append(Text(share, "dim"))
        return Group(*parts)


class LogHandler(LogHandlerBase):
    """The logger: Snakemake's records to a `Run`, and that to the terminal."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Take the terminal as it is now: others are kept from writing into the screen later."""
        self.console = Console(file=os.fdopen(os.dup(2), "w", encoding="utf-8"), highlight=False)
        self.run = Run(stages_of_rules())
        self.live: Live | None = None
        self.failed = 0
        self.restore = contextlib.ExitStack()
        # After an exit that Snakemake didn't foresee.
        atexit.register(self.close)

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record."""
        try:
            self._show(record)
        except Exception:
            self.handleError(record)

    def _show(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        if event == LogEvent.RUN_INFO:
            counts = {rule: n for rule, n in record.stats.items() if rule != "total"}
            self._begin(counts)
        elif event == LogEvent.JOB_INFO:
            wildcards = dict(record.wildcards.items()) if record.wildcards else {}
            self.run.began(record.jobid, record.rule_name, wildcards, list(record.log or []))
        elif event == LogEvent.JOB_FINISHED:
            self.run.finished(record.job_id)
        elif event == LogEvent.JOB_ERROR:
            self.failed += 1
            self._print(f"✗ {self.run.broke(record.jobid)}", "red")
        elif event in (None, LogEvent.ERROR):
            # Other events have no words for a reader.
            self._message(record)

    def _message(self, record: logging.LogRecord) -> None:
        """Print what Snakemake says in words, but for what goes without saying."""
        text = record.getMessage()
        if _ROUTINE.match(text):
            return
        style = {logging.WARNING: "yellow", logging.ERROR: "red"}.get(record.levelno, "")
        self._print(text.strip(), style)

    def _print(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style), soft_wrap=True)

    def _begin(self, counts: Mapping[str, int]) -> None:
        """Draw from now on; whatever else is written to stderr is printed above."""
        self.run.plan(counts)
        if self.live is not None or set(counts) <= _PRINTING_RULES:
            return
        read, write = os.pipe()
        os.dup2(write, 2)
        os.close(write)
        relay = threading.Thread(target=self._relay, args=(read,), daemon=True)
        relay.start()
        self.live = Live(
            get_renderable=self.run.render,
            console=self.console,
            refresh_per_second=4,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self.restore.callback(relay.join, 1)
        self.restore.callback(os.dup2, self.console.file.fileno(), 2)
        self.restore.callback(self.live.stop)
        self.live.start(refresh=True)

    def _relay(self, read: int) -> None:
        """Print what jobs write to stderr, but for their failures: events report those."""
        rules = "|".join(map(re.escape, self.run.stage_of))
        said_twice = re.compile(rf"({rules}): .*\(log: .*\)$")
        with os.fdopen(read, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.strip() and not said_twice.match(line):
                    self._print(line.rstrip())

    def close(self) -> None:
        """Leave the last state on the terminal; Snakemake calls this more than once."""
        self.restore.close()
        if self.failed:
            several = "s have" if self.failed > 1 else " has"
            self._print(f"error: {self.failed} job{several} failed (above)", "red")
            self.failed = 0
        atexit.unregister(self.close)
        super().close()
