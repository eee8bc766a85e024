"""The first stage: data made ready, models trained and scored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from motiflens import comparison
from motiflens.datasets import (
    SequenceDataset,
    mark_sites,
    require_at_least,
    require_two_classes,
    split_at_random,
)
from motiflens.errors import InputError
from motiflens.matrices import motif_from_string
from motiflens.models import smallest_length
from motiflens.progress import Progress, Silent
from motiflens.readers import read_dataset
from motiflens.runs import Origin, Run, check_output, create
from motiflens.settings import Settings
from motiflens.training import n_cores

Data = SequenceDataset | Path | str


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
    require_device(settings.device)
    smallest = {name: smallest_length(name) for name in settings.models}
    dataset = prepare(data, settings)
    for name, least in smallest.items():
        require_at_least(dataset, least, f"the first layer of {name}")
    settings = with_sizes(settings, len(dataset) - len(dataset.part("test")))
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


def with_sizes(settings: Settings, n_train: int) -> Settings:
    """Put the default training sizes where none are set, and refuse those beyond the data."""
    if settings.sizes is None:
        return replace(settings, sizes=comparison.default_sizes(n_train))
    for size in settings.sizes:
        if size > n_train:
            raise InputError(
                f"a training size is at most the {n_train} training sequences",
                got=f"--sizes {size}",
                remedy="leave it out, or take a smaller one",
            )
    return settings


def require_device(name: str) -> None:
    """Raise :class:`InputError` if PyTorch cannot compute on a device."""
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            "--device is one that PyTorch has here: cpu, cuda or cuda:0",
            got=f"{name} ({str(error).splitlines()[0][:80]})",
            remedy="take cpu, or install PyTorch for that device",
        ) from None


def prepare(data: Data, settings: Settings) -> SequenceDataset:
    """Make a data set ready for training: both classes, true sites where known, a split."""
    dataset = data if isinstance(data, SequenceDataset) else read_dataset(data)
    require_two_classes(dataset)
    if settings.motif is not None:
        motif_from_string(settings.motif)  # refuses letters that are no IUPAC code
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
