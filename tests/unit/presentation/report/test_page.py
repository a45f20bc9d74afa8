"""The report's page: what is embedded, what is escaped, how queries are drawn."""

import json
import re
from html.parser import HTMLParser

import altair as alt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import figure_tables
import report_experiment
from quantrag.errors import UserError
from quantrag.presentation.report import charts, explorer, page, record, views
from quantrag.presentation.report.assemble import make_report
from quantrag.tables import read_table, write_table

SMALL_SIZES = [(1, 1, 2, 2, 2), (1, 2, 3, 1, 2)]


class Reader(HTMLParser):
    """Collects what a browser would see as scripts, links to elsewhere and text."""

    def __init__(self, text):
        super().__init__()
        self.scripts, self.elsewhere, self.text, self._inside = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self._inside = tag
        if tag == "script":
            self.scripts.append([values.get("type"), values.get("class") or values.get("id"), ""])
        for name in ("src", "href", "action", "data"):
            if not (values.get(name) or "#").startswith(("#", "data:")):
                self.elsewhere.append(values[name])

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts[-1][2] += data
        elif self._inside != "style":
            self.text.append(data)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    return report_experiment.make(tmp_path_factory.mktemp("experiment"))


@pytest.fixture(scope="module")
def html(experiment):
    return make_report(*experiment)


@pytest.fixture(scope="module")
def seen(html):
    return Reader(html)


def data_of(seen, name):
    return [json.loads(text) for _, own, text in seen.scripts if own == name]


def test_nothing_is_loaded_from_elsewhere(html, seen):
    assert seen.elsewhere == []
    assert "default-src 'none'" in html
    assert "@import" not in html
    assert len(html) < 2_000_000


def test_data_cannot_become_markup(html, seen):
    """The answers and prompts of the experiment hold `</script>` and an image that fails."""
    kinds = [(kind, name) for kind, name, _ in seen.scripts]
    assert kinds == [
        ("application/json", "figures-data"),
        *[("application/json", "explorer-data")] * 2,
        ("application/json", "explorer-grid"),
        (None, None),
        (None, None),
    ]
    assert "<img src=x" not in html
    [first, _] = data_of(seen, "explorer-data")
    assert any(report_experiment.EVIL in text for text in first["pieces"])


def test_the_explorer_gives_prompts_and_answers_back(experiment, seen):
    files, _ = experiment
    [first, _] = data_of(seen, "explorer-data")
    [grid] = data_of(seen, "explorer-grid")
    pieces = first["pieces"]
    path = next(p for p in files.prompts if p.endswith("LaMP-3U/bm25.parquet"))
    prompts = pd.read_parquet(path).set_index(["query_id", "k"])
    path = next(p for p in files.completions if p.endswith("int4-awq/LaMP-3U/bm25/k3.parquet"))
    answers = pd.read_parquet(path).set_index("query_id")["text"]
    path = next(p for p in files.scores if p.endswith("int4-awq.parquet"))
    scores = pd.read_parquet(path)
    scores = scores[(scores["task"] == "LaMP-3U") & (scores["retriever"] == "bm25")]
    scores = scores[scores["k"] == "3"].set_index("query_id")
    cell = grid["cells"].index(["bm25", "3"])
    assert first["taken"] == first["total"] == 6
    for query in first["queries"]:
        (parts, tokens, documents, dropped, truncated), found = query["runs"][0][cell]
        row = prompts.loc[query["id"], "3"]
        assert "".join(pieces[i] for i in parts) == row["prompt"]
        assert [pieces[i] for i in documents] == list(row["document_ids"])
        assert (tokens, dropped, truncated) == (row["n_tokens"], 0, 0)
        piece, changed, valid, error = found[1]
        assert pieces[piece] == answers[query["id"]]
        own = scores.loc[query["id"]]
        assert (valid, error) == (own["valid"], own["absolute_error"])
        assert found[0][1] == 0
        assert isinstance(changed, int)


def test_what_is_shared_is_stored_once(seen):
    for task in data_of(seen, "explorer-data"):
        assert len(set(task["pieces"])) == len(task["pieces"])


