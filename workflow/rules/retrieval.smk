# retrieval.smk: rank, for each query, the documents of its scope.
# needs: <results>/tasks/{task}/queries.parquet, documents.parquet
# produces: <results>/runs/{task}/{retriever}.parquet; indexes under <results>/indexes/{task}/{retriever}/
#           <results>/tables/retrievers.csv: how far the retrievers agree
#           <results>/tables/retrieval.csv: how well they find the evidence, where it is known
#           on request: <results>/trec/{task}/{retriever}.run, or all of them by the rule `trec_runs`

from quantrag.plan.wildcards import one_of
from quantrag.model_files import encoder_folder


rule index_lucene:
    """Build the Lucene index of a task's documents."""
    input:
        documents="<results>/tasks/{task}/documents.parquet",
    output:
        index=directory("<results>/indexes/{task}/{retriever}/lucene"),
    log:
        "<logs>/index_lucene/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/index_lucene/{task}/{retriever}.tsv"
    wildcard_constraints:
        retriever=plan.retrieval.of_kind("lucene"),
    conda:
        "../../envs/lucene.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=plan.retrieval.settings("document_text", "analyzer", "keep_stopwords"),
        statistics=plan.retrieval.statistics,
        code=plan.code("index_lucene.py"),
    script:
        "../scripts/index_lucene.py"


rule retrieve_lucene:
    """Rank each query's scope, or the best of a corpus, with Lucene's BM25."""
    input:
        queries="<results>/tasks/{task}/queries.parquet",
        documents="<results>/tasks/{task}/documents.parquet",
        index="<results>/indexes/{task}/{retriever}/lucene",
    output:
        run="<results>/runs/{task}/{retriever}.parquet",
    log:
        "<logs>/retrieve_lucene/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/retrieve_lucene/{task}/{retriever}.tsv"
    wildcard_constraints:
        retriever=plan.retrieval.of_kind("lucene"),
    conda:
        "../../envs/lucene.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=plan.retrieval.settings("analyzer", "keep_stopwords", "k1", "b"),
        statistics=plan.retrieval.statistics,
        depth=plan.retrieval.depth,
        code=plan.code("retrieve_lucene.py"),
    script:
        "../scripts/retrieve_lucene.py"


rule encode_documents:
    """Encode each distinct document once; a killed run goes on where it stopped."""
    input:
        documents="<results>/tasks/{task}/documents.parquet",
        encoder=lambda wildcards: encoder_folder(
            plan.retrieval.document_encoder(wildcards.retriever)
        ),
    output:
        vectors=directory("<results>/indexes/{task}/{retriever}/vectors"),
    log:
        "<logs>/encode_documents/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/encode_documents/{task}/{retriever}.tsv"
    wildcard_constraints:
        retriever=plan.retrieval.of_kind("dense"),
    conda:
        "../../envs/dense-cpu.yaml" if plan.on_cpu else "../../envs/dense.yaml"
    threads: 8
    resources:
        mem_mb=growing(8000),
        runtime=growing(480),
        gpu=plan.gpus_of_small_jobs,
    params:
        encoder=lambda wildcards: plan.retrieval.document_encoder(wildcards.retriever),
        settings=plan.retrieval.settings(
            "document_text", "document_prefix", "pooling", "normalize", "max_length", "dtype"
        ),
        code=plan.code("encode_documents.py"),
    script:
        "../scripts/encode_documents.py"


rule index_faiss:
    """Lay the documents' vectors out as a FAISS index, in their order."""
    input:
        vectors="<results>/indexes/{task}/{retriever}/vectors",
    output:
        index="<results>/indexes/{task}/{retriever}/documents.faiss",
    log:
        "<logs>/index_faiss/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/index_faiss/{task}/{retriever}.tsv"
    wildcard_constraints:
        retriever=plan.retrieval.of_kind("dense"),
    conda:
        "../../envs/dense-cpu.yaml" if plan.on_cpu else "../../envs/dense.yaml"
    # More than one only makes graphs (`index: hnsw`) sooner.
    threads: 8
    resources:
        mem_mb=growing(8000),
        runtime=growing(240),
    params:
        settings=plan.retrieval.settings("index"),
        scope=plan.retrieval.scope,
        code=plan.code("index_faiss.py"),
    script:
        "../scripts/index_faiss.py"


