"""A run directory, opened: its data, its models, its results."""

from __future__ import annotations

import io
from html import escape
from os import PathLike
from pathlib import Path

import numpy as np
from msgspec import UNSET
from torch import nn

from motiflens.datasets import CLASSIFICATION, SPLITS, SequenceDataset, open_mapped
from motiflens.errors import InputError, one_of
from motiflens.files import write_whole
from motiflens.io.negatives import shuffles_off_genome
from motiflens.io.tables import read_table, write_table
from motiflens.results import Results
from motiflens.runs.ensemble import Ensemble, Ensembles
from motiflens.settings import Settings
from motiflens.training import TrainedModel, load_model


class Run:
    """A run directory.

    Parameters
    ----------
    path
        An existing directory of a run; :func:`load_run` checks it.

    Attributes
    ----------
    results
        Its files as types: ``run.results.trust.models["cnn"].verdict``.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.results = Results(self.path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def _repr_html_(self) -> str:
        """Show what the run holds in a notebook: its models, and its scores where it has some."""
        head = f"<p><code>{escape(repr(self))}</code>: {escape(repr(self.models))}</p>"
        if not self.results.holds("comparison"):
            return head
        rows = [
            f"<tr><th>{escape(name)}</th>"
            + "".join(f"<td>{value:.4f}</td>" for value in means if value is not None)
            + "</tr>"
            for name, model in self.results.comparison.models.items()
            if (means := (model.summary.accuracy.mean, model.summary.auroc.mean))
        ]
        columns = "<tr><th>model</th><th>test accuracy</th><th>test AUROC</th></tr>"
        return f"{head}<table>{columns}{''.join(rows)}</table>"

    @property
    def settings(self) -> Settings:
        """The settings that the run was made with."""
        return self.results.settings

    @property
    def dataset(self) -> SequenceDataset:
        """The data as they were trained on, with their split and true sites.

        Those of a mapped data set stay in its folder: an InputError says when it has moved or
        changed.
        """
        mapped = self.results.provenance.mapped
        if mapped is None:
            task = self.results.provenance.run.task
            known = CLASSIFICATION if task is UNSET else task
            return shuffles_off_genome(read_table(self.results.path_of("data"), task=known))
        dataset = open_mapped(mapped.folder)
        remedy = "put them back, or make the run again with overwrite=True"
        if dataset.sha256 != mapped.sha256:
            problem = f"the data in {mapped.folder} are not those of the run in {self.path}"
            raise InputError(problem, remedy=remedy, argument="overwrite")
        path = self.results.path_of("split")
        try:
            return dataset.with_split(np.array(SPLITS)[np.load(path)])
        except (OSError, ValueError, IndexError, EOFError) as error:
            problem = f"{path} cannot be read: {error}"
            raise InputError(problem, remedy=remedy, argument="overwrite") from None

    @property
    def in_classes(self) -> SequenceDataset:
        """The data in two classes, as explanations need them.

        Those of a regression are the highest tenth of labels in each split, and all others
        (:meth:`motiflens.SequenceDataset.in_classes`).
        """
        return self.dataset.in_classes()

    @property
    def models(self) -> Ensembles:
        """The trained models by name; each is a model itself, the mean over its ``seeds``."""
        return Ensembles(self.results.models, self._ensemble)

    def _ensemble(self, name: str) -> Ensemble:
        seeds = self.results.models
        one_of("a model of this run", name, seeds)
        return Ensemble([load_model(self._folder(name, seed)) for seed in seeds[name]])

    def model(self, name: str, seed: int | None = None) -> nn.Module:
        """Load one seed of a model, in evaluation mode, on the CPU.

        A model trained on both strands gives the mean logit of both. It is a
        :class:`motiflens.models.SequenceModel`, but for a module of others.

        Parameters
        ----------
        name
            Architecture.
        seed
            None for the first.

        Raises
        ------
        InputError
            If the run has no such model, or its files are damaged.
        """
        return load_model(self._folder(name, seed)).model

    def untrained_model(self, name: str, seed: int | None = None) -> nn.Module:
        """Build a model of the run again as it was before training; parameters as above.

        The weights of a module of others are drawn anew.
        """
        return load_model(self._folder(name, seed), trained=False).model

    def _folder(self, name: str, seed: int | None) -> Path:
        models = self.results.models
        one_of("a model of this run", name, models)
        chosen = models[name][0] if seed is None else seed
        if chosen not in models[name]:
            remedy = f"use one of these: {', '.join(map(str, models[name]))}"
            raise InputError(f"{name} has no seed {seed}", remedy=remedy, argument="seed")
        return self.results.path_of("model", model=name, seed=chosen).parent

    def write_dataset(self, dataset: SequenceDataset) -> None:
        """Keep a data set, unless that is done already; of a mapped one, its split alone."""
        path = self.results.path_of("split" if dataset.is_mapped else "data")
        if path.is_file():
            return
        if not dataset.is_mapped:
            write_table(dataset, path)
            return
        content = io.BytesIO()
        np.save(content, dataset.split_numbers())
        write_whole(path, content.getvalue())

    def write_model(self, model: TrainedModel) -> None:
        """Write a model with what is needed to build it again, and its history."""
        names = {"model": model.architecture, "seed": model.seed}
        model.write_into(self.results.path_of("model", **names).parent)


def load_run(path: Path | str) -> Run:
    """Open a run directory.

    Parameters
    ----------
    path
        Directory written by ``motiflens run``, ``train`` or ``compare``.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the directory does not exist or holds no run.
    """
    if not isinstance(path, str | PathLike):
        raise InputError(f"{path!r} is not a run", remedy="give its directory")
    run = Run(path)
    _ = run.results.provenance
    return run
