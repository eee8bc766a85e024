"""How well labels that are numbers are predicted: table, pictures, and sentences of the page."""

from __future__ import annotations

from collections.abc import Sequence

from motiflens.plots import line_chart, scatter_chart
from motiflens.report.headline import BASELINES, regression_score, score_in_words
from motiflens.report.parts import (
    MISSING,
    Block,
    Figure,
    Part,
    Row,
    Section,
    Table,
    bar,
    number,
)
from motiflens.results import Results
from motiflens.results.regression import (
    Regression,
    RegressionDifference,
    RegressionModel,
    RegressionScores,
    RegressionSize,
)

METRICS = {"spearman": "Spearman", "pearson": "Pearson", "r2": "R²"}
#: What a page of numbers means by the words of two classes.
IN_CLASSES = (
    "Labels are numbers here. Positives are the sequences with the highest tenth of labels in a "
    "split, negatives all others; a logit is a predicted label, in the unit of the labels."
)

#: What is added where explanations are held against a null.
LOWEST = " The negatives of these checks are the lowest tenth."


def regression_parts(results: Results) -> list[Part]:
    """Lay out everything that `regression.json` holds."""
    found = results.regression
    figures = [_scatter(found, name, model) for name, model in found.models.items()]
    behind: list[Block] = [_seeds(found)]
    if found.differences:
        behind.append(_differences(found.differences))
    parts: list[Part] = [_table(found), Row(figures), Section("seeds", "Single seeds", behind)]
    curves = {name: model.sizes for name, model in found.models.items() if model.sizes}
    if curves:
        title = "Learning curves"
        svg = line_chart(
            {name: _curve(sizes) for name, sizes in curves.items()},
            title,
            "training sequences",
            "test Spearman correlation",
            log_x=True,
        )
        caption = "Mean over seeds with its 95 % interval over seeds."
        parts.append(Section("learning", title, [Figure(svg, title, caption)]))
    return parts


def _table(found: Regression) -> Table:
    rows = [[name, *_cells(model.test)] for name, model in found.models.items()]
    rows += [
        [f"baseline: {BASELINES.get(name, name)}", *_cells(scores)]
        for name, scores in found.baselines.items()
    ]
    related = "sequences that share 31 bases count as one"
    if found.test_groups is None:
        related = "related sequences were not looked for"
    caption = (
        "The mean prediction of all seeds on the test split, with its 95 % interval over test "
        f"sequences; {related}. Spearman: correlation of ranks; "
        "Pearson: of values; R²: fraction of the variance of labels that is explained, below 0 "
        "where their mean predicts better. Baselines are ridge regressions."
    )
    return Table(["Model", *METRICS.values()], rows, "Models beside baselines", caption)


def _cells(scores: RegressionScores) -> list[str]:
    return [score_in_words(getattr(scores, metric)) for metric in METRICS]


def _scatter(found: Regression, name: str, model: RegressionModel) -> Figure:
    title = f"Predicted and measured: {name}"
    svg = scatter_chart(found.measured, model.predicted, title, "label", "prediction")
    return Figure(svg, title, f"{len(found.measured):,} test sequences. Dashed: equal.")


def _seeds(found: Regression) -> Table:
    rows = [
        [
            f"{name}, seed {seed.seed}",
            *(number(getattr(seed, metric), 3) for metric in METRICS),
            f"{seed.best_epoch} of {seed.epochs}" if seed.epochs else MISSING,
        ]
        for name, model in found.models.items()
        for seed in model.seeds
    ]
    caption = "On the test split. The epoch is the one of the lowest validation loss."
    return Table(["Model", *METRICS.values(), "Epoch"], rows, "Scores of single seeds", caption)


def _differences(differences: Sequence[RegressionDifference]) -> Table:
    rows = [[f"{row.a} − {row.b}", *_cells(row)] for row in differences]
    caption = (
        "Scores of all seeds together, with 95 % intervals over the same test sequences. Where the "
        "interval includes 0, these data do not show which model is better."
    )
    return Table(["Pair", *METRICS.values()], rows, "Differences of models", caption)


def _curve(
    sizes: Sequence[RegressionSize],
) -> tuple[list[float], list[float], list[float], list[float]]:
    rows = sorted(sizes, key=lambda size: size.n_train)
    bars = [bar(row.spearman.mean, row.spearman.low, row.spearman.high) for row in rows]
    mean, low, high = ([one[i] for one in bars] for i in range(3))
    return [float(row.n_train) for row in rows], mean, low, high


def regression_sentence(results: Results, model: str) -> str | None:
    """Say how well a model predicts, and what that is worth; None where it has no score."""
    score = regression_score(results, model)
    if score is None:
        return None
    r2 = regression_score(results, model, "r2")
    words = f"Spearman correlation {score_in_words(score)}"
    words += f" and R² {score_in_words(r2)} on the test split" if r2 else " on the test split"
    words = (
        f"{model} predicts the labels with {words}"
        if score.low > 0
        else f"{model} does not predict the labels beyond chance: {words}"
    )
    if trivial := best_numbers(results):
        name, value = trivial
        more = "no less: " if value >= score.value else ""
        words += f"; the best trivial baseline, {name}, reaches {more}{number(value, 3)}"
    return f"{words}."


def best_numbers(results: Results) -> tuple[str, float] | None:
    """Return the trivial baseline of the highest Spearman correlation, in words, and that."""
    baselines = results.regression.baselines if results.holds("regression") else {}
    if not baselines:
        return None
    best = max(baselines, key=lambda name: baselines[name].spearman.value)
    return BASELINES.get(best, f"the baseline {best}"), baselines[best].spearman.value