def test_a_flip_is_an_answer_with_another_key(experiment, seen):
    files, _ = experiment
    [_, second] = data_of(seen, "explorer-data")
    [grid] = data_of(seen, "explorer-grid")
    base, other = (
        pd.read_parquet(next(p for p in files.scores if p.endswith(f"{name}.parquet")))
        for name in ("fp16", "int4-awq")
    )
    keys = ["task", "retriever", "k", "query_id"]
    merged = base.merge(other, on=keys, suffixes=("", "_other"))
    merged = merged[merged["task"] == "LaMP-5U"]
    flips = (merged["flip_key"] != merged["flip_key_other"]).sum()
    runs = [query["runs"][0][i] for query in second["queries"] for i in range(len(grid["cells"]))]
    assert sum(answers[1][1] for _, answers in runs) == flips


def test_a_small_budget_gives_a_stated_sample_and_names_are_escaped(experiment, monkeypatch):
    monkeypatch.setattr(explorer, "BUDGET", 8_000)
    files, config = experiment
    text = make_report(files, {**config, "experiment": "</title><img src=x>"})
    assert "</title><img" not in text
    assert "&lt;/title&gt;&lt;img src=x&gt;" in text
    tasks = data_of(Reader(text), "explorer-data")
    assert [task["total"] for task in tasks] == [6, 6]
    assert all(0 < task["taken"] < 6 for task in tasks), [task["taken"] for task in tasks]
    assert "of 6 queries are here, drawn at random (seed 0)" in text
    for task in tasks:
        used = {i for q in task["queries"] for run in q["runs"] for p, _ in run for i in p[0]}
        assert max(used) < len(task["pieces"])
        assert len(explorer.to_json(task)) < 5_500


def test_samples_are_random_repeatable_and_nested():
    ids = [str(i) for i in range(1000)]
    sample = explorer.draw_sample(ids, 3)
    assert len(set(sample)) == explorer.MOST_QUERIES
    assert sample == explorer.draw_sample(ids, 3)
    assert sample[:50] == explorer.draw_sample(ids, 3, 50)
    assert sample != explorer.draw_sample(ids, 4)
    assert sorted(sample) != sample


@given(st.text(alphabet="ab\n, d"), st.sampled_from(["", "\n", ", and ", "a", ", "]))
def test_pieces_give_the_prompt_back(text, separator):
    parts = explorer.cut(text, separator)
    assert "".join(parts) == text
    assert all(parts)


@given(st.text())
def test_json_in_a_script_is_the_same_value(text):
    written = explorer.to_json({"a": [text]})
    assert json.loads(written) == {"a": [text]}
    assert not set("<>&") & set(written)


@pytest.mark.parametrize("size", SMALL_SIZES, ids=str)
def test_specifications_are_valid_and_complete(size):
    tables = figure_tables.make(*size)
    if size[3] == 1:
        del tables["retrievers"]
    found = charts.figures(tables, 0.95)
    names = ["k_sweep", "quantization_gap", "forest", "flips", "quality_cost"]
    names += ["retrievers"] * (size[3] > 1) + ["checkpoints"]
    assert [figure.name for figure in found] == names
    for figure in found:
        for view in figure.views:
            alt.Chart.from_dict(view.spec)  # checks against Vega-Lite's schema
            assert view.rows
            assert view.description.endswith(".")
            json.dumps(view.rows, allow_nan=False)
    sweep = found[0].views[0]
    cells = size[1] * size[2] * size[3] * size[4]
    assert len(sweep.rows) == cells
    scores = tables["scores"]
    row = scores[(scores["task"] == "LaMP-3U") & (scores["metric"] == "mae")].iloc[0]
    assert sweep.rows[0]["value"] == pytest.approx(row["value"], rel=1e-5)


def test_only_the_baseline_has_no_figures_of_differences():
    tables = figure_tables.make(1, 1, 2, 1, 3, noise=False)
    tables["comparisons"] = tables["comparisons"].iloc[:0]
    tables["scores"] = tables["scores"][tables["scores"]["precision"] == "fp16"]
    del tables["retrievers"]
    tables["checkpoints"] = tables["checkpoints"][tables["checkpoints"]["precision"] == "fp16"]
    assert [f.name for f in charts.figures(tables, 0.95)] == ["k_sweep", "quality_cost"]


def test_the_errors_of_layers_are_a_line_for_each_module():
    tables = figure_tables.make(1, 2, 3, 1, 2)
    figure = charts.figures(tables, 0.95)[-1]
    assert [view.label for view in figure.views] == [
        "Relative error of the weights",
        "Relative error of the outputs",
    ]
    table = tables["checkpoints"]
    layers = table[table["layer"].notna()]
    assert len(figure.views[0].rows) == len(layers) == 2 * 2 * 32 * 7
    row = figure.views[1].rows[0]
    assert row["panel"] == f"{layers['model'].iloc[0]}, INT4 AWQ"
    assert (row["layer"], row["module"]) == (0, "q_proj")
    assert row["value"] == pytest.approx(layers["output_error"].iloc[0], rel=1e-5)
    largest = layers.loc[layers["weight_error"].idxmax()]
    assert f"Largest: {largest['weight_error']:.3g}, {largest['module']} of layer" in (
        figure.views[0].description
    )


