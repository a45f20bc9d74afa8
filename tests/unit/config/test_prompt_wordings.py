"""Whose wording a task gets, and one line for everything that is wrong with a user's file."""

import re

import pytest
import yaml

from lamp_tasks import lamp_task
from quantrag.config.prompt_wordings import wordings
from quantrag.errors import UserError
from quantrag.prompts.settings import PromptSettings
from quantrag.prompts.styles import built_in_wording, make_style
from question_tasks import question_task

TASKS = [lamp_task(3, "reviews"), question_task("label", ("yes", "no"), "pubmed")]
OWN = {
    "separator": "\n---\n",
    "document": "{{ target }}: {{ text }}",
    "with_documents": "{{ documents }}\n{{ query }} ({{ labels | join(' or ') }})",
    "without_documents": "{{ query }}",
}


def write(path, tasks, **keys):
    path.write_text(yaml.safe_dump({"tasks": tasks, **keys}), encoding="utf-8")
    return PromptSettings(file=str(path))


def test_without_a_file_the_style_decides():
    found = wordings(PromptSettings(), TASKS)
    assert found == {
        "reviews": built_in_wording("paper", "LaMP-3"),
        "pubmed": built_in_wording("rag", "questions-label"),
    }
    with pytest.raises(
        UserError, match=r"prompts\.style: the style 'lamp' has no wording for quest"
    ):
        wordings(PromptSettings(style="lamp"), TASKS)


@pytest.mark.parametrize("key", ["pubmed", "questions-label"])
def test_the_users_wording_is_taken_for_the_tasks_that_it_has(tmp_path, key):
    prompts = write(tmp_path / "own.yaml", {key: OWN, "LaMP-5": OWN}, strip_lines=True)
    found = wordings(prompts, TASKS)
    assert found["reviews"] == built_in_wording("paper", "LaMP-3")
    path = str(tmp_path / "own.yaml")
    assert found["pubmed"] == {"style": path, "strip_lines": True, "system": None, **OWN}
    style = make_style(found["pubmed"], TASKS[1].labels)
    documents = style.document(" It rains.", "Weather", 1)
    assert style.user(documents, "Does it?", "unused") == "Weather: It rains.\nDoes it? (yes or no)"


def test_the_example_of_the_documentation_is_complete(root, tmp_path):
    text = (root / "docs" / "prompts.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "own.yaml"
    path.write_text(example, encoding="utf-8")
    tasks = [question_task("short", name="handbook"), TASKS[1]]
    found = wordings(PromptSettings(file=str(path)), tasks)
    assert [one["style"] for one in found.values()] == [str(path)] * 2
    style = make_style(found["handbook"])
    assert style.system == "You answer questions about our handbook."
    assert style.document("It rains.", "Weather", 2) == "Passage 2 (Weather): It rains."
    style = make_style(found["pubmed"], TASKS[1].labels)
    assert style.user("", "Does it?", "") == "Does it? Answer with yes or no."


def test_a_tasks_name_comes_before_its_data_set(tmp_path):
    other = {**OWN, "without_documents": "Well, {{ query }}"}
    found = wordings(write(tmp_path / "own.yaml", {"questions-label": OWN, "pubmed": other}), TASKS)
    assert found["pubmed"]["without_documents"] == "Well, {{ query }}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"own\.yaml: no such file"),
        ("", r"own\.yaml: the file is empty"),
        ("tasks: [", r"own\.yaml: line 1, column 9: not valid YAML"),
        ("tasks: {}", r"own\.yaml: tasks: empty"),
        ("style: x", r"own\.yaml: style: unknown key.*Allowed: source, strip_lines, tasks"),
        ({"tasks": {"pubmd": OWN}}, r"own\.yaml: tasks: unknown .*'pubmd' \(did you mean 'pubmed'"),
        (
            {"tasks": {"pubmed": {k: v for k, v in OWN.items() if k != "document"}}},
            r"own\.yaml: tasks\.pubmed: the key 'document' is missing",
        ),
        (
            {"tasks": {"pubmed": {**OWN, "document": "{{ title }}"}}},
            r"own\.yaml: tasks\.pubmed\.document: unknown variable 'title'\. Allowed: text, target",
        ),
        (
            {"tasks": {"pubmed": {**OWN, "with_documents": "{{ query }}\n{% if %}"}}},
            r"own\.yaml: tasks\.pubmed\.with_documents: line 2 of the template",
        ),
        ({"tasks": {"pubmed": {**OWN, "document": 3}}}, r"tasks\.pubmed\.document: 3 is not text"),
    ],
)
def test_mistakes_name_file_and_key(tmp_path, content, message):
    path = tmp_path / "own.yaml"
    if content is not None:
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message) as caught:
        wordings(PromptSettings(file=str(path)), TASKS)
    assert "\n" not in str(caught.value)
