"""The configuration's sections `precisions` and `quantization`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from quantrag.checkpoints.settings import PublishedSource
from quantrag.section import Integer, Line, Mistake, Number, Section


class CalibrationSettings(Section):
    """The texts on which layer outputs are compared while quantizing: prompts of the train split in
    the model's own chat template, or given texts. An evaluated query is never among them."""

    source: Literal["task", "corpus", "file", "dataset"] = Field(
        "task",
        description="Where the texts come from: `task` is the train split of the experiment's "
        "tasks (of tasks of kind `questions` what is `held_out`), `corpus` the passages of tasks "
        "of kind `questions`, `file` a text file with one text in each line, `dataset` a data set "
        "of the library `datasets`. A text that contains an evaluated query is left out.",
    )
    path: Line | None = Field(
        None,
        description="Of `source: file`, the text file; of `source: dataset`, the data set: a name "
        "on the Hugging Face Hub, or a folder. Relative to the working directory.",
    )
    revision: Line | None = Field(
        None, description="Commit of a data set on the Hub; a name on the Hub needs one."
    )
    subset: Line | None = Field(
        None,
        description="Configuration of a data set that has several, such as `wikitext-2-raw-v1`.",
    )
    split: Line = Field("train", description="Split of a data set.")
    column: Line = Field("text", description="Column of a data set that holds the texts.")
    tasks: list[str] | None = Field(
        None,
        min_length=1,
        json_schema_extra={"uniqueItems": True},
        description="Names of the tasks that give texts, of `task` in equal parts; `null` takes "
        "all (of `corpus`, all of kind `questions`). Naming "
        "them keeps the quantized models as they are when the experiment gets another task.",
    )
    count: Integer = Field(128, ge=1, le=4096, description="Number of texts.")
    max_tokens: Integer = Field(
        2048,
        ge=64,
        description="Longest text in tokens: documents are left out until it fits. Never more than "
        "the model's context.",
    )
    documents: Integer = Field(
        5,
        ge=0,
        description="Most documents in one text of `source: task`, which are of the user's "
        "profile; of a corpus at most 10, the question's evidence first.",
    )

    @model_validator(mode="after")
    def _texts_are_named(self) -> "CalibrationSettings":
        if self.source in ("file", "dataset") and self.path is None:
            raise Mistake(f"the key 'path' is missing, which source {self.source} needs")
        if self.tasks is not None and len(set(self.tasks)) < len(self.tasks):
            raise Mistake(f"{self.tasks!r} repeats an entry", "tasks")
        return self


Dtype = Annotated[
    Literal["auto", "float16", "bfloat16", "float32"],
    Field(
        description="Number format of activations and unquantized weights; `auto` takes the "
        "checkpoint's own, on a CPU bfloat16 where it has instructions for it and else float32."
    ),
]
KvCacheDtype = Annotated[
    Literal["auto", "fp8"],
    Field(
        description="Number format of the engine's cache of keys and values; `auto` is that of "
        "`dtype`. `fp8` halves the cache; vLLM only."
    ),
]


class UnquantizedSettings(Section):
    """The original checkpoint; only the number format of the computation is chosen."""

    method: Literal["none"] = Field(description="Use the original checkpoint.")
    dtype: Dtype = "auto"
    kv_cache_dtype: KvCacheDtype = "auto"


class GptqSettings(Section):
    """Quantized here by GPTQModel, layer by layer, in AutoGPTQ's checkpoint format. Works on a
    GPU, and on a CPU for small models."""

    method: Literal["gptq"] = Field(description="Quantize with GPTQ (Frantar et al. 2023).")
    tool: Literal["gptqmodel", "auto-gptq"] = Field(
        "gptqmodel",
        description="Who does it. `auto-gptq` is the original AutoGPTQ 0.7.1 in an environment of "
        "its time, for repeating what was done with it: only with `--sdm conda` and a CUDA GPU, "
        "`group_aware` without effect.",
    )
    bits: Literal[2, 3, 4, 8] = Field(4, description="Bits of a quantized weight.")
    group_size: Literal[-1, 16, 32, 64, 128, 256, 512, 1024] = Field(
        128,
        description="How many weights of a row share one scale; `-1` is a whole row. It must "
        "divide every quantized layer's input size, which is checked before any work.",
    )
    sym: bool = Field(
        True,
        description="Symmetric quantization (no zero point is stored), which the fast GPU kernels "
        "want.",
    )
    desc_act: bool = Field(
        False,
        description='Quantize columns in the order of decreasing activation size ("act-order"). '
        "More accurate, slower to run.",
    )
    group_aware: bool = Field(
        True,
        description="Order columns by activation size inside and between groups in a way that "
        "costs nothing when the model runs (GPTQModel's default). `false` is GPTQ as AutoGPTQ "
        "does it. Without effect where `desc_act` is on or a group is a whole row.",
    )
    damp_percent: Number = Field(
        0.05,
        gt=0,
        lt=1,
        description="Damping: the share of the Hessian's mean diagonal that is added to the "
        "diagonal. (GPTQModel's default is 0.05, AutoGPTQ's 0.01.)",
    )
    calibration: CalibrationSettings = Field(default_factory=CalibrationSettings)
    dtype: Dtype = "auto"
    kv_cache_dtype: KvCacheDtype = "auto"


