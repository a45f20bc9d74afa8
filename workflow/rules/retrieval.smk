# retrieval.smk: rank each user's documents for each of the user's queries.
# needs: <results>/tasks/{task}/queries.parquet, documents.parquet
# leaves: <results>/runs/{task}/{retriever}.parquet; indexes under <results>/indexes/{task}/{retriever}/


def retriever_settings(*keys):
    """Params function: what one stage depends on of the retriever's entry, and the task's number."""

    def settings(wildcards):
        entry = config["retrievers"][wildcards.retriever]
        # A key without a default (`query_encoder`) may be absent.
        return {key: entry[key] for key in keys if key in entry}

    return settings


def lamp_number(wildcards):
    """Number of the LaMP task, which decides what `document_text: lamp` means."""
    return config["tasks"][wildcards.task]["lamp"]


def document_encoder(wildcards):
    """Config entry of the encoder of the documents."""
    return config["retrievers"][wildcards.retriever]["encoder"]


def query_encoder(wildcards):
    """Config entry of the encoder of the queries."""
    entry = config["retrievers"][wildcards.retriever]
    return entry.get("query_encoder", entry["encoder"])


def encoder_name(entry):
    """Folder name of a downloaded encoder."""
    return f"{entry['repo']}--{entry['revision']}".replace("/", "--")


def encoder_folder(entry):
    """Folder of an encoder's files; none for one inside a package, which the script finds."""
    match entry["kind"]:
        case "huggingface":
            return f"<resources>/encoders/{encoder_name(entry)}"
        case "folder":
            return entry["folder"]
        case _:
            return []


DOWNLOADED_ENCODERS = {
    encoder_name(encoder): encoder
    for entry in config["retrievers"].values()
    for encoder in (entry.get("encoder", {}), entry.get("query_encoder", {}))
    if encoder.get("kind") == "huggingface"
}


rule index_lucene:
    """Build the Lucene index of a task's documents."""
    input:
        queries="<results>/tasks/{task}/queries.parquet",
        documents="<results>/tasks/{task}/documents.parquet",
    output:
        index=directory("<results>/indexes/{task}/{retriever}/lucene"),
    log:
        "<logs>/index_lucene/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/index_lucene/{task}/{retriever}.tsv"
    wildcard_constraints:
        retriever=retrievers_of_kind("lucene"),
    conda:
        "../../envs/lucene.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=retriever_settings("document_text", "statistics", "analyzer", "keep_stopwords"),
        lamp=lamp_number,
        code=code("index_lucene.py"),
    script:
        "../scripts/index_lucene.py"


rule retrieve_lucene:
    """Rank each query's profile with Lucene's BM25."""
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
        retriever=retrievers_of_kind("lucene"),
    conda:
        "../../envs/lucene.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=retriever_settings("statistics", "analyzer", "keep_stopwords", "k1", "b"),
        depth=config["retrieval_depth"],
        code=code("retrieve_lucene.py"),
    script:
        "../scripts/retrieve_lucene.py"


rule encode_documents:
    """Encode each distinct document once; a killed run goes on where it stopped."""
    input:
        documents="<results>/tasks/{task}/documents.parquet",
        encoder=lambda wildcards: encoder_folder(document_encoder(wildcards)),
    output:
        vectors=directory("<results>/indexes/{task}/{retriever}/vectors"),
    log:
        "<logs>/encode_documents/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/encode_documents/{task}/{retriever}.tsv"
    wildcard_constraints:
        retriever=retrievers_of_kind("dense"),
    conda:
        "../../envs/dense.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=480,
        gpu=1,
    params:
        encoder=document_encoder,
        settings=retriever_settings(
            "document_text", "document_prefix", "pooling", "normalize", "max_length", "dtype"
        ),
        lamp=lamp_number,
        code=code("encode_documents.py"),
    script:
        "../scripts/encode_documents.py"


rule index_faiss:
    """Lay the documents' vectors out in user order as a flat FAISS index."""
    input:
        vectors="<results>/indexes/{task}/{retriever}/vectors",
    output:
        index="<results>/indexes/{task}/{retriever}/documents.faiss",
    log:
        "<logs>/index_faiss/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/index_faiss/{task}/{retriever}.tsv"
    wildcard_constraints:
        retriever=retrievers_of_kind("dense"),
    conda:
        "../../envs/dense.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        code=code("index_faiss.py"),
    script:
        "../scripts/index_faiss.py"


rule retrieve_dense:
    """Encode the queries and rank each one's profile by dot product."""
    input:
        queries="<results>/tasks/{task}/queries.parquet",
        documents="<results>/tasks/{task}/documents.parquet",
        encoder=lambda wildcards: encoder_folder(query_encoder(wildcards)),
        index="<results>/indexes/{task}/{retriever}/documents.faiss",
    output:
        run="<results>/runs/{task}/{retriever}.parquet",
    log:
        "<logs>/retrieve_dense/{task}/{retriever}.log",
    benchmark:
        "<benchmarks>/retrieve_dense/{task}/{retriever}.tsv"
    wildcard_constraints:
        retriever=retrievers_of_kind("dense"),
    conda:
        "../../envs/dense.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=120,
        gpu=1,
    params:
        encoder=query_encoder,
        settings=retriever_settings("query_prefix", "pooling", "normalize", "max_length", "dtype"),
        depth=config["retrieval_depth"],
        code=code("retrieve_dense.py"),
    script:
        "../scripts/retrieve_dense.py"
