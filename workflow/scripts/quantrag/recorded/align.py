"""Several systems' answers to the same items: matched, and refused where they aren't the same."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from quantrag.errors import UserError
from quantrag.recorded.record import Record

log = logging.getLogger(__name__)

#: With a smaller share of the smallest system's items in common, these are other item sets.
LEAST_COMMON = 0.5
_EXAMPLES = 3


@dataclass(frozen=True)
class Matched:
    """The items that every system answered.

    Attributes:
        items: their ids, in the order of the first system.
        answers: for each system, each item's records, in the order of their repetitions.
        metrics: keys of the recorded scores that every record of these has.
        left_out: for each system that has items beside those, how many.
    """

    items: list[str]
    answers: list[list[list[Record]]]
    metrics: list[str]
    left_out: dict[str, int]


def match(task: str, systems: Mapping[str, Sequence[Sequence[Record]]]) -> Matched:
    """Match the systems' answers by the items' ids.

    Args:
        task: its name, for messages.
        systems: for each system, by its name in messages, the records of each of its files; an
            item that is in several files has been answered several times.

    Raises:
        UserError: a file without answers; an item twice in a file and repetition; an item whose
            document, prompt or gold isn't the same for every system; item sets with little in
            common; items with a different number of repetitions within a system.
    """
    by_item = {name: _by_item(task, name, files) for name, files in systems.items()}
    _same_everywhere(task, by_item)
    metrics = _common_metrics(task, by_item)
    unscored = {name: _drop_unscored(records, metrics) for name, records in by_item.items()}
    for name, items in unscored.items():
        if items:
            log.warning(
                "%s: %s items of %s have no score and are left out (%s).",
                *(task, f"{len(items):,}", name, _examples(items)),
            )
    first, *others = by_item.values()
    common = [item for item in first if all(item in other for other in others)]
    smallest = min(by_item, key=lambda name: len(by_item[name]))
    if len(common) < LEAST_COMMON * len(by_item[smallest]):
        largest = max(by_item, key=lambda name: len(by_item[name].keys() - set(common)))
        raise UserError(
            f"{task}: other item sets: of the {len(by_item[smallest]):,} items of {smallest}, "
            f"{len(common):,} were answered by every system. Only some have "
            f"{_examples(by_item[largest].keys() - set(common))} ({largest})."
        )
    kept = set(common)
    left_out = {}
    for name, records in by_item.items():
        extra = [item for item in records if item not in kept]
        if extra or unscored[name]:
            left_out[name] = len(extra) + len(unscored[name])
        if extra:
            log.warning(
                "%s: %s of %s items of %s are left out, since another system lacks them (%s).",
                *(task, f"{len(extra):,}", f"{len(records):,}", name, _examples(extra)),
            )
        counts = Counter(len(records[item]) for item in common)
        if len(counts) > 1:
            usual = counts.most_common(1)[0][0]
            odd = [item for item in common if len(records[item]) != usual]
            raise UserError(
                f"{task}, {name}: {len(odd):,} items don't have {usual} repetitions as the others "
                f"do ({_examples(odd)})."
            )
    answers = [[records[item] for item in common] for records in by_item.values()]
    return Matched(common, answers, metrics, left_out)


def _common_metrics(task: str, by_item: Mapping[str, Mapping[str, Sequence[Record]]]) -> list[str]:
    """Keys of the scores that all systems have, in the order of the first one."""
    keys = {
        name: dict.fromkeys(
            key for of_item in records.values() for r in of_item for key in r.scores
        )
        for name, records in by_item.items()
    }
    first, *others = keys.values()
    common = [key for key in first if all(key in other for other in others)]
    for name, of_system in keys.items():
        extra = [key for key in of_system if key not in common]
        if extra:
            log.warning(
                "%s: only some systems have the scores %s (%s): left out.",
                *(task, ", ".join(extra), name),
            )
    return common


def _drop_unscored(records: dict[str, list[Record]], metrics: Sequence[str]) -> list[str]:
    """Take away the items that lack one of these scores in any repetition; return their ids."""
    lacking = [
        item
        for item, of_item in records.items()
        if any(key not in record.scores for record in of_item for key in metrics)
    ]
    for item in lacking:
        del records[item]
    return lacking


def _by_item(task: str, name: str, files: Sequence[Sequence[Record]]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for records in files:
        seen: dict[tuple[str, str], Record] = {}
        repeated = []
        for record in records:
            key = record.item, record.repetition
            if key in seen:
                repeated.append((seen[key], record))
            seen[key] = record
            found.setdefault(record.item, []).append(record)
        if repeated:
            before, again = repeated[0]
            raise UserError(
                f"{again.where}: the item {again.item!r} stands already in {before.where} "
                f"({len(repeated):,} repeat an item)."
            )
    if not found:
        raise UserError(f"{task}, {name}: no answers.")
    return found


def _same_everywhere(task: str, by_item: Mapping[str, Mapping[str, Sequence[Record]]]) -> None:
    known: dict[tuple[str, str], tuple[object, Record]] = {}
    differing: dict[str, list[tuple[Record, Record]]] = {}
    for records in by_item.values():
        for of_item in records.values():
            for record in of_item:
                facts = {**record.hashes, **({"gold": record.golds} if record.golds else {})}
                for kind, value in facts.items():
                    before, other = known.setdefault((record.item, kind), (value, record))
                    if before != value:
                        differing.setdefault(kind, []).append((other, record))
    for kind, pairs in differing.items():
        one, other = pairs[0]
        items = {record.item for record, _ in pairs}
        raise UserError(
            f"{task}: not the same {kind} for {len(items):,} items, such as {one.item!r} in "
            f"{one.where} and in {other.where}. What is compared must have answered the same."
        )


def _examples(items: Iterable[str]) -> str:
    items = list(items)
    shown = ", ".join(map(repr, sorted(items)[:_EXAMPLES]))
    return shown + (", ..." if len(items) > _EXAMPLES else "")
