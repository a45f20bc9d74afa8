"""Where the paper's files come from, each at a pinned commit."""

from quantrag.recorded.paper_files import url_of


def test_the_cell_that_the_commit_lacks_comes_from_another():
    usual, other = url_of("D3/dev/K0/M.pkl"), url_of("D3/dev/Kmax/contriever/OPENCHAT-3.5-4K.pkl")
    assert "/64b014774e461a712c36daf11ea55f0c2fae29db/RAG/LAMP/res_pkls/D3/dev/K0/M.pkl" in usual
    assert "/6bc9ad2617dd96f72696005ab30cb345849deae1/" in other
