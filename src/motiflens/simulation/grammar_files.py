"""Grammars in TOML files.

Everything but the motif itself has a default (see `Grammar` and `MotifUse`), so that the shortest
grammar is one ``[[motifs]]`` with a ``motif``. A full one::

    n = 1000
    length = [80, 120]                  # or one number
    positive_fraction = 0.5
    background = [0.3, 0.2, 0.2, 0.3]   # A C G T
    negatives = "decoys"                # random, shuffled, decoys, subset, swapped or moved
    decoys_in_positives = true
    label_noise = 0.05
    seed = 3

    [[motifs]]
    name = "GATA"                       # default: the motif's letters or its name in the file
    motif = "WGATAR"                    # IUPAC letters
    copies = 1
    probability = 0.9
    strands = "both"                    # or forward
    start_min = 10
    start_max = 40                      # included
    mutation_rate = 0.02

    [[motifs]]
    motif = "CAGCTG"
    strands = "both"

    [[spacing]]
    first = "GATA"
    second = "CAGCTG"
    min_gap = 3
    max_gap = 8
    orientation = "same"                # any, same or opposite

    [[decoys]]                          # the same keys as motifs
    motif = "TTGCGCAA"
    mutation_rate = 0.1

In place of ``motif`` a matrix may be taken from a MEME, JASPAR or TRANSFAC file: ``meme =
"jaspar.meme.gz"``, a path seen from the folder of the grammar, and ``id = "MA0139.2"``, a name or
second name in it (not needed when the file holds one motif).
"""

from __future__ import annotations

import difflib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from motiflens.errors import InputError
from motiflens.files import check_keys, read_toml
from motiflens.io.values import at
from motiflens.motifs import Motif, read_motifs
from motiflens.simulation.grammar import Grammar, MotifUse, Spacing

_NAMING_KEYS = ("name", "motif", "meme", "id")  # all other keys are those of MotifUse


def read_grammar(path: Path | str) -> Grammar:
    """Read a grammar from a TOML file; its form is shown above.

    Raises
    ------
    InputError
        When the file is missing or no TOML, for an unknown key (the nearest is offered) and
        for every value that `Grammar`, `MotifUse` or `Spacing` refuses.
    """
    path = Path(path)
    table = read_toml(path)
    try:
        return _make_grammar(table, path.parent)
    except InputError as error:
        raise at(error, f"in {path}") from None


def _make_grammar(table: dict[str, Any], folder: Path) -> Grammar:
    check_keys(table, [field.name for field in fields(Grammar)], "a grammar")
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
    }
    values["motifs"] = tuple(_make_use(entry, folder) for entry in _tables(table, "motifs"))
    values["decoys"] = tuple(_make_use(entry, folder) for entry in _tables(table, "decoys"))
    values["spacing"] = tuple(_make_spacing(entry) for entry in _tables(table, "spacing"))
    return Grammar(**values)


def _tables(table: dict[str, Any], key: str) -> list[dict[str, Any]]:
    entries = table.get(key, [])
    if not (isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)):
        raise InputError(f"{key} is {entries!r}", remedy=f"write it as [[{key}]]")
    return entries


def _make_use(entry: dict[str, Any], folder: Path) -> MotifUse:
    settings = [field.name for field in fields(MotifUse)[1:]]
    check_keys(entry, [*_NAMING_KEYS, *settings], "a motif")
    motif = _make_motif(entry, folder)
    return MotifUse(motif, **{key: entry[key] for key in settings if key in entry})


def _make_motif(entry: dict[str, Any], folder: Path) -> Motif:
    texts = {key: entry[key] for key in _NAMING_KEYS if key in entry}
    given = set(texts) - {"name"}
    if not (
        all(isinstance(text, str) for text in texts.values())
        and given in ({"motif"}, {"meme"}, {"meme", "id"})
    ):
        raise InputError(
            f"a motif is given by {texts!r}",
            remedy='write either motif = "letters", or meme = "file" and id = "name"',
        )
    if "motif" in texts:
        return Motif.from_string(texts["motif"], texts.get("name"))
    motif = _find_motif(folder / texts["meme"], texts.get("id"))
    return replace(motif, name=texts.get("name", motif.name))


def _find_motif(path: Path, wanted: str | None) -> Motif:
    motifs = read_motifs(path)
    if wanted is None and len(motifs) == 1:
        return motifs[0]
    found = [motif for motif in motifs if wanted in (motif.name, motif.alt_name)]
    if wanted is None or len(found) != 1:
        names = [name for motif in motifs for name in (motif.name, motif.alt_name) if name]
        near = difflib.get_close_matches(wanted or "", names, n=1)
        raise InputError(
            f"no id says which of the {len(motifs)} motifs of {path} is meant"
            if wanted is None
            else f"the id {wanted!r} names {len(found)} of the {len(motifs)} motifs of {path}",
            remedy=f"did you mean {near[0]!r}?" if near and not found else "give the id of one",
        )
    return found[0]


def _make_spacing(entry: dict[str, Any]) -> Spacing:
    keys = [field.name for field in fields(Spacing)]
    check_keys(entry, keys, "a spacing")
    missing = [key for key in keys[:4] if key not in entry]
    if missing:
        raise InputError(
            f"a spacing is without {', '.join(missing)}",
            remedy=f"give {', '.join(keys[:4])}",
        )
    return Spacing(**entry)
