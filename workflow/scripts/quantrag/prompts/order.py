"""The order in which a prompt's documents stand in it."""

import hashlib
from typing import Literal, NamedTuple

Order = Literal["best_first", "best_last", "random"]


class DocumentOrder(NamedTuple):
    """How the documents of prompts stand; which ones these are is decided by their rank.

    Attributes:
        kind: by rank from the best to the worst, or from the worst to the best, or at random.
        seed: of the random order.
    """

    kind: Order = "best_first"
    seed: int | None = None

    def ranks(self, query_id: str, n: int) -> list[int]:
        """The ranks of a query's best `n` documents, from 0, in the order of its prompt.

        At random, two documents stand in the same order in all prompts of a query that have both.
        """
        if self.kind == "random":
            return sorted(range(n), key=lambda rank: self._place(query_id, rank))
        return list(range(n)) if self.kind == "best_first" else list(reversed(range(n)))

    def _place(self, query_id: str, rank: int) -> bytes:
        return hashlib.sha256(f"{self.seed}\0{query_id}\0{rank}".encode()).digest()


BEST_FIRST = DocumentOrder()
