"""The section on a distilled network: beside the ensemble that it has learnt from."""

from __future__ import annotations

from msgspec import UNSET

from motiflens.report.audit import DIGITS, METRICS
from motiflens.report.compare import mean_and_interval
from motiflens.report.explain import TRACK_LABELS, track_figure
from motiflens.report.headline import ensemble_score, score_in_words
from motiflens.report.parts import MISSING, Block, Part, Section, Table, Text, interval
from motiflens.results import Results
from motiflens.results.distillation import Distillation
from motiflens.results.tracks import read_sites, read_tracks
from motiflens.settings import DISTILLED

TITLE = "The distilled network"
#: Of the compared methods: what the page draws.
DRAWN = "ism"


def distilled_parts(results: Results) -> list[Part]:
    """Lay out scores and explanations beside those of the ensemble; nothing without such a net."""
    if not results.holds("distillation"):
        return []
    found = results.distillation
    n = sum(len(seeds) for seeds in found.teachers.values())
    text = (
        f"One network of {found.parameters:,} parameters has learnt what {n} networks of "
        f"{found.teacher_parameters:,} say together, of {found.n_train:,} training sequences and "
        f"of {found.n_made:,} mutated copies of them."
    )
    blocks: list[Block] = [Text(text), _scores(results, found), *_agreement(results)]
    return [Section(DISTILLED, TITLE, blocks)]


def _scores(results: Results, found: Distillation) -> Table:
    """Lay out both on the test split, and their paired difference."""
    ensemble = [score_in_words(getattr(found.ensemble.test, metric)) for metric in METRICS]
    own = [ensemble_score(results, DISTILLED, metric) for metric in METRICS]
    rows = [
        ["all models and seeds", *ensemble],
        [DISTILLED, *(score_in_words(score) if score else MISSING for score in own)],
        [
            "difference",
            *(
                mean_and_interval(getattr(found.difference, metric), DIGITS[metric], plus="+")
                for metric in METRICS
            ),
        ],
    ]
    caption = (
        "The mean logit of all seeds of all models on the test split, and the one network, each "
        "called with its own threshold, with 95 % intervals over test sequences."
    )
    return Table(["Model", *METRICS.values()], rows, "The distilled network's scores", caption)


def _agreement(results: Results) -> list[Block]:
    """Lay out how far contributions agree, and draw those of the sequence in the middle."""
    checks = results.checks.get(DISTILLED)
    agreed = checks.agreement if checks and checks.agreement is not UNSET else {}
    rows = [
        [method, interval(one.median, one.low, one.high), str(one.n)]
        for method, one in agreed.items()
    ]
    if not rows:
        return []
    caption = (
        "Correlation of the contributions of all bases of a positive with the mean contributions "
        "of all models and seeds: median over positives, and quartiles."
    )
    head = ["Method", "Correlation", "Positives"]
    name = "Contributions beside those of the ensemble"
    drawn = _tracks(results, agreed[DRAWN].example) if DRAWN in agreed else []
    return [Table(head, rows, name, caption), *drawn]


def _tracks(results: Results, name: str) -> list[Block]:
    """Draw the mutagenesis of one sequence by both."""
    sites = read_sites(results).get(name, [])
    both = {
        "all models and seeds": read_tracks(results, "ensemble_attributions"),
        DISTILLED: read_tracks(results),
    }
    figures = [
        track_figure(
            tracks[DISTILLED][DRAWN],
            name,
            [(site.start, site.end) for site in sites],
            f"Mutagenesis of {name}: {who}",
            TRACK_LABELS[DRAWN],
        )
        for who, tracks in both.items()
    ]
    return [Text(f"The positive whose correlation is nearest to the median: {name}."), *figures]
