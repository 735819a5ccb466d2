"""pytest-socket: runs the tests of guarded_cases.py, and prints their outcomes."""

from pathlib import Path

from order import install, report

install("first")
import pytest
import pytest_socket  # noqa: F401

install("between")


class Outcomes:
    """Prints the outcome of each test."""

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.failed:
            print(report.nodeid.rpartition(":")[2], report.when, report.outcome, report.longreprtext if report.failed else "")


cases = str(Path(__file__).with_name("guarded_cases.py"))
plugins = [word for name in ("terminal", "cacheprovider", "xdist") for word in ("-p", f"no:{name}")]
print(int(pytest.main([*plugins, "-c", "/dev/null", "--disable-socket", cases], plugins=[Outcomes()])))
report()
