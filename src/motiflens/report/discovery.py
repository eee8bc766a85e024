"""The section on discovered motifs, and the page of motifs that were found without a model."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motiflens.plots import logo, logo_pair, position_profile
from motiflens.report.parts import (
    MISSING,
    NO_MOTIFS,
    Absent,
    Card,
    Download,
    Figure,
    Part,
    Section,
    Table,
    Text,
    held,
    listed,
    percent,
    signed,
    small,
)
from motiflens.results import ARTIFACTS, Results
from motiflens.results.motifs import (
    ConfirmedMotif,
    DiscoveredBy,
    DiscoveredInSequences,
    DismissedMotif,
    MotifsWithoutModel,
    SiteAblation,
)
from motiflens.results.tracks import found_sites, read_with

MAX_DRAWN, MAX_OPEN, MAX_SITES, MAX_NOT_CONFIRMED, MAX_IN_BED = 10, 2, 100, 5, 2000
TITLE = "Discovered motifs"


@dataclass(frozen=True)
class MotifFiles:
    """The files of discovered motifs: as MEME, and their sites as BED."""

    motifs: Path
    sites: Path

    def of(self, name: str) -> list[Download]:
        """Return what these files hold of one motif, to be taken from the page."""
        found = []
        if self.motifs.is_file():
            head, *entries = self.motifs.read_text(encoding="utf-8").split("MOTIF ")
            own = [entry for entry in entries if entry.split(None, 1)[:1] == [name]]
            if own:
                found.append(_download(f"{name}.meme", f"{head}MOTIF {own[0]}"))
        if self.sites.is_file():
            head, *lines = gzip.decompress(self.sites.read_bytes()).decode().splitlines()
            column = head.split("\t").index("motif_id")
            own = [line for line in lines if line.split("\t")[column] == name]
            # More than this is in the file beside the page, whose name the docs say.
            if own and len(own) <= MAX_IN_BED:
                found.append(_download(f"{name}.bed", "\n".join([head, *own, ""])))
        return found


def _download(name: str, text: str) -> Download:
    return Download(name, "text/plain", base64.b64encode(text.encode()).decode())


def discovery_parts(results: Results) -> list[Part]:
    """Lay out the motifs that held-out sequences confirm."""
    motifs = held(results, NO_MOTIFS)
    by = motifs.discovered_by
    if by is None:
        return [Absent(TITLE, "motiflens motifs")]
    texts = [Text(_how(by, "Found" if motifs.discovery else "Looked for"))]
    if motifs.discovery or by.not_significant:
        texts.append(Text(_dismissed(by.not_significant)))
    files = MotifFiles(results.path_of("discovery"), results.path_of("sites"))
    name = "Motifs confirmed on the test split"
    return _lay_out(motifs.discovery, name, texts, by.note, files)


def _lay_out(
    motifs: Sequence[ConfirmedMotif],
    name: str,
    texts: Sequence[Text],
    note: str,
    files: MotifFiles,
) -> list[Part]:
    """Lay out discovered motifs as cards, the first ones open; how they were found folded."""
    notes = [Text(note)] if note else []
    if not motifs:
        looked = Section("tested", "How they were looked for", [*notes, *texts])
        return [Text("No motif was found."), looked]
    cards = [_card(motif, files) for motif in motifs[:MAX_DRAWN]]
    parts: list[Part] = [*cards[:MAX_OPEN]]
    if more := cards[MAX_OPEN:]:
        parts.append(Section("more-motifs", f"{len(more)} more confirmed motifs", more))
    tested = Section("tested", "How they were found and tested", [*texts, _table(motifs, name)])
    return [*notes, *parts, tested]


def _how(by: DiscoveredBy, found_or_not: str) -> str:
    searched, tested, n_seeds = by.found_in, by.tested_on, len(by.seeds)
    return (
        f"{found_or_not} by {by.method} of {by.model} ({n_seeds} seed{'s' * (n_seeds > 1)}) in "
        f"{searched.positives:,} positives and {searched.negatives:,} negatives that are not in "
        f"the test split; fractions, fold, p and q are of {tested.positives:,} positives and "
        f"{tested.negatives:,} negatives of the test split. Names: {by.database}; a motif that "
        "matches none of it with a q-value below 0.05 is unknown."
    )


def _dismissed(dismissed: Sequence[DismissedMotif]) -> str:
    if not dismissed:
        return "Every motif that explanations showed was confirmed on the test split."
    words = [f"{m.consensus} (q {small(m.q_value)})" for m in dismissed[:MAX_NOT_CONFIRMED]]
    more = ", ..." if len(dismissed) > MAX_NOT_CONFIRMED else ""
    return (
        f"Not confirmed on the test split, and so not counted as found: {', '.join(words)}{more}."
    )


def _table(motifs: Sequence[ConfirmedMotif], name: str) -> Table:
    head = ["Motif", "Name", "Contributes to", "Positives", "Negatives", "Fold", "q"]
    caption = (
        "Positives, negatives: the fractions with a site. q: Fisher's exact test, corrected over "
        "the motifs."
    )
    ablated = any(motif.ablation for motif in motifs)
    if ablated:
        head += ["Logit without it", "Seeds"]
        caption += (
            " Logit without it: the mean change where random bases replace the sites; seeds: in "
            "how many the logit moves away from the class that the motif contributes to, by two "
            "standard errors."
        )
    rows = [
        [
            motif.name,
            name_of(motif),
            "negatives" if motif.direction == "negative" else "positives",
            percent(motif.positives_with_site),
            percent(motif.negatives_with_site),
            f"{motif.fold:.3g}",
            small(motif.q_value),
            *(_ablation(motif.ablation) if ablated else []),
            motif.consensus,
        ]
        for motif in motifs
    ]
    return Table([*head, "Consensus"], rows, name, caption)


def name_of(motif: ConfirmedMotif) -> str:
    """Return the name of a motif, with the id of the known one that it matches."""
    return "unknown" if motif.match is None else f"{motif.match.name} ({motif.match.id})"


def _ablation(ablation: SiteAblation | None) -> list[str]:
    if ablation is None:
        return [MISSING, MISSING]
    change = signed(ablation.logit_change, 2, "+")
    return [change, f"{ablation.n_agreeing} of {ablation.n_seeds}"]


def _card(motif: ConfirmedMotif, files: MotifFiles) -> Card:
    """Show a motif, its evidence, its contributions and positions, and its files."""
    central, ablation, match = motif.central, motif.ablation, motif.match
    where = ""
    if central is not None:
        where = (
            f"{percent(central.sites_inside, 0)} lie in the middle "
            f"{percent(central.region, 0)} of the positions (p {small(central.p_value)})"
        )
    facts = [
        ("Positives with a site", percent(motif.positives_with_site)),
        ("Negatives with a site", percent(motif.negatives_with_site)),
        ("Fold", f"{motif.fold:.3g}"),
        ("q", small(motif.q_value)),
        ("Logit without it", _ablation(ablation)[0] if ablation else ""),
        ("Seeds that agree", _ablation(ablation)[1] if ablation else ""),
        ("Sites", f"{motif.n_sites:,}"),
        ("Where", where),
        ("Like", f"q {small(match.q_value)}" if match else ""),
        ("Also like", listed(match.others) if match else ""),
    ]
    more = [_contributions(motif)] if motif.cwm is not None else []
    return Card(
        id=motif.name,
        title=f"{motif.consensus}: {name_of(motif)}",
        word="negatives" if motif.direction == "negative" else "positives",
        picture=_logo(motif),
        facts=[(name, text) for name, text in facts if text],
        more=[*more, _profile(motif)],
        downloads=files.of(motif.name),
    )


def _contributions(motif: ConfirmedMotif) -> Figure:
    title = f"{motif.name}, contributions"
    caption = "Mean contribution of each base to the logit, over the seqlets."
    svg = logo(np.array(motif.cwm, dtype=float), kind="contribution", title=title)
    return Figure(svg, title, caption, "tile")


def _logo(motif: ConfirmedMotif) -> Figure:
    match, title, words = motif.match, motif.name, "Matches no known motif."
    if match is not None:
        title += f" above {match.name}"
        family = f" of the family {match.family}" if match.family else ""
        others = f"; also matches {', '.join(match.others)}" if match.others else ""
        words = f"{match.name}{family} by Tomtom, q {small(match.q_value)}{others}."
    words = f"Consensus {motif.consensus}, {motif.n_seqlets:,} seqlets. {words}"
    return Figure(logo_above_match(motif, title), title, words, "tile")


def logo_above_match(motif: ConfirmedMotif, title: str) -> str:
    """Draw a motif above the known one that it matches, or alone where it matches none."""
    match, ppm = motif.match, np.array(motif.ppm, dtype=float)
    if match is None:
        return logo(ppm, title=title)
    known = np.array(match.ppm, dtype=float)
    return logo_pair(
        ppm, known, offset=match.offset, strand=match.strand, title=title, below="known"
    )


def _profile(motif: ConfirmedMotif) -> Figure:
    name, central = f"{motif.name}, positions", motif.central
    svg = position_profile(motif.profile, title=name, y_label="positives")
    caption = f"Best sites of the positives, of {motif.n_sites:,} sites at p up to "
    caption += f"{motif.p_threshold:g}."
    if central is not None:
        caption += (
            f" {percent(central.sites_inside, 0)} lie in the middle "
            f"{percent(central.region, 0)} of the positions (p {small(central.p_value)})."
        )
    return Figure(svg, name, caption, "tile")


def without_model_facts(motifs: MotifsWithoutModel) -> list[tuple[str, str]]:
    """Return what the first screen of motifs without a model says: name of a fact, and fact."""
    by = motifs.discovered_by
    n = by.found_in.positives + (by.tested_on.positives if by.held_out else 0)
    # Older folders count no groups.
    n, independent = (by.given.positives, by.given.groups) if by.given else (n, n)
    sequences = f"{by.sequences}: {n:,}"
    if independent < n:
        sequences += f", {independent:,} independent"
    shuffled = "shuffles that keep their dinucleotides"
    names = [f"{motif.consensus} ({name_of(motif)})" for motif in motifs.discovery]
    return [
        ("Sequences", sequences),
        ("Compared with", shuffled if by.negatives == "shuffle" else by.negatives),
        ("Motifs", listed(names) or "none"),
        ("Names from", by.database),
    ]


def without_model_sections(motifs: MotifsWithoutModel, folder: Path) -> list[Section]:
    """Lay out the motifs that ``motiflens motifs --no-model`` has found, and their sites."""
    by = motifs.discovered_by
    name = "Motifs confirmed on the other half" if by.held_out else "Motifs found"
    words = (_tested_on_others if by.held_out else _tested_on_the_same)(by, motifs.discovery)
    if motifs.discovery:
        words += (
            f" A motif that matches none of {by.database} with a q-value below 0.05 is unknown."
        )
    files = MotifFiles(folder / ARTIFACTS["discovery"].name, folder / ARTIFACTS["sites"].name)
    parts = _lay_out(motifs.discovery, name, [Text(words)], by.note, files)
    blocks = [part for part in parts if not isinstance(part, Absent)]
    return [Section("discovery", TITLE, blocks), _sites(files.sites)]


def _tested_on_others(by: DiscoveredInSequences, motifs: Sequence[ConfirmedMotif]) -> str:
    words = (
        f"{'Found' if motifs else 'Looked for'} in {by.found_in.positives:,} sequences, without a "
        f"model; fractions, fold, p and q are of {by.tested_on.positives:,} others and "
        f"{by.tested_on.negatives:,} negatives."
    )
    if dismissed := [motif.consensus for motif in by.not_significant[:MAX_NOT_CONFIRMED]]:
        words += f" Not confirmed there, and so not counted as found: {listed(dismissed)}."
    return words


def _tested_on_the_same(by: DiscoveredInSequences, motifs: Sequence[ConfirmedMotif]) -> str:
    n = by.found_in.positives
    if not motifs:
        return f"Sequences searched, without a model: {n:,}, all of them."
    return (
        f"Found in all {n:,} sequences, without a model, by the evidence of their alignment. They "
        "are too few to keep some for a test: fractions, fold, p and q are of the same sequences "
        f"and {by.tested_on.negatives:,} negatives, and look better than on new sequences."
    )


def _sites(path: Path) -> Section:
    """List the sites of the sequences, as far as there is room."""
    title = "Sites"
    if not path.is_file():
        return Section("sites", title, [Text("No site: no motif was found.")])
    hits = read_with(path, found_sites)
    own = hits[hits["label"] == 1]
    columns = ("#chrom", "start", "end", "strand", "motif_id", "log_odds", "p_value")
    rows = [
        [name, f"{start + 1} to {end}", strand, motif, f"{score:.1f}", small(p_value)]
        for name, start, end, strand, motif, score, p_value in zip(
            *(own[column].head(MAX_SITES).tolist() for column in columns), strict=True
        )
    ]
    caption = "Bases are counted from 1; log-odds in bits. "
    caption += f"All sites, from 0, are in {path.name}."
    if len(own) > MAX_SITES:
        caption = f"The first {MAX_SITES} of {len(own):,}. {caption}"
    head = ["Sequence", "Bases", "Strand", "Motif", "Log-odds", "p"]
    return Section("sites", title, [Table(head, rows, "Sites in the sequences", caption)])
