"""The page: summary, sections and provenance rendered into one self-contained file."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.report.crossing import crossing_section
from motiflens.report.data_audit import audit_section
from motiflens.report.discovery import discovery_section
from motiflens.report.experiments import experiments_section
from motiflens.report.explanations import explanation_sections
from motiflens.report.held_out import held_out_section
from motiflens.report.motif_sections import motif_sections
from motiflens.report.motifs_alone import holds_motifs_alone, motifs_alone
from motiflens.report.parts import NOTHING, Section, Table, Text, absent
from motiflens.report.reading import Run, read_run
from motiflens.report.scores import score_sections
from motiflens.report.summary import Summary, summarise
from motiflens.report.trust import trust_section

HERE = Path(__file__).parent


def write_report(run_dir: Path) -> Path:
    """Write `report.html` into a directory, from what lies there and nothing else.

    The page needs no other file, no network and no script. Equal directories give equal bytes.

    Parameters
    ----------
    run_dir
        A run directory; what it lacks is named on the page with the command that makes it. Or a
        folder of motifs that were discovered without a model.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        The directory holds no run, or a file in it is damaged.
    """
    directory = Path(run_dir)
    path = directory / "report.html"
    if holds_motifs_alone(directory):
        page = render(*motifs_alone(directory))
    else:
        page = render(*lay_out(read_run(directory), directory))
    write_whole(path, page.encode("utf-8", errors="replace"))
    return path


def lay_out(run: Run, directory: Path) -> tuple[Summary, list[Section]]:
    """Lay out summary and sections.

    Raises
    ------
    InputError
        A file of the run is not of the documented form.
    """
    try:
        sections = [audit_section(run), held_out_section(run)]
        sections += [crossing_section(run)] if run.crossing else []
        sections += score_sections(run)
        # What is found comes first, then how sure it is, then the pictures it rests on.
        sections += [discovery_section(run), trust_section(run)]
        sections += [*explanation_sections(run), *motif_sections(run)]
        sections += [experiments_section(run), provenance(run)]
        return summarise(run), sections
    except InputError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            "the files of a run directory have the documented form",
            got=f"{type(error).__name__}: {error} in {directory}",
            remedy="make the run again with `motiflens run --overwrite`",
        ) from error


def render(summary: Summary, sections: list[Section]) -> str:
    """Render the page; the policy names the hash of its only style sheet."""
    style = (HERE / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = Markup
    return environment.get_template("page.html").render(
        summary=summary, sections=sections, style=Markup(style), style_hash=digest
    )


def provenance(run: Run) -> Section:
    """Lay out what made the run, and how long it took."""
    rows = [
        [f"{group}.{key}" if group != "run" else key, _value(value)]
        for group, entries in run.provenance.items()
        for key, value in (entries.items() if isinstance(entries, dict) else [("", entries)])
    ]
    made = Table(["Setting", "Value"], rows, "run.toml")
    if not run.timings:
        where = absent("provenance", "", "timings.json", "motiflens run").blocks
        return Section("provenance", "Provenance", [made, *where])
    return Section("provenance", "Provenance", [made, *_timings(run.timings)])


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _timings(timings: dict[str, Any]) -> list[Table | Text]:
    training = [
        [
            model,
            f"{found['seconds']:.1f}",
            str(found["seeds"]),
            str(found["epochs"]),
            f"{found['seconds_per_epoch_and_seed']:.4f}",
            _seconds_to_target(found.get("seconds_to_target") or {}),
        ]
        for model, found in timings.get("training", {}).items()
    ]
    head = ["Model", "Seconds", "Seeds", "Epochs", "Seconds per epoch and seed"]
    stages = [[stage, f"{seconds:.1f}"] for stage, seconds in timings.get("stages", {}).items()]
    return [
        Table(
            [*head, "Seconds to target, by seed"],
            training,
            "Training",
            f"Threads: {timings['threads']}.",
        ),
        Table(["Stage", "Seconds"], stages, "Stages"),
    ]


def _seconds_to_target(by_seed: dict[str, float | None]) -> str:
    texts = [NOTHING if value is None else f"{value:.1f}" for value in by_seed.values()]
    return ", ".join(texts) or NOTHING
