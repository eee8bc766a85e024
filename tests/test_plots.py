"""Figures: what their SVG holds is what the data say."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motiflens.errors import InputError
from motiflens.motifs import information
from motiflens.plots import (
    attention_heatmap,
    bar_chart,
    base_track,
    filter_grid,
    line_chart,
    logo,
    logo_pair,
    position_profile,
    ppm_heatmap,
    unit_chart,
)
from motiflens.plots.axes import Scale, linear_ticks, round_range
from motiflens.plots.logo import LEFT, LETTER_COLOURS, OUTLINES, logo_strands
from motiflens.plots.svg import escaped, figure, label, number
from synthetic_run import ppm_of

SVG = "{http://www.w3.org/2000/svg}"
BASE_OF = {outline: base for base, outline in OUTLINES.items()}
PPM = np.array(
    [[0.70, 0.10, 0.25, 0.0, 0.4], [0.10, 0.6, 0.25, 1.0, 0.1], [0.15, 0.1, 0.25, 0.0, 0.3],
     [0.05, 0.2, 0.25, 0.0, 0.2]]
)  # fmt: skip
CURVES = {
    "cnn": ([1, 2, 3], [60.0, 80.0, 96.5], [55.0, 78.0, 96.0], [65.0, 82.0, 97.0]),
    "attention": ([1, 2, 3], [70.0, 97.25, 99.0], [70.0, 97.0, 99.0], [70.0, 98.0, 99.0]),
}
EXTENT = {"start": (0, 1), "middle": (-0.5, 0.5), "end": (-1, 0)}
ALL = {
    "line": lambda text: line_chart({text: CURVES["cnn"]}, text, text, text, reference=(90, text)),
    "bar": lambda text: bar_chart({text: {text: (2, 1, 3)}}, text, text, notes={text: text}),
    "unit": lambda text: unit_chart({text: ([0, 1], [0.2, 1])}, text, text, text, reference=(0, 1)),
    "logo": lambda text: logo(PPM, title=text),
    "strands": lambda text: logo_strands(PPM, title=text),
    "pair": lambda text: logo_pair(PPM, ppm_of("ACG"), offset=-1, title=text),
    "ppm": lambda text: ppm_heatmap(PPM, title=text),
    "track": lambda text: base_track(
        "ACG", [1, -2, 3], [(1, 2)], title=text, y_label=text, site_name=text
    ),
    "attention": lambda text: attention_heatmap(
        np.eye(2, 5), [[(0, 2)], []], names=[text, text], title=text, value_label=text
    ),
    "filters": lambda text: filter_grid(np.ones((3, 4, 5)), title=text),
    "profile": lambda text: position_profile([1, 0, 7], title=text, y_label=text),
}


def letters(svg: str) -> list[tuple[str, float, float, float, float]]:
    """Read (base, x, y, width, height) of every letter of a logo."""
    root = ET.fromstring(svg)
    base_of = {f"#{p.get('id')}": BASE_OF[p.get("d", "")] for p in root.findall(f"{SVG}defs/*")}
    found = []
    for use in root.iter(f"{SVG}use"):
        x, y, width, height = map(float, re.findall(r"-?[\d.]+", use.get("transform", "")))
        found.append((base_of[use.get("href", "")], x, y, width, height))
    return found


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def bars(svg: str) -> list[ET.Element]:
    return [r for r in ET.fromstring(svg).iter(f"{SVG}rect") if r.find(f"{SVG}title") is not None]


@pytest.mark.parametrize("name", ALL)
def test_every_figure_is_named_described_and_of_its_own_size(name):
    root = ET.fromstring(ALL[name]("tutorial-attention"))
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert root[0].text == "tutorial-attention"
    assert len(root[1].text) > 10
    width, height = float(root.get("width")), float(root.get("height"))
    assert root.get("viewBox") == f"0 0 {number(width)} {number(height)}"
    for text in root.iter(f"{SVG}text"):
        assert float(text.get("font-size")) >= 11
        if text.get("transform") is None:
            extent = 5.8 * len(text.text) * np.array(EXTENT[text.get("text-anchor", "start")])
            assert float(text.get("x")) + extent[0] >= 0
            assert float(text.get("x")) + extent[1] <= width
            assert 0 < float(text.get("y")) <= height


@pytest.mark.parametrize("name", ALL)
def test_every_figure_is_deterministic_and_needs_nothing_else(name):
    svg = ALL[name]("Name")
    assert svg == ALL[name]("Name")
    assert not re.search(r"href=\"[^#]|url\(|style=|<style|<script", svg)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("text", ['<script>alert("1")</script>', "a & b 'c'", "\x00\x07\ud800<"])
def test_text_is_inert(name, text):
    root = ET.fromstring(ALL[name](text))
    assert not list(root.iter(f"{SVG}script"))
    assert root[0].text == re.sub("[\x00\x07\ud800]", "\ufffd", text)


@given(st.text())
def test_escaped_text_comes_back_whole(text):
    """Parse what was written: only characters that XML does not know are replaced."""
    read = ET.fromstring(f'<a b="{escaped(text)}">{escaped(text)}</a>')
    kept = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
    assert (read.text or "") == re.sub("\r\n?", "\n", kept)
    assert read.get("b") == re.sub("\r\n?|[\n\t]", " ", kept)


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_lie_inside_and_are_evenly_spaced(low, span):
    high = low + span
    ticks = linear_ticks(low, high)
    steps = np.diff(ticks)
    if span > 1e-6 * abs(low):
        assert 2 <= len(ticks) <= 8
        assert np.allclose(steps, steps[0], rtol=1e-3)
        assert ticks[0] >= low - 1e-3 * span
        assert ticks[-1] <= high + 1e-3 * span


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_round_range_holds_its_values(values):
    low, high = round_range(values)
    slack = 1e-6 * (high - low)
    assert low < high
    assert low - slack <= min(values) <= max(values) <= high + slack


def test_scales_are_affine_or_logarithmic():
    assert [Scale(0, 4, 100, 20)(value) for value in (0, 1, 4)] == [100, 80, 20]
    across = Scale(10, 1000, 0, 60, log=True)
    assert np.allclose([across(value) for value in (10, 100, 1000)], [0, 30, 60])
    assert across.ticks == [10, 20, 50, 100, 200, 500, 1000]


def test_letters_are_as_tall_as_their_information():
    svg = logo(PPM)
    found = letters(svg)
    step = found[0][3] / 0.92
    ticks = [float(line.get("y1")) for line in ET.fromstring(svg).iter(f"{SVG}line")][1:4]
    pixels_a_bit = (ticks[0] - ticks[2]) / 2
    left = min(x for _, x, *_ in found)
    seen = np.zeros((4, 5))
    for base, x, _, _, height in found:
        seen["ACGT".index(base), round((x - left) / step)] = height
    assert np.allclose(seen, PPM * information(PPM) * pixels_a_bit, atol=0.05)
    assert seen[:, 3].max() == pytest.approx(2 * pixels_a_bit)
    assert seen[:, 2].max() == 0
    assert {"0", "1", "2", "bits"} <= set(texts(svg))


def test_letters_of_a_column_are_stacked_without_gap_and_the_most_likely_is_on_top():
    column = sorted((l for l in letters(logo(PPM)) if l[1] < 60), key=lambda l: l[2])  # noqa: E741
    assert [base for base, *_ in column] == ["A", "G", "C", "T"]
    for upper, lower in itertools.pairwise(column):
        assert upper[2] + upper[4] == pytest.approx(lower[2], abs=0.02)


def test_outlines_fill_their_unit_square():
    """Sample lines and arcs' ends: a letter that does not touch the edges would be too short."""
    for base, outline in OUTLINES.items():
        if base in "AT":
            parts = re.findall(r"([MLHVZ])([\d. ]*)", outline)
            read = [(c, [float(v) for v in re.findall(r"\d*\.\d+|\d+", rest)]) for c, rest in parts]
            xs = [values[0] for command, values in read if command in "MLH"]
            ys = [values[-1] for command, values in read if command in "MLV"]
            assert (min(xs), max(xs), min(ys), max(ys)) == (0, 1, 0, 1)
        else:
            assert "A.55.5 0 1 1 1 .213" in outline  # an ellipse 1.1 wide and 1 tall, cut at x = 1


