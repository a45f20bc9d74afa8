"""Encode each distinct document once; a killed run goes on where it stopped."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import torch

    from quantrag.model_files import package_folder
    from quantrag.retrieval.encoder import Encoder, EncodingOptions
    from quantrag.retrieval.text import document_texts
    from quantrag.retrieval.vectors import encode_to_folder
    from quantrag.tables import read_arrow

    torch.set_num_threads(snakemake.threads)
    settings = dict(snakemake.params.settings)
    choice, prefix = settings.pop("document_text"), settings.pop("document_prefix")
    documents = read_arrow(snakemake.input.documents, columns=["text", "target"])
    folder = snakemake.input.encoder or package_folder(snakemake.params.encoder["package"])
    encoder = Encoder(folder, EncodingOptions(**settings))
    encode_to_folder(
        encoder,
        document_texts(documents, choice),
        snakemake.output.vectors,
        encoder.prefix(prefix, "document"),
    )
