"""Logos of motifs as SVG and PNG files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import resvg_py

from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.motifs.motif import Motif
from motiflens.plots.logo import logo_strands

_UNSAFE = re.compile(r"[^\w.+-]+|^\.+")


def write_logos(
    motifs: Sequence[Motif], folder: Path | str, *, overwrite: bool = False
) -> list[Path]:
    """Draw each motif and its reverse complement, as SVG and as PNG.

    A motif is drawn in bits, ``NAME.svg``, and where contributions are known in these too,
    ``NAME.cwm.svg``. Characters of a name that a file name had better not hold become ``_``, and
    names that come again are counted (``NAME-2``).

    Parameters
    ----------
    motifs
        What is drawn.
    folder
        Where to; made if it is not there.
    overwrite
        Whether files may be replaced.

    Returns
    -------
    paths
        The files, in the order of the motifs.

    Raises
    ------
    InputError
        When a file is there already, or cannot be written.
    """
    folder = Path(folder)
    figures = {
        folder / f"{stem}{suffix}.{ending}": svg
        for stem, motif in zip(_stems(motifs), motifs, strict=True)
        for suffix, svg in _figures(motif).items()
        for ending in ("svg", "png")
    }
    there = next((path for path in figures if path.exists()), None)
    if there is not None and not overwrite:
        raise InputError(
            f"{there} already exists",
            remedy="use another folder, or overwrite=True",
            argument="overwrite",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder {folder} cannot be made ({error.strerror})", remedy="use another folder"
        ) from None
    for path, svg in figures.items():
        write_whole(path, png_of(svg) if path.suffix == ".png" else svg.encode())
    return list(figures)


def _figures(motif: Motif) -> dict[str, str]:
    """Draw a motif; by what is added to its file name."""
    title = f"{motif.name} {motif.alt_name}".strip()
    figures = {"": logo_strands(motif.ppm, kind="information", title=title)}
    if motif.cwm is not None:
        figures[".cwm"] = logo_strands(motif.cwm, kind="contribution", title=title)
    return figures


def _stems(motifs: Sequence[Motif]) -> list[str]:
    """Name a file for every motif, all different where capitals do not count either."""
    stems: list[str] = []
    taken: set[str] = set()
    for motif in motifs:
        name = _UNSAFE.sub("_", motif.name)[:100]
        candidates = (name if n == 1 else f"{name}-{n}" for n in range(1, len(motifs) + 1))
        stem = next(candidate for candidate in candidates if candidate.lower() not in taken)
        taken.add(stem.lower())
        stems.append(stem)
    return stems


def png_of(svg: str) -> bytes:
    """Draw an SVG figure as PNG of twice its size.

    Letters of logos are outlines, the same everywhere; numbers and titles are in a font without
    serifs of the machine, and are missing where it has no fonts.
    """
    return resvg_py.svg_to_bytes(svg_string=svg, zoom=2.0)
