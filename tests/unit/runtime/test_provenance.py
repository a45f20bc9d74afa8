"""What is recorded of the software that answered, and hashes of it."""

import hashlib
from importlib import metadata

from quantrag.runtime import provenance, telemetry
from quantrag.runtime.cpu import cpu_name


def test_a_hash_is_of_the_content_whatever_the_order_of_its_keys():
    expected = hashlib.sha256(b'{"a":[1,2],"b":{"c":null,"d":"x"}}').hexdigest()[:32]
    assert provenance.content_hash({"b": {"d": "x", "c": None}, "a": [1, 2]}) == expected
    assert provenance.content_hash({"a": [2, 1], "b": {"c": None, "d": "x"}}) != expected


def test_only_installed_packages_have_a_version(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("pytest", "no-such-package"))
    assert provenance.package_versions() == {"pytest": metadata.version("pytest")}


def test_the_device_is_the_processor_unless_cuda_is_asked_for(monkeypatch):
    card = {"name": "NVIDIA H200", "driver": "570.1"}
    monkeypatch.setattr(telemetry, "gpu_description", lambda: card)
    environment = provenance.environment("cpu")
    assert (environment["device"], environment["driver"]) == (cpu_name(), None)
    environment = provenance.environment("cuda")
    assert (environment["device"], environment["driver"]) == ("NVIDIA H200", "570.1")
    # Where the driver says nothing, the processor is all that is known.
    monkeypatch.setattr(telemetry, "gpu_description", lambda: None)
    assert provenance.environment("cuda")["device"] == cpu_name()
