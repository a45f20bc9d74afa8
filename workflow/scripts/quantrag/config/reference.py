"""`config/README.md`: the configuration reference, generated from the JSON Schemas.

`python workflow/scripts/quantrag/config/reference.py` (`make config-reference`) writes it; a test
fails when the file and the schemas differ.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

if __name__ == "__main__":
    # Run as a file: the package's parent folder takes the place of the script's own.
    sys.path[0] = str(Path(__file__).parents[2])

from quantrag.config.schema import ROOT_SCHEMA, SCHEMA_FOLDER, load_schema, resolve

README = SCHEMA_FOLDER.parents[1] / "config" / "README.md"

INTRODUCTION = """\
# Configuration reference

Generated from `workflow/schemas/` by `make config-reference`: change the schemas, not this file.

| file | what it is |
|---|---|
| `config.yaml` | the default: the paper's grid |
| `demo.yaml` | the CPU demo (`make demo`) |
| `precisions-cpu.yaml` | the demo's model at every precision of a CPU (`make precisions`) |
| `retrievers.yaml` | how far retrievers agree, with no model run |
| `precisions-avx512.yaml` | two more, beside it, on a CPU with AVX-512 |

`--configfile FILE` takes a file in place of the default one; several files, and then `--config
key=value`, are merged from left to right. A file only needs the keys without a default. An unknown
key, a wrong type or a value that isn't allowed stops the workflow before any job, with one line
that names the file, the key and what is allowed.
"""


def config_reference() -> str:
    """The reference as Markdown."""
    root = load_schema(ROOT_SCHEMA)
    parts = [INTRODUCTION, "## Top level", "\n".join(_table(root, root))]
    for key, subschema in root["properties"].items():
        target, target_root = resolve(subschema, root)
        entry = target.get("additionalProperties")
        if isinstance(entry, Mapping):
            target, target_root = resolve(entry, target_root)
            parts += list(_section(f"{key}.<name>", target, target_root))
        elif "properties" in target:
            parts += list(_section(key, target, target_root))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _section(
    path: str, schema: Mapping[str, Any], root: Mapping[str, Any], level: int = 2
) -> Iterator[str]:
    """A heading with a table of the keys, and a section for every object below."""
    yield f"{'#' * level} `{path}`"
    yield _text(schema)
    if schema.get("properties"):
        yield "\n".join(_table(schema, root))
    for branch in schema.get("oneOf", []):
        branch, branch_root = resolve(branch, root)
        constant = [f"{k}: {v['const']}" for k, v in branch["properties"].items() if "const" in v]
        yield from _section(f"{path}` with `{', '.join(constant)}", branch, branch_root, level + 1)
    for key, subschema in schema.get("properties", {}).items():
        target, target_root = resolve(subschema, root)
        target = {
            **target,
            "description": subschema.get("description", target.get("description", "")),
        }
        extra = target.get("additionalProperties")
        if target.get("properties") or target.get("oneOf"):
            yield from _section(f"{path}.{key}", target, target_root, min(level + 1, 5))
        elif isinstance(extra, Mapping) and "properties" in resolve(extra, target_root)[0]:
            yield from _section(
                f"{path}.{key}.<name>", *resolve(extra, target_root), min(level + 1, 5)
            )


def _table(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[str]:
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for key, subschema in schema["properties"].items():
        target = resolve(subschema, root)[0]
        merged = {**target, **{k: v for k, v in subschema.items() if k != "$ref"}}
        if key in schema.get("required", []):
            default = "required"
        elif "default" in merged:
            default = f"`{_inline(merged['default'])}`"
        else:
            default = ""
        cells = [f"`{key}`", _type(merged, root), default, _text(merged)]
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _text(schema: Mapping[str, Any]) -> str:
    return " ".join(str(schema.get("description", "")).split())


def _inline(value: Any) -> str:
    return (
        yaml.safe_dump(value, default_flow_style=True, width=10_000)
        .strip()
        .removesuffix("...")
        .strip()
    )


def _type(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """Type and allowed values of a schema in a few words."""
    schema = resolve(schema, root)[0]
    if "const" in schema:
        return f"`{_inline(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{_inline(value)}`" for value in schema["enum"])
    for union in ("anyOf", "oneOf"):
        if union in schema and not schema.get("properties"):
            types = dict.fromkeys(_type(branch, root) for branch in schema[union])
            return " or ".join(types)
    kinds = schema.get("type", "any")
    text = " or ".join(kinds) if isinstance(kinds, list) else kinds
    if "items" in schema:
        text += f" of {_type(schema['items'], root)}"
    for key, sign in (
        ("minimum", "≥"),
        ("exclusiveMinimum", ">"),
        ("maximum", "≤"),
        ("exclusiveMaximum", "<"),
    ):
        if key in schema:
            text += f" {sign} {schema[key]}"
    if "pattern" in schema:
        text += f" `{schema['pattern']}`"
    return text


if __name__ == "__main__":
    README.write_text(config_reference(), encoding="utf-8")
    print(README)
