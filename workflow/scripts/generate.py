"""Answer every prompt of one model at one precision."""

# vLLM's worker processes import this file again under another name: only the job itself may run.
if __name__ == "__main__":
    from quantrag.runtime.jobs import job

    with job(snakemake):
        import signal
        import sys
        from pathlib import Path

        from quantrag.generation.generate import generate_cells
        from quantrag.generation.job import GenerationJob, engine_spec
        from quantrag.quantization.hardware import Hardware

        # A batch system ends a job with SIGTERM; as an exception it also ends the engine's workers.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        params = snakemake.params
        spec = engine_spec(
            params.generation,
            Path(snakemake.input.original),
            model=snakemake.wildcards.model,
            precision=params.served_precision,
            checkpoint=Path(snakemake.input.checkpoint),
            threads=snakemake.threads,
            needs=Hardware(**params.needs),
            **params.formats,
        )
        generate_cells(
            GenerationJob(
                spec,
                snakemake.wildcards.precision,
                params.shuffle_seed,
                params.source,
                params.generation["likelihood"],
            ),
            snakemake.input.prompts,
            snakemake.output.completions,
            snakemake.output.costs,
            params.journal,
            baseline_files=snakemake.input.baseline,
        )
