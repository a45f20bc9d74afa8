"""A small experiment and its page."""

import pytest

import report_experiment
from quantrag.presentation.report.assemble import make_report
from report_page import Reader


@pytest.fixture(scope="session")
def experiment(tmp_path_factory):
    return report_experiment.make(tmp_path_factory.mktemp("experiment"))


@pytest.fixture(scope="session")
def html(experiment):
    return make_report(*experiment)


@pytest.fixture(scope="session")
def seen(html):
    return Reader(html)
