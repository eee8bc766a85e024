"""The page: first screen and sections rendered into one self-contained file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from markupsafe import Markup

from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.report.assets import HERE, environment, policy, script_of, style_of
from motiflens.report.audit import audit_section
from motiflens.report.browser import as_script_data, browser_blocks
from motiflens.report.discovery import discovery_parts, without_model_sections
from motiflens.report.experiments import experiment_parts
from motiflens.report.explain import explain_parts
from motiflens.report.explained import Explained, read_explained
from motiflens.report.filters import filters_part
from motiflens.report.findings import coordinate_error, order_is_learnt
from motiflens.report.glossary import glossary
from motiflens.report.motifs import route_parts
from motiflens.report.parts import Absent, Block, Finding, Part, Section, Table, Text
from motiflens.report.provenance import made_parts
from motiflens.report.regression import IN_CLASSES, LOWEST
from motiflens.report.scores import score_parts
from motiflens.report.summary import Summary, summarise, summarise_without_model
from motiflens.report.translate import dictionary
from motiflens.report.trust import trust_parts
from motiflens.report.tutorial import tutorial_parts
from motiflens.report.variants import variant_parts
from motiflens.results import Results, is_run, read_motifs_without_model

#: Sections that tell positives from negatives.
IN_TWO_CLASSES = ("motifs", "sequences", "scores", "trust", "experiments")


def write_report(run_dir: Path | str) -> Path:
    """Write the page of a directory, from what lies there and nothing else.

    The page needs no other file and no network; without its script all but the browser of sequences
    and the switches work. Equal directories give equal bytes.

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
            explained = read_explained(results)
            page = render(summarise(results, explained), lay_out(results, explained))
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


def lay_out(results: Results, explained: Explained | None = None) -> list[Section]:
    """Lay out the sections of a run in the order of a reader's questions.

    What the run does not hold gets no section; the last one names it, with the command that
    makes it.
    """
    sections: list[Section] = []
    missing: list[Absent] = []
    for id, title, parts in _groups(results, explained):
        found = parts()
        blocks: list[Block] = [part for part in found if not isinstance(part, Absent)]
        if blocks and results.is_regression and id in IN_TWO_CLASSES:
            blocks.insert(0, Text(IN_CLASSES + LOWEST * (id == "trust")))
        missing += [part for part in found if isinstance(part, Absent)]
        if id == "made":
            blocks.append(glossary(regression=results.is_regression))
        if id == "made" and missing:
            rows = [[one.title, one.why, one.command] for one in missing]
            head = ["Not there", "Why", "Command that makes it"]
            table = Table(head, rows, "What this run does not hold")
            blocks.append(Section("absent", "Not in this run", [table]))
        if blocks:
            sections.append(Section(id, title, blocks, "section"))
    return sections


Group = tuple[str, str, Callable[[], list[Part]]]


def _groups(results: Results, explained: Explained | None) -> list[Group]:
    def motifs() -> list[Part]:
        learnt = order_is_learnt(results)
        return [*discovery_parts(results), *_stated(learnt), *route_parts(results)]

    def sequences() -> list[Part]:
        browser = browser_blocks(results, explained) if explained else []
        return [*browser, *explain_parts(results), filters_part(results)]

    def scores() -> list[Part]:
        return [*score_parts(results), audit_section(results)]

    def trust() -> list[Part]:
        return [*trust_parts(results), *_stated(coordinate_error(results))]

    def tutorial() -> list[Part]:
        return tutorial_parts(results, explained)

    return [
        ("motifs", "Motifs", motifs),
        ("sequences", "Sequences, base by base", sequences),
        ("scores", "How good is it?", scores),
        ("trust", "How far to trust the explanations", trust),
        ("experiments", "Experiments in silico", lambda: experiment_parts(results)),
        ("variants", "Variants", lambda: variant_parts(results)),
        (
            "tutorial",
            "The tutorial, retold",
            lambda: tutorial_parts(results, explained),
        ),
        ("made", "What made this page", lambda: made_parts(results)),
    ]


def _stated(finding: Finding | None) -> list[Finding]:
    return [finding] if finding else []


def render(summary: Summary, sections: list[Section]) -> str:
    """Render the page; its policy names the hashes of its only style sheet and only script."""
    style, script = style_of(), script_of(HERE / "page.js")
    page = environment(HERE).get_template("page.html")
    shown = partial(page.render, summary=summary, sections=sections)
    bare = shown(words="", style="", script="", policy="")
    return shown(
        words=Markup(as_script_data(dictionary(bare, script))),
        style=Markup(style),
        script=Markup(script),
        policy=Markup(policy(style, script)),
    )
