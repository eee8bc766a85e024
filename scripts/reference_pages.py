"""Write what of the reference pages is made from the code: ``python -m scripts.reference_pages``.

``docs/reference/command-line.md`` is the help of the application, and the table of a run's files
in ``docs/reference/files.md`` is the list that the code itself reads. A test compares them.
"""

from __future__ import annotations

import re
from pathlib import Path

from motiflens.cli.app import COMMANDS, app
from motiflens.results import table_of_files

ROOT = Path(__file__).parents[1]
COMMAND_LINE = ROOT / "docs" / "reference" / "command-line.md"
FILES = ROOT / "docs" / "reference" / "files.md"
START, END = "<!-- files of a run -->\n", "<!-- end of files of a run -->\n"

INTRODUCTION = """# Command line

`motiflens help` lists the commands, `motiflens help run` (or `motiflens run --help`) the options of
one. This page is the same text, made from the application by
`python -m scripts.reference_pages`.

- Progress goes to stderr, results go to files; `--json` prints the summary as one JSON object on
  stdout, without anything else.
- The exit code is 0 when all is done, 2 when the input or the call is wrong (one line says what,
  where, and what to do), 130 when interrupted, 1 for anything else.
- Files appear whole or not at all. The same command resumes a run that was stopped.
- `motiflens --install-completion` makes the shell complete commands and options.
- Several names are joined by commas; `--models cnn attention` is read as well.

"""


def command_line() -> str:
    """Return the page of the command line."""
    parts = [INTRODUCTION]
    for heading, commands in COMMANDS.items():
        parts.append(f"## {heading}\n\n| command | does |\n|---|---|\n")
        parts += [f"| [`{name}`](#{name}) | {text} |\n" for _, name, text, _ in commands]
        parts.append("\n")
    for commands in COMMANDS.values():
        parts += [_command(name, example) for _, name, _, example in commands]
    return "".join(parts).rstrip() + "\n"


def _command(name: str, example: str) -> str:
    """Return the section of one command: its help, options as a list, and examples."""
    text = app[name].generate_docs(heading_level=2, recursive=False)
    text = re.sub(r"^## .*$", f"## {name}", text, count=1, flags=re.MULTILINE)
    text = text.split("\nExamples:")[0].rstrip()
    text = re.sub(r"\n {4,}", " ", text).replace("\\[", "[")
    text = text.replace("```console\n", "```text\nmotiflens ")
    return f"{text}\n\n```\nmotiflens {example}\n```\n\n"


def with_run_files(page: str) -> str:
    """Return the page of file formats with the table made anew."""
    before, _, rest = page.partition(START)
    return f"{before}{START}\n{table_of_files()}\n{END}{rest.partition(END)[2]}"


def main() -> None:
    """Write both pages."""
    COMMAND_LINE.write_text(command_line(), encoding="utf-8")
    FILES.write_text(with_run_files(FILES.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