def test_contributions_go_up_and_down_from_zero():
    matrix = np.array([[2.0, -1.0], [0.5, 0.25], [0.0, 0.0], [-0.5, -3.0]])
    svg = logo(matrix, kind="contribution")
    found = {(base, x > 60): (y, height) for base, x, y, _, height in letters(svg)}
    zero = found["C", False][0] + found["C", False][1]
    unit = found["A", False][1] / 2
    assert found["A", False][0] + 2 * unit == pytest.approx(found["C", False][0], abs=0.02)
    assert found["T", False][0] == pytest.approx(zero, abs=0.02)
    assert found["T", True] == pytest.approx((zero + unit, 3 * unit), abs=0.03)
    assert ("G", False) not in found


@pytest.mark.parametrize(("offset", "strand"), [(0, "+"), (2, "+"), (-3, "+"), (1, "-")])
def test_a_found_motif_stands_above_its_place_in_the_truth(offset, strand):
    truth = "CGACTGAACT"
    along = ("TTT" + truth + "GGG")[3 + offset : 3 + offset + 7]
    ppm = ppm_of(along, 1.0)
    found = ppm[::-1, ::-1] if strand == "-" else ppm
    svg = logo_pair(found, ppm_of(truth, 1.0), offset=offset, strand=strand)
    rows = sorted({y for _, _, y, _, _ in letters(svg)})
    upper = {x: base for base, x, y, *_ in letters(svg) if y == rows[0]}
    lower = {x: base for base, x, y, *_ in letters(svg) if y == rows[1]}
    assert "".join(upper[x] for x in sorted(upper)) == along
    assert "".join(lower[x] for x in sorted(lower)) == truth
    assert min(*upper, *lower) > LEFT
    shared = set(upper) & set(lower)
    assert len(shared) == min(7, 7 + offset)
    assert all(upper[x] == lower[x] for x in shared)


