"""The run directory: its files as types, what is there, and what has to go."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
import tomli_w

from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.progress import Progress
from motiflens.results.artifacts import ARTIFACTS, command_of, following_from, of_stage
from motiflens.results.audit import Audit
from motiflens.results.base import File, table
from motiflens.results.comparison import Comparison
from motiflens.results.crossing import Crossing
from motiflens.results.distillation import Distillation
from motiflens.results.experiments import Experiments
from motiflens.results.explanations import Attention, Checks
from motiflens.results.loader import as_bytes, converted, read_json, write_json
from motiflens.results.motifs import Motifs, MotifsWithoutModel
from motiflens.results.provenance import Provenance
from motiflens.results.regression import Regression
from motiflens.results.scores import Metrics
from motiflens.results.timings import Timings
from motiflens.results.trust import Trust
from motiflens.results.variants import ScoredVariants
from motiflens.settings import Settings

Content = TypeVar("Content", bound=File)

#: Files and folders at the top of a run directory: ``--overwrite`` removes these, nothing else.
TOP = tuple(dict.fromkeys(artifact.top for artifact in ARTIFACTS.values()))

_NAME_OF_TYPE = {artifact.type: name for name, artifact in ARTIFACTS.items() if artifact.type}
_MODEL_FOLDER = re.compile(
    ARTIFACTS["weights"].path.format(model="(?P<model>.+)", seed=r"(?P<seed>\d+)")
)


class Results:
    """The results of a run, read from its directory as they are asked for.

    Parameters
    ----------
    path
        The run directory.

    Raises
    ------
    InputError
        By each property, if its file is absent (with the command that makes it) or damaged.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._read: dict[Path, tuple[tuple[int, int], Any]] = {}

    def __repr__(self) -> str:
        return f"Results({str(self.path)!r})"

    def _repr_html_(self) -> str:
        """Show in a notebook which results there are, by the attribute that holds each."""
        held = {name: one.path for name, one in ARTIFACTS.items() if one.type and self.holds(name)}
        return f"<p><code>{escape(repr(self))}</code></p>{table(held)}"

    def path_of(self, name: str, **names: object) -> Path:
        """Return the path of an artefact, whether it is there or not.

        Parameters
        ----------
        name
            In ``ARTIFACTS``.
        names
            ``model``, ``seed``, ``method``, ``route``, as far as its path has them.
        """
        return self.path / ARTIFACTS[name].path.format(**names)

    def paths_of(self, name: str) -> list[Path]:
        """Return the paths of an artefact that are there, sorted."""
        return sorted(self.path.glob(ARTIFACTS[name].pattern))

    def holds(self, name: str) -> bool:
        """Return whether an artefact is there; of several files of one kind, whether any is."""
        return bool(self.paths_of(name))

    @property
    def provenance(self) -> Provenance:
        """``run.toml``."""
        path = self.path_of("configuration")
        remedy = "make the run again with overwrite=True"
        if not path.is_file():
            raise _no_run(self.path)
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            problem = f"{path} cannot be read: {error}"
            raise InputError(problem, remedy=remedy, argument="overwrite") from None
        return converted(table, Provenance, path, remedy, "overwrite")

    @property
    def settings(self) -> Settings:
        """The settings that the run was made with."""
        return self.provenance.configuration

    @property
    def audit(self) -> Audit:
        """``audit.json``."""
        return self.read(Audit)

    @property
    def comparison(self) -> Comparison:
        """``comparison.json``."""
        return self.read(Comparison)

    @property
    def crossing(self) -> Crossing:
        """``crossing.json``."""
        return self.read(Crossing)

    @property
    def metrics(self) -> Metrics:
        """``metrics.json``."""
        return self.read(Metrics)

    @property
    def distillation(self) -> Distillation:
        """``distillation.json``."""
        return self.read(Distillation)

    @property
    def regression(self) -> Regression:
        """``regression.json``."""
        return self.read(Regression)

    @property
    def is_regression(self) -> bool:
        """Whether the labels of the run are numbers, and not two classes."""
        return self.provenance.run.task == "regression"

    @property
    def is_trained(self) -> bool:
        """Whether the last file of training is there."""
        return self.holds("comparison") or self.holds("regression")

    @property
    def timings(self) -> Timings:
        """``timings.json``."""
        return self.read(Timings)

    @property
    def attention(self) -> Attention:
        """``attention.json``."""
        return self.read(Attention)

    @property
    def motifs(self) -> Motifs:
        """``motifs.json``."""
        return self.read(Motifs)

    @property
    def experiments(self) -> Experiments:
        """``experiments.json``."""
        return self.read(Experiments)

    @property
    def trust(self) -> Trust:
        """``trust.json``."""
        return self.read(Trust)

    @property
    def variants(self) -> ScoredVariants:
        """``variants.json``."""
        return self.read(ScoredVariants)

    @property
    def checks(self) -> dict[str, Checks]:
        """Model → ``attributions/MODEL/checks.json``, of the models that have one."""
        models = self.settings.models
        there = [model for model in models if self.path_of("checks", model=model).is_file()]
        return {model: self.read(Checks, model=model) for model in there}

    @property
    def models(self) -> dict[str, tuple[int, ...]]:
        """The trained models: name → seeds, in the order of the settings."""
        seeds: dict[str, list[int]] = {name: [] for name in self.settings.models}
        for path in self.paths_of("weights"):
            if match := _MODEL_FOLDER.fullmatch(path.relative_to(self.path).as_posix()):
                seeds.setdefault(match["model"], []).append(int(match["seed"]))
        return {name: tuple(sorted(own)) for name, own in seeds.items() if own}

    @property
    def explained(self) -> dict[str, tuple[int, ...]]:
        """Those of :attr:`models` that later stages look at: of folds, the models of the first.

        They have not seen the test split.
        """
        settings = self.settings
        n = None if settings.folds is None else settings.seeds
        return {name: seeds[:n] for name, seeds in self.models.items()}

    def read(self, type_: type[Content], **names: object) -> Content:
        """Read the JSON file of a type; it is read again when it has changed."""
        name = _NAME_OF_TYPE[type_]
        path = self.path_of(name, **names)
        if not path.is_file():
            remedy = f"make it with `{command_of(name)}`"
            raise InputError(f"{self.path} holds no {path.name}", remedy=remedy)
        status = path.stat()
        state = (status.st_mtime_ns, status.st_size)
        if self._read.get(path, ((0, 0), None))[0] != state:
            self._read[path] = (state, read_json(path, type_, command_of(name)))
        return cast(Content, self._read[path][1])

    def write(self, content: File, progress: Progress | None = None, **names: object) -> None:
        """Write the JSON file of a type, whole or not at all.

        Where it takes the place of another content, what was made of that is removed, and
        ``progress`` told so.
        """
        name = _NAME_OF_TYPE[type(content)]
        path = self.path_of(name, **names)
        if path.is_file() and not self._is_same(path, content):
            self.remove_following([name], progress)
        write_json(path, content)
        self._read.pop(path, None)

    def _is_same(self, path: Path, content: File) -> bool:
        try:
            before = read_json(path, type(content), "")
        except InputError:
            return False
        first, second = (
            as_bytes(msgspec.structs.replace(one, version="")) for one in (before, content)
        )
        return first == second

    def write_provenance(self, provenance: Provenance) -> None:
        """Write ``run.toml``."""
        table = tomli_w.dumps(provenance.as_table())
        write_whole(self.path_of("configuration"), table.encode())

    def remove_following(self, names: Iterable[str], progress: Progress | None = None) -> list[str]:
        """Remove what later stages made of some artefacts; return the tops of what was there."""
        stages = {ARTIFACTS[name].stage for name in names}
        later = [name for name in following_from(names) if ARTIFACTS[name].stage not in stages]
        gone = [(name, path) for name in later for path in self.paths_of(name)]
        for _, path in gone:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # of a folder that holds more
                path.parent.rmdir()
        tops = list(dict.fromkeys(path.relative_to(self.path).parts[0] for _, path in gone))
        if tops and progress is not None:
            commands = dict.fromkeys(f"`{command_of(name)}`" for name, _ in gone)
            again = "make them again" if len(commands) > 1 else "makes it again"
            progress.note(
                f"{', '.join(ARTIFACTS[name].top for name in names)} changed: "
                f"{', '.join(tops)}, made of that, removed; {', '.join(commands)} {again}"
            )
        return tops

    def is_finished(self, stage: str) -> bool:
        """Return whether a stage has written the last of its files, and training has ended."""
        # The checkpoint is removed after the last file of training: that may have been cut off.
        done = self.is_trained if stage == "compare" else self.holds(of_stage(stage)[-1])
        return done and not self.holds("checkpoint")

    def remove(self) -> None:
        """Remove everything of the run, and the directory too where nothing else is in it."""
        self.remove_begun()
        # run.toml, which says that this is a run, goes last: removing it may be cut off too.
        for path in [self.path / top for top in reversed(TOP)]:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

    def remove_begun(self) -> None:
        """Remove the files whose writing was cut off by the end of the process."""
        for path in self.path.rglob(".*"):
            inside = path.relative_to(self.path).parts
            if inside[0].removeprefix(".").startswith(TOP) and path.is_file():
                path.unlink()


