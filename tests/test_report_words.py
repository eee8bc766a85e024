"""The page in Chinese: every text has one, and it holds the same figures."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from motiflens.report import write_report
from motiflens.report.assets import HERE, script_of
from motiflens.report.translate import WORDS, Texts, dictionary, pairs, said_by, translate
from synthetic_run import write_run

SCRIPT = script_of(HERE / "page.js")
#: Two words of English after each other; names and commands have none.
ENGLISH = re.compile(r"\b[a-z]{3,} [a-z]{2,}\b")
KEPT = {"saliency map", "gradient correction", "deletion curve"}  # in brackets, once
NUMBER = re.compile(r"\d(?:[\d.,]*\d)?")
COMMAND = re.compile("`[^`]*`|^motiflens .*")


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    run_dir = write_run(tmp_path_factory.mktemp("words") / "run")
    return write_report(run_dir).read_text(encoding="utf-8")


def english_in(text: str) -> list[str]:
    return [found for found in ENGLISH.findall(COMMAND.sub("", text)) if found not in KEPT]


def test_no_text_of_the_page_is_left_in_english(html: str) -> None:
    # The fixture makes up a warning, which ends so.
    texts = [text for text in Texts(html).found if not text.endswith("…")]
    assert len(texts) > 400
    left = {text: translate(text) for text in texts if english_in(translate(text))}
    assert left == {}


def test_what_the_script_says_is_translated(html: str) -> None:
    said = said_by(SCRIPT)
    assert {"Search", "worst errors first", "attention weight {value}"} <= set(said)
    assert [text for text in said if translate(text) == text] == []


def test_figures_are_the_same_in_both_languages(html: str) -> None:
    for text in Texts(html).found:
        numbers, chinese = (Counter(NUMBER.findall(one)) for one in (text, translate(text)))
        assert numbers == chinese, text


def test_the_page_holds_its_words(html: str) -> None:
    found = dictionary(html, SCRIPT)
    assert found["Data"] == "数据"
    assert found["Zoom in"] == "放大"


@pytest.mark.parametrize("pair", pairs().items(), ids=lambda pair: pair[0][:40])
def test_a_template_has_the_same_places_in_both(pair: tuple[str, str]) -> None:
    english, chinese = (sorted(re.findall(r"\{\w+\}", one)) for one in pair)
    assert english == chinese


def test_each_english_text_is_listed_once() -> None:
    lines = [line for line in Path(WORDS).read_text(encoding="utf-8").splitlines()
             if line and not line.startswith("#")]  # fmt: skip
    assert [text for text, n in Counter(lines[::2]).items() if n > 1] == []


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("cnn: bases may be claimed by ism; checked on 100 positives.",
         "cnn：可用 饱和突变 断言碱基；在 100 个正样本上检验。"),
        ("0.963 (0.941 to 0.978)", "0.963（0.941 至 0.978）"),
        ("saliency, DeepLIFT/SHAP and mutagenesis", "显著性、DeepLIFT/SHAP、饱和突变"),
        ("Report on simulated: the tutorial's data, seed 0", "模拟数据：教程的数据，种子 0 的报告"),
        ("A sentence that nobody has translated.", "A sentence that nobody has translated."),
    ],
)  # fmt: skip
def test_texts_are_translated_whole_or_part_by_part(english: str, chinese: str) -> None:
    assert translate(english) == chinese


def test_counts_of_several_models_are_translated_one_by_one():
    counts = ("1 of 3 untrained replicas of cnn", "2 of 3 untrained replicas of attention")
    alone = [translate(count) for count in counts]
    assert all("未训练" in count for count in alone)
    for words, chinese in ((" and ".join(counts), "、".join(alone)), (counts[1], alone[1])):
        text = (
            f"The control: {words} show the motif too, in fewer positives, so that the motif alone "
            "does not prove that the model has learnt it."
        )
        assert translate(text).startswith(f"对照：{chinese}也显示")
