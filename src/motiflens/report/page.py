"""The page: summary, sections and provenance rendered into one self-contained file."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.report.audit import audit_section
from motiflens.report.compare import compare_sections
from motiflens.report.discovery import discovery_section, without_model_sections
from motiflens.report.experiments import experiments_section
from motiflens.report.explain import explain_sections
from motiflens.report.metrics import crossing_section, metrics_section
from motiflens.report.motifs import motif_sections
from motiflens.report.parts import Section
from motiflens.report.provenance import provenance_section
from motiflens.report.summary import Summary, summarise, summarise_without_model
from motiflens.report.trust import trust_section
from motiflens.results import Results, is_run, read_motifs_without_model

HERE = Path(__file__).parent


def write_report(run_dir: Path | str) -> Path:
    """Write the page of a directory, from what lies there and nothing else.

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
    results = Results(run_dir)
    try:
        if results.holds("motifs") and not is_run(run_dir):
            motifs = read_motifs_without_model(run_dir)
            sections = without_model_sections(motifs, results.path)
            page = render(summarise_without_model(motifs), sections)
        else:
            page = render(summarise(results), lay_out(results))
    except InputError:
        raise
    except (IndexError, KeyError, ValueError) as error:  # fields that do not fit each other
        raise InputError(
            f"the files of {run_dir} do not fit together ({type(error).__name__}: {error})",
            remedy="make the run again with overwrite=True",
            argument="overwrite",
        ) from error
    path = results.path_of("report")
    write_whole(path, page.encode("utf-8", errors="replace"))
    return path


def lay_out(results: Results) -> list[Section]:
    """Lay out the sections of a run: what was found comes before the pictures it rests on."""
    return [
        audit_section(results),
        metrics_section(results),
        *([crossing_section(results)] if results.holds("crossing") else []),
        *compare_sections(results),
        discovery_section(results),
        trust_section(results),
        *explain_sections(results),
        *motif_sections(results),
        experiments_section(results),
        provenance_section(results),
    ]


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
