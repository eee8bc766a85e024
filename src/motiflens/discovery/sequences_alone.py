"""Motifs of sequences alone, without a model: found, tested, named and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset, concatenate, homology_groups
from motiflens.datasets.groups import canonical_sequences
from motiflens.discovery.discover import discover_motifs
from motiflens.discovery.enrichment import (
    count_all,
    count_once,
    first_of_each,
    measure_enrichment,
)
from motiflens.discovery.held_out import Discovery, Finding
from motiflens.discovery.written import (
    count_classes,
    count_tested,
    database_name,
    describe,
    describe_dismissed,
    write_discovery,
)
from motiflens.errors import InputError
from motiflens.io.negatives import make_negatives
from motiflens.io.options import AS_IT_IS, ReadOptions
from motiflens.io.read import read_unlabelled
from motiflens.motifs import MAX_Q, Motif, name_motifs, read_motifs
from motiflens.results import (
    ARTIFACTS,
    holds_motifs_without_model,
    is_run,
    write_motifs_without_model,
)
from motiflens.results.motifs import DiscoveredInSequences, Given, MotifsWithoutModel

ENOUGH_TO_HALVE = 200
"""Homology groups of either class from which on motifs are found in one half and tested on the
other."""


def discover_without_model(
    sequences: Path | str,
    output: Path | str,
    *,
    negatives: Path | str | None = None,
    strands: str = "both",
    database: Path | str | None = None,
    seed: int = 0,
    options: ReadOptions = AS_IT_IS,
    overwrite: bool = False,
) -> MotifsWithoutModel:
    """Discover motifs in a file of sequences, without training.

    One sequence of each homology group counts (:func:`cut_in_halves`):
    copies and overlapping windows share whatever they hold. From ``ENOUGH_TO_HALVE`` groups on,
    every other one is searched, and a motif has to be significant on the others. Fewer are
    searched whole; then the sites are counted in the same sequences, which ``held_out`` says, and
    a motif stands by the evidence of its alignment alone.

    Parameters
    ----------
    sequences
        Whatever :func:`motiflens.read` reads; without labels all are positives, and of labels that
        are numbers those of the highest tenth.
    output
        Folder for the results, and where there are motifs their matrices, seqlets and sites; made
        where it does not exist.
    negatives
        A file, shuffle or matched; by default the sequences that count, with their dinucleotides in
        another order.
    strands
        ``both`` or ``forward``.
    database
        File of known motifs to name the found ones by; JASPAR CORE vertebrates by default.
    seed
        Of the shuffles.
    options
        How the file is read, such as a genome for a BED file.
    overwrite
        Replace motifs that the folder holds already.

    Raises
    ------
    InputError
        If a file cannot be read, or the output cannot be written or is a run.
    """
    folder = Path(output)
    if is_run(folder):
        raise InputError(f"{folder} holds a run", remedy="use another folder for the motifs")
    if holds_motifs_without_model(folder) and not overwrite:
        raise InputError(
            f"{folder} already holds motifs",
            remedy="use another folder, or overwrite=True",
            argument="overwrite",
        )
    if negatives is not None:
        options = replace(options, negatives=str(negatives))
    data = read_unlabelled(sequences, options, seed=seed).dataset.in_classes()
    positives = data.positives()
    others = data.negatives() if len(positives) < len(data) else None
    halves = cut_in_halves(positives, others, seed)
    known = None if database is None else read_motifs(database)
    discovery = _discover(halves, others is not None, strands, known)
    content = MotifsWithoutModel(
        discovery=tuple(describe(finding) for finding in discovery.found),
        discovered_by=DiscoveredInSequences(
            method="sequences alone",
            sequences=Path(sequences).name,
            held_out=halves.held_out,
            negatives=_name_of(options.negatives, others),
            database=database_name(database),
            given=Given(
                positives=halves.n_positives,
                negatives=halves.n_negatives,
                groups=halves.n_groups,
                copies=halves.n_copies,
            ),
            note=halves.note,
            found_in=count_classes(halves.searched),
            tested_on=count_tested(discovery),
            not_significant=tuple(map(describe_dismissed, discovery.not_significant)),
        ),
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_discovery(discovery, lambda name: folder / ARTIFACTS[name].name)
    write_motifs_without_model(content, folder)
    return content


@dataclass(frozen=True, eq=False)
class Halves:
    """What motifs are found in and tested on.

    Parameters
    ----------
    searched, tested
        Positives, then negatives; the same sequences where there are too few for halves.
    held_out
        Whether they differ: then no homology group is in both.
    n_positives, n_negatives
        Sequences that were given, before one was chosen of each group.
    n_groups, largest
        Groups of the given positives, and the number of positives in the largest.
    n_copies
        Given sequences that are equal to an earlier one, on either strand.
    """

    searched: SequenceDataset
    tested: SequenceDataset
    held_out: bool
    n_positives: int
    n_negatives: int
    n_groups: int
    largest: int
    n_copies: int

    @property
    def note(self) -> str:
        """Say in words which sequences count."""
        n, groups = self.n_positives, self.n_groups
        if self.n_copies:
            same = f"{self.n_copies:,} sequences are copies of another, on either strand. "
        else:
            same = "No sequence is a copy of another. "
        if groups == n:
            return f"{same}No two of the {n:,} positives share 31 bases."
        one = (
            f"{same}The {n:,} positives are {groups:,} groups, joined by shared k-mers of 31 "
            "bases, such as windows that overlap: one sequence of each group is searched and "
            "counted, the first of the file."
        )
        if self.largest > n / 2:
            one += (
                f" One group holds {self.largest:,} of them: where all share a stretch, such as a "
                "primer, cut it off first."
            )
        return f"{one} No group is in both halves." if self.held_out else one


def cut_in_halves(
    positives: SequenceDataset, negatives: SequenceDataset | None, seed: int
) -> Halves:
    """Choose one sequence of each group and class, and put whole groups into halves in turn.

    Parameters
    ----------
    positives
        N sequences.
    negatives
        None for the chosen positives with their dinucleotides in another order, each in the half
        of its positive.
    seed
        Of these shuffles.

    Returns
    -------
    Halves
        Cut from ``ENOUGH_TO_HALVE`` groups of either class on.
    """
    given = positives if negatives is None else concatenate([positives, negatives])
    groups = homology_groups(given)
    sizes = np.bincount(groups[given.labels > 0])
    chosen = first_of_each(groups, given.labels)
    kept, groups = given.subset(chosen), groups[chosen]
    if negatives is None:
        kept, groups = (
            concatenate([kept, make_negatives("shuffle", kept, seed=seed)]),
            np.tile(groups, 2),
        )
    n_kept = int((kept.labels > 0).sum())
    halved = min(n_kept, len(kept) - n_kept) >= ENOUGH_TO_HALVE
    first = _in_first_half(groups, kept.labels > 0)
    return Halves(
        searched=kept.subset(first) if halved else kept,
        tested=kept.subset(~first) if halved else kept,
        held_out=halved,
        n_positives=len(positives),
        n_negatives=len(given) - len(positives),
        n_groups=n_kept,
        largest=int(sizes.max(initial=0)),
        n_copies=len(given) - len(set(canonical_sequences(given))),
    )


def _in_first_half(groups: NDArray[np.int64], positive: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Put groups with a positive in turn into either half, and then those without, (N,)."""
    first = np.zeros(int(groups.max(initial=-1)) + 1, dtype=np.bool_)
    with_positive = groups[positive]
    first[with_positive[::2]] = True
    others = groups[~positive]
    first[others[~np.isin(others, with_positive)][::2]] = True
    return first[groups]


def _discover(
    halves: Halves, with_negatives: bool, strands: str, known: Sequence[Motif] | None
) -> Discovery:
    """Find motifs in one half, count their sites in the other, name them."""
    is_positive = halves.searched.labels > 0
    negatives = halves.searched.subset(~is_positive).sequences() if with_negatives else None
    searched = halves.searched.subset(is_positive)
    motifs = discover_motifs(
        searched.sequences(), negatives, strands="both" if strands == "both" else "forward"
    )
    if halves.held_out:
        counted = count_once(halves.searched, halves.tested)
    else:
        counted = count_all(halves.tested)
    measured = measure_enrichment(
        motifs, halves.searched, halves.tested, strands=strands, counted=counted
    )
    names = name_motifs(motifs, known)
    findings = [Finding(*one) for one in zip(motifs, measured, names, strict=True)]
    confirmed = [f for f in findings if not halves.held_out or f.enrichment.q_value < MAX_Q]
    rest = [one for one in findings if one not in confirmed]
    return Discovery(tuple(confirmed), tuple(rest), searched, halves.tested, counted)


def _name_of(negatives: str | None, others: SequenceDataset | None) -> str:
    if negatives is not None:
        return Path(negatives).name
    return "shuffle" if others is None else "given"
