"""One generation job on the tiny model, as a program of its own.

Usage: gpu_job.py FOLDER CHECKPOINT CHANGES

CHANGES is JSON: `settings` of the section `generation`, `spec` of the engine, `shuffle_seed`,
`queries` a task.
"""

import json
import logging
import sys
from dataclasses import replace
from pathlib import Path

sys.path[:0] = [
    str(Path(__file__).parents[1]),
    str(Path(__file__).parents[2] / "workflow" / "scripts"),
]

KS = ["0", "1", "3"]

if __name__ == "__main__":
    from generation_samples import make_job, run, settings
    from quantrag.errors import UserError

    logging.basicConfig(level=logging.INFO)
    folder, checkpoint, changes = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    chosen = {"device": "cuda", "max_new_tokens": 16, **changes.get("settings", {})}
    # A cache of 64 MiB: millions of blocks, as a share of the GPU gives, take longer to make than
    # the answers.
    vllm = {"enforce_eager": True, "max_num_seqs": 8, **chosen.pop("vllm", {})}
    vllm["extra"] = {"kv_cache_memory_bytes": 2**26, **vllm.get("extra", {})}
    if chosen["device"] == "cpu":
        vllm["extra"] = {}
    spec = {"dtype": "bfloat16", **changes.get("spec", {})}
    job = make_job(checkpoint, settings=settings(**chosen, vllm=vllm), **spec)
    try:
        run(
            folder,
            KS,
            job=replace(job, shuffle_seed=changes.get("shuffle_seed")),
            queries=changes.get("queries", 4),
        )
    except UserError as error:
        sys.exit(f"error: {error}")
