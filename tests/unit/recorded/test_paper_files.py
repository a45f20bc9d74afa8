"""Where the paper's files come from, each at a pinned commit."""

import pytest

from quantrag.recorded.paper_files import url_of

PINNED, SECOND_RUN = (
    "64b014774e461a712c36daf11ea55f0c2fae29db",
    "f8afda52c68de14e7cf7bc768ac360e2362652e5",
)


@pytest.mark.parametrize(
    ("file", "commit", "theirs"),
    [
        ("D3/dev/K0/M.pkl", PINNED, "D3/dev/K0/M.pkl"),
        (
            "D3/dev/Kmax/contriever/OPENCHAT-3.5-4K.pkl",
            "6bc9ad2617dd96f72696005ab30cb345849deae1",
            "D3/dev/Kmax/contriever/OPENCHAT-3.5-4K.pkl",
        ),
        ("D5/dev/K0/second-run/M.pkl", SECOND_RUN, "D5/dev/K0/M.pkl"),
        ("D5/dev/K3/bm25-reverse/M.pkl", PINNED, "D5/dev/K3_reverse/bm25/M.pkl"),
        ("D5/dev/Kmax/dpr-shuffle/M-AWQ-4K.pkl", PINNED, "D5/dev/Kmax_shuffle/dpr/M-4K-AWQ.pkl"),
    ],
)
def test_a_path_here_says_which_of_their_files_it_is(file, commit, theirs):
    url = "https://raw.githubusercontent.com/myazann/RAG/{}/RAG/LAMP/res_pkls/{}"
    assert url_of(file) == url.format(commit, theirs)
