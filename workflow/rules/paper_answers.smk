# paper_answers.smk: what the paper's authors published of their runs.
# needs: the network; for the queries' ids LaMP's dev questions
# produces: <resources>/paper-answers/{file}.pkl, <resources>/paper-answers/{queries_log,queries}.json
#           a line in config/checksums.tsv for each file that arrived for the first time

from quantrag.recorded.paper_files import QUERIES_LOG, url_of
from quantrag.recorded.paper_files import TASKS as PAPER_TASKS
from quantrag.tasks.registry import input_files


rule download_paper_answers:
    """Download the answers of one cell at the pinned commit."""
    output:
        answers="<resources>/paper-answers/{file}.pkl",
    log:
        "<logs>/download_paper_answers/{file}.log",
    benchmark:
        "<benchmarks>/download_paper_answers/{file}.tsv"
    wildcard_constraints:
        file="D[35]/dev/K.+",
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(30),
    params:
        url=lambda wildcards: url_of(f"{wildcards.file}.pkl"),
        checksums=CHECKSUMS,
    script:
        "../scripts/download_paper_answers.py"


rule download_paper_log:
    """Download the authors' log that has the texts of LaMP-3U's queries."""
    output:
        json="<resources>/paper-answers/queries_log.json",
    log:
        "<logs>/download_paper_log.log",
    benchmark:
        "<benchmarks>/download_paper_log.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(30),
    params:
        url=QUERIES_LOG,
        checksums=CHECKSUMS,
    script:
        "../scripts/download_lamp.py"


rule paper_queries:
    """Find which of LaMP's queries the paper's answers are to."""
    input:
        **{
            dataset: input_files(
                {"kind": "lamp", "lamp": lamp, "users": "user", "source": {"kind": "download"}},
                "dev",
            )["questions"]
            for dataset, lamp in PAPER_TASKS.items()
        },
        log_file="<resources>/paper-answers/queries_log.json",
    output:
        queries="<resources>/paper-answers/queries.json",
    log:
        "<logs>/paper_queries.log",
    benchmark:
        "<benchmarks>/paper_queries.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(30),
    params:
        code=plan.code("paper_queries.py"),
    script:
        "../scripts/paper_queries.py"
