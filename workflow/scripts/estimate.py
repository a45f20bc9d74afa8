"""Print what the experiment will cost, before anything is spent."""

import sys
from pathlib import Path

from quantrag.config.files import read_mapping
from quantrag.errors import UserError
from quantrag.estimate.terminal import estimate

# Printed, not logged: it is read on the terminal. So it isn't run as the other scripts are.
try:
    facts = read_mapping(snakemake.params.facts)
    text = estimate(
        snakemake.params.config,
        facts,
        Path(snakemake.params.results),
        Path(snakemake.params.resources),
    )
except UserError as error:
    sys.exit(f"error: {error}")
Path(snakemake.log[0]).write_text(text + "\n", encoding="utf-8")
print(f"\n{text}\n")
