"""The table of scores: models beside baselines, with intervals."""

from __future__ import annotations

from motiflens.report.compare import compare_parts, epochs_cells, epochs_names, mean_and_interval
from motiflens.report.distilled import distilled_parts
from motiflens.report.headline import BASELINES, ensemble_score, score_in_words, scored_in_folds
from motiflens.report.metrics import crossing_section, folds_table, metrics_parts
from motiflens.report.motifs import exact_count, routes_of
from motiflens.report.parts import MISSING, NO_MOTIFS, Part, Table, held, signed
from motiflens.report.regression import regression_parts
from motiflens.results import Results
from motiflens.results.scores import Scores

#: Score → its name, its digits, and what it is multiplied by.
SHOWN = {
    "mcc": ("MCC", 3, 1),
    "auroc": ("AUROC", 3, 1),
    "auprc": ("AUPRC", 3, 1),
    "accuracy": ("Accuracy (%)", 1, 100),
}


def score_parts(results: Results) -> list[Part]:
    """Lay out all scores: one table and curves, and in folds what is behind them."""
    if results.is_regression:
        return regression_parts(results) if results.holds("regression") else []
    tables = [table for table in (scores_table(results), folds_table(results)) if table]
    crossing = [crossing_section(results)] if results.holds("crossing") else []
    return [
        *tables,
        *metrics_parts(results),
        *distilled_parts(results),
        *crossing,
        *compare_parts(results),
    ]


def scores_table(results: Results) -> Table | None:
    """Lay out the ensembles' test scores above those of the trivial baselines."""
    if not results.holds("comparison"):
        return None
    comparison = results.comparison
    epochs = epochs_names(comparison)
    recovered = ["Motif recovered exactly"] if held(results, NO_MOTIFS).truth else []
    head = ["Model", *(name for name, _, _ in SHOWN.values()), *epochs, *recovered]
    rows = [_row(results, name, len(recovered)) for name in comparison.models]
    rows += [
        [*_baseline_row(name, scores), *(MISSING for _ in (*epochs, *recovered))]
        for name, scores in comparison.baselines.items()
    ]
    over_seeds = "" if comparison.target is None else "; epochs are the mean over seeds"
    caption = (
        "The ensemble of all seeds on the test split, with its 95 % interval over test "
        f"sequences{over_seeds}. Baselines need no neural network."
    )
    if any(scored_in_folds(results, name) for name in comparison.models):
        caption = (
            "Every sequence is scored by the seeds that were trained without its fold, with the "
            "95 % interval over sequences; so are baselines. All folds are ranked together."
        )
    if not results.holds("metrics"):
        caption = "Mean over seeds on the test split, with its 95 % interval over seeds."
    return Table(head, rows, "Models beside baselines", caption)


def _row(results: Results, name: str, n_recovered: int) -> list[str]:
    model = results.comparison.models[name]
    cells = []
    for metric, (_, digits, scale) in SHOWN.items():
        score = ensemble_score(results, name, metric)
        mean = getattr(model.summary, metric)
        cells.append(
            score_in_words(score, digits, scale)
            if score
            else mean_and_interval(mean, digits, scale=scale)
        )
    recovered = [_recovered(results, name)] * n_recovered
    return [name, *cells, *epochs_cells(results.comparison, model), *recovered]


def _baseline_row(name: str, scores: Scores) -> list[str]:
    cells = [
        signed(scale * getattr(scores, metric), digits)
        for metric, (_, digits, scale) in SHOWN.items()
    ]
    return [f"baseline: {BASELINES.get(name, name)}", *cells]


def _recovered(results: Results, name: str) -> str:
    """Say in how many seeds the best route recovers the truth."""
    motifs = held(results, NO_MOTIFS)
    model = motifs.models.get(name)
    if model is None or not motifs.truth:
        return MISSING
    counts = {route: exact_count(model, route) for route in routes_of(model)}
    most = max((exact for exact, _ in counts.values()), default=0)
    if not most:
        return "in no seed"
    best = [route for route, (exact, _) in counts.items() if exact == most]
    return f"{most} of {counts[best[0]][1]} seeds"
