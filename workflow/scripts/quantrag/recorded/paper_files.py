"""Where the files of the paper's authors are; light, for the Snakefile."""

#: The LaMP task of each data set's folder.
TASKS = {"D3": 3, "D5": 5}
_COMMIT = "64b014774e461a712c36daf11ea55f0c2fae29db"
#: At that commit one cell is missing; here it still is.
_ELSEWHERE = {
    "D3/dev/Kmax/contriever/OPENCHAT-3.5-4K.pkl": "6bc9ad2617dd96f72696005ab30cb345849deae1",
}


def url_of(file: str) -> str:
    """Where one of their files is downloaded from.

    Args:
        file: its path below `res_pkls`.
    """
    commit = _ELSEWHERE.get(file, _COMMIT)
    return f"https://raw.githubusercontent.com/myazann/RAG/{commit}/RAG/LAMP/res_pkls/{file}"