@pytest.mark.parametrize(
    "matrix", [np.ones((3, 5)), np.ones((4, 0)), np.ones(4), np.full((4, 2), np.nan)]
)
def test_a_logo_refuses_what_is_no_matrix(matrix):
    with pytest.raises(InputError, match=r"is no motif|holds NaN"):
        logo(matrix)


def test_filters_are_drawn_after_the_mean_of_the_bases_is_taken_away():
    """A constant at every base of a position acts as a bias: it draws nothing."""
    weights = np.zeros((3, 4, 6))
    weights[1, :, 2] = 5.0
    weights[2, 3, 4] = 4.0
    assert letters(filter_grid(weights[:2])) == []
    drawn = letters(filter_grid(weights))
    assert {base: height for base, *_, height in drawn}["T"] == pytest.approx(
        3 * {base: height for base, *_, height in drawn}["A"], abs=0.02
    )
    assert [text for text in texts(filter_grid(weights)) if text.startswith("filter")] == [
        "filter 0",
        "filter 1",
        "filter 2",
    ]


def test_a_ppm_has_its_number_in_every_cell():
    written = texts(ppm_heatmap(PPM))
    assert [t for t in written if "." in t] == [f"{value:.2f}" for value in PPM.ravel()]
    assert [t for t in written if t in set("ACGT")] == list("ACGT")
    assert [t for t in written if t.isdigit()] == ["1", "2", "3", "4", "5"]
    with pytest.raises(InputError, match=r"\(5, 4\)"):
        ppm_heatmap(PPM.T)


