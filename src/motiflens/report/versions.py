"""Which version of motiflens a run's files were made by, and which lays out its page."""

from __future__ import annotations

from motiflens.report.parts import Finding, listed
from motiflens.report.reading import Run
from motiflens.version import __version__

#: What a command makes anew from a finished run, in this order, as each rests on those before it:
#: what it is called, and the command. ``attention.json`` is the JSON file of explanations.
REDONE = {
    "attention": ("explanations", "motiflens explain"),
    "motifs": ("motifs", "motiflens motifs"),
    "experiments": ("experiments", "motiflens experiments"),
    "trust": ("verdicts", "motiflens trust"),
}
#: What only training again makes anew.
TRAINED = {"audit": "audit", "metrics": "test scores"}


def made_by(run: Run) -> str:
    """Name the version that trained the models, and that of the page where it is another."""
    version = str(run.provenance.get("run", {}).get("version", ""))
    return version if version in ("", __version__) else f"{version}, page by {__version__}"


def older(run: Run) -> list[Finding]:
    """Say which of a run's files another version made, and which command makes them anew."""
    again = [name for name in REDONE if _version(run, name) not in (None, __version__)]
    kept = [name for name in TRAINED if _version(run, name) not in (None, __version__)]
    if not again and not kept:
        return []
    versions = dict.fromkeys(str(_version(run, name)) for name in (*again, *kept))
    words = [REDONE[name][0] for name in again] + [TRAINED[name] for name in kept]
    text = (
        f"{listed(words).capitalize()} of this run were made by motiflens "
        f"{listed(list(versions))}, this page by {__version__}, which may judge otherwise."
    )
    if again:
        commands = [f"`{REDONE[name][1]} RUN`" for name in again]
        text += f" To make them anew without training, in this order: {listed(commands)}."
    return [Finding("Made by another version", text, supported=False)]


def _version(run: Run, name: str) -> str | None:
    """Give the version that wrote a JSON file: the run's own where the file does not say."""
    content = getattr(run, name)
    if not content:
        return None
    return str(content.get("version") or run.provenance.get("run", {}).get("version", "unknown"))
