"""What progress tells: which stage of how many, what is done, and how long the rest takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rich.console import Console

from motiflens.cli import progress as shown
from motiflens.cli.progress import LineProgress, TerminalProgress
from motiflens.progress import Advance, Count, Numbered, Within, in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about 1 s"),
        (7.4, "about 7 s"),
        (23, "about 25 s"),
        (89, "about 90 s"),
        (91, "about 2 min"),
        (1_500, "about 25 min"),
        (5_390, "about 90 min"),
        (7_000, "about 2 h"),
    ],
)
def test_a_rough_time_is_told_roughly(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_the_rest_takes_as_long_as_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    count = Count(1_200, "epochs")
    assert str(count) == "0 of 1,200 epochs"
    count.add(300)
    monkeypatch.setattr("time.perf_counter", lambda: count.started + 10)
    assert str(count) == "300 of 1,200 epochs, about 30 s left"
    count.add(2_000)
    assert str(count) == "1,200 of 1,200 epochs"


class Kept:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @contextmanager
    def stage(self, description: str, total: int, unit: str = "") -> Iterator[Advance]:
        """Keep what a stage is called, and its steps."""
        self.told.append(f"{description}, {total} {unit}")
        yield lambda steps: self.told.append(f"+{steps}")

    def note(self, text: str) -> None:
        """Keep a note."""
        self.told.append(text)


def test_stages_are_numbered_as_they_are_listed() -> None:
    kept = Kept()
    numbered = Numbered(kept, ["auditing", "training", "scoring"])
    for description in ("training", "crossing"):
        with numbered.stage(description, 7, "epochs"):
            numbered.note("as it is")
    assert kept.told == ["[2/3] training, 7 epochs", "as it is", "crossing, 7 epochs", "as it is"]


def test_the_steps_of_an_inner_stage_are_steps_of_the_outer_one() -> None:
    steps: list[int] = []
    with Within(steps.append).stage("ism", 5) as advance:
        advance(2)
        advance(9)
    with Within(steps.append).stage("attention", 4):
        pass
    assert steps == [2, 3, 0, 4]


def test_a_log_gets_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "BETWEEN_LINES", 0.0)
    with LineProgress().stage("[2/9] training", 30, "epochs") as advance:
        advance(10)
        advance(20)
    first, second, third = capsys.readouterr().err.splitlines()
    assert first == "[2/9] training: 30 epochs to do"
    assert second == "[2/9] training: 10 of 30 epochs"
    assert third.startswith("[2/9] training: done in 0.")


def test_a_terminal_shows_the_number_of_the_stage_and_what_is_done() -> None:
    console = Console(force_terminal=True, width=120, record=True)
    with TerminalProgress(console).stage("[2/9] training", 30, "epochs") as advance:
        advance(12)
    text = console.export_text()
    assert "[2/9] training" in text
    assert "12 of 30 epochs" in text