def test_bars_of_a_track_are_as_long_as_the_values():
    values = [1.0, -0.5, 0.0, 2.0, 0.25]
    svg = base_track("ACGTN", values, [(1, 3)], start=10)
    heights = [float(bar.get("height")) for bar in bars(svg)]
    assert np.allclose(np.array(heights) / heights[0], np.abs(values), atol=1e-3)
    assert float(bars(svg)[0].get("y")) < float(bars(svg)[1].get("y"))
    assert [t for t in texts(svg) if t in set("ACGTN")] == list("ACGTN")
    assert [bar.find(f"{SVG}title").text for bar in bars(svg)][1] == "C12: -0.5"
    assert "11" in texts(svg)


def test_the_true_site_is_shaded_where_it_lies():
    svg = base_track("ACGTACGT", np.arange(8.0), [(22, 25)], start=20)
    site = next(r for r in ET.fromstring(svg).iter(f"{SVG}rect") if r.get("class") == "site")
    left = float(bars(svg)[2].get("x")) - 2
    assert float(site.get("x")) == left
    assert float(site.get("width")) == 3 * 16
    assert 'class="site"' not in base_track("ACGT", np.arange(4.0), [(22, 25)], start=26)
    with pytest.raises(InputError, match=r"4 letters and values of shape \(5,\)"):
        base_track("ACGT", np.arange(5.0))


@given(st.lists(st.lists(st.integers(0, 20), min_size=7, max_size=7), min_size=1, max_size=5))
def test_cells_of_a_heat_map_come_back_from_its_paths(levels):
    """Read runs `M x y h n` back into a grid: every cell has the level of its value."""
    values = np.array(levels) / 20
    values[0, 0] = 1.0
    svg = attention_heatmap(values, [[]] * len(values))
    key = [r.get("fill") for r in ET.fromstring(svg).iter(f"{SVG}rect")][1:22]
    seen = np.zeros(values.shape)
    for path in ET.fromstring(svg).iter(f"{SVG}path"):
        for x, y, n in re.findall(r"M(\d+) (\d+)h(\d+)", path.get("d")):
            seen[int(y), int(x) : int(x) + int(n)] = key.index(path.get("fill")) / 20
    assert np.allclose(seen, values)


def test_sites_of_a_heat_map_are_outlined_in_their_rows():
    svg = attention_heatmap(np.ones((3, 10)), [[(2, 5)], [], [(0, 1), (7, 10)]])
    sites = [r for r in ET.fromstring(svg).iter(f"{SVG}rect") if r.get("class") == "site"]
    assert [float(site.get("width")) for site in sites] == [48, 16, 48]
    assert len({site.get("y") for site in sites}) == 2
    assert "outlined: true site" in svg
    assert "true site" not in attention_heatmap(np.ones((2, 10)), [[], []])
    with pytest.raises(InputError, match="and 1 lists of sites"):
        attention_heatmap(np.ones((3, 10)), [[]])


def test_points_of_a_curve_carry_their_values_and_lie_on_the_scale():
    svg = line_chart(CURVES, "t", "epoch", "accuracy (%)", y_range=(50, 100))
    tips = [t.text for t in ET.fromstring(svg).iter(f"{SVG}title")]
    assert "attention: 2, 97.25 (97 to 98)" in tips
    assert {"epoch", "accuracy (%)", "cnn", "attention"} <= set(texts(svg))
    marks = [
        float(path.get("transform").split()[1].rstrip(")"))
        for path in ET.fromstring(svg).iter(f"{SVG}path")
        if path.find(f"{SVG}title") is not None
    ]
    assert np.diff(marks[:3]) == pytest.approx([-(20 / 50) * 274, -(16.5 / 50) * 274], abs=0.02)


