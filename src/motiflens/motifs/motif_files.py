"""Files of motifs, of every kind: MEME, JASPAR and TRANSFAC text, arrays, a name or letters."""

from __future__ import annotations

import difflib
import io
from collections.abc import Sequence
from os.path import isdir, isfile
from pathlib import Path

import numpy as np

from motiflens.errors import InputError
from motiflens.files import read_bytes, read_text, write_whole
from motiflens.motifs.count_matrices import (
    looks_like_jaspar,
    looks_like_transfac,
    parse_jaspar,
    parse_transfac,
)
from motiflens.motifs.database import jaspar_core
from motiflens.motifs.meme import looks_like_meme, parse_meme, write_meme
from motiflens.motifs.motif import CONTRIBUTIONS, Motif
from motiflens.results import is_run
from motiflens.results.folder import motif_file_of
from motiflens.sequences import IUPAC

_FORMATS = (
    (looks_like_meme, parse_meme),
    (looks_like_transfac, parse_transfac),
    (looks_like_jaspar, parse_jaspar),
)
Motifs = Motif | Path | str | Sequence[Motif | Path | str]
"""Motifs as a user has them: see :func:`resolve_motifs`."""

_TEXT_ENDINGS = (".meme", ".txt")


def read_motifs(path: Path | str) -> list[Motif]:
    """Read the motifs of a MEME, JASPAR or TRANSFAC file; its content tells which it is.

    An ``.npz`` file of :func:`write_motifs` holds what the bases contribute, too.

    Raises
    ------
    InputError
        When the file is missing, empty or damaged, or none of these; names file and line.
    """
    path = getattr(path, "path", path)
    if not isinstance(path, str | Path):
        remedy = "give the name of a file; write_motifs makes one of motifs"
        raise InputError(f"{type(path).__name__} is no file of motifs", remedy=remedy)
    if isdir(path):
        raise _is_folder(path)
    if Path(path).suffix.lower() == ".npz":
        return _read_arrays(path)
    text = read_text(path)
    for looks_like, parse in _FORMATS:
        if looks_like(text):
            return parse(text, path)
    first = text.strip().partition("\n")[0]
    raise InputError(
        f"{path} begins with {first[:40]!r}, as no file of motifs does",
        remedy="convert it to MEME ('MEME version ...'), JASPAR ('>name', then four rows) or "
        "TRANSFAC ('P0 A C G T')",
    )


def _is_folder(path: Path | str) -> InputError:
    file, told = motif_file_of(path), "a run" if is_run(path) else "a folder"
    remedy = f"give {file}" if file else "give a file of motifs"
    if is_run(path):
        remedy += "; in Python they are motiflens.load_run(path).results.motifs"
    return InputError(f"{path} is {told}, not a file of motifs", remedy=remedy, argument="path")


def write_motifs(motifs: Sequence[Motif], path: Path | str) -> None:
    """Write motifs as MEME text (``.meme``, ``.meme.gz``) or as arrays (``.npz``).

    The arrays keep all digits and what the bases contribute; equal motifs make equal bytes. They
    are ``names``, ``alt_names`` and ``n_sites``, one entry a motif, and for motif i ``i/ppm`` and,
    where it has them, ``i/cwm`` and ``i/hypothetical_cwm``, float64 (4, W).

    Raises
    ------
    InputError
        For another suffix, and when the file cannot be written.
    """
    name = Path(path).name.lower()
    if not motifs:
        raise InputError("there is no motif to write", remedy="give one or more", argument="motifs")
    if name.endswith(".npz"):
        _write_arrays(motifs, path)
    elif name.removesuffix(".gz").endswith(_TEXT_ENDINGS):
        write_meme(motifs, path)
    else:
        raise InputError(
            f"{path} is not named as a file of motifs",
            remedy="use .meme for text, or .npz for arrays with contributions",
            argument="path",
        )


def resolve_motifs(motifs: Motifs) -> list[Motif]:
    """Return the motifs of files, of names or ids of JASPAR's, or of IUPAC letters.

    Parameters
    ----------
    motifs
        A motif; a file (:func:`read_motifs`); a factor or id of the JASPAR profiles in the
        package, such as ``CTCF``, all of whose profiles are taken, or ``MA0139.2``, in any case;
        else IUPAC letters, such as ``TGASTCA``. In this order, so that ``SRY`` is the factor. Or
        several of these.

    Raises
    ------
    InputError
        When it is none of these: the nearest names are offered.
    """
    if isinstance(motifs, Motif):
        return [motifs]
    if isinstance(motifs, Path | str):
        return _motifs_called(motifs)
    return [motif for one in motifs for motif in resolve_motifs(one)]


def _motifs_called(motif: Path | str) -> list[Motif]:
    # A folder may be called as a factor; os.path takes letters longer than any name of a file.
    if isfile(motif) or (isdir(motif) and (is_run(motif) or motif_file_of(motif))):
        return read_motifs(motif)
    text = str(motif)
    named = [m for m in jaspar_core() if text.upper() in (m.name.upper(), m.alt_name.upper())]
    if named:
        return named
    if text and set(text.upper()) <= set(IUPAC):
        return [Motif.from_string(text)]
    known = {name.upper(): name for m in jaspar_core() for name in (m.name, m.alt_name)}
    near = [known[key] for key in difflib.get_close_matches(text.upper(), known, n=3)]
    remedy = f"did you mean {' or '.join(near)}?" if near else "give one of these"
    raise InputError(
        f"{text!r} is no file, no motif of JASPAR by name or id, and no string of IUPAC letters",
        remedy=remedy,
    )


def _write_arrays(motifs: Sequence[Motif], path: Path | str) -> None:
    arrays = {
        "names": np.array([motif.name for motif in motifs], dtype=np.str_),
        "alt_names": np.array([motif.alt_name for motif in motifs], dtype=np.str_),
        "n_sites": np.array([motif.n_sites for motif in motifs], dtype=np.int64),
    }
    for index, motif in enumerate(motifs):
        matrices = {key: getattr(motif, key) for key in ("ppm", *CONTRIBUTIONS)}
        arrays |= {f"{index}/{key}": m for key, m in matrices.items() if m is not None}
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    write_whole(path, stream.getvalue())


def _read_arrays(path: Path | str) -> list[Motif]:
    try:
        with np.load(io.BytesIO(read_bytes(path)), allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        columns = (arrays[key].tolist() for key in ("names", "alt_names", "n_sites"))
        return [
            Motif(
                str(name),
                arrays[f"{index}/ppm"],
                int(n_sites),
                str(alt_name),
                *(arrays.get(f"{index}/{key}") for key in CONTRIBUTIONS),
            )
            for index, (name, alt_name, n_sites) in enumerate(zip(*columns, strict=True))
        ]
    except InputError:
        raise
    except Exception as error:  # a damaged archive may fail anywhere in the decoder
        raise InputError(
            f"{path} holds no motifs as arrays: {error}", remedy="give a file that motiflens wrote"
        ) from None
