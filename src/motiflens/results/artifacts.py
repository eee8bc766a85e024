"""Everything that a run directory may hold: where it lies, which stage makes it, and of what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from motiflens.results.audit import Audit
from motiflens.results.base import File
from motiflens.results.comparison import Comparison
from motiflens.results.crossing import Crossing
from motiflens.results.distillation import Distillation
from motiflens.results.experiments import Experiments
from motiflens.results.explanations import Attention, Checks
from motiflens.results.motifs import Motifs
from motiflens.results.provenance import Provenance
from motiflens.results.regression import Regression
from motiflens.results.scores import Metrics
from motiflens.results.timings import Timings
from motiflens.results.trust import Trust
from motiflens.results.variants import ScoredVariants


@dataclass(frozen=True)
class Artifact:
    """A file of a run, or several of one kind.

    Parameters
    ----------
    path
        In the run directory; ``{model}``, ``{seed}``, ``{method}`` and ``{route}`` stand for names.
    stage
        That makes it: a command of that name makes it again.
    made_of
        Names of the artefacts that it follows from.
    holds
        What it is, for the docs.
    type
        Of a JSON file, or of ``run.toml``.
    command
        Where that is not the stage.
    """

    path: str
    stage: str
    made_of: tuple[str, ...]
    holds: str
    type: type[File] | type[Provenance] | None = None
    command: str = ""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(self.path).name

    @property
    def top(self) -> str:
        """The first part of the path: the file, or the folder that holds it."""
        return PurePosixPath(self.path).parts[0]

    @property
    def pattern(self) -> str:
        """The path with ``*`` for names."""
        names = ("model", "seed", "method", "route")
        return self.path.format_map(dict.fromkeys(names, "*"))


_MODEL = "models/{model}-seed{seed}"
_TRAINING = ("configuration", "data", "split")
_EXPLAINED = ("weights", "model", *_TRAINING)

#: Name → artefact, in the order in which a run makes them: the last of a stage is written last.
ARTIFACTS = {
    "configuration": Artifact(
        "run.toml", "data", (), "command, settings, seeds, versions, sha256 of data", Provenance,
    ),
    "data": Artifact(
        "data.parquet", "data", ("configuration",), "the data set as trained on, with its `split` "
        "and, where known, its `sites` and coordinates",
    ),
    "split": Artifact(
        "split.npy", "data", ("configuration",), "in its place, for a mapped data set: the split "
        "of every row, 0 train, 1 valid, 2 test; `run.toml` names the folder",
    ),
    "audit": Artifact("audit.json", "compare", _TRAINING, "lengths, copies within and across "
        "splits on either strand, shared 31-mers, constant ends, composition, baselines, warnings",
        Audit),
    "checkpoint": Artifact("checkpoint", "compare", _TRAINING, "training, until it has ended"),
    "crossing": Artifact("crossing.json", "compare", _TRAINING, "test scores of each model, "
        "trained against each negative set, on every one", Crossing,
        command="compare --cross-negatives"),
    "model": Artifact(f"{_MODEL}/model.toml", "compare", _TRAINING, "how to build the model"),
    "history": Artifact(f"{_MODEL}/history.csv", "compare", _TRAINING, "losses of every epoch"),
    "weights": Artifact(f"{_MODEL}/weights.safetensors", "compare", _TRAINING, "its weights"),
    "metrics": Artifact(
        "metrics.json", "compare", ("weights", "audit"), "test scores of each model's ensemble "
        "with intervals, its threshold and curves, and of every seed; `test_groups`: homology "
        "groups of the test split, which count once (null above 200,000 sequences)", Metrics,
    ),
    "regression": Artifact(
        "regression.json", "compare", ("weights", "audit"), "of a regression, in place of "
        "`metrics.json` and `comparison.json`: Spearman, Pearson and R² with intervals", Regression,
    ),
    "distillation": Artifact("distillation.json", "compare", ("weights",), "of `--distill`: the "
        "ensemble of all seeds of all models on the test split, and the distilled network beside "
        "it", Distillation, command="run --distill"),
    "timings": Artifact(
        "timings.json", "compare", (), "of each stage: seconds, processor seconds of all threads, "
        "peak memory in bytes; of each model: what its training took. It, and the page and "
        "`profile.txt` that show it, are all that differs between two runs of one seed", Timings,
    ),
    "profile": Artifact("profile.txt", "compare", (), "of `--profile`: the stages of "
        "`timings.json` as a table", command="run --profile"),
    "out_of_fold": Artifact("out_of_fold.tsv", "compare", ("weights",), "of `--folds`: fold, label "
        "and logits of every sequence, each the mean of a model's seeds trained without its fold"),
    "comparison": Artifact(
        "comparison.json", "compare", ("weights", "audit"), "scores of every model and seed, "
        "learning curves, differences (`differences_cover`: over seeds and test sequences, of one "
        "seed over test sequences), baselines", Comparison,
    ),
    "attributions": Artifact(
        "attributions/{model}/{method}.npz", "explain", _EXPLAINED, "`one_hot`, `hypothetical`, "
        "`contributions`, `names` and, of methods that add up to the logit's difference, "
        "`convergence_delta` of these contributions; of the first seed",
    ),
    "negative_attributions": Artifact(
        "attributions/{model}/negatives/{method}.npz", "explain", ("history", *_EXPLAINED),
        "the same of the test negatives of highest logits by the best model, the highest first",
    ),
    "ensemble_attributions": Artifact("attributions/{model}/ensemble/{method}.npz", "explain",
        _EXPLAINED, "of `--distill`, for the distilled network: the mean contributions of all "
        "other models and seeds to some of the same positives"),
    "track": Artifact(
        "attributions/{model}/{method}.bw", "explain", ("attributions",), "the track on the "
        "genome, where the sequences have coordinates",
    ),
    "intervals": Artifact(
        "attributions/{model}/{method}.bed", "explain", ("attributions",), "the intervals of it",
    ),
    "checks": Artifact(
        "attributions/{model}/checks.json", "explain", ("attributions", "negative_attributions"),
        "of each method: `completeness`, `strands`, `precision`, `completeness_note`; why a method "
        "refused the model; `logits`, `negative_logits` of the positives and negatives; of the "
        "distilled network `agreement` with the ensemble", Checks,
    ),
    "attention": Artifact("attention.json", "explain", _EXPLAINED, "attention on the motif, "
        "beside it, and on negatives", Attention),
    "route_motifs": Artifact("motifs/{model}-{route}.meme", "motifs", ("attributions",), "the "
        "motifs of every route of the first seed"),
    "discovery": Artifact(
        "motifs/discovery.meme", "motifs", ("attributions", "history", *_EXPLAINED), "the best "
        "model's motifs that the test split confirms; `discovery` of `motifs.json` holds the "
        "evidence and names, `discovered_by` what was counted (fields: [motifs](motifs.md))",
    ),
    "discovery_arrays": Artifact("motifs/discovery.npz", "motifs", ("discovery",), "the same with "
        "contributions"),
    "seqlets": Artifact("motifs/discovery-seqlets.tsv", "motifs", ("discovery",), "where their "
        "seqlets lie"),
    "sites": Artifact(
        "motifs/hits.bed.gz", "motifs", ("discovery",), "their sites in the test split, as "
        "`n_sites` counts them: the columns of `motiflens hits`, and the label; on the genome "
        "where the sequences have coordinates",
    ),
    "motifs": Artifact(
        "motifs.json", "motifs", ("attributions", *_EXPLAINED), "the motifs of every route, with "
        "their recovery, and those of discovery", Motifs,
    ),
    "experiments": Artifact(
        "experiments.json", "experiments", ("motifs", *_EXPLAINED), "effects of motifs put into "
        "sequences and taken out of them: one copy, dose, position, spacing, ablation",
        Experiments,
    ),
    "trust": Artifact(
        "trust.json", "trust", ("attributions", "metrics", "regression", *_EXPLAINED),
        "how far explanations of each model by each method can be trusted, with a verdict; "
        "`may_claim` is false where that is \"nothing may be claimed\"", Trust,
    ),
    "variants": Artifact("variants.json", "variants", ("weights", "model"), "the strongest "
        "variants", ScoredVariants),
    "report": Artifact("report.html", "report", ("audit", "crossing", "metrics", "distillation",
        "comparison", "regression", "checks", "attention", "motifs", "sites", "experiments",
        "trust"), "all above as one page"),
}  # fmt: skip


def of_stage(stage: str) -> tuple[str, ...]:
    """Return the names of what a stage makes; the last of them is written last."""
    return tuple(name for name, artifact in ARTIFACTS.items() if artifact.stage == stage)


def following_from(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of everything that is made of some artefacts, directly or by others."""
    followed = set(names)
    made: list[str] = []
    for name, artifact in ARTIFACTS.items():
        if followed & set(artifact.made_of):
            followed.add(name)
            made.append(name)
    return tuple(name for name in made if name not in set(names))


def command_of(name: str) -> str:
    """Return the command that makes an artefact again."""
    artifact = ARTIFACTS[name]
    return f"motiflens {artifact.command or artifact.stage}"