def test_a_gap_in_a_curve_stays_a_gap():
    nan = float("nan")
    svg = line_chart({"a": ([1, 2, 3], [1.0, nan, 2.0], [1.0, nan, 2.0], [1.0, nan, 2.0])}, *"txy")
    assert "nan" not in svg.lower()
    assert sum(t.text.startswith("a: ") for t in ET.fromstring(svg).iter(f"{SVG}title")) == 2


def test_unit_charts_are_square_and_mark_few_points():
    many = np.linspace(0, 1, 21).tolist()
    curves = {"a": ([0.0, 0.25, 1.0], [0.0, 0.5, 1.0]), "b": (many, many)}
    svg = unit_chart(curves, "t", "recall", "precision", reference=(0.25, 1))
    paths = ET.fromstring(svg).findall(f"{SVG}path")
    drawn = [path.get("d") for path in paths if path.get("stroke-width")]
    first, second = (np.array([p.split() for p in d[1:].split("L")], dtype=float) for d in drawn)
    side = second[-1, 0] - second[0, 0]
    assert second[0, 1] - second[-1, 1] == pytest.approx(side)
    assert first[1] - first[0] == pytest.approx([0.25 * side, -0.5 * side])
    marks = [p.find(f"{SVG}title").text for p in paths if p.find(f"{SVG}title") is not None]
    assert marks == ["a: 0, 0", "a: 0.25, 0.5", "a: 1, 1"]
    (line,) = [r for r in ET.fromstring(svg).findall(f"{SVG}line") if r.get("stroke-dasharray")]
    rise = float(line.get("y1")) - float(line.get("y2"))
    assert rise == pytest.approx(0.75 * side)
    assert float(line.get("x2")) - float(line.get("x1")) == pytest.approx(side)


def test_bars_are_as_tall_as_means_and_whiskers_span_the_interval():
    groups = {"cnn": {"epochs": (4.0, 3.0, 5.0)}, "attention": {"epochs": (2.0, 2.0, 2.0)}}
    svg = bar_chart(groups, "t", "epochs", notes={"cnn": "9 of 10 seeds"})
    first, second = (float(bar.get("height")) for bar in bars(svg))
    assert first == pytest.approx(2 * second, abs=0.02)
    lines = list(ET.fromstring(svg).iter(f"{SVG}line"))
    whiskers = [one for one in lines if one.get("stroke-width") and one.get("x1") == one.get("x2")]
    assert [float(w.get("y1")) - float(w.get("y2")) for w in whiskers] == [
        pytest.approx(first / 2, abs=0.02)
    ]
    assert {"4", "2", "cnn", "9 of 10 seeds"} <= set(texts(svg))


def contrast_on_white(colour: str) -> float:
    """Relative contrast of WCAG 2, an independent rule for what can be read."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 1.05 / (0.05 + float(np.dot([0.2126, 0.7152, 0.0722], linear)))


@pytest.mark.parametrize("base", LETTER_COLOURS)
def test_letters_can_be_read_on_white(base):
    assert contrast_on_white(LETTER_COLOURS[base]) >= 4.5


def test_a_label_is_no_markup():
    assert label("<b>", 1, 2) == '<text x="1" y="2" font-size="12" fill="#1b1f24">&lt;b&gt;</text>'
    assert number(-0.001) == "0"
    assert figure(10, 20, "a", "b").endswith("</svg>")


def test_bars_of_a_profile_are_as_high_as_their_counts():
    root = ET.fromstring(position_profile([0, 3, 12], title="places"))
    bars = [float(bar.get("height")) for bar in root.findall(f"{SVG}rect")][1:]
    assert bars[0] == 0
    assert bars[2] == 4 * bars[1] > 0
    empty = ET.fromstring(position_profile([0, 0], title="places"))
    assert {float(bar.get("height")) for bar in empty.findall(f"{SVG}rect")[1:]} == {0.0}
