"""Names that the workflow keeps for itself, in paths, tables and wildcards."""

#: The baseline's second pass, in another batch order; stands where a precision does.
NOISE_FLOOR = "noise-floor"
#: No retrieval (k = 0); stands where a retriever does.
NO_RETRIEVER = "none"
