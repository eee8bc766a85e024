"""What a page is put together from: templates, one style sheet, one script, and its policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

HERE = Path(__file__).parent


def environment(*folders: Path) -> Environment:
    """Return what renders the templates of folders: all is escaped, nothing may be absent."""
    made = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["svg"] = Markup
    return made


def style_of(*further: Path) -> str:
    """Return the style sheet of all pages, and what a page adds to it."""
    return _joined([HERE / "style.css", *further])


def script_of(*files: Path) -> str:
    """Return the script of a page, behind what all pages share; its names are its own."""
    return f'"use strict";\n(() => {{\n{_joined([HERE / "shared.js", *files])}}})();\n'


def policy(style: str, script: str = "") -> str:
    """Return a content-security policy that allows one style sheet and one script, by hash."""
    allowed = [f"style-src 'sha256-{_digest(style)}'"]
    if script:
        allowed.insert(0, f"script-src 'sha256-{_digest(script)}'")
    rest = ("img-src data: blob:", "base-uri 'none'", "form-action 'none'")
    return "; ".join(("default-src 'none'", *allowed, *rest))


def _joined(paths: Sequence[Path]) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in paths)


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
