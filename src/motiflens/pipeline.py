"""From data to a run directory: compare → explain → motifs, one function a stage."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motiflens import comparison
from motiflens.attribution import Attributions, attribute
from motiflens.attribution import load as load_attributions
from motiflens.datasets import (
    SequenceDataset,
    mark_sites,
    require_at_least,
    require_two_classes,
    split_at_random,
)
from motiflens.errors import InputError
from motiflens.experiments import attention_contrast, shortcut_test
from motiflens.matrices import Motif, motif_from_string, ppm_from_codes, write_meme
from motiflens.models import SequenceModel, build_model
from motiflens.motifs import FoundMotif, find_motifs, recover
from motiflens.progress import Progress, Silent
from motiflens.readers import read_dataset
from motiflens.runs import Origin, Run, check_output, create, load
from motiflens.sequences import ALPHABET
from motiflens.settings import Settings
from motiflens.training import n_cores, one_thread_an_operation

Data = SequenceDataset | Path | str

#: Methods whose attributions a run keeps, of each model's first seed.
METHODS = ("saliency", "tutorial-saliency", "ism", "attention")


def run(
    data: Data,
    output: Path | str,
    settings: Settings | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    origin: Origin | None = None,
) -> Run:
    """Compare models, explain them and read their motifs; the report is written separately.

    Parameters
    ----------
    data
        A data set, or a file that :func:`motiflens.read_dataset` reads.
    output
        Run directory to make.
    settings
        None for the defaults.
    overwrite
        Replace an earlier run in ``output``.
    progress
        Told how far the work has come.
    origin
        What is written into ``run.toml`` about data and command.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the data, the settings or the output break a rule; nothing is written then.
    """
    made = compare(data, output, settings, overwrite=overwrite, progress=progress, origin=origin)
    explain(made, progress=progress)
    read_motifs(made, progress=progress)
    return made


def compare(
    data: Data,
    output: Path | str,
    settings: Settings | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    origin: Origin | None = None,
) -> Run:
    """Train models × seeds × training sizes and score them; parameters as in :func:`run`."""
    settings, progress = settings or Settings(), progress or Silent()
    check_output(output, overwrite=overwrite)
    dataset = prepare(data, settings)
    for name in settings.models:
        least = build_model(name, length=dataset.codes.shape[1], seed=0).min_length
        require_at_least(dataset, least, f"the first layer of {name}")
    n_train = len(dataset) - len(dataset.part("test"))
    if settings.sizes is None:
        settings = replace(settings, sizes=comparison.default_sizes(n_train))
    n_curves = len(settings.sizes or ()) * min(settings.size_seeds, settings.seeds)
    total = len(settings.models) * (settings.seeds + n_curves)
    with progress.stage("training", total) as advance:
        found = comparison.compare(
            dataset,
            settings.models,
            settings.seed_list,
            sizes=settings.sizes or (),
            size_seeds=settings.size_seeds,
            target=settings.target,
            threads=settings.threads,
            device=settings.device,
            advance=advance,
        )
    if origin is None:
        origin = Origin("Python" if isinstance(data, SequenceDataset) else str(data))
    made = create(output, dataset, settings, origin, overwrite=overwrite)
    for replicas in found.trained.values():
        for trained in replicas:
            made.write_model(trained, dataset.codes.shape[1])
    made.write_json("comparison.json", found.results)
    threads = settings.threads or n_cores()
    made.write_json("timings.json", {"threads": threads, **found.timings})
    return made


def prepare(data: Data, settings: Settings) -> SequenceDataset:
    """Make a data set ready for training: both classes, true sites where known, a split."""
    dataset = data if isinstance(data, SequenceDataset) else read_dataset(data)
    require_two_classes(dataset)
    if settings.motif is not None:
        require_at_least(dataset, len(settings.motif), "the motif")
        if dataset.sites is None:
            dataset = mark_sites(dataset, settings.motif)
    if dataset.split is None:
        return split_at_random(dataset, test=settings.test, seed=settings.seed)
    for part in ("train", "test"):
        if not (dataset.split == part).any():
            raise InputError(
                "a split has train and test sequences",
                got=f"none in {part}",
                remedy="correct the column 'split', or drop it for a random split",
            )
        require_two_classes(dataset.part(part))
    return dataset


def explained_positives(run: Run) -> SequenceDataset:
    """Give the positives of the test part that are explained, in order of the data."""
    test = run.dataset.part("test")
    return test.subset(np.flatnonzero(test.labels > 0)[: run.settings.n_explained])


def explain(run: Run | Path | str, *, progress: Progress | None = None) -> Run:
    """Explain the first seed of every model: ``attributions/`` and ``attention.json``.

    Parameters
    ----------
    run
        A run, or its directory.
    progress
        Told how far the work has come.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the directory holds no run with models.
    """
    run, progress = _opened(run), progress or Silent()
    positives = explained_positives(run)
    one_hot = positives.one_hot()
    contrasts: dict[str, Any] = {}
    with _timed(run, "explain"), progress.stage("explaining", len(run.models)) as advance:
        for name in run.models:
            model = run.model(name)
            folder = run.path / "attributions" / name
            folder.mkdir(parents=True, exist_ok=True)
            attentive = bool(model.attention_maps(torch.as_tensor(one_hot[:1])))
            for method in METHODS:
                if method != "attention" or attentive:
                    found = attribute(model, one_hot, method)
                    found.save(folder / f"{method}.npz", positives.names.tolist())
            if attentive and positives.sites is not None:
                contrasts[name] = _contrast(model, run.dataset, positives, run.settings)
            advance(1)
    run.write_json("attention.json", {"models": contrasts})
    return run


def _contrast(
    model: SequenceModel, dataset: SequenceDataset, positives: SequenceDataset, settings: Settings
) -> dict[str, object]:
    """Compare attention on true sites, beside them, and at the same places of test negatives."""
    test = dataset.part("test")
    negatives = test.subset(np.flatnonzero(test.labels == 0)[: settings.n_explained])
    units = model.attention_maps(torch.as_tensor(positives.one_hot()))[0].weights.detach().mean(1)
    assert positives.sites is not None
    return attention_contrast(
        attribute(model, positives.one_hot(), "attention").track,
        positives.sites,
        lengths=positives.lengths,
        null_weights=attribute(model, negatives.one_hot(), "attention").track,
        null_lengths=negatives.lengths,
        unit_weights=units,
        seed=settings.seed,
    )


def read_motifs(run: Run | Path | str, *, progress: Progress | None = None) -> Run:
    """Read the motifs of every model and seed by every route: ``motifs.json`` and ``motifs/``.

    The true motifs, where sites are known, only score what was found.

    Parameters
    ----------
    run
        A run, or its directory.
    progress
        Told how far the work has come.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the directory holds no run with models.
    """
    run, progress = _opened(run), progress or Silent()
    positives, settings = explained_positives(run), run.settings
    truths = true_motifs(run.dataset, settings.motif)
    replicas = [(name, seed) for name, seeds in run.models.items() for seed in seeds]

    def of_replica(replica: tuple[str, int]) -> dict[str, list[FoundMotif]]:
        name, seed = replica
        known = _kept_attributions(run, name, positives) if seed == run.models[name][0] else {}
        found = find_motifs(run.model(name, seed), positives, attributions=known)
        advance(1)
        return found

    threads = settings.threads or n_cores()
    with (
        _timed(run, "motifs"),
        progress.stage("reading motifs", len(replicas)) as advance,
        one_thread_an_operation(),
        ThreadPoolExecutor(threads) as pool,
    ):
        routes = dict(zip(replicas, pool.map(of_replica, replicas), strict=True))
        models: dict[str, Any] = {name: {"seeds": []} for name in run.models}
        for (name, seed), by_route in routes.items():
            described = {route: _describe(found, truths) for route, found in by_route.items()}
            models[name]["seeds"].append({"seed": seed, "routes": described})
        shortcuts = {
            name: _shortcut(run, name, truths, routes[name, seeds[0]])
            for name, seeds in run.models.items()
        }
    (run.path / "motifs").mkdir(exist_ok=True)
    for name, seeds in run.models.items():
        for route, found in routes[name, seeds[0]].items():
            if found:
                path = run.path / "motifs" / f"{name}-{route}.meme"
                write_meme([motif.as_motif() for motif in found], path)
    run.write_json(
        "motifs.json",
        {
            "truth": [
                {"name": m.name, "consensus": m.consensus, "ppm": _rows(m.ppm)} for m in truths
            ],
            "models": models,
            "shortcut": {name: test for name, test in shortcuts.items() if test is not None},
        },
    )
    return run


def true_motifs(dataset: SequenceDataset, motif: str | None) -> list[Motif]:
    """Give the true motifs: of the sites' own bases, or as given; none when nothing is known."""
    if dataset.sites is None:
        return [] if motif is None else [motif_from_string(motif)]
    if motif is not None and {s.name for row in dataset.sites for s in row} == {motif.upper()}:
        return [motif_from_string(motif)]
    windows: dict[str, list[np.ndarray[Any, Any]]] = {}
    for codes, sites in zip(dataset.codes, dataset.sites, strict=True):
        for site in sites:
            bases = codes[site.start : site.end]
            oriented = np.where(bases < 4, 3 - bases, 4)[::-1] if site.strand == "-" else bases
            windows.setdefault(site.name, []).append(oriented)
    return [
        Motif(name, ppm_from_codes(np.stack(rows).astype(np.uint8)), n_sites=len(rows))
        for name, rows in sorted(windows.items())
    ]


