"""What the site shows and the repository does not hold: notebooks that were run, finished reports.

Hooks of MkDocs. What has not been made is left out, or shown as it is, so that the site builds with
every link whole: notebooks are then pages of code, and the list of reports says how to make them.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))

from scripts.notebooks import SOURCE, files_of  # noqa: E402
from scripts.site_reports import REPORTS, Finished, page_of  # noqa: E402

RUN = ROOT / "runs" / "site" / "notebooks"
LIST = "<!-- reports -->"


def on_files(files: Files, *, config: Any) -> Files:
    """Add the notebooks, as they were run if they were, and the reports that are there."""
    for path in sorted(SOURCE.glob("*.py")):
        for name, content in notebook(path).items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    for name in REPORTS:
        if page_of(name).exists():
            made = File.generated(config, f"reports/{name}.html", abs_src_path=str(page_of(name)))
            files.append(made)
    return files


def notebook(path: Path) -> dict[str, str]:
    """Return the files of a notebook: of its run, unless it was changed since."""
    names = [f"{path.stem}.ipynb", f"{path.stem}.md"]
    made = [RUN / name for name in names]
    if all(one.exists() and one.stat().st_mtime >= path.stat().st_mtime for one in made):
        return {one.name: one.read_text(encoding="utf-8") for one in made}
    return files_of(path, run=False)


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """List the finished reports on the page that has a place for them."""
    if LIST not in markdown:
        return markdown
    made = [
        f"- **[{report.title}](reports/{name}.html)**. {report.text} "
        f"`motiflens {command_of(report)}`"
        for name, report in REPORTS.items()
        if page_of(name).exists()
    ]
    return markdown.replace(LIST, "\n".join(made) or "None was built with these pages.")


def command_of(report: Finished) -> str:
    """Return a command without the folders of its files."""
    return shlex.join(word.rpartition("/")[2] for word in report.command.split())
