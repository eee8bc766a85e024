"""The series of a chart: told apart by every reader, also without colour."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from motiflens.attribution import METHODS
from motiflens.models import MODELS
from motiflens.plots import line_chart, unit_chart
from motiflens.plots.charts import CHANCE, looks
from motiflens.plots.svg import SERIES
from motiflens.report.page import HERE

STYLE = (HERE / "style.css").read_text(encoding="utf-8")
SVG = "{http://www.w3.org/2000/svg}"
NAMES = [f"series {index}" for index in range(len(SERIES))]
CURVE = ([1.0, 2.0], [3.0, 4.0], [3.0, 4.0], [3.0, 4.0])

# Machado, Oliveira & Fernandes, IEEE TVCG 15:1291 (2009), severity 1, on linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip
Colour = NDArray[np.float64]


def linear(colour: str) -> Colour:
    """Give the linear RGB of an sRGB colour such as #0072b2."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(rgb: Colour) -> Colour:
    """Give CIE 1976 L*a*b* of linear RGB, under D65."""
    ratio = XYZ @ np.clip(rgb, 0, 1) / XYZ.sum(axis=1)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_there_are_more_looks_than_series_of_any_chart_of_ours() -> None:
    # One chart has a curve a method and that of chance, others one a model.
    assert len(SERIES) >= 12
    assert len(SERIES) >= max(len(METHODS) + 1, len(MODELS))


@pytest.mark.parametrize("draw", [
    lambda names: line_chart(dict.fromkeys(names, CURVE), "t", "x", "y"),
    lambda names: unit_chart(dict.fromkeys(names, ([0.0, 1.0], [0.2, 1.0])), "t", "x", "y"),
])  # fmt: skip
def test_any_two_series_of_a_chart_differ_in_colour_dash_and_marker(draw) -> None:
    paths = list(ET.fromstring(draw(NAMES)).iter(f"{SVG}path"))
    curves = [path for path in paths if path.get("stroke-dasharray")]
    assert len({path.get("stroke") for path in curves}) == len(NAMES)
    assert len({path.get("stroke-dasharray") for path in curves}) == len(NAMES)
    assert len({path.get("d") for path in paths if path.get("transform")}) == len(NAMES)


@pytest.mark.parametrize("vision", VISIONS)
def test_any_two_colours_differ_for_every_kind_of_vision(vision: str) -> None:
    seen = [lab(np.array(VISIONS[vision]) @ linear(one)) for one in (*SERIES, CHANCE.colour)]
    nearest = min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2))
    assert nearest >= 10


def dark_colours() -> dict[str, str]:
    """Read what a dark page paints its series and its panels in."""
    (rule,) = re.findall(r'^:root\[data-theme="dark"\] \{(.*?)\}', STYLE, re.MULTILINE)
    return dict(re.findall(r"--([a-z0-9]+): (#\w{6})", rule))


@pytest.mark.parametrize("vision", VISIONS)
def test_any_two_colours_differ_on_a_dark_page_too(vision: str) -> None:
    dark = dark_colours()
    shown = [dark[f"s{index}"] for index in range(1, len(SERIES) + 1)] + [dark["chance"]]
    seen = [lab(np.array(VISIONS[vision]) @ linear(one)) for one in shown]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) >= 10
    panel = XYZ[1] @ linear(dark["panel"])
    assert all((XYZ[1] @ linear(one) + 0.05) / (panel + 0.05) >= 3 for one in shown)


@pytest.mark.parametrize("colour", [*SERIES, CHANCE.colour])
def test_every_colour_stands_out_from_white_paper(colour: str) -> None:
    luminance = XYZ[1] @ linear(colour)
    assert 1.05 / (luminance + 0.05) >= 3


def test_chance_looks_like_no_series_and_takes_the_look_of_none() -> None:
    found = looks(["random order", *NAMES], chance="random order")
    assert list(found) == ["random order", *NAMES]
    assert found["random order"] == CHANCE
    for series in NAMES:
        assert found[series] == looks(NAMES)[series]
        for part in ("colour", "dash", "marker"):
            assert getattr(found[series], part) != getattr(CHANCE, part)


def test_beyond_the_colours_dash_and_marker_still_tell_series_apart() -> None:
    found = looks([str(index) for index in range(len(SERIES) ** 2)]).values()
    assert len({(one.dash, one.marker) for one in found}) == len(SERIES) ** 2
