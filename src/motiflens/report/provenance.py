"""What made a run, which versions, and how long it took."""

from __future__ import annotations

from collections.abc import Mapping

from motiflens.report.parts import (
    MISSING,
    NO_MOTIFS,
    Absent,
    Command,
    Finding,
    Part,
    Section,
    Table,
    held,
    listed,
)
from motiflens.report.trust import name_of_method
from motiflens.results import Results, command_of
from motiflens.results.timings import StageUse
from motiflens.settings import DISTILLED
from motiflens.version import __version__

#: What a command makes anew from a finished run, in this order, as each rests on those before it:
#: what it is called. ``attention.json`` is the JSON file of explanations.
REMADE = {
    "attention": "explanations",
    "motifs": "motifs",
    "experiments": "experiments",
    "trust": "verdicts",
}
#: What only training again makes anew.
TRAINED = {"audit": "audit", "metrics": "test scores"}
PROJECTS = {"python": "Python", "torch": "PyTorch", "numpy": "NumPy"}


def made_parts(results: Results) -> list[Part]:
    """Lay out what made the run: a command, a paragraph for a paper, settings, times."""
    run, settings = results.provenance.run, results.settings
    facts = [[name, text] for name, text in [
        ("Data", run.data),
        ("Models", listed(settings.models)),
        ("Split; strands", f"{settings.split}; {settings.strands}"),
        ("Notes", "; ".join(run.notes)),
    ] if text]  # fmt: skip
    return [
        Command(run.command, "Command"),
        Command(methods_paragraph(results), "Methods, for a paper", prose=True),
        Section("settings", "Settings and versions", [
            Table(["Fact", "Value"], facts, "The run in short"), _settings(results)
        ]),
        *_timings(results),
    ]  # fmt: skip


def methods_paragraph(results: Results) -> str:
    """Write what a paper says of its methods, with versions."""
    made, settings = results.provenance, results.settings
    versions = ", ".join(f"{PROJECTS.get(k, k)} {v}" for k, v in made.versions.items())
    n = "" if made.run.n_sequences is None else f" on {made.run.n_sequences:,} sequences"
    n += "" if made.run.n_positives is None else f", {made.run.n_positives:,} of them positive"
    if isinstance(made.run.module, str):
        source = made.run.module.rpartition("/")[2]
        words = f"The model {listed(settings.models)} ({source}) was trained elsewhere"
        words += f", and scored{n}"
        words += f", with a {settings.split} split"
    else:
        words = f"Models ({listed(settings.teachers)}; {settings.seeds} seeds each) were trained{n}"
        strands = "both strands" if settings.strands == "both" else "the forward strand"
        split = f"a {settings.split} split"
        if settings.folds is not None:
            split = f"{settings.folds}-fold cross-validation ({settings.split})"
        words += f", with {split} and reading {strands}"
    words += f", by motiflens {made.run.version}{f' ({versions})' if versions else ''}."
    if DISTILLED in settings.models:
        words += f" One network, {DISTILLED}, was trained on what they say together."
    if results.is_regression:
        words += " Labels are numbers, and the loss is the mean squared error."
    by = held(results, NO_MOTIFS).discovered_by
    if by is not None:
        words += (
            f" Motifs were found in explanations of {by.model} by {name_of_method(by.method)}, "
            f"tested on {by.tested_on.positives:,} positives and {by.tested_on.negatives:,} "
            f"negatives of the test split by Fisher's exact test, and named by {by.database}."
        )
    if made.run.sha256:
        words += f" The data have the SHA-256 digest {made.run.sha256}."
    return words


def _settings(results: Results) -> Table:
    rows = [
        [key if group == "run" else f"{group}.{key}", written(value)]
        for group, entries in results.provenance.as_table().items()
        for key, value in entries.items()
        if value not in (None, "", (), [], {})
    ]
    return Table(["Setting", "Value"], rows, results.path_of("configuration").name)


def written(value: object) -> str:
    """Write a setting as text."""
    if not isinstance(value, list | tuple):
        return str(value)
    # Sentences have commas of their own.
    sign = "; " if any(" " in str(one) for one in value) else ", "
    return sign.join(map(str, value))


def _timings(results: Results) -> list[Part]:
    if not results.holds("timings"):
        return [Absent("Times", "motiflens run")]
    timings = results.timings
    training = [
        [
            model,
            f"{time.seconds:.1f}",
            str(time.seeds),
            str(time.epochs),
            f"{time.seconds_per_epoch_and_seed:.4f}",
            _seconds_to_target(time.seconds_to_target),
        ]
        for model, time in timings.training.items()
    ]
    head = ["Model", "Seconds", "Seeds", "Epochs", "Seconds per epoch and seed",
            "Seconds to target, by seed"]  # fmt: skip
    used = timings.used if isinstance(timings.used, dict) else {}
    stages = [
        [stage, f"{seconds:.1f}", *_used(used.get(stage))]
        for stage, seconds in timings.stages.items()
    ]
    tables = [
        Table(head, training, "Training", f"Threads: {timings.threads}."),
        Table(
            ["Stage", "Seconds", "Processor seconds", "Peak memory (MB)"],
            stages,
            "Stages",
            "Processor seconds are of all threads together; the peak is that of the process until "
            "the end of the stage.",
        ),
    ]
    return [Section("times", "Times", tables)]


def _used(use: StageUse | None) -> list[str]:
    """Write what a stage used beside its seconds; older runs do not know."""
    if use is None:
        return [MISSING, MISSING]
    memory = MISSING if use.peak_memory is None else f"{use.peak_memory / 1e6:,.0f}"
    return [f"{use.processor_seconds:.1f}", memory]


def _seconds_to_target(by_seed: Mapping[str, float | None]) -> str:
    texts = [MISSING if value is None else f"{value:.1f}" for value in by_seed.values()]
    return ", ".join(texts) or MISSING


def made_by(results: Results) -> str:
    """Name the version that trained the models, and that of the page where it is another."""
    version = results.provenance.run.version
    return version if version in ("", __version__) else f"{version}, page by {__version__}"


def older(results: Results) -> list[Finding]:
    """Say which of a run's files another version made, and which command makes them anew."""
    versions = {name: _version(results, name) for name in (*REMADE, *TRAINED)}
    others = {name: v for name, v in versions.items() if v not in (None, __version__)}
    if not others:
        return []
    words = listed([{**REMADE, **TRAINED}[name] for name in others]).capitalize()
    text = (
        f"{words} of this run were made by motiflens {listed(list(dict.fromkeys(others.values())))}"
        f", this page by {__version__}, which may judge otherwise."
    )
    if commands := [f"`{command_of(name)} RUN`" for name in others if name in REMADE]:
        text += f" To make them anew without training, in this order: {listed(commands)}."
    return [Finding("Made by another version", text, supported=False)]


def _version(results: Results, name: str) -> str | None:
    """Return the version that wrote a file: the run's own where the file does not say."""
    if not results.holds(name):
        return None
    version: str = getattr(results, name).version
    return version or results.provenance.run.version or "unknown"
