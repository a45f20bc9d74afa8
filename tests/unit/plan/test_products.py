"""Which tables and figures an experiment has."""

from quantrag.plan.products import ProductPlan
from shipped_experiments import experiment

ONE = {
    "precisions": {"bf16": {"method": "none"}},
    "retrievers": {"bm25": {"kind": "lucene"}},
}


def test_every_product_has_all_its_formats():
    products = ProductPlan(experiment(), quantizes=True)
    assert "<results>/tables/comparisons.csv" in products.tables
    for kind in ("pdf", "svg", "png"):
        assert f"<results>/figures/k_sweep.{kind}" in products.figures
    for kind in ("tex", "md", "html"):
        assert f"<results>/tables/main.{kind}" in products.publications


def test_what_has_nothing_to_show_is_left_out():
    every, one = (ProductPlan(experiment(**c), quantizes=bool(not c)) for c in ({}, ONE))
    assert set(one.figures) < set(every.figures)
    assert "<results>/tables/retrievers.csv" in every.tables
    assert "<results>/tables/retrievers.csv" not in one.tables
    assert "<results>/figures/forest.pdf" not in one.figures


def test_a_figure_depends_on_its_tables_and_has_a_label():
    products = ProductPlan(experiment(statistics={"confidence": 0.9}), quantizes=True)
    assert products.tables_of_figure("forest")["comparisons"] == "<results>/tables/comparisons.csv"
    assert products.tables_of_publication("costs") == {"costs": "<results>/tables/costs.csv"}
    [(kind, title)] = products.figure_label("forest").items()
    assert kind == "Figure"
    assert title
    assert products.publication_label("main").keys() == {"Table"}
    assert "90" in products.figure_caption("quantization_gap")


def test_evidence_is_compared_where_questions_share_a_corpus():
    plain, of_corpus = (ProductPlan(experiment(), corpora=corpora) for corpora in (False, True))
    added = set(of_corpus.tables) - set(plain.tables)
    assert added == {f"<results>/tables/{name}.csv" for name in ("evidence", "retrieval")}
    assert "<results>/figures/evidence.svg" in set(of_corpus.figures) - set(plain.figures)
