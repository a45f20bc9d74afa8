"""What the tests of publication tables share."""

from quantrag.presentation.criteria import Criteria

CRITERIA = Criteria(confidence=0.95, margin=0.02, power=0.8)
PAPER = (2, 6, 2, 3, 6)


def cells(table, group=0):
    """The texts of a group of rows."""
    return [[cell.text for cell in row] for row in table.groups[group].rows]
