"""Sections on test scores of the ensembles: intervals, curves, and negative sets crossed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from motiflens.plots import unit_chart
from motiflens.report.headline import scored_in_folds
from motiflens.report.parts import (
    MISSING,
    TO,
    Absent,
    Block,
    Figure,
    Part,
    Row,
    Section,
    Table,
    Text,
    interval,
    number,
)
from motiflens.results import Results
from motiflens.results.crossing import Crossing
from motiflens.results.scores import (
    CalibratedScores,
    Calibration,
    Curve,
    EnsembleScores,
    Estimate,
    GroupCounts,
    HeldOutScores,
    Metrics,
    SeedHeldOut,
)

RANKING = {"auroc": "AUROC", "auprc": "AUPRC", "recall_at_fdr10": "Recall at 10 % FDR"}
CALLS = {"mcc": "MCC", "accuracy": "Accuracy"}
IN_FOLDS = {"mcc": "MCC", "auroc": "AUROC", "auprc": "AUPRC", "accuracy": "Accuracy"}
PROBABILITIES = {"brier": "Brier", "ece": "Calibration error"}
CURVES = {
    "roc": ("ROC", "false-positive rate", "recall", "Straight line: chance."),
    "pr": (
        "Precision and recall",
        "recall",
        "precision",
        "Straight line: the fraction of positives, the precision of chance.",
    ),
    "reliability": (
        "Reliability",
        "mean probability",
        "fraction of positives",
        "15 bins of equal mass. Straight line: probabilities that mean what they say.",
    ),
}
#: How a threshold was chosen, and how in runs that do not say how sure it is.
BY_CALIBRATION = (
    "whose MCC is expected to be largest, by calibrated probabilities of validation data; "
    "baselines have thresholds of their own. MCC on validation: what the choice promises, with "
    "what is not known of the threshold in its interval."
)
BY_COUNTING = "of largest MCC on validation data; baselines have thresholds of their own."
CROSSED = {"auroc": "AUROC", "auprc": "AUPRC"}


def metrics_parts(results: Results) -> list[Part]:
    """Lay out everything that `metrics.json` holds: curves, and the other scores in a fold."""
    title = "All scores of the ensembles"
    if not results.holds("metrics"):
        return [Absent(title, "motiflens run")]
    metrics = results.metrics
    about = (
        f"Negatives: {metrics.negatives}. Scores hold against this negative set "
        "alone: a model often scores higher against shuffled sequences than against genomic ones."
    )
    if any(scored_in_folds(results, name) for name in metrics.models):
        about += (
            " There is no test split apart from the folds: where one is named here, all sequences "
            "are meant, each by the models that have not seen its fold, and its validation data "
            "are the other folds."
        )
    curves = Row([_figure(metrics.models, kind) for kind in CURVES])
    tables: list[Block] = [Text(about), *_calls(metrics), _ranking(metrics)]
    tables += _calibration(metrics.models)
    return [curves, Section("ensembles", title, tables)]


def folds_table(results: Results) -> Table | None:
    """Lay out cross-validation, fold by fold; None where there was none."""
    models = results.metrics.models if results.holds("metrics") else {}
    crossed = {n: m.cross_validation for n, m in models.items() if m.cross_validation}
    rows = []
    for name, model in crossed.items():
        for fold in model.folds:
            counts = [f"{fold.n_positives:,}", f"{fold.n_negatives:,}"]
            rows.append([name, f"fold {fold.fold}", *counts, *_in_fold(fold.test)])
        rows.append([name, "all folds together", MISSING, MISSING, *_in_fold(model.pooled)])
        means = (getattr(model.mean, metric) for metric in IN_FOLDS)
        cells = [interval(mean.mean, mean.low, mean.high) for mean in means]
        rows.append([name, "mean of the folds", MISSING, MISSING, *cells])
    caption = (
        "Each fold by the seeds that were trained without it, called by the threshold that the "
        "other folds choose. 95 % intervals over sequences, of the mean over folds; models of "
        "different folds share most of their training sequences, so the latter is rather too "
        "narrow."
    )
    head = ["Model", "Held out", "Positives", "Negatives", *IN_FOLDS.values()]
    return Table(head, rows, "Cross-validation", caption) if rows else None


def _in_fold(scores: HeldOutScores) -> list[str]:
    return [_cell(getattr(scores, metric)) for metric in IN_FOLDS]


def _ranking(metrics: Metrics) -> Table:
    rows = [
        [name, *_cells(model, RANKING), _range(model.seeds)]
        for name, model in metrics.models.items()
    ]
    rows += [[*row, MISSING] for row in _baselines(metrics, RANKING)]
    caption = (
        "The ensemble of all seeds on the test split, with 95 % intervals over test sequences"
        f"{_groups_in_words(metrics.test_groups)}. A score without a mistake has an interval "
        "too: a few sequences cannot show that there is none. Recall at 10 % FDR: the largest "
        "recall at a precision of 0.9 or more."
    )
    return Table(["Model", *RANKING.values(), "AUROC of single seeds"], rows, "Ranking", caption)


def _groups_in_words(groups: GroupCounts | None) -> str:
    if groups is None:
        return "; related sequences were not looked for"
    return (
        ", in which sequences that share 31 bases count as one: "
        f"{groups.groups:,} groups, {groups.positives:,} of them with positives and "
        f"{groups.negatives:,} with negatives"
    )


def _calls(metrics: Metrics) -> list[Block]:
    rows = [
        [name, *_cells(model, CALLS), *_choice(model), *_cells(model, PROBABILITIES)]
        for name, model in metrics.models.items()
    ]
    rows += [[*row, *[MISSING] * 4] for row in _baselines(metrics, CALLS)]
    how = BY_CALIBRATION if any(m.choice for m in metrics.models.values()) else BY_COUNTING
    caption = (
        f"Called positive: above the threshold {how} Brier score and calibration error, over 15 "
        "bins of equal mass: the lower, the better."
    )
    head = ["Model", *CALLS.values(), "Threshold (logit)", "MCC on validation"]
    blocks: list[Block] = [
        Table([*head, *PROBABILITIES.values()], rows, "Calls and probabilities", caption)
    ]
    known = {name: m.at_prevalence for name, m in metrics.models.items() if m.at_prevalence}
    if not known:
        return blocks
    rows = [
        [name, f"{at.prevalence:g}", _cell(at.mcc), _cell(at.accuracy), number(at.threshold, 3)]
        for name, at in known.items()
    ]
    caption = (
        "As large a fraction of the test split as is known to be positive is called positive, by "
        "the logits alone. Such calls of a sequence depend on the others that are scored with it."
    )
    head = ["Model", "Known prevalence", *CALLS.values(), "Threshold (logit)"]
    return [*blocks, Table(head, rows, "Calls at a known prevalence", caption)]


def _choice(model: EnsembleScores) -> list[str]:
    """Write a threshold, and the correlation that validation promises, with their intervals."""
    choice = model.choice
    if not choice:
        return [number(model.threshold, 3), MISSING]
    low, high = (number(end, 3) for end in (choice.low, choice.high))
    return [f"{number(model.threshold, 3)} ({low}{TO}{high})", _cell(choice.expected_mcc)]


def _baselines(metrics: Metrics, names: Mapping[str, str]) -> list[list[str]]:
    return [
        [f"baseline: {name}", *(number(getattr(scores, metric, None), 3) for metric in names)]
        for name, scores in metrics.baselines.items()
    ]


def _cells(model: EnsembleScores, names: Mapping[str, str]) -> list[str]:
    return [_cell(getattr(model.test, metric)) for metric in names]


def _cell(score: Estimate) -> str:
    return interval(score.value, score.low, score.high)


def _range(seeds: Sequence[SeedHeldOut]) -> str:
    values = sorted(seed.auroc for seed in seeds)
    ends = f"{values[0]:.3f}{TO}{values[-1]:.3f}" if len(values) > 1 else f"{values[0]:.3f}"
    return f"{ends} (n = {len(values)})"


def _figure(models: Mapping[str, EnsembleScores], kind: str) -> Figure:
    by_model: dict[str, Curve] = {n: getattr(m.curves, kind) for n, m in models.items()}
    curves = {name: (curve.x, curve.y) for name, curve in by_model.items()}
    title, x_label, y_label, caption = CURVES[kind]
    # The last threshold of a precision–recall curve calls all sequences positive.
    fraction = next(iter(curves.values()))[1][-1]
    reference = (fraction, fraction) if kind == "pr" else (0.0, 1.0)
    svg = unit_chart(curves, title, x_label, y_label, reference=reference)
    return Figure(svg, title, caption, kind="tile")


def _calibration(models: Mapping[str, EnsembleScores]) -> list[Block]:
    """Lay out the probabilities of `motiflens predict`; nothing of runs before they were fitted."""
    fitted, missing = {}, []
    for name, model in models.items():
        if isinstance(model.calibration, Calibration) and isinstance(
            model.calibrated, CalibratedScores
        ):
            fitted[name] = model.calibration, model.calibrated
        elif model.calibration is None:
            missing.append(name)
    blocks: list[Block] = []
    if fitted:
        curves = {name: (s.reliability.x, s.reliability.y) for name, (_, s) in fitted.items()}
        _, x_label, y_label, caption = CURVES["reliability"]
        title = "Reliability, calibrated"
        svg = unit_chart(curves, title, x_label, y_label, reference=(0.0, 1.0))
        blocks += [Figure(svg, title, f"On the test split. {caption}", kind="tile")]
        blocks += [_calibration_table(models, fitted)]
    if missing:
        why = "the validation data hold fewer than 20 sequences of a class."
        blocks.append(Text(f"No calibrated probabilities of {', '.join(missing)}: {why}"))
    return blocks


def _calibration_table(
    models: Mapping[str, EnsembleScores],
    fitted: Mapping[str, tuple[Calibration, CalibratedScores]],
) -> Table:
    rows = [
        [
            name,
            f"{fit.n_positives:,} and {fit.n_negatives:,}",
            number(fit.slope, 3),
            number(fit.bias, 3),
            f"{models[name].test.brier.value:.3f}, {scores.brier:.3f}",
            f"{models[name].test.ece.value:.3f}, {scores.ece:.3f}",
        ]
        for name, (fit, scores) in fitted.items()
    ]
    caption = (
        "`motiflens predict` gives these probabilities: the logistic function of slope · z + bias, "
        "z the mean logit of the seeds, fitted to validation sequences (Platt scaling). Brier "
        "score and calibration error on the test split, before and after."
    )
    head = ["Model", "Positives and negatives", "Slope", "Bias", "Brier", "Calibration error"]
    return Table(head, rows, "Calibrated probabilities", caption)


def crossing_section(results: Results) -> Section:
    """Lay out everything that `crossing.json` holds."""
    crossing = results.crossing
    models = tuple(crossing.models)
    blocks: list[Block] = [Text(_crossing_in_words(crossing, model)) for model in models]
    blocks += [_crossing_table(crossing, models, metric) for metric in CROSSED]
    return Section("crossing", "Negative sets crossed", blocks)


def _crossing_table(crossing: Crossing, models: Sequence[str], metric: str) -> Table:
    kinds = crossing.kinds
    rows = [
        [model, kind, *(_cell(_crossed(crossing, model, kind, other, metric)) for other in kinds)]
        for model in models
        for kind in kinds
    ]
    caption = (
        "The ensemble of seeds, trained against one negative set and tested against another, "
        "with 95 % bootstrap intervals over test sequences. The positives and their splits are "
        "the same in all."
    )
    head = ["Model", "Trained against", *(f"Tested against {kind}" for kind in kinds)]
    return Table(head, rows, f"{CROSSED[metric]}, negative sets crossed", caption)


def _crossed(crossing: Crossing, model: str, trained: str, tested: str, metric: str) -> Estimate:
    scores = crossing.models[model].trained_on[trained].tested_on[tested]
    return scores.auroc if metric == "auroc" else scores.auprc


def _crossing_in_words(crossing: Crossing, model: str) -> str:
    """Say how far the choice of negatives moves the score, and what is lost on another kind."""
    kinds = crossing.kinds
    auroc = {(a, b): _crossed(crossing, model, a, b, "auroc") for a in kinds for b in kinds}
    value = {pair: score.value for pair, score in auroc.items()}
    # Of equal kinds the first is the best and the last is the worst: two kinds in any case.
    best = max(kinds, key=lambda kind: value[kind, kind])
    worst = min(reversed(kinds), key=lambda kind: value[kind, kind])
    overlap = auroc[best, best].low <= auroc[worst, worst].high
    choice = (
        f"{model}: the score against {best} exceeds that against {worst} by "
        f"{_points(value[best, best] - value[worst, worst])} of AUROC "
        f"({value[best, best]:.3f} and {value[worst, worst]:.3f}, each trained against its own "
        f"kind; their intervals {'overlap' if overlap else 'do not overlap'}). "
    )
    # What a model loses against the model that was trained against the kind it is tested on.
    lost = {(a, b): value[b, b] - value[a, b] for a, b in value if a != b}
    (a, b), most = max(lost.items(), key=lambda item: item[1])
    if most <= 0:
        return choice + "Trained against any other kind, it scores no lower."
    return choice + (
        f"Trained against {a} and tested against {b}, it reaches {value[a, b]:.3f}: "
        f"{_points(most)} below training against {b} itself."
    )


def _points(difference: float) -> str:
    return f"{100 * difference:.1f} points"
