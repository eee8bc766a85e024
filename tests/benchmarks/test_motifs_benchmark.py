"""The recovery table: its grammars, and how a route is judged."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.motifs import CASES, QUICK, draw_grammar, judge, measure, table, table_of_grammars

from benchmarks import discovery_speed
from motiflens.motifs import motif_from_string, recover


def test_motifs_of_a_grammar_differ_and_the_same_seed_draws_the_same():
    for case in CASES:
        grammar = draw_grammar(case, 1, 100)
        motifs = [use.motif for use in (*grammar.motifs, *grammar.decoys)]
        assert len(grammar.motifs) == case.n_motifs
        assert bool(grammar.decoys) == (case.negatives == "decoys")
        for number, motif in enumerate(motifs[1:], start=1):
            assert recover(motif.ppm, motifs[:number]).similarity < 0.6
        again = draw_grammar(case, 1, 100)
        assert [use.name for use in again.motifs] == [use.name for use in grammar.motifs]


def test_a_route_is_judged_by_what_it_finds_and_misses():
    truths = [motif_from_string("GATTACCA"), motif_from_string("CCGGTTAG")]
    found = [np.array(motif_from_string(text).ppm) for text in ("TGGTAATC", "ATATATATAT")]
    judged = judge(found, truths)
    assert judged["similarity"][0] == pytest.approx(1.0)
    assert (judged["recovered"], judged["n_truths"]) == (1, 2)
    assert (judged["n_found"], judged["n_false"]) == (2, 1)
    assert judge([], truths)["recovered"] == 0


def test_discovery_of_planted_explanations_is_timed_and_finds_the_motifs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"N": 1_000, "N_MOTIFS": 3, "LENGTH": 60}.items():
        monkeypatch.setattr(discovery_speed, name, value)
    monkeypatch.setattr(discovery_speed, "peak", lambda: 0.0)
    with pytest.raises(SystemExit) as ended:
        discovery_speed.main()
    assert not ended.value.code
    assert "3 of 3 true motifs" in capsys.readouterr().out
    monkeypatch.setattr(discovery_speed, "peak", lambda: 2.1e9)
    with pytest.raises(SystemExit) as ended:
        discovery_speed.main()
    assert ended.value.code


@pytest.mark.slow
@pytest.mark.parametrize("number", QUICK)
def test_discovery_finds_the_motifs_of_a_grammar_and_nothing_else(number: int) -> None:
    measured = measure(CASES[number], 0, n=1500, min_steps=300, routes=("attention", "discovery"))
    found = measured["routes"]["discovery"]
    assert (found["recovered"], found["n_false"]) == (CASES[number].n_motifs, 0)
    assert found["n_found"] >= found["recovered"]
    rows = table_of_grammars([measured]).splitlines()
    assert rows[0] == "| grammar | attention | discovery |"
    assert rows[2].endswith(f"| {CASES[number].n_motifs}/{CASES[number].n_motifs} |")
    assert f"| discovery | {CASES[number].n_motifs} of" in table([measured])
