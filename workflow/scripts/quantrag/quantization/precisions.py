"""Precisions: the methods that the workflow knows, and one entry of the configuration as an object.

Light on purpose (standard library only): the Snakefile asks it which rule makes which checkpoint.
What a method needs here is its entry in `METHODS`, and its rows in `compatibility.TABLE`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from quantrag.errors import UserError
from quantrag.quantization.compatibility import Support, support

#: Bits of a weight that isn't quantized, by `dtype`; `auto` is that of most checkpoints.
_DTYPE_BITS = {"float32": 32, "float16": 16, "bfloat16": 16, "auto": 16}


@dataclass(frozen=True)
class Method:
    """One way of quantizing, or of leaving it.

    Attributes:
        name: the value of the config's key `method`.
        checkpoint: where its checkpoint comes from: the model's `original`, `made` here from it, or
            `published` by others.
        stored_bits: bits of a quantized weight as it is stored, scales and zero points included.
        tools: what can make its checkpoint, the default first. Each has a rule in quantization.smk.
        calibrated: whether its tools read calibration texts.
        parameters: the config's keys that shape the quantized weights.
        on_load: whether it quantizes the original whenever that is loaded
            (`checkpoints.loading.ON_LOAD`).
        activation_bits: bits of the numbers that the weights are multiplied by.
        kinds: its rows of the table of support; all of them must run.
    """

    name: str
    checkpoint: Literal["original", "made", "published"]
    stored_bits: Callable[["Precision"], float]
    tools: tuple[str, ...] = ()
    calibrated: bool = False
    parameters: tuple[str, ...] = ()
    on_load: bool = False
    activation_bits: int = 16
    kinds: Callable[["Precision"], list[str]] = lambda precision: [precision.method.name]


@dataclass(frozen=True)
class Precision:
    """One entry of `precisions` in the configuration: a way of storing every model's weights.

    Attributes:
        name: its name in the configuration.
        method: how it quantizes.
        dtype: of activations and unquantized weights: `auto` (as the checkpoint says), `float16`,
            `bfloat16` or `float32`.
        kv_cache_dtype: of the engine's cache: `auto` (like `dtype`) or `fp8`.
        tool: what makes its checkpoint; None where none is made here.
        parameters: the values of `method.parameters`.
        calibration: the settings of its calibration texts; None where it has none.
        checkpoints: the source of each model's published checkpoint, by the model's name.
    """

    name: str
    method: Method
    dtype: str = "auto"
    kv_cache_dtype: str = "auto"
    tool: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    calibration: Mapping[str, Any] | None = None
    checkpoints: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, entry: Mapping[str, Any]) -> "Precision":
        """The precision of a config's entry, defaults applied.

        Raises:
            UserError: the method is unknown.
        """
        if entry["method"] not in METHODS:
            raise UserError(
                f"precisions.{name}.method: unknown method {entry['method']!r}. "
                f"Allowed: {', '.join(METHODS)}."
            )
        method = METHODS[entry["method"]]
        return cls(
            name=name,
            method=method,
            dtype=entry.get("dtype", "auto"),
            kv_cache_dtype=entry.get("kv_cache_dtype", "auto"),
            tool=entry.get("tool", method.tools[0]) if method.tools else None,
            parameters={key: entry[key] for key in method.parameters if key in entry},
            calibration=entry.get("calibration"),
            checkpoints=entry.get("checkpoints", {}),
        )

    @property
    def made_here(self) -> bool:
        """Whether the workflow quantizes a checkpoint of its own for it."""
        return self.method.checkpoint == "made"

    @property
    def published(self) -> bool:
        """Whether its checkpoints are others' work."""
        return self.method.checkpoint == "published"

    @property
    def quantize_on_load(self) -> str | None:
        """What is done to the original whenever it is loaded, as `checkpoints.loading` names it."""
        return self.method.name if self.method.on_load else None

    @property
    def stored_bits(self) -> float:
        """Bits of a quantized weight as it is stored, scales and zero points included."""
        return self.method.stored_bits(self)

    @property
    def kinds(self) -> list[str]:
        """The rows of the table of support that it belongs to."""
        kinds = list(self.method.kinds(self))
        if self.dtype == "float16":
            kinds.append("float16")
        if self.kv_cache_dtype == "fp8":
            kinds.append("kv-fp8")
        return kinds

    def support(self, engine: str, device: str) -> Support:
        """Whether an engine runs it on a device (`cuda` or `cpu`), and on what hardware."""
        return support(self.kinds, engine, device)

    def recipe(self) -> dict[str, Any]:
        """What was done to the original checkpoint, for the record."""
        recipe: dict[str, Any] = {"method": self.method.name}
        if self.tool is not None:
            recipe["tool"] = self.tool
        recipe.update(self.parameters)
        if self.calibration is not None:
            recipe["calibration"] = dict(self.calibration)
        return recipe


def _gptq_kinds(precision: Precision) -> list[str]:
    parameters = precision.parameters
    kinds = [{4: "gptq-4", 8: "gptq-8"}.get(parameters["bits"], "gptq-3")]
    if not parameters["sym"]:
        kinds.append("gptq-asymmetric")
    if parameters["group_size"] not in (-1, 32, 64, 128):
        kinds.append("gptq-groups")
    if precision.tool == "auto-gptq":
        kinds.append("auto-gptq")
    return kinds


def _grouped_bits(bits: int, group_size: int) -> float:
    """A 16-bit scale and a zero point for each group; a whole row's (`-1`) don't count."""
    return bits + ((16 + bits) / group_size if group_size > 0 else 0)


#: Every method, by name, in the order of the reference.
METHODS = {
    method.name: method
    for method in (
        Method(
            "none",
            checkpoint="original",
            stored_bits=lambda precision: _DTYPE_BITS[precision.dtype],
            kinds=lambda _: ["16-bit"],
        ),
        Method(
            "gptq",
            checkpoint="made",
            tools=("gptqmodel", "auto-gptq"),
            calibrated=True,
            parameters=("bits", "group_size", "sym", "desc_act", "group_aware", "damp_percent"),
            stored_bits=lambda precision: _grouped_bits(
                precision.parameters["bits"], precision.parameters["group_size"]
            ),
            kinds=_gptq_kinds,
        ),
        Method(
            "awq",
            checkpoint="made",
            tools=("llm-compressor",),
            calibrated=True,
            parameters=("group_size", "sym", "grid"),
            stored_bits=lambda precision: _grouped_bits(4, precision.parameters["group_size"]),
        ),
        Method(
            "w8a8",
            checkpoint="made",
            tools=("llm-compressor",),
            calibrated=True,
            parameters=("smoothing_strength",),
            stored_bits=lambda _: 8.0,
            activation_bits=8,
        ),
        Method(
            "fp8",
            checkpoint="made",
            tools=("llm-compressor",),
            # Only to measure its error on.
            calibrated=True,
            stored_bits=lambda _: 8.0,
            activation_bits=8,
        ),
        Method(
            "nf4",
            checkpoint="original",
            on_load=True,
            # A 32-bit scale for each 64 weights.
            stored_bits=lambda _: 4.5,
        ),
        Method(
            "published",
            checkpoint="published",
            # Most are of 4 bits in groups of 128.
            stored_bits=lambda _: 4.2,
        ),
    )
}
