"""`motiflens logo`: what is in the pictures, and under which names they are written."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.test_plots import letters, texts

from motiflens.cli import main
from motiflens.errors import InputError
from motiflens.motifs import Motif, motif_from_string, write_meme, write_motifs
from motiflens.motifs.logo_files import write_logos
from motiflens.plots.logo import COLUMN, LETTER_COLOURS, logo_strands

PPM = np.random.default_rng(0).dirichlet([0.5] * 4, size=5).T
CWM = np.random.default_rng(1).normal(size=(4, 5))
PNG = b"\x89PNG\r\n\x1a\n"


def panels(svg: str, width: int) -> tuple[list[tuple], list[tuple]]:
    """Letters of both strands, each with its place in its own panel."""
    found = sorted(letters(svg), key=lambda letter: letter[1])
    middle = found[0][1] + (width - 0.5) * COLUMN
    parts = [[f for f in found if (f[1] > middle) == second] for second in (False, True)]
    return tuple(
        sorted(
            (base, round((x - part[0][1]) / COLUMN), y, height) for base, x, y, _, height in part
        )
        for part in parts
    )


@pytest.mark.parametrize(("matrix", "kind"), [(PPM, "information"), (CWM, "contribution")])
def test_the_reverse_complement_is_drawn_beside_on_the_same_scale(matrix, kind):
    forward, reverse = panels(logo_strands(matrix, kind=kind), 5)
    assert len(forward) >= 18
    turned = [
        ("TGCA"["ACGT".index(base)], 4 - place, y, height) for base, place, y, height in forward
    ]
    assert sorted(turned) == reverse
    other, back = panels(logo_strands(np.flip(matrix), kind=kind), 5)
    assert (other, back) == (reverse, forward)


def test_what_speaks_against_hangs_below_zero():
    svg = logo_strands(np.array([[1.0], [0], [0], [-1.0]]), kind="contribution", title="x")
    forward, reverse = panels(svg, 1)
    heights = {base: (y, y + height) for base, _, y, height in forward}
    assert heights["A"][1] == pytest.approx(heights["T"][0], abs=0.02)
    assert {base for base, *_ in reverse} == {"A", "T"}
    assert {"contribution", "forward", "reverse complement", "x"} <= set(texts(svg))


def names(paths) -> list[str]:
    return [path.name for path in paths]


def test_every_motif_has_files_of_its_own(tmp_path):
    motif = Motif("Ahr::Arnt/x", PPM)
    motifs = [replace(motif, cwm=CWM), motif, Motif("AHR__arnt_x", PPM)]
    motifs.append(Motif("..", PPM))
    paths = write_logos(motifs, tmp_path / "new" / "logos")
    assert names(paths) == [
        *("Ahr_Arnt_x.svg", "Ahr_Arnt_x.png", "Ahr_Arnt_x.cwm.svg", "Ahr_Arnt_x.cwm.png"),
        *("Ahr_Arnt_x-2.svg", "Ahr_Arnt_x-2.png", "AHR__arnt_x.svg", "AHR__arnt_x.png"),
        *("_.svg", "_.png"),
    ]
    assert sorted(path.name for path in paths[0].parent.iterdir()) == sorted(names(paths))
    for path in paths:
        content = path.read_bytes()
        assert content.startswith(PNG if path.suffix == ".png" else b"<svg")
    width, height = (int.from_bytes(paths[1].read_bytes()[at : at + 4]) for at in (16, 20))
    assert f'width="{width // 2}" height="{height // 2}"' in paths[0].read_text()


def test_files_are_replaced_when_asked_alone_and_by_the_same_bytes(tmp_path):
    motifs = [Motif("m", PPM, cwm=CWM)]
    first = [path.read_bytes() for path in write_logos(motifs, tmp_path)]
    with pytest.raises(InputError, match=r"m\.svg already exists"):
        write_logos(motifs, tmp_path)
    assert [path.read_bytes() for path in write_logos(motifs, tmp_path, overwrite=True)] == first


def test_the_letters_of_a_picture_do_not_need_a_font(tmp_path):
    """The picture of one letter has its colour where the letter is."""
    image = pytest.importorskip("PIL.Image")
    (_, path) = write_logos([motif_from_string("T")], tmp_path)
    pixels = np.asarray(image.open(path).convert("RGB")).astype(int)
    colour = np.frombuffer(bytes.fromhex(LETTER_COLOURS["T"][1:]), np.uint8).astype(int)
    columns = np.flatnonzero((np.abs(pixels - colour).sum(axis=2) < 20).any(axis=0))
    assert columns.min() == pytest.approx(2 * (48 + 0.04 * COLUMN), abs=2)


def run(capsys, *call: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(call))
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_the_command_line(tmp_path, capsys):
    write_meme([Motif("a", PPM), Motif("b", PPM)], tmp_path / "m.meme")
    write_motifs([Motif("c", PPM, cwm=CWM)], tmp_path / "m.npz")
    out = tmp_path / "logos"
    code, text, _ = run(capsys, "logo", str(tmp_path / "m.meme"), "-o", str(out))
    assert (code, text) == (0, f"{out}: 4 files for 2 motifs\n")
    code, text, _ = run(capsys, "logo", str(tmp_path / "m.npz"), "-o", str(out), "--json")
    assert [name.rsplit("/", 1)[1] for name in json.loads(text)["files"]] == [
        *("c.svg", "c.png", "c.cwm.svg", "c.cwm.png")
    ]
    code, _, message = run(capsys, "logo", str(tmp_path / "m.meme"), "-o", str(out))
    assert code == 2
    assert f"{out / 'a.svg'} already exists; use another folder" in message
    (tmp_path / "file").write_text("")
    code, _, message = run(capsys, "logo", str(tmp_path / "m.npz"), "-o", str(tmp_path / "file"))
    assert code == 2
    assert "file cannot be made (File exists)" in message
