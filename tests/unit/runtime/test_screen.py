"""The terminal's screen of a run: what it counts, and what it takes from logs."""

import io
import re

import pytest
from rich.console import Console

from quantrag.runtime import screen

STAGES = {"prepare_task": "tasks", "quantize_gptq": "quantization", "generate": "generation"}


def shown(run, width=100):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(run.render())
    return console.export_text()


def line_of(text, word):
    (line,) = [line for line in text.splitlines() if word in line]
    return line


@pytest.fixture
def run():
    run = screen.Run(STAGES)
    run.plan({"prepare_task": 2, "generate": 3, "all": 1})
    return run


def test_every_rule_of_the_workflow_has_a_stage_in_the_snakefiles_order(root):
    stages = screen.stages_of_rules(root / "workflow" / "rules")
    texts = [path.read_text() for path in (root / "workflow" / "rules").glob("*.smk")]
    named = re.findall(r"^(?:rule|use rule .* as) (\w+)", "\n".join(texts), re.MULTILINE)
    assert set(stages) == set(named)
    order = list(dict.fromkeys(stages.values()))
    assert order.index("tasks") < order.index("retrieval") < order.index("generation")


def test_a_stage_counts_its_jobs_and_one_without_jobs_is_left_out(run):
    run.began(1, "prepare_task", {"task": "LaMP-3U"}, [])
    run.began(2, "prepare_task", {"task": "LaMP-5U"}, [])
    run.finished(1)
    text = shown(run)
    assert "1 of 2" in line_of(text, " tasks ")
    assert "0 of 3" in line_of(text, " generation ")
    assert "quantization" not in text
    assert "prepare_task LaMP-5U" in text
    assert "LaMP-3U" not in text
    assert "1 of 6 jobs" in text
    run.finished(2)
    assert line_of(shown(run), " tasks ").startswith("✓")


def test_a_running_job_shows_its_own_progress(run, tmp_path):
    log = tmp_path / "generate.log"
    log.write_text("start\ngenerate:  27%|##7   | 58/214 [01:34<04:12,  1.62s/prompt]")
    run.began(1, "generate", {"model": "smollm2", "precision": "bf16"}, [str(log)])
    text = shown(run)
    assert "generate smollm2, bf16" in text
    assert "generate: 27% 58/214 [01:34<04:12, 1.62s/prompt]" in text


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("a:  27%|#2   | 5/21 [01:34<04:12,  1.6s/it]", "a: 27% 5/21 [01:34<04:12, 1.6s/it]"),
        (
            "Quantizing layer 1 of 29   [1 of 29] \u258f\u2591| 0:00:02 / 0:00:30 [2/30] 6.7%",
            "Quantizing layer 1 of 29 [1 of 29] 0:00:02 / 0:00:30 [2/30] 6.7%",
        ),
        ("a:  27%|#2   | 5/21\ra: 30%|##   | 6/21", "a: 30% 6/21"),
        ("a:  99%|####| 20/21\na: 100%|####| 21/21\nnext step", ""),
        ("\x1b[32ma:  27%|#2   | 5/21\x1b[0m\nINFO no number", "a: 27% 5/21"),
        ("nothing to count", ""),
        ("", ""),
    ],
)
def test_progress_is_the_newest_bar_that_has_not_ended(tmp_path, said, expected):
    (tmp_path / "log").write_text(said)
    assert screen.progress_in(screen.last_lines(tmp_path / "log")) == expected


def test_only_the_end_of_a_long_log_is_read(tmp_path):
    (tmp_path / "log").write_text("first\n" + "x" * 100_000 + "\nlast\n")
    assert screen.last_lines(tmp_path / "log")[-1] == "last"
    assert "first" not in screen.last_lines(tmp_path / "log")
    assert screen.last_lines(tmp_path / "none") == []


def test_a_failure_is_one_line_with_its_reason_and_log(run, tmp_path):
    log = tmp_path / "prepare.log"
    log.write_text(
        "INFO begins\nerror: dev.json: record 3: no text\n[W] some library's last words\n"
    )
    run.began(1, "prepare_task", {"task": "LaMP-3U"}, [str(log)])
    said = run.broke(1)
    assert said == f"prepare_task (LaMP-3U): dev.json: record 3: no text (log: {log})"
    assert line_of(shown(run), " tasks ").startswith("✗")
    # Tried again, and well.
    run.began(1, "prepare_task", {"task": "LaMP-3U"}, [str(log)])
    run.finished(1)
    assert not line_of(shown(run), " tasks ").startswith("✗")


def test_a_failure_without_a_users_error_ends_with_the_exception(run, tmp_path):
    log = tmp_path / "log"
    log.write_text('Traceback (most recent call last):\n  File "x"\nValueError: 3 of 4\n')
    run.began(1, "generate", {}, [str(log)])
    assert run.broke(1) == f"generate: ValueError: 3 of 4 (log: {log})"
    run.began(2, "generate", {}, [])
    assert run.broke(2) == "generate failed"
    assert run.broke(77) == "job 77 failed"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0:00"), (59.6, "1:00"), (187, "3:07"), (3787, "1:03:07")]
)
def test_durations(seconds, said):
    assert screen.duration(seconds) == said


def test_many_running_jobs_are_counted(run):
    run.plan({"generate": 30})
    for number in range(30):
        run.began(number, "generate", {"cell": f"cell{number}"}, [])
    text = shown(run)
    assert "cell7" in text
    assert "cell8" not in text
    assert "and 22 more jobs" in text
