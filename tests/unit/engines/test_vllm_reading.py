"""Likelihoods, from what vLLM says of an answer or of a prompt that it reads."""

from types import SimpleNamespace

from quantrag.engines.base import Continuation, Likelihood
from quantrag.engines.vllm_reading import Reading, known_from


def position(**logprobs):
    """What vLLM says of the tokens at a position, by their ids (`t7`)."""
    return {int(t[1:]): SimpleNamespace(logprob=value) for t, value in logprobs.items()}


def test_an_answer_says_how_likely_the_texts_are_that_it_goes_along_with():
    answer = SimpleNamespace(
        token_ids=[7, 8], logprobs=[position(t7=-0.5, t5=-1.0), position(t8=-0.25, t9=-2.0)]
    )
    texts = {"label": [5], "same": [7, 8], "parts": [7, 9, 9], "other": [7, 4], "more": [7, 8, 1]}
    known = known_from(answer, [Continuation(key, ids) for key, ids in texts.items()])
    assert known == {
        "label": Likelihood("label", [-1.0], [False]),
        "same": Likelihood("same", [-0.5, -0.25], [True, True]),
        # The first token where it parts is known, what follows it is not.
        "parts": Likelihood("parts", [-0.5, -2.0], [True, False]),
        "other": Likelihood("other", [-0.5], [True]),
        "more": Likelihood("more", [-0.5, -0.25], [True, True]),
    }


def test_a_reading_adds_what_the_answer_has_not_said():
    texts = [Continuation("a", [7, 9, 3]), Continuation("b", [7, 9, 4])]
    reading = Reading([1, 2], texts, Likelihood("", [-0.5], [True]))
    output = SimpleNamespace(
        prompt_logprobs=[None, None, None, position(t9=-1.5, t6=-0.5)],
        outputs=[SimpleNamespace(logprobs=[position(t3=-0.75, t4=-0.75, t8=-2.0)])],
    )
    assert list(reading.likelihoods(output)) == [
        # Equals are both the most likely.
        Likelihood("a", [-0.5, -1.5, -0.75], [True, False, True]),
        Likelihood("b", [-0.5, -1.5, -0.75], [True, False, True]),
    ]
    # The position of the first token that isn't known is the third.
    assert [reading.is_lost(cached) for cached in (0, 2, 3, 4)] == [False, False, True, True]
    closed = Reading([1, 2], [Continuation("c", [3])], Likelihood("", [], []))
    assert not closed.is_lost(2)