def test_experts_of_a_layer_are_one_point():
    table = figure_tables.make(1, 1, 2, 1, 2)["checkpoints"]
    layers = table[table["layer"].notna()]
    experts = pd.concat([table, layers.assign(weight_error=3 * layers["weight_error"])])
    figure = charts.figures({**figure_tables.make(1, 1, 2, 1, 2), "checkpoints": experts}, 0.95)[-1]
    assert len(figure.views[0].rows) == len(layers)
    assert figure.views[0].rows[0]["value"] == pytest.approx(
        2 * layers["weight_error"].iloc[0], rel=1e-5
    )


def test_no_two_marks_look_alike():
    names = [f"kind_{i}" for i in range(20)]
    looks = views.marks("module", names, range(20))
    ranges = [looks[key].to_dict()["scale"]["range"] for key in ("color", "shape", "strokeDash")]
    assert (
        len({(color, shape, tuple(dash)) for color, shape, dash in zip(*ranges, strict=True)}) == 20
    )
    assert "stroke" not in ranges[1]  # a filled line of no area


def test_the_table_of_checkpoints_leaves_layers_to_the_figure():
    table = figure_tables.make(1, 1, 2, 1, 2)["checkpoints"]
    shown = page._table("checkpoints", table)
    assert len(shown["rows"]) == 2
    assert [row[0]["text"] for row in shown["rows"]] == ["Llama-2-7b-chat"] * 2
    labels = [column["label"] for column in shown["columns"]]
    assert shown["rows"][0][labels.index("all weights (GiB)")]["text"] == "13.039"
    assert shown["rows"][0][labels.index("error of weights")]["text"] == "–"
    head = table.iloc[[1]].assign(layer=float("nan"), module="lm_head")
    assert len(page._table("checkpoints", pd.concat([table, head]))["rows"]) == 2


def test_the_runtime_cannot_end_its_script():
    code = page._runtime()
    assert "vegaEmbed" in code
    assert not re.search("</script", code, re.IGNORECASE)


def test_the_rule_lists_every_asset(root):
    rule = (root / "workflow" / "rules" / "report.smk").read_text()
    listed = re.search(r"asset=\[(.*?)\]", rule, re.DOTALL)[1]
    assert tuple(re.findall('"([^"]+)"', listed)) == page.ASSETS
    assert sorted(page.ASSETS) == sorted(path.name for path in page.FOLDER.iterdir())


def test_what_was_left_out_of_a_task_is_said(tmp_path):
    files, config = report_experiment.make(tmp_path)
    assert "left out" not in make_report(files, config)
    path = files.queries["LaMP-5U"]
    records = {"empty_profiles": 3, "dropped": {"questions": [2, 2500]}}
    write_table(read_table(path), path, {"records": json.dumps(records)})
    html = make_report(files, config)
    assert "LaMP-5U: the profiles of 3 queries are empty" in html
    assert "LaMP-5U: 2 of 2,500 questions were unusable and left out." in html


def test_provenance_says_where_the_numbers_come_from(seen):
    text = " ".join(seen.text)
    for words in ("0123456789abcdef" * 4, "d" * 40, "revision " + "c" * 40, "torch 2", "a GPU"):
        assert words in text
    assert "not measured" in text
    assert "max_new_tokens 64" in text
    assert "stop_token_ids" not in text


def test_times_are_summed_by_rule(tmp_path):
    assert record.rule_times(tmp_path) == []
    for name, seconds in (("a/x", 2.0), ("a/y", 3.0), ("b", 1.0)):
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"s\tmax_rss\n{seconds}\t-\n")
    first, second = record.rule_times(tmp_path)
    assert (first["rule"], first["jobs"], first["seconds"], first["longest"]) == ("a", 2, 5, 3)
    assert second["rule"] == "b"


def test_completions_without_provenance_are_refused(experiment, tmp_path):
    path = tmp_path / "k1.parquet"
    write_table(pd.DataFrame({"query_id": ["1"]}), path)
    with pytest.raises(UserError, match="no provenance"):
        record.run_records([path], experiment[0].costs[:1])
