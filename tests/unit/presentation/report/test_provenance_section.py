"""Where the numbers come from."""

import pandas as pd
import pytest

from quantrag.errors import UserError
from quantrag.presentation.report import provenance_section
from quantrag.tables import write_table


def test_provenance_says_where_the_numbers_come_from(seen):
    text = " ".join(seen.text)
    for words in ("0123456789abcdef" * 4, "d" * 40, "revision " + "c" * 40, "torch 2", "a GPU"):
        assert words in text
    assert "not measured" in text
    assert "max_new_tokens 64" in text
    assert "stop_token_ids" not in text


def test_times_are_summed_by_rule(tmp_path):
    assert provenance_section.rule_times(tmp_path) == []
    for name, seconds in (("a/x", 2.0), ("a/y", 3.0), ("b", 1.0)):
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"s\tmax_rss\n{seconds}\t-\n")
    first, second = provenance_section.rule_times(tmp_path)
    assert (first["rule"], first["jobs"], first["seconds"], first["longest"]) == ("a", 2, 5, 3)
    assert second["rule"] == "b"


def test_completions_without_provenance_are_refused(experiment, tmp_path):
    path = tmp_path / "k1.parquet"
    write_table(pd.DataFrame({"query_id": ["1"]}), path)
    with pytest.raises(UserError, match="no provenance"):
        provenance_section.run_records([path], experiment[0].costs[:1])
