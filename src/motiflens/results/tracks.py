"""The arrays and tables of a run, read without torch."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors.numpy import load_file

from motiflens.errors import InputError
from motiflens.results.audit import Lengths
from motiflens.results.folder import Results
from motiflens.sequences import Site, parse_sites
from motiflens.settings import DISTILLED

Array = NDArray[Any]
Content = TypeVar("Content")


@dataclass(frozen=True, eq=False)
class Tracks:
    """One method's explanation of one model: `names` (N,), `one_hot` (N, 4, L), `values` (N, L)."""

    names: list[str]
    one_hot: Array
    values: Array

    def sequence(self, index: int) -> str:
        """Return the letters of a sequence; N where no base is set, padding cut off."""
        columns = self.one_hot[index]
        codes = np.where(columns.any(axis=0), columns.argmax(axis=0), 4)
        return "".join("ACGTN"[code] for code in codes).rstrip("N")

    def then(self, other: Tracks) -> Tracks:
        """Return these and after them those of other sequences, all padded to one length."""
        length = max(self.values.shape[-1], other.values.shape[-1])

        def padded(array: Array) -> Array:
            room = [(0, 0)] * (array.ndim - 1) + [(0, length - array.shape[-1])]
            return np.pad(array, room)

        one_hot, values = (
            np.concatenate([padded(a), padded(b)])
            for a, b in ((self.one_hot, other.one_hot), (self.values, other.values))
        )
        return Tracks([*self.names, *other.names], one_hot, values)


def read_histories(results: Results) -> dict[str, list[pd.DataFrame]]:
    """Return the ``history.csv`` of every model, by seed."""
    return {
        model: [
            read_with(path, _history)
            for seed in seeds
            if (path := results.path_of("history", model=model, seed=seed)).is_file()
        ]
        for model, seeds in results.models.items()
    }


def best_validated(results: Results) -> str | None:
    """Name the model with the highest validation AUROC; of equals that of the lowest loss.

    The AUROC is that of the best epoch, the mean over seeds, to four digits; a regression has none.
    The first of the settings where no model was validated; None for a run without models. The
    distilled network is one against ensembles: it is used where it is named.
    """
    histories = read_histories(results)
    histories.pop(DISTILLED, None)
    scores = {model: _validation(epochs) for model, epochs in histories.items()}
    return max(scores, key=lambda model: scores[model], default=None)


def _validation(seeds: Sequence[pd.DataFrame]) -> tuple[float, float]:
    """Return the mean AUROC of the best epochs and minus their mean loss; (-1, 0) without."""
    best = []
    for history in seeds:
        known = history.reindex(columns=["valid_auroc", "valid_loss"]).dropna(subset="valid_loss")
        if len(known) and known["valid_auroc"].isna().all():
            best.append(np.array([0.0, known["valid_loss"].min()]))
            continue
        known = known.dropna()
        if known.empty:
            return -1.0, 0.0
        best.append(known.iloc[int(known["valid_auroc"].to_numpy().argmax())].to_numpy())
    if not best:
        return -1.0, 0.0
    auroc, loss = np.mean(best, axis=0)
    return round(float(auroc), 4), -float(loss)


def read_filters(results: Results) -> dict[str, Array]:
    """Return the first-layer weights (F, 4, K) of each model's first seed, where it has some."""
    filters = {
        model: read_with(results.path_of("weights", model=model, seed=seeds[0]), _first_layer)
        for model, seeds in results.models.items()
    }
    return {model: weights for model, weights in filters.items() if weights is not None}


def read_tracks(results: Results, kind: str = "attributions") -> dict[str, dict[str, Tracks]]:
    """Return the explanations: model, in the order of the settings → method → tracks.

    ``kind`` is an artefact: ``attributions``, or ``negative_attributions``.
    """
    tracks: dict[str, dict[str, Tracks]] = {model: {} for model in results.settings.models}
    for path in results.paths_of(kind):
        model = path.relative_to(results.path).parts[1]
        tracks.setdefault(model, {})[path.stem] = read_with(path, _tracks)
    return {model: methods for model, methods in tracks.items() if methods}


def read_lengths(results: Results) -> Lengths | None:
    """Return the lengths of the sequences in ``data.parquet``; None where it holds none."""
    path = results.path_of("data")
    return read_with(path, _lengths) if path.is_file() else None


def read_sites(results: Results) -> dict[str, list[Site]]:
    """Return the true sites in ``data.parquet``: name of a sequence → sites."""
    path = results.path_of("data")
    return read_with(path, _sites) if path.is_file() else {}


def read_data(results: Results) -> pd.DataFrame | None:
    """Return ``data.parquet``; None for a run whose data are mapped."""
    path = results.path_of("data")
    return read_with(path, pd.read_parquet) if path.is_file() else None


def read_found_sites(results: Results) -> pd.DataFrame | None:
    """Return the sites of discovered motifs in the test split; None where there are none."""
    path = results.path_of("sites")
    return read_with(path, found_sites) if path.is_file() else None


def read_with(path: Path, reader: Callable[[Path], Content]) -> Content:
    """Read a file; whatever goes wrong in it is an InputError that names it."""
    try:
        return reader(path)
    except InputError:
        raise
    except Exception as error:  # on damaged bytes each library raises what it likes
        raise InputError(
            f"{path} cannot be read: {str(error) or type(error).__name__}",
            remedy="make the run again with `motiflens run --overwrite`",
        ) from error


def _history(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path, dtype=float)
    if missing := [name for name in ("epoch", "test_accuracy") if name not in table]:
        raise ValueError(f"it has no column {missing[0]}")
    return table


def found_sites(path: Path) -> pd.DataFrame:
    """Read a BED file with a head; a sequence may be called NA, or have quotes in its name."""
    texts = {"#chrom": str, "motif_id": str}
    return pd.read_csv(path, sep="\t", dtype=texts, na_filter=False, quoting=csv.QUOTE_NONE)


def _first_layer(path: Path) -> Array | None:
    """Return the weights that reach over the four bases, whatever the layer is called."""
    weights = load_file(path)
    shaped = (weights[name] for name in sorted(weights) if weights[name].ndim == 3)
    return next((array for array in shaped if array.shape[1] == 4), None)


def _tracks(path: Path) -> Tracks:
    # numpy leaves a file that it opened itself open where the archive is damaged.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        one_hot, contributions = arrays["one_hot"], arrays["contributions"]
        names = [str(name) for name in arrays["names"]]
    if one_hot.shape != contributions.shape or len(names) != len(one_hot):
        shapes = f"one_hot {one_hot.shape}, contributions {contributions.shape}"
        raise ValueError(f"{shapes}, {len(names)} names")
    return Tracks(names, one_hot, contributions.sum(axis=1))


def _lengths(path: Path) -> Lengths | None:
    table = pd.read_parquet(path)
    if "sequence" not in table.columns or not len(table):
        return None
    bases = table["sequence"].str.len()
    return Lengths(min=int(bases.min()), max=int(bases.max()), mean=float(bases.mean()))


def _sites(path: Path) -> dict[str, list[Site]]:
    table = pd.read_parquet(path)
    if not {"name", "sites"} <= set(table.columns):
        return {}
    pairs = zip(table["name"], table["sites"].fillna(""), strict=True)
    return {str(name): _parsed(str(text), f"sequence {name!r} of {path}") for name, text in pairs}


def _parsed(text: str, place: str) -> list[Site]:
    try:
        return parse_sites(text)
    except InputError as error:
        raise InputError(f"the sites {text!r} of {place} cannot be read: {error}") from None
