"""What the kernel says of the processor."""

from quantrag.runtime.cpu import cpu_name, flags


def test_flags_are_read_from_the_kernel(tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text("model name\t: A\nflags\t\t: fpu avx2\n\nflags\t\t: other\n")
    assert flags(path) == {"fpu", "avx2"}
    assert flags(tmp_path / "absent") == frozenset()


def test_a_processor_without_a_name_is_called_by_its_architecture(tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text("model name\t: AMD EPYC\nprocessor: 1\nmodel name\t: other\n")
    assert cpu_name(path) == "AMD EPYC"
    assert cpu_name(tmp_path / "absent")