def _kept_attributions(run: Run, name: str, positives: SequenceDataset) -> dict[str, Attributions]:
    """Load the attributions that ``explain`` has left, so that they are not computed twice."""
    kept = {}
    for method in ("saliency", "ism", "attention"):
        path = run.path / "attributions" / name / f"{method}.npz"
        if path.is_file():
            found, names = load_attributions(path)
            if names == positives.names.tolist():
                kept[method] = found
    return kept


def _describe(found: Sequence[FoundMotif], truths: Sequence[Motif]) -> list[dict[str, Any]]:
    described = []
    for motif in found:
        recovery = recover(motif, truths) if truths else None
        described.append(
            {
                "name": motif.name,
                "consensus": motif.consensus,
                "ppm": _rows(motif.ppm),
                "n_sites": motif.n_sites,
                "recovery": None if recovery is None else vars(recovery),
            }
        )
    return described


def _rows(ppm: np.ndarray[Any, Any]) -> list[list[float]]:
    return [[round(float(value), 6) for value in row] for row in ppm]


def _shortcut(
    run: Run, name: str, truths: Sequence[Motif], routes: dict[str, list[FoundMotif]]
) -> dict[str, Any] | None:
    """Test the first true motif, or else the first motif that mutagenesis finds."""
    if truths:
        ppm = truths[0].ppm
    elif routes["ism"]:
        ppm = routes["ism"][0].ppm
    else:
        return None
    word = "".join(ALPHABET[base] for base in ppm.argmax(axis=0))
    length = int(np.median(run.dataset.lengths))
    test = shortcut_test(run.model(name), word, length=length, seed=run.settings.seed)
    return {
        "motif": word,
        "motif_effect": test.motif_effect,
        "standard_error": test.standard_error,
        "shuffled_fraction": test.shuffled_fraction,
        "homopolymer_fraction": test.homopolymer_fraction,
        "homopolymer_fractions": test.homopolymer_fractions,
        "mismatch_loss": list(test.mismatch_loss),
        "verdict": test.verdict,
    }


def _opened(run: Run | Path | str) -> Run:
    opened = run if isinstance(run, Run) else load(run)
    if not opened.models:
        raise InputError(
            "a run holds trained models",
            got=f"none in {opened.path}",
            remedy="make the run again with `motiflens run --overwrite`",
        )
    return opened


@contextmanager
def _timed(run: Run, stage: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    run.add_timing(stage, time.perf_counter() - started)
