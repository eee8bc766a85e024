"""The section on sums: whether the contributions of a method add up to what it explains."""

from __future__ import annotations

from motiflens.report.parts import Section, Table, absent, finite, percent
from motiflens.report.reading import Run
from motiflens.report.scores import ordered

#: Methods that promise a sum, and what they promise it to be.
PROMISES = {
    "deeplift_shap": "the logit less the mean logit of its shuffles",
    "expected_gradients": "the logit less the mean logit of its shuffles",
    "integrated_gradients": "the logit less that of ¼ of every base",
}


def sums(run: Run) -> Section:
    """Tell how much of the logits' differences the contributions of each method miss.

    Checks without a note are of a version that measured them before a correction took a part away:
    they say nothing of the contributions that it kept.
    """
    title = "Do the contributions add up"
    rows = [
        [
            f"{model}, {method}",
            promise,
            percent(checks["completeness"], 2),
            checks["completeness_note"] or "adds up",
        ]
        for model in ordered(run, run.checks)
        for method, promise in PROMISES.items()
        if "completeness_note" in (checks := run.checks[model].get("methods", {}).get(method, {}))
        and finite(checks.get("completeness"))
    ]
    if not rows:
        what = "checks of the contributions as they are kept (attributions/*/checks.json)"
        return absent("sums", title, what, "motiflens explain")
    caption = (
        "Mean absolute difference between the sum of a sequence's contributions and what they "
        "should add up to, as a share of the mean absolute value of that, over the explained "
        "positives. A right sum does not say that each base got its due."
    )
    head = ["Model, method", "Should add up to", "Misses", "That is"]
    return Section("sums", title, [Table(head, rows, title, caption)])
