"""Answer every prompt of one model at one precision."""

# vLLM's worker processes import this file again under another name: only the job itself may run.
if __name__ == "__main__":
    from quantrag.runtime.jobs import job

    with job(snakemake):
        import signal
        import sys
        from pathlib import Path

        from quantrag.generation.generate import generate_cells
        from quantrag.generation.job import GenerationJob

        # A batch system ends a job with SIGTERM; as an exception it also ends the engine's workers.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        params = snakemake.params
        generate_cells(
            GenerationJob(
                model=snakemake.wildcards.model,
                precision=snakemake.wildcards.precision,
                served_precision=params.served_precision,
                checkpoint=Path(snakemake.input.checkpoint),
                original=Path(snakemake.input.original),
                dtype=params.precision["dtype"],
                kv_cache_dtype=params.precision["kv_cache_dtype"],
                method=params.precision["method"],
                capability=params.capability,
                settings=params.generation,
                shuffle_seed=params.shuffle_seed,
                threads=snakemake.threads,
                source=params.source,
            ),
            snakemake.input.prompts,
            snakemake.output.completions,
            snakemake.output.costs,
            params.journal,
        )
