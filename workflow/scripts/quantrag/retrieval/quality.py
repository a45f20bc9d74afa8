"""Quality of rankings where the evidence is known, as trec_eval computes it (by `ir_measures`).

Every document that holds the answer is as relevant as any other. Järvelin and Kekäläinen 2002 for
nDCG; Voorhees 1999 for the reciprocal rank.
"""

import ir_measures
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

#: Columns, and the measures as `ir_measures` names them.
MEASURES = {
    **{f"recall_{k}": f"R@{k}" for k in (1, 3, 5, 10)},
    "mrr": "RR",
    "ndcg_10": "nDCG@10",
}


def per_query(run: pa.Table, queries: pa.Table) -> pd.DataFrame:
    """The measures of each query whose evidence is known.

    Args:
        run: a ranking for each query; one without rows has found nothing.
        queries: table with `query_id` and `evidence`.

    Returns:
        Float64 columns `MEASURES`, from 0 to 1, with the queries' ids as the index, in their order.
    """
    known = queries.filter(pc.greater(pc.list_value_length(queries["evidence"]), 0))
    qrels = known.select(["query_id", "evidence"]).to_pandas().explode("evidence")
    qrels = qrels.rename(columns={"evidence": "doc_id"}).drop_duplicates().assign(relevance=1)
    run = run.filter(pc.is_in(run["query_id"], known["query_id"].combine_chunks()))
    ranked = run.select(["query_id", "document_id", "rank"]).to_pandas()
    # trec_eval breaks ties by id: with the ranks as scores there are none, and our order counts.
    ranked = ranked.rename(columns={"document_id": "doc_id"}).assign(score=-ranked["rank"])
    measures = {name: ir_measures.parse_measure(text) for name, text in MEASURES.items()}
    names = {measure: name for name, measure in measures.items()}
    found = {name: {} for name in MEASURES}
    if len(qrels):
        for value in ir_measures.iter_calc(list(names), qrels, ranked):
            found[names[value.measure]][value.query_id] = value.value
    table = pd.DataFrame(found, index=known["query_id"].to_pylist(), dtype="float64")
    return table.fillna(0.0)