def read_motifs_without_model(folder: Path | str) -> MotifsWithoutModel:
    """Read the ``motifs.json`` of a folder that ``motifs --no-model`` made; errors as of a run."""
    path, command = Path(folder) / ARTIFACTS["motifs"].path, "motiflens motifs --no-model"
    if not path.is_file():
        raise InputError(f"{folder} holds no {path.name}", remedy=f"make it with `{command}`")
    return read_json(path, MotifsWithoutModel, command)


def write_motifs_without_model(content: MotifsWithoutModel, folder: Path | str) -> None:
    """Write the motifs of ``motifs --no-model`` into a folder, whole or not at all."""
    write_json(Path(folder) / ARTIFACTS["motifs"].path, content)


def holds_motifs_without_model(path: Path | str) -> bool:
    """Return whether a directory is what ``motifs --no-model`` made."""
    return (Path(path) / ARTIFACTS["motifs"].path).is_file() and not is_run(path)


def motif_file_of(path: Path | str) -> Path | None:
    """Return the file of the discovered motifs in a run, or in a folder of motifs alone."""
    discovery = ARTIFACTS["discovery"]
    files = (Path(path) / discovery.path, Path(path) / discovery.name)
    return next((file for file in files if file.is_file()), None)


def is_run(path: Path | str) -> bool:
    """Return whether a directory is that of a run."""
    return (Path(path) / ARTIFACTS["configuration"].path).is_file()


def _no_run(path: Path) -> InputError:
    remedy = "make a run with `motiflens run DATA -o OUT`"
    if not holds_motifs_without_model(path):
        return InputError(f"{path} {_what_it_is(path)}", remedy=remedy)
    file = motif_file_of(path)
    found = f"its motifs are in {file}; " if file else ""
    return InputError(
        f"{path} is no run: it holds motifs found without a model", remedy=f"{found}{remedy}"
    )


def _what_it_is(path: Path) -> str:
    if path.is_dir():
        return f"is no run: it holds no {ARTIFACTS['configuration'].path}"
    return "is a file, not a run directory" if path.exists() else "does not exist"


def table_of_files() -> str:
    """Return the table of files of docs/reference/files.md."""
    rows = [f"| `{a.path}` | {a.holds} |".replace("{", "<").replace("}", ">")
            for a in ARTIFACTS.values()]  # fmt: skip
    return "\n".join(["| file | holds |", "|---|---|", *rows]) + "\n"
