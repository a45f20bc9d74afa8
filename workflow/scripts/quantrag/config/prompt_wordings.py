"""The wording of each task's prompts: the user's own where there is one, else that of a style."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from quantrag.config.files import display, read_mapping
from quantrag.config.messages import choices, dotted, first_mistake
from quantrag.errors import UserError
from quantrag.prompts.settings import PromptSettings, StyleFile
from quantrag.prompts.styles import built_in_wording, datasets, mistakes, wording_in
from quantrag.tasks.task import Task


def wordings(prompts: PromptSettings, tasks: Sequence[Task]) -> dict[str, dict[str, Any]]:
    """The wording of each task by its name, as plain values, for `styles.make_style`.

    The user's file may have it under the task's name, or else its data set's; other tasks get that
    of `prompts.style`.

    Args:
        prompts: the configuration's section.
        tasks: of the experiment.

    Raises:
        UserError: the style has none for a task, or the user's file is missing or wrong.
    """
    if prompts.file is None:
        return {task.name: built_in_wording(prompts.style, task.dataset) for task in tasks}
    own = _load(prompts.file)
    known = [*(task.name for task in tasks), *(task.dataset for task in tasks), *datasets()]
    for key in own.tasks:
        if key not in known:
            message = f"unknown task or data set {key!r}" + choices(key, dict.fromkeys(known))
            raise UserError(f"{display(prompts.file)}: tasks: {message}")
    found = {}
    for task in tasks:
        key = next((key for key in (task.name, task.dataset) if key in own.tasks), None)
        if key is None:
            found[task.name] = built_in_wording(prompts.style, task.dataset)
            continue
        found[task.name] = wording_in(own, key, prompts.file)
        for part, message in mistakes(found[task.name], task.labels):
            where = dotted(["tasks", key, part])
            raise UserError(f"{display(prompts.file)}: {where}: {' '.join(message.split())}")
    return found


def _load(path: str | Path) -> StyleFile:
    content = read_mapping(path)
    try:
        return StyleFile.model_validate(content)
    except ValidationError as error:
        where, message = first_mistake(error, StyleFile)
        raise UserError(f"{display(path)}: {dotted(where)}: {message}") from None