class AwqSettings(Section):
    """Quantized here by llm-compressor with AWQ (Lin et al. 2024): weights in 4 bits, after a
    search for the scales of the inputs that lose least. Works on a GPU, and on a CPU for small
    models."""

    method: Literal["awq"] = Field(description="Quantize with AWQ.")
    group_size: Literal[32, 64, 128] = Field(
        128,
        description="How many weights of a row share one scale. It must divide every quantized "
        "layer's input size, which is checked before any work.",
    )
    sym: bool = Field(
        False,
        description="Symmetric quantization (no zero point is stored). AWQ's authors store one.",
    )
    grid: Integer = Field(
        20,
        ge=2,
        description="Scales that are tried for each layer. (llm-compressor's default; fewer take "
        "less time.)",
    )
    calibration: CalibrationSettings = Field(default_factory=CalibrationSettings)
    dtype: Dtype = "auto"
    kv_cache_dtype: KvCacheDtype = "auto"


class Int8Settings(Section):
    """Quantized here by llm-compressor: weights to 8-bit integers, one scale per row, and
    activations to 8-bit integers while the model runs, one scale per token."""

    method: Literal["w8a8"] = Field(description="Quantize weights and activations to INT8.")
    smoothing_strength: Annotated[Number, Field(ge=0, le=1)] | None = Field(
        0.8,
        description="SmoothQuant (Xiao et al. 2023): how much of the activations' range moves "
        "into the weights before rounding. `null` only rounds to nearest. (llm-compressor's "
        "examples use 0.8, the authors 0.5 and more.)",
    )
    calibration: CalibrationSettings = Field(default_factory=CalibrationSettings)
    dtype: Dtype = "auto"
    kv_cache_dtype: KvCacheDtype = "auto"


class Fp8Settings(Section):
    """Quantized here by llm-compressor: weights to 8-bit floating point (E4M3), one scale per row,
    and activations while the model runs, one scale per token. The calibration texts only serve to
    measure the error."""

    method: Literal["fp8"] = Field(description="Quantize weights and activations to FP8.")
    calibration: CalibrationSettings = Field(default_factory=CalibrationSettings)
    dtype: Dtype = "auto"
    kv_cache_dtype: KvCacheDtype = "auto"


class Nf4Settings(Section):
    """The original checkpoint, quantized to NF4 (Dettmers et al. 2023) by bitsandbytes whenever it
    is loaded. Nothing is stored."""

    method: Literal["nf4"] = Field(description="Quantize to NF4 while loading.")
    dtype: Dtype = "auto"
    kv_cache_dtype: KvCacheDtype = "auto"


class PublishedSettings(Section):
    """Quantized by others, by whatever method the inference engine can load (AWQ, GPTQ, FP8, ...):
    the checkpoint's own config.json says which."""

    method: Literal["published"] = Field(description="Use published checkpoints.")
    checkpoints: dict[str, PublishedSource] = Field(
        min_length=1,
        description="The checkpoint of each model, by the model's name; every model needs one.",
    )
    dtype: Dtype = "auto"
    kv_cache_dtype: KvCacheDtype = "auto"


#: One way of storing the weights, which is applied to every model.
AnyPrecision = Annotated[
    UnquantizedSettings
    | GptqSettings
    | AwqSettings
    | Int8Settings
    | Fp8Settings
    | Nf4Settings
    | PublishedSettings,
    Field(discriminator="method"),
]


class QuantizationSettings(Section):
    """How checkpoints are made and measured, whatever the precision."""

    llm_compressor_venv: Line = Field(
        ".venv-llm-compressor",
        description="Virtual environment with llm-compressor, which the methods `awq`, `w8a8` and "
        "`fp8` need; it can't share one with vLLM. `make llm-compressor-env` makes it. Not used "
        "with `--sdm conda`. Relative to the working directory.",
    )
    perplexity_texts: Integer = Field(
        128,
        ge=0,
        description="How many evaluated texts (abstracts, reviews: without documents and template) "
        "of each task each precision's perplexity is measured on; 0 measures none. Through the "
        "engine `openai` none is measured.",
    )
    perplexity_tokens: Integer = Field(
        512, ge=2, description="Longest text in tokens; the rest is cut off."
    )
