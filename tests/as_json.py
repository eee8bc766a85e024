"""Results as a user's script reads them from their files."""

from __future__ import annotations

import json
from typing import Any

from motiflens.results.base import File
from motiflens.results.loader import as_bytes


def as_json(content: File) -> dict[str, Any]:
    """Return what the JSON file of a result holds."""
    plain: dict[str, Any] = json.loads(as_bytes(content))
    return plain
