"""What every engine takes and gives: the seam between the workflow and what runs the model."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quantrag.quantization.hardware import ANY_HARDWARE, Hardware


@dataclass(frozen=True, slots=True)
class Continuation:
    """A text that could follow a prompt, whose likelihood is asked for.

    Attributes:
        key: identifies it; comes back with its likelihood.
        token_ids: at least one token, as the model would have to write it after the prompt.
    """

    key: str
    token_ids: list[int]

    @property
    def stem(self) -> list[int]:
        """All tokens but the last."""
        return self.token_ids[:-1]


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt, and what is asked about it: an answer, likelihoods of continuations, or both.

    Attributes:
        key: identifies the request; comes back with its completion.
        token_ids: the exact prompt, special tokens included.
        prompt: the same prompt as text, for servers that take no token ids.
        answer: whether the prompt is to be answered.
        continuations: texts whose likelihoods are asked for. An engine with a prefix cache scores
            them while the prompt is still in it.
    """

    key: str
    token_ids: list[int]
    prompt: str
    answer: bool = True
    continuations: tuple[Continuation, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """One finished answer.

    Attributes:
        key: the request's key.
        text: the answer without special tokens.
        finish_reason: `stop` (the model ended) or `length` (`max_new_tokens` reached).
        prompt_tokens: length of the prompt.
        cached_tokens: how many of those came from the prefix cache; None where unknown.
        output_tokens: tokens generated, the ending token included.
        token_ids: the tokens generated, the ending token included; empty where unknown.
        logprobs: natural logarithm of each of these tokens' probability; empty where unknown.

    Half of a surrogate pair, which no file can hold and a server's JSON may, becomes U+FFFD.
    """

    key: str
    text: str
    finish_reason: str
    prompt_tokens: int
    cached_tokens: int | None
    output_tokens: int
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", _well_formed(self.text))


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How likely a continuation is after its prompt.

    Attributes:
        key: the continuation's key.
        logprobs: natural logarithm of each token's probability, given the prompt and the tokens
            before it; of the model's own distribution, whatever the decoding.
        top: of each token, whether no other is more likely at its position.
    """

    key: str
    logprobs: list[float]
    top: list[bool]


def by_stem(continuations: Iterable[Continuation]) -> list[list[Continuation]]:
    """Continuations that differ in nothing but their last token, together.

    One reading of the prompt and the other tokens (the stem) scores them all: the distribution
    after the stem holds every last token. Ratings mostly have an empty stem.
    """
    groups: dict[tuple[int, ...], list[Continuation]] = {}
    for continuation in continuations:
        groups.setdefault(tuple(continuation.stem), []).append(continuation)
    return list(groups.values())


def _well_formed(text: str) -> str:
    """The text with surrogate pairs joined, and what is left of them replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


@dataclass(frozen=True)
class Sampling:
    """Greedy decoding: how far, where it stops and what is recorded.

    Attributes:
        max_new_tokens: most tokens of an answer.
        stop_token_ids: token ids that end an answer. Taken from the model's original checkpoint
            for every precision: a quantized checkpoint that lost its `generation_config.json`
            would otherwise run on, and look worse for a reason that is not quantization.
    """

    max_new_tokens: int
    stop_token_ids: tuple[int, ...]


@dataclass(frozen=True)
class EngineSpec:
    """All that an engine needs to know to start.

    Only `checkpoint`, `precision`, `quantize_on_load`, `needs`, `dtype` and `kv_cache_dtype` may
    differ between the precisions of one model.

    Attributes:
        engine: name of the engine, a key of `quantrag.engines.registry.ENGINES`.
        model: name of the model in the config.
        precision: name of the precision in the config whose checkpoint it is.
        checkpoint: folder of the weights.
        original: folder of the model's original checkpoint: its tokenizer serves every precision.
        dtype: of activations and unquantized weights: `auto` (as the checkpoint says), `float16`,
            `bfloat16` or `float32`.
        kv_cache_dtype: `auto` (like `dtype`) or a type that the engine knows, such as `fp8`.
        device: `cuda` or `cpu`.
        sampling: how to decode.
        threads: CPU threads to use.
        options: the engine's own section of the config.
        max_model_len: tokens of the longest prompt and its answer; 0 until the prompts are read.
        quantize_on_load: what is done to the checkpoint while it is loaded (`nf4`), or None.
        needs: the hardware that the precision needs.
        likelihood: whether continuations will be scored, and the logprobs of the answers' own
            tokens recorded.
    """

    engine: str
    model: str
    precision: str
    checkpoint: Path
    original: Path
    dtype: str
    kv_cache_dtype: str
    device: str
    sampling: Sampling
    threads: int
    options: Mapping[str, Any]
    max_model_len: int = 0
    quantize_on_load: str | None = None
    needs: Hardware = ANY_HARDWARE
    likelihood: bool = False


class Engine(ABC):
    """One model, loaded once; answers any number of requests."""

    #: Order of requests that suits the engine: `prefix` (shared beginnings adjacent) or `length`.
    preferred_order = "prefix"
    #: Whether the engine scores continuations.
    scores_continuations = True

    def __init__(self, spec: EngineSpec):
        self.spec = spec

    @abstractmethod
    def load(self) -> None:
        """Load the model. Raises UserError when the checkpoint, device or server won't do."""

    @abstractmethod
    def generate(self, requests: Sequence[Request]) -> Iterator[Completion | Likelihood]:
        """Answer the requests and score their continuations.

        Yields each completion and each likelihood as it is ready, in any order. Raises UserError
        when continuations are asked for and `scores_continuations` is false.
        """

    @abstractmethod
    def report(self) -> dict[str, Any]:
        """What the loaded engine says of itself: kernels, data types, device, cache size.

        Where it knows them, in the same terms for every engine: `loaded_weight_bytes`, as they lie
        in memory; `cache_bytes_per_token`, of keys and values over all layers;
        `cache_tokens`, how many the memory that it was given holds, over all prompts of a batch.
        """

    @abstractmethod
    def close(self) -> None:
        """Free the device and end child processes. Safe to call twice."""
