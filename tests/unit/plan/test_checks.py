"""A precision that this machine's processor cannot run is refused before any job."""

import pytest
import yaml

from quantrag.errors import UserError
from quantrag.plan.checks import check_processor
from quantrag.plan.plan import Plan
from shipped_experiments import ROOT, SCRIPTS, experiment

MORE = yaml.safe_load((ROOT / "config" / "precisions-avx512.yaml").read_text())["precisions"]


@pytest.mark.parametrize("precision", ["int4-awq", "kv-fp8"])
def test_what_needs_avx512_is_refused_without_it(precision):
    plan = Plan(experiment(precisions={"bf16": {"method": "none"}, **MORE}), SCRIPTS)
    with pytest.raises(UserError, match=rf"^precisions\.{precision}: .*AVX-512"):
        check_processor(plan, ["bf16", precision], {"avx2"})
    check_processor(plan, ["bf16"], {"avx2"})
    check_processor(plan, [precision], {"avx2", "avx512f"})
    # Where nothing is known of the processor nothing is refused.
    check_processor(plan, [precision], frozenset())


def test_on_a_gpu_the_processor_does_not_matter():
    precisions = {"bf16": {"method": "none"}, **MORE}
    plan = Plan(experiment(precisions=precisions, generation={"device": "cuda"}), SCRIPTS)
    check_processor(plan, precisions, {"avx2"})
