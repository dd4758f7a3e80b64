"""What tests of one package need of the machine: without it they are skipped; in continuous integration they fail."""

import os
import shutil

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("needs_kubectl") is None or shutil.which("kubectl"):
        return
    if os.environ.get("CI"):
        pytest.fail("there is no kubectl on the PATH, and CI must run every test")
    pytest.skip("there is no kubectl on the PATH")
