"""The benchmarks of explanations: their data need what they say, and scores know the truth."""

import numpy as np
import pytest
from benchmarks.explain import scored
from benchmarks.grammars import (
    BREAKING,
    MAX_CORRELATION,
    correlation,
    make_data,
    make_rule_data,
    true_log_odds,
    usable,
)
from benchmarks.rules import table

from motiflens.datasets import SequenceDataset
from motiflens.evidence import find_rule
from motiflens.motifs import Motif, jaspar_core


@pytest.fixture(scope="module")
def drawn() -> tuple[SequenceDataset, list[Motif]]:
    return make_data(usable(jaspar_core()), 3, draw=1, n=400)


def test_only_positives_hold_all_motifs(drawn):
    data, motifs = drawn
    wanted = {motif.name for motif in motifs}
    held = [wanted & {site.name for site in sites} for sites in data.sites]
    assert all(
        (names == wanted) == bool(label) for names, label in zip(held, data.labels, strict=True)
    )
    assert {len(names) for names, label in zip(held, data.labels, strict=True) if not label} == {
        0,
        1,
        2,
    }
    # A decoy's site is no true site: its bases count as outside.
    assert {site.name for sites in data.sites for site in sites} == wanted


def test_motifs_of_a_grammar_are_not_alike(drawn):
    _, motifs = drawn
    assert correlation(motifs[0], motifs[0]) == pytest.approx(1)
    assert correlation(motifs[0], motifs[0].reverse_complement()) == pytest.approx(1)
    pairs = [(a, b) for a in motifs for b in motifs if a is not b]
    assert max(correlation(a, b) for a, b in pairs) <= MAX_CORRELATION


def test_true_log_odds_lie_on_the_sites_and_favour_the_likeliest_bases(drawn):
    data, motifs = drawn
    values = true_log_odds(data, motifs)
    by_name = {motif.name: motif for motif in motifs}
    strands = set()
    for row, sites in zip(values, data.sites, strict=True):
        outside = np.ones(row.shape[1], dtype=bool)
        for site in sites:
            if site.name in by_name:
                outside[site.start : site.end] = False
                ppm = by_name[site.name].ppm
                ppm = ppm if site.strand == "+" else ppm[::-1, ::-1]
                found = row[:, site.start : site.end]
                np.testing.assert_array_equal(found.argmax(0), ppm.argmax(0))
                strands.add(site.strand)
        assert (row[:, outside] == 0).all()
    assert strands == {"+", "-"}


def test_positions_of_the_true_matrices_are_told_apart_although_weak_bases_are_not(drawn):
    data, motifs = drawn
    positives = data.subset(np.flatnonzero(data.labels == 1)[:60])
    values = true_log_odds(positives, motifs)
    score = scored((values * positives.one_hot()).sum(1), values, positives, motifs)
    assert score["position_auroc"] == 1
    # A drawn site holds bases that its motif hardly has: these count against the signed track.
    assert 0.85 < score["base_auroc"] < 0.99
    assert scored(-values.max(1), None, positives, motifs)["base_auroc"] == 0


@pytest.mark.parametrize("rule", BREAKING)
def test_of_data_with_a_rule_only_the_rule_parts_the_classes(rule):
    data = make_rule_data(usable(jaspar_core()), rule, draw=0, n=200)
    found = find_rule(data.sites, data.labels)
    assert found is not None
    assert found.kind == rule
    if rule != "and":
        held = {frozenset(site.name for site in row) for row in data.sites}
        assert held == {frozenset(found.motifs)}


def test_the_table_of_rules_has_its_draws_side_by_side():
    row = {"rule": "and", "model": "cnn", "method": "ism", "test_auroc": 0.98, "logit": 1.0}
    rows = [row | {"score": 0.9, "fall": 0.4}, row | {"score": 0.95, "fall": 0.5}]
    rows.append({**row, "method": "attention", "refused": "no maps"})
    rows.append({**row, "rule": "order", "method": "saliency", "score": 0.5, "fall": -0.1})
    assert table(rows).splitlines() == [
        "| | and, cnn | order, cnn |",
        "|---|---|---|",
        "| test AUROC | 0.98, 0.98 | 0.98 |",
        "| the motifs taken out | 1.00, 1.00 | 1.00 |",
        "| `ism` | **0.90, 0.95** (0.45) | – |",
        "| `saliency` | – | 0.50 (−0.10) |",
    ]
