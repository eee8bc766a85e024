"""One HTML page from a run directory; nothing is computed but its layout."""

from motiflens.report.page import write_report

__all__ = ["write_report"]
