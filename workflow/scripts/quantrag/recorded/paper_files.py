"""Where the files of the paper's authors are; light, for the Snakefile.

Here a file's path says which run it is: `{D3,D5}/dev/K{k}/[{retriever}/]{MODEL}.pkl` as theirs; the
other orders of the documents as retrievers of their own, `K3/bm25-reverse/`; the baseline's second
run at k = 0, `K0/second-run/`. The window may stand last (`{MODEL}-AWQ-4K`), where it hasn't to
come between a model and its precision.
"""

import re

_REPOSITORY = "https://raw.githubusercontent.com/myazann/RAG"
#: The LaMP task of each data set's folder.
TASKS = {"D3": 3, "D5": 5}
_COMMIT = "64b014774e461a712c36daf11ea55f0c2fae29db"
#: At that commit one cell is missing; here it still is.
_ELSEWHERE = {
    "D3/dev/Kmax/contriever/OPENCHAT-3.5-4K.pkl": "6bc9ad2617dd96f72696005ab30cb345849deae1",
}
#: Here the titles at k = 0 are from a run before the one at the pinned commit, with the same
#: prompts.
_SECOND_RUN = "f8afda52c68de14e7cf7bc768ac360e2362652e5"
_ORDERED = re.compile(r"/(?P<retriever>[a-z0-9]+)-(?P<order>reverse|shuffle)/")
#: The data set of which a log of a later run of theirs at k = 0 has the queries' texts.
LOGGED = "D3"
QUERIES_LOG = (
    f"{_REPOSITORY}/4824694ee4e0f634b672f5a0aebaaffa1d34ad86/RAG/LAMP/logs/dev_3_LLAMA3-8B_K0.json"
)


def url_of(file: str) -> str:
    """Where one of their files is downloaded from.

    Args:
        file: its path here, below the folder of the answers.
    """
    commit, path = _ELSEWHERE.get(file, _COMMIT), file
    if "/second-run/" in file:
        commit, path = _SECOND_RUN, file.replace("/second-run/", "/")
    path = path.replace("-AWQ-4K.pkl", "-4K-AWQ.pkl")
    path = _ORDERED.sub(r"_\g<order>/\g<retriever>/", path)
    return f"{_REPOSITORY}/{commit}/RAG/LAMP/res_pkls/{path}"
