# What the retrieval rules look up in the config.


def retriever_settings(*keys):
    """Params function: the keys of the retriever's entry that one stage depends on."""

    def settings(wildcards):
        entry = config["retrievers"][wildcards.retriever]
        # A key without a default (`query_encoder`) may be absent.
        return {key: entry[key] for key in keys if key in entry}

    return settings


def document_encoder(wildcards):
    """Config entry of the encoder of the documents."""
    return config["retrievers"][wildcards.retriever]["encoder"]


def query_encoder(wildcards):
    """Config entry of the encoder of the queries."""
    entry = config["retrievers"][wildcards.retriever]
    return entry.get("query_encoder", entry["encoder"])


def encoder_name(entry):
    """Folder name of a downloaded encoder."""
    return re.sub(r"[^\w.-]+", "--", f"{entry['repo']} {entry['revision']}")


def encoder_folder(entry):
    """Folder of an encoder's files; none for one inside a package, which the script finds."""
    match entry["kind"]:
        case "huggingface":
            return f"<resources>/encoders/{encoder_name(entry)}"
        case "folder":
            return entry["folder"]
        case _:
            return []


DOWNLOADED_ENCODERS = {
    encoder_name(encoder): encoder
    for entry in config["retrievers"].values()
    for encoder in (entry.get("encoder", {}), entry.get("query_encoder", {}))
    if encoder.get("kind") == "huggingface"
}
