"""Reviews: the text tells the sentiment, the person's scale tells the stars."""

from collections import Counter

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import RidgeClassifier

from quantrag.tasks.demo.reviews import PRODUCTS, SCALES, SENTIMENTS, fitting


def test_scales_never_fall_with_the_sentiment():
    for scale in SCALES.values():
        assert len(scale) == len(SENTIMENTS)
        assert scale == sorted(scale)
        assert set(scale) <= {1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    ("product", "phrases"),
    [
        ("kettle", ["It boils.", "It works."]),
        ("pan", ["It fries.", "It works."]),
        ("mug", ["It works."]),
    ],
)
def test_phrases_are_kept_for_the_products_that_they_name(product, phrases):
    stock = ["(kettle, pot) It boils.", "(pan) It fries.", "It works."]
    assert fitting(stock, product) == phrases


def test_every_phrase_suits_some_product_and_every_product_has_phrases():
    for kind, stock in PRODUCTS.items():
        usable = {
            t for p in stock["products"] for texts in stock.values() for t in fitting(texts, p)
        }
        for texts in stock.values():
            for text in texts:
                assert text.split(") ")[-1] in usable, (kind, text)
        for product in stock["products"]:
            assert all(len(fitting(texts, product)) >= 2 for texts in stock.values()), product


def test_sentiment_is_recoverable_and_the_reviewers_scale_helps(users):
    train, dev = users[3, "train"], users[3, "dev"]

    def rows(split):
        return [(t.text, int(t.target), SCALES[u.habit]) for u in split for t in u.profile]

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    x = vectorizer.fit_transform([text for text, _, _ in rows(train)])
    y = np.array([stars for _, stars, _ in rows(train)])
    x_dev = vectorizer.transform([text for text, _, _ in rows(dev)])
    y_dev = np.array([stars for _, stars, _ in rows(dev)])
    model = RidgeClassifier().fit(x, y)
    majority = np.mean(y_dev == Counter(y.tolist()).most_common(1)[0][0])
    accuracy = np.mean(model.predict(x_dev) == y_dev)
    assert accuracy > majority + 0.1

    # Guess the sentiment first, then read the stars off the reviewer's own scale.
    def sentiment(stars, scale):
        return int(np.argmin([abs(stars - value) for value in scale]))

    latent = np.array([sentiment(stars, scale) for _, stars, scale in rows(train)])
    model = RidgeClassifier().fit(x, latent)
    personal = [scale[s] for s, (_, _, scale) in zip(model.predict(x_dev), rows(dev), strict=True)]
    assert np.mean(np.array(personal) == y_dev) > accuracy + 0.1
