"""What a model's folder says of its pooling and prompts is followed, or refused, never ignored."""

import json

import pytest

from quantrag.errors import UserError
from quantrag.retrieval.sentence_transformers import pooling, prefix, stated_length

CLS = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
MEAN = {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}


def write(folder, pooling=None, prompts=None, place="1_Pooling", **more):
    if pooling is not None:
        (folder / place).mkdir()
        (folder / place / "config.json").write_text(json.dumps(pooling))
        modules = [
            {"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "path": place, "type": "sentence_transformers.models.Pooling"},
        ]
        (folder / "modules.json").write_text(json.dumps(modules))
    if prompts is not None:
        stated = {"prompts": prompts, **more}
        (folder / "config_sentence_transformers.json").write_text(json.dumps(stated))
    return folder


@pytest.mark.parametrize(
    ("stated", "taken"),
    [
        (None, "mean"),
        ({}, "mean"),
        (MEAN, "mean"),
        (CLS, "cls"),
        ({"pooling_mode": "cls"}, "cls"),
        ({"pooling_mode": ["mean"]}, "mean"),
    ],
)
@pytest.mark.parametrize("place", ["1_Pooling", "2_Pooling"])
def test_what_the_config_leaves_open_is_the_models(tmp_path, stated, taken, place):
    folder = write(tmp_path, stated, place=place)
    assert pooling(folder, None) == taken
    assert pooling(folder, taken) == taken


@pytest.mark.parametrize(
    ("stated", "asked"), [(CLS, "mean"), (CLS, "pooler"), (MEAN, "cls"), (MEAN, "pooler")]
)
def test_another_pooling_than_the_models_is_refused(tmp_path, stated, asked):
    folder = write(tmp_path, stated)
    with pytest.raises(UserError, match=rf"says pooling: {asked}, but the model was trained with"):
        pooling(folder, asked)


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ({"pooling_mode_lasttoken": True}, "lasttoken"),
        ({"pooling_mode_max_tokens": True}, "max"),
        ({"pooling_mode_weightedmean_tokens": True}, "weightedmean"),
        ({"pooling_mode_mean_sqrt_len_tokens": True}, "mean_sqrt_len_tokens"),
        ({**MEAN, "pooling_mode_cls_token": True}, "cls and mean"),
        ({"pooling_mode": "lasttoken"}, "lasttoken"),
    ],
)
@pytest.mark.parametrize("asked", [None, "mean"])
def test_a_pooling_that_is_not_supported_is_refused(tmp_path, stated, name, asked):
    with pytest.raises(UserError, match=rf"pools its tokens by {name}, which is not supported"):
        pooling(write(tmp_path, stated), asked)


def test_dprs_pooled_output_is_its_first_token(tmp_path):
    folder = write(tmp_path, CLS)
    assert pooling(folder, "pooler", pooler_is_cls=True) == "pooler"


@pytest.mark.parametrize(
    ("prompts", "more", "query", "document"),
    [
        (None, {}, "", ""),
        ({}, {}, "", ""),
        ({"query": "query: ", "document": "passage: "}, {}, "query: ", "passage: "),
        ({"query": "query: ", "passage": "passage: "}, {}, "query: ", "passage: "),
        ({"query": "q: ", "document": ""}, {}, "q: ", ""),
        ({"all": "read: "}, {"default_prompt_name": "all"}, "read: ", "read: "),
        ({"query": "q: ", "all": "a: "}, {"default_prompt_name": "all"}, "q: ", "a: "),
    ],
)
def test_the_models_own_prompts_are_taken(tmp_path, prompts, more, query, document):
    folder = write(tmp_path, MEAN, prompts, **more)
    assert (prefix(folder, None, "query"), prefix(folder, None, "document")) == (query, document)


def test_a_prompt_that_the_config_overrules_is_mentioned(tmp_path, caplog):
    folder = write(tmp_path, MEAN, {"query": "query: "})
    assert prefix(folder, "", "query") == ""
    assert "its own prompt for a query is 'query: ', the config's query_prefix is ''" in caplog.text


def test_prompts_for_other_purposes_are_mentioned(tmp_path, caplog):
    folder = write(tmp_path, MEAN, {"s2s": "Find similar: "})
    assert prefix(folder, None, "query") == ""
    assert "names prompts (s2s), but none for a query; set query_prefix" in caplog.text


def test_a_prompt_that_is_not_pooled_is_refused(tmp_path):
    folder = write(tmp_path, {**MEAN, "include_prompt": False}, {"query": "query: "})
    with pytest.raises(UserError, match="include_prompt"):
        prefix(folder, None, "query")
    assert prefix(folder, None, "document") == ""


def test_a_malformed_file_is_named(tmp_path):
    folder = write(tmp_path, MEAN)
    (folder / "1_Pooling" / "config.json").write_text("{")
    with pytest.raises(UserError, match=r"1_Pooling/config\.json: not valid JSON"):
        pooling(folder, None)
    (folder / "sentence_bert_config.json").write_text("[]")
    with pytest.raises(UserError, match=r"sentence_bert_config\.json: a JSON object"):
        stated_length(folder)
