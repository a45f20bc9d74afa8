"""docs/precisions.md is what the table says."""

from quantrag.quantization.precisions_reference import DOCUMENT, precisions_reference


def test_the_document_is_generated():
    assert DOCUMENT.read_text() == precisions_reference(), "run `make config-reference`"
