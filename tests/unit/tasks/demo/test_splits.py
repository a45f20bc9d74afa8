"""The demo set: LaMP's layout, varied and readable texts, habits that help who sees them."""

import hashlib
import json
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from demo_texts import all_texts
from quantrag.errors import UserError
from quantrag.tasks.demo.papers import ABSTRACT_WORDS
from quantrag.tasks.demo.reviews import REVIEW_WORDS
from quantrag.tasks.demo.splits import demo_split, demo_users, write_split
from quantrag.tasks.lamp_reader import read_task

LAMPS = (3, 5)


# --- layout ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lamp", LAMPS)
def test_files_read_back_through_the_common_reader(tmp_path, lamp, users):
    write_split(*demo_split(lamp, "dev"), tmp_path / "a" / "q.json", tmp_path / "a" / "o.json")
    queries, documents = read_task(tmp_path / "a" / "q.json", tmp_path / "a" / "o.json", lamp)
    expected = users[lamp, "dev"]
    assert queries["query_id"].to_pylist() == [user.user_id for user in expected]
    assert queries["query_text"].to_pylist() == [user.query.text for user in expected]
    assert queries["golds"].to_pylist() == [[user.query.target] for user in expected]
    assert documents["text"].to_pylist() == [d.text for user in expected for d in user.profile]
    assert documents["target"].to_pylist() == [d.target for user in expected for d in user.profile]
    # Document ids repeat between users, as in LaMP, so that nobody may take them for unique keys.
    assert len(set(documents["document_id"].to_pylist())) < len(documents)


def test_keys_of_the_profiles():
    for lamp, keys in ((3, {"id", "text", "score"}), (5, {"id", "title", "abstract"})):
        questions, outputs = demo_split(lamp, "dev", n_users=2)
        assert {frozenset(d) for q in questions for d in q["profile"]} == {frozenset(keys)}
        assert set(questions[0]) == {"id", "input", "profile"}
        assert outputs["task"] == f"LaMP_{lamp}"


@pytest.mark.parametrize("lamp", LAMPS)
def test_default_sizes(users, lamp):
    for split in ("train", "dev"):
        sizes = [len(user.profile) for user in users[lamp, split]]
        assert len(sizes) == 24
        assert min(sizes) >= 8
        assert max(sizes) <= 40
        assert max(sizes) - min(sizes) > 10


@pytest.mark.parametrize("lamp", LAMPS)
def test_splits_share_neither_users_nor_texts(users, lamp):
    train, dev = users[lamp, "train"], users[lamp, "dev"]
    assert not {u.user_id for u in train} & {u.user_id for u in dev}
    assert not {t.text for t in all_texts(train)} & {t.text for t in all_texts(dev)}


@pytest.mark.parametrize("lamp", LAMPS)
def test_no_text_twice(users, lamp):
    texts = [text.text for text in all_texts(users[lamp, "dev"])]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("lamp", LAMPS)
def test_same_arguments_same_data(lamp):
    once = json.dumps(demo_split(lamp, "dev", 5, (3, 9), seed=4))
    assert json.dumps(demo_split(lamp, "dev", 5, (3, 9), seed=4)) == once
    assert json.dumps(demo_split(lamp, "dev", 5, (3, 9), seed=5)) != once
    more = demo_split(lamp, "dev", 8, (3, 9), seed=4)
    assert json.dumps(more[0][:5]) == json.dumps(json.loads(once)[0])


@pytest.mark.parametrize(("lamp", "digest"), [(3, "7c44a86578d43891"), (5, "e707a1a3f318fe26")])
def test_the_texts_are_those_of_every_earlier_version(lamp, digest):
    """Another order of phrases changes them too, and with them all results of the demo."""
    written = json.dumps(demo_split(lamp, "dev")).encode()
    assert hashlib.sha256(written).hexdigest()[:16] == digest


@pytest.mark.parametrize("lamp", [1, 2, 4, 7])
def test_other_tasks_have_no_demo_set(lamp):
    with pytest.raises(UserError, match="Allowed: 3, 5"):
        demo_users(lamp, "dev")


def test_profile_sizes_in_the_wrong_order():
    with pytest.raises(UserError, match="smallest_profile is 9"):
        demo_users(3, "dev", profile_sizes=(9, 8))


# --- texts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("lamp", "limits"), [(3, REVIEW_WORDS), (5, ABSTRACT_WORDS)])
def test_lengths(users, lamp, limits):
    lengths = [len(text.text.split()) for text in all_texts(users[lamp, "dev"])]
    assert limits[0] <= min(lengths)
    assert max(lengths) <= limits[1]


def distinct_trigrams(texts):
    counts = Counter()
    for text in texts:
        words = text.lower().split()
        counts.update(zip(words, words[1:], words[2:], strict=False))
    return len(counts) / counts.total()


@pytest.mark.parametrize(("lamp", "in_profile", "in_split"), [(3, 0.65, 0.30), (5, 0.70, 0.35)])
def test_texts_differ(users, lamp, in_profile, in_split):
    """For comparison: abstracts of real authors reach 0.8 over as many documents."""
    dev = users[lamp, "dev"]
    assert distinct_trigrams([text.text for text in all_texts(dev)]) > in_split
    profiles = [distinct_trigrams([text.text for text in user.profile]) for user in dev]
    assert np.mean(profiles) > in_profile
    vocabulary = {
        word for text in all_texts(dev) for word in re.findall(r"[a-z]+", text.text.lower())
    }
    assert len(vocabulary) > 1000
    if lamp == 5:
        titles = [text.target for text in all_texts(dev)]
        assert len(set(titles)) > 0.95 * len(titles)


BROKEN = re.compile(
    r"[{}|\[\]()]|  |\b[Aa] [aeio]\w|\b[Aa]n [bcdfgjklmnpqrstvwxyz]\w|\b(\w+) \1\b| [,.;:?!]|\.\."
    r"|(?<![A-Za-z])[.,](?=[A-Za-z])",
)


@pytest.mark.parametrize("lamp", LAMPS)
def test_no_broken_text(users, lamp):
    for text in all_texts(users[lamp, "train"]) + all_texts(users[lamp, "dev"]):
        for string in (text.text, text.target):
            found = BROKEN.search(string)
            assert found is None, (found, string)
        assert text.text[-1] in ".!?", text.text
        for before, after in pairwise(re.split(r"(?<=[.?!]) ", text.text)):
            assert after[0].isupper() or not before, text.text


# --- habits and signals ----------------------------------------------------------------------


@pytest.mark.parametrize("lamp", LAMPS)
def test_retrieval_finds_documents_of_the_querys_topic(users, lamp):
    found, chance = [], []
    for user in users[lamp, "dev"]:
        topics = [text.topic for text in user.profile]
        assert 2 <= len({*topics, user.query.topic}) <= 3
        assert user.query.topic in topics
        vectors = TfidfVectorizer().fit_transform([t.text for t in (user.query, *user.profile)])
        best = np.argsort(-(vectors[1:] @ vectors[0].T).toarray().ravel(), kind="stable")[:3]
        found.append(np.mean([topics[i] == user.query.topic for i in best]))
        chance.append(np.mean([topic == user.query.topic for topic in topics]))
    assert 0.2 < np.mean(chance) < 0.6
    assert np.mean(found) > np.mean(chance) + 0.25
