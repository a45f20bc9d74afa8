"""What the stages know of a task of kind `questions`."""

import pytest

from handbook import write_handbook
from quantrag.tasks import registry
from quantrag.tasks.settings import QuestionsTask
from quantrag.tasks.task import CORPUS


def full(entry, **changes):
    return QuestionsTask.model_validate({**entry, **changes}).model_dump()


@pytest.mark.parametrize(
    ("answer", "labels", "allowed"),
    [
        ("short", [], ()),
        ("label", ["yes", "no"], ("yes", "no")),
        ("rating", [], ("1", "2", "3", "4", "5")),
        ("text", [], ()),
    ],
)
def test_its_answer_decides_the_data_set_and_the_labels(tmp_path, answer, labels, allowed):
    entry = full(write_handbook(tmp_path), answer=answer, labels=labels)
    task = registry.load("handbook", registry.definition(entry))
    assert (task.name, task.dataset) == ("handbook", f"questions-{answer}")
    assert (task.scope, task.answer, task.labels) == (CORPUS, answer, allowed)
    assert task.cluster.plural == "questions"
    assert task.target_is_searched
    assert not registry.is_invented(entry)


def test_statistics_resample_the_group_where_there_is_one(tmp_path):
    entry = full(write_handbook(tmp_path), group="chapter")
    assert registry.load("t", registry.definition(entry)).cluster.plural == "groups"


def test_what_it_is_does_not_depend_on_where_its_files_are(tmp_path):
    entry = full(write_handbook(tmp_path))
    moved = full({**entry, "questions": {"file": "elsewhere.jsonl"}}, max_queries=3)
    assert registry.definition(entry) == registry.definition(moved)
    assert registry.reading(entry, "evaluated") != registry.reading(moved, "evaluated")


def test_no_question_decides_how_the_corpus_is_read(tmp_path):
    entry = full(write_handbook(tmp_path))
    moved = full({**entry, "questions": {"file": "elsewhere.jsonl"}}, group="part", held_out=0.1)
    assert registry.reading(entry, CORPUS) == registry.reading(moved, CORPUS)
    assert registry.input_files(entry, CORPUS).keys() == {"corpus"}
    assert registry.input_files(entry, "train").keys() == {"questions"}


def test_what_is_held_out_is_never_cut_short(tmp_path):
    entry = full(write_handbook(tmp_path), max_queries=3)
    assert registry.reading(entry, "evaluated")["max_queries"] == 3
    training = registry.reading(entry, "train")
    assert (training["max_queries"], training["is_training"]) == (None, True)


def test_sizes_follow_from_the_number_of_questions_and_the_length_of_passages(tmp_path):
    known = {"queries": 500, "documents": 100, "document_tokens": 300}
    entry = full(write_handbook(tmp_path), max_queries=20, passages={"tokens": 120})
    sizes = registry.typical_sizes(entry, known)
    assert sizes == {"queries": 20, "documents": 100, "document_tokens": 120}
    sizes = registry.typical_sizes(full(entry, max_queries=None, passages=None), known)
    assert sizes == known
