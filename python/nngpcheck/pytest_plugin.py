"""For pytest: the fixture `nngpcheck_seed`, and the option that sets it."""

import pytest


def pytest_addoption(parser):
    parser.addoption("--nngpcheck-seed", type=int, default=0, metavar="N",
                     help="seed of the networks that nngpcheck draws; default: 0")


@pytest.fixture
def nngpcheck_seed(request):
    """The seed for `nngpcheck.assert_kernel`: 0, or what --nngpcheck-seed says."""
    return request.config.getoption("--nngpcheck-seed")
