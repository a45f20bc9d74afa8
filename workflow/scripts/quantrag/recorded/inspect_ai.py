"""Logs of inspect_ai: `.eval` (a ZIP archive, zstd inside since 0.3.200 or so) and `.json`.

Each sample has `id`, `epoch`, `input`, `target`, `output` and `scores`: by scorer a value, which is
a number, "C", "P", "I" or "N", or a mapping of several of those. Seen of version 0.3.285, log
version 2.
"""

import hashlib
import io
import json
import logging
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from quantrag.errors import UserError
from quantrag.recorded.record import (
    Record,
    golds_of,
    number,
    read_json,
    score_key,
    text_of,
    wanted,
)

log = logging.getLogger(__name__)

#: As `value_to_float` of inspect_ai reads the words of a score.
_WORDS = {
    **dict.fromkeys(("C", "yes", "true"), 1.0),
    **dict.fromkeys(("I", "N", "no", "false"), 0.0),
    "P": 0.5,
}
_ZSTD = 93  # number of the compression in ZIP
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_ATTACHMENT = "attachment://"


def read_header(path: Path) -> dict[str, Any]:
    """What a log says of its evaluation: `eval` (task, model, ...), `status` and more.

    Raises UserError where the file is missing or isn't a log.
    """
    header, _ = _open(path)
    return header


def read(path: Path, options: Mapping[str, Any]) -> list[Record]:
    """The samples of a log; each epoch is a repetition.

    A sample that ended in an error has no scores. A score's key is its scorer's name, with
    `/name` where it has several values.

    Args:
        path: the log.
        options: `lower_is_better`, names of scores of which less is better.

    Raises:
        UserError: the file is missing or isn't a log.
    """
    header, samples = _open(path)
    if header.get("status") != "success":
        log.warning("%s: the evaluation ended with the status %r.", path, header.get("status"))
    records = []
    for where, sample in samples:
        question = _input(sample)
        records.append(
            Record(
                item=str(wanted(sample, "id", where)),
                where=where,
                text=_answer(sample),
                golds=golds_of(sample.get("target")),
                scores=_scores(sample.get("scores") or {}, options),
                input=question,
                hashes={"prompt": hashlib.sha256(question.encode()).hexdigest()},
                repetition=str(sample.get("epoch", 1)),
            )
        )
    return records


def _scores(scores: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, float]:
    values = {}
    for scorer, score in scores.items():
        value = score.get("value")
        parts = value.items() if isinstance(value, Mapping) else [("", value)]
        for part, of_part in parts:
            name = f"{scorer}/{part}" if part else scorer
            read = _WORDS.get(of_part) if isinstance(of_part, str) else number(of_part)
            if read is not None:
                values[score_key(name, options)] = read
    return values


def _input(sample: Mapping[str, Any]) -> str:
    """The question, with its choices; of a conversation, who says what."""
    asked = sample.get("input", "")
    if not isinstance(asked, str):
        asked = "\n\n".join(f"{m.get('role')}: {_content(m.get('content'))}" for m in asked)
    choices = sample.get("choices") or []
    return "\n".join([_attached(asked, sample), *map(text_of, choices)])


def _answer(sample: Mapping[str, Any]) -> str:
    output = sample.get("output") or {}
    if isinstance(output.get("completion"), str):
        return _attached(output["completion"], sample)
    choices = output.get("choices") or [{}]
    return _attached(_content(choices[0].get("message", {}).get("content")), sample)


def _content(content: Any) -> str:
    """The text of a message, which is one text or a list of parts."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, Mapping))
    return content or ""


def _attached(text: str, sample: Mapping[str, Any]) -> str:
    """A text that inspect_ai put aside since it is long."""
    if text.startswith(_ATTACHMENT):
        return (sample.get("attachments") or {}).get(text.removeprefix(_ATTACHMENT), text)
    return text


def _open(path: Path) -> tuple[dict[str, Any], Iterator[tuple[str, dict[str, Any]]]]:
    """The header of a log, and place and content of each sample."""
    if path.suffix != ".eval":
        content = read_json(path)
        if not isinstance(content, dict) or "eval" not in content:
            raise UserError(f"{path}: not a log of inspect_ai: it has no key 'eval'.")
        samples = content.pop("samples", None) or []
        return content, ((f"{path}, sample {n}", s) for n, s in enumerate(samples, start=1))
    try:
        data = path.read_bytes()
        archive = zipfile.ZipFile(io.BytesIO(data))
        header = json.loads(_member(archive, data, "header.json"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}.") from None
    except KeyError:
        raise UserError(f"{path}: the evaluation wasn't finished: no header.json in it.") from None
    except (zipfile.BadZipFile, ValueError) as error:
        raise UserError(f"{path}: not a log of inspect_ai ({error}).") from None
    names = sorted(n for n in archive.namelist() if n.startswith("samples/"))
    return header, ((f"{path}, {name}", json.loads(_member(archive, data, name))) for name in names)


def _member(archive: zipfile.ZipFile, data: bytes, name: str) -> bytes:
    """A file of an archive. Python's zipfile knows zstd from 3.14 on."""
    entry = archive.getinfo(name)
    if entry.compress_type != _ZSTD:
        return archive.read(entry)
    header = _LOCAL_HEADER.unpack_from(data, entry.header_offset)
    start = entry.header_offset + _LOCAL_HEADER.size + header[-2] + header[-1]
    packed = pa.BufferReader(data[start : start + entry.compress_size])
    return pa.CompressedInputStream(packed, "zstd").read()
