"""GPTQ by GPTQModel on a CUDA GPU loses what it loses on the CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from generation_samples import tiny_checkpoint

torch = pytest.importorskip("torch")
pytest.importorskip("gptqmodel")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU"),
]
PROGRAM = Path(__file__).parents[1] / "e2e" / "quantize_job.py"


def test_the_errors_are_those_of_the_cpu(root, tmp_path):
    from quantrag.checkpoints.gptq_format import weight_errors

    original = tiny_checkpoint(tmp_path / "original")
    mean = {}
    for device in ("cuda", "cpu"):
        done = subprocess.run(
            [
                *(sys.executable, PROGRAM, original, tmp_path / device, "16"),
                *(json.dumps({"b4": {"bits": 4}}), "--device", device),
            ],
            env={**os.environ, "PYTHONPATH": f"{root}/workflow/scripts:{root}/tests"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        errors = [e["relative_error"] for e in weight_errors(original, tmp_path / device / "b4")]
        mean[device] = sum(errors) / len(errors)
    assert mean["cuda"] == pytest.approx(mean["cpu"], rel=0.02)
