"""nbval on the solutions, made strict: what it lets pass in silence fails here.

A cell after a dead kernel is only an expected failure to nbval, and an unknown magic prints a
UsageError without raising.
"""

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" and item.nodeid.split("::")[0].endswith(".ipynb"):
        if report.outcome == "skipped":
            report.outcome = "failed"
            report.longrepr = f"{item.name} did not run: {report.wasxfail}"
            del report.wasxfail
        elif "UsageError" in str(getattr(item, "test_outputs", "")):
            report.outcome = "failed"
            report.longrepr = f"{item.name} printed a UsageError: {item.test_outputs}"
    return report
