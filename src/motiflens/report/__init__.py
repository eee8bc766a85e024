"""One HTML page from a run directory; nothing is computed but its layout."""

from motiflens.report.page import write_report
from motiflens.report.pair import write_pair

__all__ = ["write_pair", "write_report"]
