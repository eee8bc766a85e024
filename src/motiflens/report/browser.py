"""The sequence browser: what the page's script draws, packed small, and what it may cost."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import UNSET

from motiflens.report.explained import SIGNED, Explained, chosen_method, picture
from motiflens.report.findings import best_model
from motiflens.report.parts import NO_METRICS, Browser, Text, held
from motiflens.report.trust import name_of_method
from motiflens.results import Results
from motiflens.results.tracks import Array, Tracks, best_validated
from motiflens.sequences import Site, encode

#: Rows that are unpacked at once, and pictures without a script.
CHUNK, PICTURES = 256, 3
#: Bytes that packed tracks may take.
MAX_BYTES = 6_000_000
#: What is said of sequences of two classes.
JUDGED = " False positives and false negatives are so by the threshold of all seeds together."
#: What a packed value may be off by, as a fraction of the largest of its sequence.
LOSS = 1 / 254


def browser_blocks(results: Results, explained: Explained) -> list[Browser | Text]:
    """Lay out the browser; tracks beyond what a page may hold are named, not shown."""
    order = _order(results, explained)
    tracks, dropped = _packed(explained, order)
    codes = _codes(explained.letters)
    content = {
        "names": list(explained.names),
        "places": list(explained.places) if any(explained.places) else [],
        "lengths": [len(one) for one in explained.letters],
        "true": [[_written(site) for site in sites] for sites in explained.true],
        "found": [[_written(site) for site in sites] for sites in explained.found],
        "chunk": CHUNK,
        "width": codes.shape[1],
        "letters": [_zipped(rows.tobytes()) for rows in _chunks(codes)],
        "tracks": tracks,
        "positives": explained.n_positives,
        "logits": _logits(results, explained),
        "thresholds": {m: one.threshold for m, one in held(results, NO_METRICS).models.items()},
    }
    model, method = order[0] if order else ("", "")
    pictures = [picture(explained, i, model, method)
                for i in range(min(PICTURES, explained.n_positives))] if model else []  # fmt: skip
    browser = Browser(as_script_data(content), pictures)
    blocks: list[Browser | Text] = [browser, Text(_about(results, explained))]
    if dropped:
        words = ", ".join(f"{model}, {name_of_method(method)}" for model, method in dropped)
        blocks.append(Text(f"Left out, as the page would be too large: {words}."))
    return blocks


def _about(results: Results, explained: Explained) -> str:
    """Say which sequences are shown, and what packing loses."""
    text = f"Shown are {explained.n_positives:,} positives of the test split"
    if n := len(explained.names) - explained.n_positives:
        highest = f"the {n:,} of highest logit" if n > 1 else "the one of highest logit"
        best = best_validated(results)
        text += f", and of its negatives {highest} by {best}, the best model on validation data"
    return (
        f"{text}. Values are rounded to {100 * LOSS:.1f} % of the largest of a sequence; the exact "
        "ones are in the run directory. Logits here are of the first seed, those of predictions "
        f"are the mean of all seeds.{'' if results.is_regression else JUDGED}"
    )


def _logits(results: Results, explained: Explained) -> dict[str, list[float]]:
    """Return the logits of the explained sequences by model; older runs have none."""
    found = {}
    for model, checks in results.checks.items():
        logits = () if checks.logits is UNSET else checks.logits
        if len(explained.names) > explained.n_positives and checks.negative_logits is not UNSET:
            logits += checks.negative_logits
        if len(logits) == len(explained.names):
            found[model] = list(logits)
    return found


def _order(results: Results, explained: Explained) -> list[tuple[str, str]]:
    """Order tracks by use: the best model's first, and its most trusted method before all."""
    best = best_model(results)
    models = sorted(explained.tracks, key=lambda model: model != best)
    order = []
    for model in models:
        methods = explained.tracks[model]
        chosen = chosen_method(results, model, methods)
        order += [(m == chosen, model, m) for m in methods]
    ranked = sorted(
        order,
        key=lambda one: (not one[0], models.index(one[1]), one[2] != "attention", _rank(one[2])),
    )
    return [(model, method) for _, model, method in ranked]


def _rank(method: str) -> int:
    return SIGNED.index(method) if method in SIGNED else len(SIGNED)


def _packed(
    explained: Explained, order: Sequence[tuple[str, str]]
) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Pack tracks until they are as many bytes as a page may hold; return also what is left out."""
    packed: list[dict[str, Any]] = []
    dropped, used = [], 0
    for model, method in order:
        chunks = _quantised(explained.tracks[model][method])
        used += sum(map(len, chunks))
        if used > MAX_BYTES:
            dropped.append((model, method))
            continue
        sums = _sums(explained.tracks[model][method])
        name = name_of_method(method)
        packed.append(
            {"model": model, "method": method, "name": name, "chunks": chunks, "sums": sums}
        )
    return packed, dropped


def _sums(tracks: Tracks) -> list[float]:
    return [float(f"{total:.4g}") for total in np.nan_to_num(tracks.values).sum(axis=1)]


def _quantised(tracks: Tracks) -> list[str]:
    """Write values as int8 with one scale a sequence, the scales before the values."""
    values = np.nan_to_num(np.asarray(tracks.values, dtype=np.float32))
    largest = np.abs(values).max(axis=1, initial=0)
    scales = np.where(largest > 0, largest / 127, 1).astype("<f4")
    whole = np.rint(values / scales[:, None]).astype(np.int8)
    pairs = zip(_chunks(scales), _chunks(whole), strict=True)
    return [_zipped(some.tobytes() + rows.tobytes()) for some, rows in pairs]


def _chunks(rows: Array) -> list[Array]:
    return [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]


def _codes(letters: Sequence[str]) -> Array:
    return encode(list(letters))[0]


def _zipped(content: bytes) -> str:
    """Compress and write as text; no time is in it, so that equal runs give equal pages."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def _written(site: Site) -> list[int | str]:
    return [site.start, site.end, site.strand, site.name]


def as_script_data(content: object) -> str:
    """Write JSON that no parser of HTML takes for an element, nor one of scripts for a line end."""
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
