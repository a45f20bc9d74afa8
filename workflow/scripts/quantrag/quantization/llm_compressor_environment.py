"""Running llm-compressor: in this environment where it is installed, else in one of its own."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from quantrag.errors import UserError

_MODULE = "quantrag.quantization.llm_compressor"


def interpreter(venv: str | Path) -> Path:
    """The Python that has llm-compressor: this one (conda), or that of the virtual environment.

    Args:
        venv: `quantization.llm_compressor_venv` of the config.

    Raises:
        UserError: neither has it; says how to get it.
    """
    if importlib.util.find_spec("llmcompressor") is not None:
        return Path(sys.executable)
    python = Path(venv) / "bin" / "python"
    if not python.exists():
        raise UserError(
            f"llm-compressor is not installed here, and {venv} does not exist. Run `make "
            "llm-compressor-env`, or name an environment that has it as "
            "quantization.llm_compressor_venv, or run Snakemake with --sdm conda."
        )
    return python


def run(request: Mapping[str, object], venv: str | Path) -> None:
    """Quantize in a process of its own, which ends when this one does.

    Args:
        request: arguments of `quantrag.quantization.llm_compressor.quantize`, paths as strings,
            with `checkpoint`, the folder to make, for `folder`, and `threads`.
        venv: see `interpreter`.

    Raises:
        UserError: the process found a mistake of the user's, or ended with another error.
    """
    python = interpreter(venv)
    with tempfile.TemporaryDirectory() as folder:
        error, file = Path(folder, "error"), Path(folder, "request.json")
        file.write_text(json.dumps({**request, "error": str(error)}), encoding="utf-8")
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
            # Compiling takes a C++ compiler and fails in a folder with a space.
            "TORCH_COMPILE_DISABLE": "1",
        }
        command = [str(python), "-m", _MODULE, str(file)]
        # The pipe breaks when this process ends, however it does: then the child ends as well.
        with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as process:
            status = process.wait()
        if error.exists():
            raise UserError(error.read_text(encoding="utf-8"))
        if status:
            raise UserError(f"llm-compressor ({python}) ended with status {status}.")
