"""The tokens by which texts are compared, in any script."""

import re
import string
import unicodedata

#: Scripts written without spaces between words, for a set in a regular expression: Thai, Lao,
#: Tibetan, Myanmar, Khmer; kana, CJK. Each of their characters is a token, as usual for Chinese and
#: Japanese (sacrebleu's "zh", mT5's ROUGE).
UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_UNSPACED = re.compile(f"[{UNSPACED}]")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def tokens_by_script(text: str) -> list[str]:
    """Tokens of a text in any script.

    Words are letters, marks and digits in a row, without regard to case; where a script has no
    spaces, each character (with its marks) is a token. A text without any letter or digit (emoji)
    is its symbols.
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    tokens: list[str] = []
    inside = False  # whether the last token is a word that may go on
    for character in text:
        category = unicodedata.category(character)[0]
        if category == "M" and inside:
            tokens[-1] += character
        elif _UNSPACED.match(character) and category in "LMN":
            tokens.append(character)
            inside = True
        elif category in "LMN":
            if inside and not _UNSPACED.match(tokens[-1]):
                tokens[-1] += character
            else:
                tokens.append(character)
            inside = True
        else:
            inside = False
    return tokens or [c for c in text if not c.isspace()]


def squad_tokens(text: str, gold: str | None = None) -> list[str]:
    """The words that are left of a short answer after SQuAD's normalization.

    Lower case, without ASCII punctuation and the articles a, an, the; by white space (Rajpurkar et
    al. 2016, arXiv 1606.05250, section 6.1, and its evaluation script). Where the gold has
    characters of a script without spaces, tokens by script, as in MLQA's evaluation for Chinese
    (Lewis et al. 2020, arXiv 1910.07475).

    A gold of nothing but articles and punctuation ("A", "%") would equal an empty answer, and
    SQuAD's evaluation leaves it out; here both keep their articles then, or, if that isn't
    enough, their punctuation too.

    Args:
        text: the answer, or a gold.
        gold: what it is compared with; None is the text itself.
    """
    gold = text if gold is None else gold
    tokenize = tokens_by_script if _UNSPACED.search(gold) else str.split
    for normalize in (_without_articles, _without_punctuation):
        if tokenize(normalize(gold)):
            return tokenize(normalize(text))
    return tokenize(text.lower())


def _without_articles(text: str) -> str:
    return _ARTICLES.sub(" ", _without_punctuation(text))


def _without_punctuation(text: str) -> str:
    return text.lower().translate(_PUNCTUATION)
