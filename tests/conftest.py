"""What all tests share: a count of those left out for want of data, and a GPU if there is one."""

from __future__ import annotations

import pytest
import torch

#: What every skip for want of ``../shared/data`` says.
SHARED_DATA = "the shared test data"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests a clone without the shared data leaves out."""
    skipped = terminalreporter.getreports("skipped")
    n = sum(SHARED_DATA in str(report.longrepr) for report in skipped)
    if n:
        terminalreporter.write_line(f"{n} skipped for want of ../shared/data", yellow=True)


@pytest.fixture(scope="session")
def cuda() -> torch.device:
    """Return the first GPU, or skip the test."""
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    return torch.device("cuda", 0)
