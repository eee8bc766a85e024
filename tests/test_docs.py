"""Every command that a page shows is one that the command line takes."""

import re
import shlex
from pathlib import Path

import pytest

from motiflens.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> list[str]:
    """Collect the lines of code blocks that call motiflens, continued lines joined."""
    found = set()
    for page in PAGES:
        for block in re.findall(r"```[a-z]*\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL):
            lines = block.replace("\\\n", " ").splitlines()
            found |= {line.strip() for line in lines if re.match(r"\s*(motiflens|torchrun) ", line)}
    return sorted(found)


def test_pages_show_commands() -> None:
    assert len(commands()) > 10


@pytest.mark.parametrize("line", commands())
def test_a_shown_command_is_taken(line: str) -> None:
    words = shlex.split(line, comments=True)
    words = words[words.index("motiflens") + 1 :]
    if words == ["--help"]:
        return
    command, bound, _ = app.parse_args(words, print_error=False, exit_on_error=False)
    assert command.__name__ == words[0]
    assert bound.arguments