rule retrieve_dense:
    """Encode the queries and rank each one's scope, or the best of a corpus, by dot product."""
    input:
        queries="<results>/tasks/{task}/queries.parquet",
        documents="<results>/tasks/{task}/documents.parquet",
        encoder=lambda wildcards: encoder_folder(plan.retrieval.query_encoder(wildcards.retriever)),
        index="<results>/indexes/{task}/{retriever}/documents.faiss",
    output:
        run="<results>/runs/{task}/{retriever}.parquet",
    log:
        "<logs>/retrieve_dense/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/retrieve_dense/{task}/{retriever}.tsv"
    wildcard_constraints:
        retriever=plan.retrieval.of_kind("dense"),
    conda:
        "../../envs/dense-cpu.yaml" if plan.on_cpu else "../../envs/dense.yaml"
    threads: 8
    resources:
        mem_mb=growing(8000),
        runtime=growing(120),
        gpu=plan.gpus_of_small_jobs,
    params:
        encoder=lambda wildcards: plan.retrieval.query_encoder(wildcards.retriever),
        settings=plan.retrieval.settings(
            "query_prefix", "pooling", "normalize", "max_length", "dtype"
        ),
        scope=plan.retrieval.scope,
        depth=plan.retrieval.depth,
        code=plan.code("retrieve_dense.py"),
    script:
        "../scripts/retrieve_dense.py"


rule download_encoder:
    """Download an encoder or cross-encoder (safetensors, tokenizer) at a pinned revision."""
    output:
        encoder=directory("<resources>/encoders/{encoder}"),
    log:
        "<logs>/download_encoder/{encoder}.log",
    benchmark:
        "<benchmarks>/download_encoder/{encoder}.tsv"
    wildcard_constraints:
        encoder=one_of(plan.retrieval.downloaded),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(120),
    params:
        source=lambda wildcards: plan.retrieval.downloaded[wildcards.encoder],
    script:
        "../scripts/download_encoder.py"


