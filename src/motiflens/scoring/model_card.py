"""The card of an exported model: what it was trained on, how well it scores, what it is for."""

from __future__ import annotations

import re
from collections.abc import Iterable

from motiflens.results import Results
from motiflens.results.scores import EnsembleScores, Estimate
from motiflens.scoring.scorer import Scorer
from motiflens.version import __version__

_SCORES = {
    "mcc": "MCC",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "accuracy": "Accuracy",
    "brier": "Brier score",
    "ece": "Calibration error",
}

_USE = """## What it is for

To score DNA sequences like those that it was trained on: how far the model calls them positive.

- A score says what the model has learned to tell from its negatives, and no more: other negatives,
  other cells and other assays are not tested.
- Sequences of other length or composition than the training data are marked by
  `motiflens predict`; their scores are extrapolations.
- A score is no measurement. It is not meant for decisions about the health of anybody."""


_USE_OF_NUMBERS = """## What it is for

To predict the label, a number, of DNA sequences like those that it was trained on.

- A prediction says what the model has learned of this assay, and no more: other cells and other
  assays, whose unit may be another, are not tested.
- Sequences of other length or composition than the training data are marked by
  `motiflens predict`; their predictions are extrapolations.
- A prediction is no measurement. It is not meant for decisions about the health of anybody."""


def card_of_run(results: Results, scorer: Scorer, file: str) -> str:
    """Return the card of a model of a run, in Markdown."""
    run, settings = results.provenance.run, results.provenance.configuration
    versions = {"motiflens": run.version, **results.provenance.versions}
    known, n = scorer.trained_on, f"{run.n_sequences:,}"
    if not scorer.is_regression:
        n += f", of which {run.n_positives or 0:,} positive"
    facts = [
        ("Data", f"{_without_folders(run.data)}, SHA-256 `{run.sha256}`"),
        ("Sequences", n),
        *([] if scorer.is_regression else [("Negatives", run.negatives)]),
        ("Split", f"{settings.split}, seed {settings.seed}"),
        ("Command", f"`{_without_folders(run.command)}`"),
        (
            "Versions",
            ", ".join(f"{k} {v}" for k, v in {"motiflens": run.version, **versions}.items()),
        ),
    ]
    if known is not None:
        facts += [
            ("Training sequences", f"{known.shortest} to {known.longest} bp"),
            ("Their GC", f"{known.gc_low:.0%} to {known.gc_high:.0%} (99 % of them)"),
        ]
    heading = "Scored on; it was trained elsewhere" if run.module else "Training"
    notes = [f"- {note}" for note in run.notes]
    parts = [
        *_head(scorer, file),
        f"## {heading}\n\n" + _table(("", ""), facts),
        *(["\n".join(notes)] if notes else []),
        *_scores(results, scorer.name),
        *([] if scorer.is_regression else ["## Probability\n\n" + _calibration(scorer)]),
        *_verdict(results, scorer.name),
        _USE_OF_NUMBERS if scorer.is_regression else _USE,
    ]
    return "\n\n".join(parts) + "\n"


def card_of_module(scorer: Scorer, file: str) -> str:
    """Return the card of a module of others, of which no more is known than how it is called."""
    unknown = "## Training\n\nNot known to motiflens: a module of its user's own."
    return "\n\n".join([*_head(scorer, file), unknown]) + "\n"


def _without_folders(text: str) -> str:
    """Leave out where files lie on the machine of who trained the model."""
    return re.sub(r"[^\s'\"=]*/(?=[^\s/])", "", text)


def _head(scorer: Scorer, file: str) -> list[str]:
    lengths = (
        f"{scorer.length} bp alone" if scorer.only_length else f"{scorer.min_length} bp or more"
    )
    strands = "mean of both strands" if scorer.both_strands else "forward strand"
    facts = [
        ("Model", f"{scorer.name}, {scorer.n_seeds} seed{'s' * (scorer.n_seeds > 1)}, {strands}"),
        ("SHA-256 of the weights", f"`{scorer.sha256}`"),
        ("Input", f"`one_hot` float32 (N, 4, L), A C G T; N is a zero column. L: {lengths}"),
        ("Padding", "zero columns behind a sequence" if scorer.takes_padding else "none is known"),
        ("Output", f"{_output(scorer)}, the mean of seeds; `seed_logits` (N, S)"),
        ("Written by", f"motiflens {__version__}"),
    ]
    return [f"# {file}", _table(("", ""), facts)]


def _output(scorer: Scorer) -> str:
    return "`logits` (N,), predicted labels" if scorer.is_regression else "`logits` (N,)"


def _numbers(results: Results, name: str) -> list[str]:
    """Return the section on scores of a model that predicts numbers."""
    test = results.regression.models[name].test
    titles = {"spearman": "Spearman", "pearson": "Pearson", "r2": "R²"}
    rows = [(title, _estimate(getattr(test, key))) for key, title in titles.items()]
    baselines = [
        (label, f"{s.spearman.value:.3f}", f"{s.pearson.value:.3f}")
        for label, s in results.regression.baselines.items()
    ]
    told = "On the test split, with 95 % intervals over its sequences; the mean of all seeds."
    return [
        f"## Scores\n\n{told}",
        _table(("", "value"), rows),
        "Without a network:",
        _table(("baseline", "Spearman", "Pearson"), baselines),
    ]


def _scores(results: Results, name: str) -> list[str]:
    if results.holds("regression") and name in results.regression.models:
        return _numbers(results, name)
    if not results.holds("metrics") or name not in results.metrics.models:
        return []
    metrics = results.metrics
    model = metrics.models[name]
    rows = [(label, _estimate(getattr(model.test, key))) for key, label in _SCORES.items()]
    baselines = [
        (label, f"{s.auroc:.3f}", f"{s.auprc:.3f}") for label, s in metrics.baselines.items()
    ]
    told = "On the test split, with 95 % intervals over its sequences; the mean logit of all seeds."
    if model.cross_validation and model.cross_validation.is_test:
        told = (
            f"In cross-validation with {len(model.cross_validation.folds)} folds, with 95 % "
            "intervals over sequences: each by the seeds that were trained without its fold. This "
            "file holds the seeds of all folds."
        )
    return [
        f"## Scores\n\n{told}",
        _table(("", "value"), rows),
        *(
            ["Without a network:", _table(("baseline", "AUROC", "AUPRC"), baselines)]
            if baselines
            else []
        ),
        f"Called positive above a logit of {model.threshold:.3f}.{_calibrated(model)}",
    ]


def _calibrated(model: EnsembleScores) -> str:
    found = model.calibrated
    if not found:
        return ""
    return (
        f" Calibrated, the Brier score is {found.brier:.3f}, the calibration error {found.ece:.3f}."
    )


def _calibration(scorer: Scorer) -> str:
    fitted = scorer.calibration
    if fitted is None:
        return "Not calibrated: fewer than 20 validation sequences of a class, or an older run."
    return (
        f"1 / (1 + exp(−({fitted.slope:.6g} · z + {fitted.bias:.6g}))), z the mean logit: Platt "
        f"scaling on {fitted.n_positives:,} positives and {fitted.n_negatives:,} negatives of the "
        "validation split, or out of fold. Where positives are rarer than there, it is too high."
    )


def _verdict(results: Results, name: str) -> list[str]:
    if not results.holds("trust") or name not in results.trust.models:
        return []
    return [f"## Explanations\n\n{results.trust.models[name].verdict}"]


def _estimate(score: Estimate) -> str:
    return f"{score.value:.3f} ({score.low:.3f} to {score.high:.3f})"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
