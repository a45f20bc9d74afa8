"""The environment that vLLM is imported into: its switches, its threads, what it preloads."""

import atexit
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from quantrag.engines.base import EngineSpec


def set_environment(spec: EngineSpec) -> None:
    """Set what vLLM reads from the environment when it is imported."""
    os.environ.update(
        HF_HUB_OFFLINE="1", VLLM_NO_USAGE_STATS="1", DO_NOT_TRACK="1", VLLM_LOGGING_COLOR="0"
    )
    # It decides answers, so it is the config's business, and recorded.
    os.environ["VLLM_BATCH_INVARIANT"] = str(int(spec.options["batch_invariant"]))
    # A variable that the user has set stays.
    if _one_process(spec):
        # No worker to start, which takes half of the start-up time, none to be left behind, and on
        # a CPU no binding of threads that would put two jobs on the same cores.
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    if spec.device == "cpu":
        os.environ.setdefault("OMP_NUM_THREADS", str(spec.threads))
        cores = sorted(os.sched_getaffinity(0))[: spec.threads]
        os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", ",".join(map(str, cores)))
        # On CPUs with AMX, vLLM would also quantize the activations of INT4 models, to 8 bits: a
        # different precision from the one asked for, and only on some machines.
        os.environ["VLLM_CPU_INT4_W4A8"] = "0"
        _preload()
        if spec.options["enforce_eager"]:
            # vLLM compiles some functions even then, which takes a C++ compiler and time.
            os.environ.setdefault("TORCH_COMPILE_DISABLE", "1")


def _one_process(spec: EngineSpec) -> bool:
    """Whether one worker has the whole model, so that the job's process can be it."""
    sizes = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
    options = spec.options | dict(spec.options["extra"])
    return all(options.get(size) in (None, 1) for size in sizes)


def _preload() -> None:
    """Name the libraries that vLLM preloads by links, where their own path has a space.

    vLLM puts them into LD_PRELOAD for its child processes, unless it finds them there; the loader
    takes a space (or a colon) for the end of a path.
    """
    specs = [importlib.util.find_spec(name) for name in ("torch", "vllm")]
    sites = {Path(spec.origin).parent.parent for spec in specs if spec and spec.origin}
    if not any(character in str(site) for site in sites for character in " :\t\n"):
        return
    links = Path(tempfile.mkdtemp(prefix="quantrag-preload-"))
    atexit.register(shutil.rmtree, links, ignore_errors=True)
    places = ("vllm/libs/libtcmalloc*.so*", "torch.libs/libgomp*.so*", "torch/lib/libgomp*.so*")
    found = [os.environ["LD_PRELOAD"]] if os.environ.get("LD_PRELOAD") else []
    for place in places:
        paths = sorted(path for site in sites for path in site.glob(place))
        name = Path(place).name.split("*")[0]
        if paths and not any(name in entry for entry in found):
            (links / paths[0].name).symlink_to(paths[0])
            found.append(str(links / paths[0].name))
    if found:
        os.environ["LD_PRELOAD"] = ":".join(found)