rule retrieve_okapi:
    """Rank each query's scope with BM25 as rank_bm25 computes it."""
    input:
        queries="<results>/tasks/{task}/queries.parquet",
        documents="<results>/tasks/{task}/documents.parquet",
    output:
        run="<results>/runs/{task}/{retriever}.parquet",
    log:
        "<logs>/retrieve_okapi/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/retrieve_okapi/{task}/{retriever}.tsv"
    wildcard_constraints:
        retriever=plan.retrieval.of_kind("okapi"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=plan.retrieval.settings("document_text", "tokens", "k1", "b", "epsilon"),
        depth=plan.retrieval.depth,
        code=plan.code("retrieve_okapi.py"),
    script:
        "../scripts/retrieve_okapi.py"


rule retrieve_order:
    """Order each query's documents without looking at their text: by date, or at random."""
    input:
        queries="<results>/tasks/{task}/queries.parquet",
        documents="<results>/tasks/{task}/documents.parquet",
    output:
        run="<results>/runs/{task}/{retriever}.parquet",
    log:
        "<logs>/retrieve_order/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/retrieve_order/{task}/{retriever}.tsv"
    wildcard_constraints:
        retriever=plan.retrieval.of_kind("order"),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        settings=plan.retrieval.settings("by"),
        scope=plan.retrieval.scope,
        seed=config["seed"],
        depth=plan.retrieval.depth,
        code=plan.code("retrieve_order.py"),
    script:
        "../scripts/retrieve_order.py"


rule retrieve_fusion:
    """Fuse the rankings of several retrievers by reciprocal rank."""
    input:
        queries="<results>/tasks/{task}/queries.parquet",
        documents="<results>/tasks/{task}/documents.parquet",
        runs=plan.retrieval.input_runs,
    output:
        run="<results>/runs/{task}/{retriever}.parquet",
    log:
        "<logs>/retrieve_fusion/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/retrieve_fusion/{task}/{retriever}.tsv"
    wildcard_constraints:
        retriever=plan.retrieval.of_kind("fusion"),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=plan.retrieval.settings("k"),
        depth=plan.retrieval.depth,
        code=plan.code("retrieve_fusion.py"),
    script:
        "../scripts/retrieve_fusion.py"


rule retrieve_rerank:
    """Rank another retriever's first documents anew with a cross-encoder."""
    input:
        queries="<results>/tasks/{task}/queries.parquet",
        documents="<results>/tasks/{task}/documents.parquet",
        model=lambda wildcards: encoder_folder(plan.retrieval.cross_encoder(wildcards.retriever)),
        runs=plan.retrieval.input_runs,
    output:
        run="<results>/runs/{task}/{retriever}.parquet",
    log:
        "<logs>/retrieve_rerank/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/retrieve_rerank/{task}/{retriever}.tsv"
    wildcard_constraints:
        retriever=plan.retrieval.of_kind("rerank"),
    conda:
        "../../envs/dense-cpu.yaml" if plan.on_cpu else "../../envs/dense.yaml"
    threads: 8
    resources:
        mem_mb=growing(8000),
        runtime=growing(480),
        gpu=plan.gpus_of_small_jobs,
    params:
        model=lambda wildcards: plan.retrieval.cross_encoder(wildcards.retriever),
        settings=plan.retrieval.settings("document_text", "depth", "max_length", "dtype"),
        depth=plan.retrieval.depth,
        code=plan.code("retrieve_rerank.py"),
    script:
        "../scripts/retrieve_rerank.py"


rule retrieve_evidence:
    """Rank the documents that hold each question's answer first."""
    input:
        queries="<results>/tasks/{task}/queries.parquet",
        documents="<results>/tasks/{task}/documents.parquet",
        runs=plan.retrieval.input_runs,
    output:
        run="<results>/runs/{task}/{retriever}.parquet",
    log:
        "<logs>/retrieve_evidence/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/retrieve_evidence/{task}/{retriever}.tsv"
    wildcard_constraints:
        retriever=plan.retrieval.of_kind("evidence"),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        depth=plan.retrieval.depth,
        code=plan.code("retrieve_evidence.py"),
    script:
        "../scripts/retrieve_evidence.py"


rule compare_retrievers:
    """Measure how far every pair of retrievers agrees on the order of the documents."""
    input:
        # Task by task, in the order of the retrievers.
        runs=plan.runs(),
    output:
        table="<results>/tables/retrievers.csv",
    log:
        "<logs>/compare_retrievers.log",
    benchmark:
        "<benchmarks>/compare_retrievers.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        tasks=list(config["tasks"]),
        retrievers=list(config["retrievers"]),
        code=plan.code("compare_retrievers.py"),
    script:
        "../scripts/compare_retrievers.py"


rule measure_retrieval:
    """Measure how well each retriever finds the documents that hold the answers."""
    input:
        queries=expand("<results>/tasks/{task}/queries.parquet", task=plan.tasks.corpora),
        # Task by task, in the order of the retrievers.
        runs=plan.runs(tasks=plan.tasks.corpora),
    output:
        table="<results>/tables/retrieval.csv",
    log:
        "<logs>/measure_retrieval.log",
    benchmark:
        "<benchmarks>/measure_retrieval.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        tasks=plan.tasks.corpora,
        retrievers=list(config["retrievers"]),
        indexed=plan.retrieval.indexed,
        confidence=config["statistics"]["confidence"],
        draws=config["statistics"]["draws"],
        seed=config["seed"],
        code=plan.code("measure_retrieval.py"),
    script:
        "../scripts/measure_retrieval.py"


rule export_trec:
    """Write a run in TREC's format, for trec_eval and ir_measures."""
    input:
        run="<results>/runs/{task}/{retriever}.parquet",
    output:
        run="<results>/trec/{task}/{retriever}.run",
    log:
        "<logs>/export_trec/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/export_trec/{task}/{retriever}.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=plan.code("export_trec.py"),
    script:
        "../scripts/export_trec.py"


rule trec_runs:
    """Every run of the experiment in TREC's format."""
    input:
        plan.runs("<results>/trec/{task}/{retriever}.run"),
