"""``run.toml``: where a run came from, and the settings that it was made with."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec

from motiflens.results.base import Part
from motiflens.settings import Settings


class Origin(Part, frozen=True, kw_only=True):
    """Where a run came from.

    Parameters
    ----------
    command
        That made it.
    version
        Of motiflens.
    seed
        Of everything random.
    data, sha256
        Name of the data, and their digest.
    n_sequences, n_positives, length
        Their numbers, and the bases of the longest.
    negatives
        The negative set: ``given``, ``shuffle``, ``matched`` or a file.
    notes
        Sentences on what was read, assumed and chosen.
    task
        ``classification`` by labels 0 and 1, or ``regression`` by numbers; absent before 0.5.
    module
        Of a run around a module of others: what built it, and its weights; absent where the run
        trained its models.
    """

    command: str = "a call from Python"
    version: str = ""
    seed: int = 0
    data: str = ""
    sha256: str = ""
    n_sequences: int | None = None
    n_positives: int | None = None
    length: int | None = None
    negatives: str = "given"
    notes: tuple[str, ...] = ()
    task: str | msgspec.UnsetType = msgspec.UNSET
    module: str | msgspec.UnsetType = msgspec.UNSET


class Mapped(Part, frozen=True, kw_only=True):
    """The folder of a mapped data set, and the digest of its data."""

    folder: str
    sha256: str


class Provenance(Part, frozen=True, kw_only=True):
    """``run.toml``.

    Parameters
    ----------
    run
        Where the run came from.
    versions
        Of ``python``, ``torch`` and ``numpy``.
    configuration
        The settings, all decided.
    mapped
        Of a mapped data set; None of one that is kept in the run.
    """

    run: Origin
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    configuration: Settings
    mapped: Mapped | None = None

    def as_table(self) -> dict[str, Any]:
        """Return what TOML holds: what is None is left out, as it has no such value."""
        run, settings = msgspec.to_builtins(self.run), asdict(self.configuration)
        table: dict[str, Any] = {
            "run": {k: v for k, v in run.items() if v is not None},
            "versions": self.versions,
            "configuration": {k: v for k, v in settings.items() if v is not None},
        }
        if self.mapped is not None:
            table["mapped"] = msgspec.to_builtins(self.mapped)
        return table
