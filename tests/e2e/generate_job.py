"""One generation job on the tiny model, as a program of its own that can be killed."""

import logging
import sys
from dataclasses import replace
from pathlib import Path

sys.path[:0] = [
    str(Path(__file__).parents[1]),
    str(Path(__file__).parents[2] / "workflow" / "scripts"),
]

KS = ["0", "1", "3", "5", "8"]


def main(engine: str, folder: Path, checkpoint: Path, queries: int, new_tokens: int) -> None:
    """Answer the prompts of `queries` queries a task with `engine`, and score their golds."""
    from generation_samples import make_job, run, settings
    from quantrag.errors import UserError

    logging.basicConfig(level=logging.INFO)
    chosen = settings(
        engine=engine,
        max_new_tokens=new_tokens,
        # Small batches, so that completions finish all along the run.
        vllm={"enforce_eager": True, "kv_cache_gib": 0.25, "max_num_seqs": 8, "block_size": 32},
        transformers={"batch_size": 4},
        openai={"served_model": "tiny", "concurrency": 4},
    )
    try:
        job = replace(make_job(checkpoint, settings=chosen), likelihood="gold")
        run(folder, KS, job=job, queries=queries)
    except UserError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
