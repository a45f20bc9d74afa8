"""What the figures of the page are made of."""

from quantrag.presentation.report import views


def test_no_two_marks_look_alike():
    names = [f"kind_{i}" for i in range(20)]
    looks = views.marks("module", names, range(20))
    ranges = [looks[key].to_dict()["scale"]["range"] for key in ("color", "shape", "strokeDash")]
    assert (
        len({(color, shape, tuple(dash)) for color, shape, dash in zip(*ranges, strict=True)}) == 20
    )
    assert "stroke" not in ranges[1]  # a filled line of no area
