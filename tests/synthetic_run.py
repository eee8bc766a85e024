"""A run directory of made-up figures, of the types of its files, with every axis its own size."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
from msgspec import UNSET
from safetensors.numpy import save_file

from motiflens.attribution.result import Attributions
from motiflens.motifs import Motif
from motiflens.results import Results
from motiflens.results.audit import (
    Audit,
    ClassFractions,
    Composition,
    Contrast,
    Repeats,
    ShuffledNegatives,
)
from motiflens.results.base import ClassCounts, File, Interval
from motiflens.results.comparison import (
    Comparison,
    Difference,
    EpochsToTarget,
    ModelScores,
    ScoreSummary,
    SeedScores,
    TrainingSize,
)
from motiflens.results.experiments import (
    Ablation,
    Dose,
    Effect,
    Experiments,
    ModelExperiments,
    MotifExperiments,
    Position,
    Spacing,
)
from motiflens.results.explanations import (
    Attention,
    AttentionContrast,
    AttentionSteps,
    Checks,
    MethodChecks,
    Stretched,
    UnitWeights,
)
from motiflens.results.loader import as_bytes
from motiflens.results.motifs import (
    Central,
    ConfirmedMotif,
    DiscoveredBy,
    DismissedMotif,
    ModelMotifs,
    Motifs,
    NamedMatch,
    Recovery,
    RouteMotif,
    SeedMotifs,
    SequencesTested,
    Shortcut,
    SiteAblation,
    TrueMotif,
)
from motiflens.results.provenance import Origin, Provenance
from motiflens.results.scores import (
    CalibratedScores,
    Calibration,
    CrossValidation,
    Curve,
    Curves,
    EnsembleScores,
    Estimate,
    FoldScores,
    HeldOutScores,
    MeanOfFolds,
    MeanOfSeeds,
    Metrics,
    Reliability,
    Scores,
    ScoresAtPrevalence,
    SeedHeldOut,
    ThresholdChoice,
)
from motiflens.results.timings import Timings, TrainingTime
from motiflens.results.trust import (
    AttentionTest,
    DeletionCurve,
    MethodTrust,
    ModelTrust,
    Replacement,
    RuleScore,
    RuleTest,
    Trust,
    Untrained,
)
from motiflens.sequences import Site, format_sites
from motiflens.settings import Settings

TRUTH = "CGACCGAACTCC"
MODELS = ("tutorial-cnn", "tutorial-attention", "cnn", "attention")
WITH_ATTENTION = ("tutorial-attention", "attention")
SEEDS = (0, 1, 2)
N, LENGTH, N_FILTERS, KERNEL = 7, 50, 6, 12
N_NEGATIVES = 3
WEIGHTS = (0.02, 0.03, 0.05, 0.02, 0.03, 0.05, 0.2, 0.5, 0.1)
METRICS = ("accuracy", "auroc", "auprc", "mcc")
HELD_OUT = HeldOutScores.__struct_fields__


def ppm_of(letters: str, certainty: float = 0.97) -> np.ndarray:
    """Give (4, W): `certainty` for the letter of a column, the rest shared; N is uniform."""
    ppm = Motif.from_string(letters).ppm
    rest = (1 - certainty) / 3
    return np.where(ppm == 0.25, 0.25, rest + (certainty - rest) * ppm)


def rows_of(letters: str, certainty: float = 0.97, scale: float = 1.0) -> tuple:
    return tuple(map(tuple, (scale * ppm_of(letters, certainty)).tolist()))


def mean_of_seeds(mean: float, spread: float = 0.004) -> MeanOfSeeds:
    return MeanOfSeeds(mean=mean, low=mean - spread, high=mean + spread, n=len(SEEDS))


def comparison() -> Comparison:
    models = {}
    for index, model in enumerate(MODELS):
        accuracy = 0.98 + 0.004 * index
        epochs = [5 - index, 6 - index, None if index == 3 else 5 - index]
        reached = [epoch for epoch in epochs if epoch is not None]
        mean = sum(reached) / len(reached)
        convergence = EpochsToTarget(mean=mean, low=mean - 0.7, high=mean + 0.7, n=len(reached))
        test = Scores(**dict.fromkeys(METRICS, accuracy))
        seeds = tuple(
            SeedScores(seed=seed, test=test, epochs_to_target=epochs[seed], best_epoch=9)
            for seed in SEEDS
        )

        def summary(
            mean: float, spread: float = 0.004, convergence: EpochsToTarget = convergence
        ) -> ScoreSummary:
            scores = dict.fromkeys(METRICS, mean_of_seeds(mean, spread))
            return ScoreSummary(**scores, epochs_to_target=convergence)

        sizes = tuple(
            TrainingSize(n_train=n, seeds=seeds, summary=summary(accuracy - 20 / n, 4 / n))
            for n in (50, 200, 800, 1600)
        )
        models[model] = ModelScores(
            parameters=6209 + index, seeds=seeds, summary=summary(accuracy), sizes=sizes
        )
    differences = dict.fromkeys(METRICS, mean_of_seeds(0.004, 0.001))
    return Comparison(
        target=0.95,
        n_train=1600,
        n_test=400,
        models=models,
        differences=(Difference(a="attention", b="cnn", **differences),),
        baselines={
            "composition": Scores(auroc=0.7712, auprc=0.76, accuracy=0.7, mcc=0.41),
            "kmer": Scores(auroc=0.9997, auprc=0.9996, accuracy=0.99, mcc=0.98),
        },
    )


def audit() -> Audit:
    gc = Contrast(positives=0.52, negatives=0.48, standardised_difference=0.5, auroc=0.62)
    composition = {
        split: Composition(
            n=ClassCounts(positives=positives, negatives=negatives),
            gc=gc,
            length=Contrast(positives=50.0, negatives=50.0, auroc=0.5),
            n_fraction=ClassFractions(positives=0.0, negatives=0.0),
            shuffled_negatives={
                "dinucleotide": ShuffledNegatives(negatives=7 + len(split), by_chance=0.0)
            },
            repeats=Repeats(ratio=None, standard_error=None),
        )
        for split, (positives, negatives) in {"train": (790, 810), "test": (197, 203)}.items()
    }
    return Audit(
        duplicates={"train": 5, "test": 0},
        overlap={"train-test": 3},
        shared_31mers={"train-test": ClassCounts(positives=11, negatives=2)},
        composition=composition,
        baselines=comparison().baselines,
        warnings=("Copies of another sequence of train: 5 of 1,600.", "GC content alone …"),
    )


def curve(x: np.ndarray, y: np.ndarray) -> Curve:
    return Curve(x=tuple(x.tolist()), y=tuple(y.tolist()))


def metrics() -> Metrics:
    x = np.linspace(0, 1, 60)
    models = {}
    for index, model in enumerate(MODELS):
        auroc = 0.9 + 0.02 * index
        test = Estimate(value=auroc, low=auroc - 0.03, high=auroc + 0.01)
        bins = tuple(x[1::4].tolist())
        reliability = Reliability(x=bins, y=tuple(value / 2 for value in bins), n=(13,) * 15)
        choice = ThresholdChoice(
            probability=0.47,
            low=-1.125,
            high=None,
            expected_mcc=Estimate(value=0.9, low=0.8, high=0.95),
            n_positives=98,
            n_negatives=102,
        )
        at_prevalence = ScoresAtPrevalence(
            prevalence=0.5, threshold=-0.375, mcc=test, accuracy=test
        )
        calibration = Calibration(slope=0.71, bias=-0.25, n_positives=98, n_negatives=102)
        held_out = HeldOutScores(**dict.fromkeys(HELD_OUT, test))
        crossed = CrossValidation(
            pooled=held_out,
            mean=MeanOfFolds(
                **dict.fromkeys(("mcc", "auroc", "auprc", "accuracy"), mean_of_seeds(0.91, 0.02))
            ),
            folds=tuple(
                FoldScores(fold=k, n_positives=40 + k, n_negatives=50, test=held_out)
                for k in (1, 2)
            ),
            is_test=index > 2,
        )
        models[model] = EnsembleScores(
            calibration=calibration if index else None,
            calibrated=CalibratedScores(brier=0.087, ece=0.021, reliability=reliability)
            if index
            else None,
            test=HeldOutScores(**dict.fromkeys(HELD_OUT, test)),
            threshold=-0.25 * (index + 1),
            choice=choice if index > 1 else None,
            at_prevalence=at_prevalence if index > 1 else UNSET,
            cross_validation=crossed if index > 1 else UNSET,
            seeds=tuple(
                SeedHeldOut(seed=s, **dict.fromkeys(HELD_OUT, auroc - 0.01 * s)) for s in SEEDS
            ),
            curves=Curves(
                roc=curve(x, x ** (1 - auroc)),
                pr=curve(x, 1 - 0.51 * x ** (2 + index)),
                reliability=Reliability(
                    x=tuple(x[::4].tolist()), y=tuple((x[::4] ** 2).tolist()), n=(14,) * 15
                ),
            ),
        )
    given = "as given with the data"
    return Metrics(models=models, baselines=comparison().baselines, negatives=given)


def timings() -> Timings:
    training = {
        model: TrainingTime(
            seconds=12.5 + index,
            seeds=len(SEEDS),
            epochs=30,
            seconds_per_epoch_and_seed=0.0431,
            seconds_to_target={"0": 1.5, "1": 1.7, "2": None},
        )
        for index, model in enumerate(MODELS)
    }
    stages = {"compare": 50.2, "explain": 12.1, "motifs": 8.4}
    return Timings(threads=2, training=training, stages=stages)


def motif(route: str, letters: str, exact: bool, offset: int = 0) -> RouteMotif:
    similarity = 0.996 if exact else 0.413
    recovery = Recovery(truth=TRUTH, similarity=similarity, offset=offset, strand="+", exact=exact)
    ppm = rows_of(letters)
    return RouteMotif(name=f"{route}-1", consensus=letters, ppm=ppm, n_sites=187, recovery=recovery)


def routes(model: str, seed: int) -> dict[str, tuple[RouteMotif, ...]]:
    found = {
        "filters": (motif("filters", TRUTH[1:], exact=False, offset=1),),
        "saliency": (motif("saliency", TRUTH, exact=True),),
        "ism": (motif("ism", f"N{TRUTH}N", exact=True, offset=-1),) if seed else (),
    }
    if model in WITH_ATTENTION:
        hidden = model == "tutorial-attention"
        letters = "CCCCCCCCCCCC" if hidden else TRUTH
        found["attention"] = (motif("attention", TRUTH, exact=True),)
        found["attention-stretched"] = (motif("attention-stretched", letters, exact=not hidden),)
        found["attention-saliency"] = (motif("attention-saliency", TRUTH, exact=True),)
    return found


def motifs() -> Motifs:
    losses = tuple(round(0.05 * (position + 1), 2) for position in range(len(TRUTH)))
    shortcut = {
        model: Shortcut(
            motif_effect=17.5,
            shuffled_fraction=0.07,
            homopolymer_fraction=0.12,
            mismatch_loss=losses,
            verdict=f"order is learnt: shuffles keep 7 % of the effect in {model}",
        )
        for model in MODELS
    }
    models = {
        m: ModelMotifs(seeds=tuple(SeedMotifs(seed=s, routes=routes(m, s)) for s in SEEDS))
        for m in MODELS
    }
    # Before training only the filters show the motif, in the first seed.
    before = {
        m: ModelMotifs(
            seeds=(SeedMotifs(seed=0, routes={"filters": routes(m, 0)["filters"], "ism": ()}),)
        )
        for m in MODELS
    }
    dismissed = DismissedMotif(consensus="NWAAW", direction="negative", n_seqlets=31, q_value=0.41)
    return Motifs(
        truth=(TrueMotif(name=TRUTH, consensus=TRUTH, ppm=rows_of(TRUTH, 1.0)),),
        n_positives=200,
        models=models,
        untrained=before,
        shortcut=shortcut,
        discovery=(discovered(TRUTH, None), discovered("CACGTGAC", "USF1")),
        discovered_by=DiscoveredBy(
            model=MODELS[0],
            seeds=(0, 1),
            method="deeplift_shap",
            database="JASPAR 2026 CORE vertebrates",
            found_in=ClassCounts(positives=800, negatives=790),
            tested_on=SequencesTested(positives=197, negatives=203),
            not_significant=(dismissed,),
        ),
    )


def discovered(letters: str, name: str | None) -> ConfirmedMotif:
    match = NamedMatch(
        id="MA0093.4", name=name or "", q_value=2e-5, p_value=1e-7, offset=1, strand="-",
        ppm=rows_of("GTCATGTGAC", 0.9), others=("TFE3",),
    )  # fmt: skip
    return ConfirmedMotif(
        name="motif-1" if name is None else "motif-2",
        consensus=letters,
        direction="positive" if name is None else "negative",
        ppm=rows_of(letters, 0.9),
        cwm=rows_of(letters, 0.9, scale=0.3),
        n_seqlets=771,
        n_sites=205,
        p_threshold=1e-5,
        positives_with_site=0.97,
        negatives_with_site=0.01,
        p_value=0.0 if name is None else 1e-9,
        log_p_value=-800.0,
        q_value=0.0 if name is None else 2e-9,
        fold=65.0,
        profile=(1, 2, 3, 20, 3, 2, 1),
        central=Central(p_value=0.25, region=0.1, sites_inside=0.13),
        mean_contribution=3.1,
        ablation=SiteAblation(
            logit_change=-12.3, control=0.1, by_seed=(-12.0, -12.6), n_seeds=2, n_agreeing=2
        ),
        match=None if name is None else match,
    )


def effect(mean: float) -> Effect:
    return Effect(mean=mean, standard_error=0.5, n=41)


def effects(*means: float) -> tuple[Effect, ...]:
    return tuple(map(effect, means))


def experiments() -> Experiments:
    models = {}
    for index, model in enumerate(MODELS):
        alone = MotifExperiments(
            name=TRUTH,
            inserted=TRUTH,
            marginal=effect(7.25 + index),
            dose=Dose(
                motif=TRUTH,
                copies=(1, 2, 3),
                effects=effects(*(7.0 * (k + 1) + index for k in range(3))),
            ),
            position=Position(
                motif=TRUTH,
                starts=(0, 9, 19, 38),
                effects=effects(*(6.0 + index + k for k in range(4))),
            ),
            ablation=Ablation(
                replacement="shuffled",
                effect=effect(-6.5),
                control=effect(-0.25) if index else None,
                n_sites=43,
            ),
        )
        gaps = {"++": effects(1.5, 0.5), "+-": effects(-0.5, 0.25)}
        pair = Spacing(
            first_name=TRUTH, second_name="GATA", first=TRUTH, second="AGATAA", gaps=(0, 2),
            together=gaps, interaction=gaps,
        )  # fmt: skip
        other = msgspec.structs.replace(alone, name="GATA", inserted="AGATAA", ablation=None)
        models[model] = ModelExperiments(
            strands="forward",
            n_backgrounds=41,
            motifs=(alone, other) if index < 2 else (alone,),
            spacing=pair if index < 2 else None,
        )
    return Experiments(models=models)


def attention() -> Attention:
    means = {"motif": (3.52, 0.2), "background": (0.231, 0.02), "null": (1.04, 0.05)}
    found = AttentionContrast(
        **{k: Interval(mean=m, low=m - s, high=m + s) for k, (m, s) in means.items()},
        n=197,
        stretched_first_100=Stretched(motif=0.351, background=0.0352),
        example=UnitWeights(
            sequence="seq2",
            first=-2,
            stride=5,
            width=13,
            weights=(0.5, *[0.0625] * 8),
            stretched=(0.25, *[0.01] * 49),
        ),
    )
    models = dict.fromkeys(WITH_ATTENTION, found)
    units = UnitWeights(sequence="seq6", first=0, stride=4, width=15, weights=WEIGHTS,
                        stretched=(0.25, *[0.01] * 49))  # fmt: skip
    told = msgspec.structs.replace(found, example=units, steps=steps())
    return Attention(models=models | {"tutorial-attention": told})


def steps() -> AttentionSteps:
    """Make nine keys of four filters; their mean is the query, their weighted sum the context."""
    keys = np.round(np.random.default_rng(1).random((9, 4)) * np.arange(1, 5), 3)
    return AttentionSteps(
        keys=tuple(map(tuple, keys.tolist())),
        query=tuple(keys.mean(axis=0).tolist()),
        scores=(0.5, *np.linspace(-1, 2.5, 8).tolist()),
        weights=WEIGHTS,
        context=tuple((np.array(WEIGHTS) @ keys).tolist()),
        from_context=5.25,
        from_filters=2.5,
        bias=-0.75,
        logit=7.0,
    )


def trust() -> Trust:
    curve = DeletionCurve(
        deletion=(1.0, 0.2, 0.0), insertion=(0.0, 0.7, 1.0), deletion_auc=0.11, insertion_auc=0.6,
        gain=0.3, gain_low=0.2, gain_high=0.4,
    )  # fmt: skip
    replaced = Replacement(auroc_loss=0.042, low=0.031, high=0.055, logit_change=0.71)

    def evidence(method: str) -> MethodTrust:
        return MethodTrust(
            base_auroc=0.96 if method != "saliency" else None,
            base_auprc=0.81,
            ism_rank_correlation=0.66,
            ism_top_overlap=0.6,
            fraction_above_null=0.97,
            deletion_auc=0.06,
            deletion_curve=curve,
            seed_rank_correlation=0.52,
            untrained=Untrained(base_auroc=0.58, fraction_above_null=None),
        )

    def rule(methods: list[str]) -> RuleTest:
        low, high = (
            RuleScore(score=score, low=score - 0.06, high=score + 0.04, fall=score - 0.11)
            for score in (0.52, 0.96)
        )
        return RuleTest(
            kind="spacing", motifs=("GATA", "TAL1"), gaps=(7, 8),
            words="TAL1 lies 7 to 8 bases right of GATA", n_pairs=89, n=88, logit=high,
            methods={name: high if name == "ism" else low for name in methods},
            claimed_by=("ism",),
        )  # fmt: skip

    def model(name: str) -> ModelTrust:
        attends = name in WITH_ATTENTION
        methods = [*(["attention"] if attends else []), "saliency", "ism"]
        return ModelTrust(
            verdict=f"bases of {name} may be claimed by ism",
            attention=AttentionTest(uniform=replaced, permuted=replaced) if attends else None,
            methods={method: evidence(method) for method in methods},
            random_order=curve,
            refused={} if attends else {"attention": "there are no maps"},
            n=97,
            rule=rule(methods) if name == WITH_ATTENTION[0] else UNSET,
        )

    return Trust(fractions=(0.0, 0.1, 1.0), models={name: model(name) for name in MODELS})


def provenance() -> Provenance:
    return Provenance(
        run=Origin(
            command="motiflens run primer.parquet -o out",
            version="0.1.0",
            data="primer.parquet",
            sha256="ab" * 32,
            n_sequences=2000,
            n_positives=987,
            length=LENGTH,
        ),
        versions={"python": "3.11.2", "torch": "2.13.0", "numpy": "2.4.0"},
        configuration=Settings(models=MODELS, seeds=len(SEEDS), threads=2),
    )


def sequences(generator: np.random.Generator) -> tuple[list[str], list[int]]:
    starts = [3 + 5 * index for index in range(N)]
    letters = ["".join(generator.choice(list("ACGT"), LENGTH)) for _ in range(N)]
    return [s[:i] + TRUTH + s[i + 12 :] for s, i in zip(letters, starts, strict=True)], starts


def write_run(directory: Path, names: list[str] | None = None) -> Path:
    """Write a whole run directory; `names` are those of the sequences."""
    generator = np.random.default_rng(0)
    names = names or [f"seq{index}" for index in range(N)]
    letters, starts = sequences(generator)
    directory.mkdir(parents=True, exist_ok=True)
    results = Results(directory)
    results.write_provenance(provenance())
    makers = (audit, metrics, comparison, timings, motifs, experiments, attention, trust)
    for make in makers:
        _write(make(), results.path_of(make.__name__))
    # Not by `write_table`, which refuses the names that a page has to bear.
    sites = [format_sites([Site(TRUTH, start, start + 12, "+")]) for start in starts]
    table = {"sequence": letters, "label": 1.0, "name": names, "split": "test", "sites": sites}
    pd.DataFrame(table).to_parquet(results.path_of("data"))
    for index, model in enumerate(MODELS):
        _write_models(results, model, index, generator)
        _write_tracks(results, model, names, letters, starts, generator)
    return directory


def _write(content: File, path: Path) -> None:
    """Write a file without the version that writes it, as the run's own version is another."""
    path.write_bytes(as_bytes(content))


def _write_models(results: Results, model: str, index: int, generator: np.random.Generator) -> None:
    for seed in SEEDS:
        path = results.path_of("history", model=model, seed=seed)
        path.parent.mkdir(parents=True)
        n_epochs = 10 + seed if index > 1 else 10
        epochs = np.arange(1, n_epochs + 1)
        history = {
            "epoch": epochs,
            "train_loss": 1 / epochs,
            "valid_loss": 1 / epochs if index > 1 else np.nan,
            "valid_auroc": 1 - 0.4 / epochs if index > 1 else np.nan,
            "test_accuracy": 1 - 0.4 / epochs ** (1 + 0.3 * index + 0.1 * seed),
        }
        pd.DataFrame(history).to_csv(path, index=False)
        weights = generator.normal(0, 0.3, (N_FILTERS, 4, KERNEL)).astype(np.float32)
        weights[0] += 2 * ppm_of(TRUTH, 1.0).astype(np.float32)
        layers = {"first.weight": weights, "hidden.weight": weights[0]}
        save_file(layers, results.path_of("weights", model=model, seed=seed))


def _write_tracks(
    results: Results,
    model: str,
    names: list[str],
    letters: list[str],
    starts: list[int],
    generator: np.random.Generator,
) -> None:
    path = results.path_of("checks", model=model)
    path.parent.mkdir(parents=True)
    one_hot = np.array([ppm_of(sequence, 1.0) for sequence in letters], dtype=np.float32)
    for method in ("saliency", "ism", *(["attention"] if model in WITH_ATTENTION else [])):
        track = generator.normal(0, 0.1, (N, LENGTH))
        for row, start in zip(track, starts, strict=True):
            row[start : start + 12] += 1
        if method == "attention":
            track = np.abs(track) / np.abs(track).sum(axis=1, keepdims=True)
        contributions = (one_hot * track[:, None, :]).astype(np.float32)
        centred = contributions - contributions.mean(axis=1, keepdims=True)
        hypothetical = None if method == "attention" else centred
        explained = Attributions(method, one_hot, contributions, hypothetical)
        explained.save(results.path_of("attributions", model=model, method=method), names)
    checks = {
        method: MethodChecks(
            completeness=completeness, strands=None, precision=1e-7, completeness_note=None
        )
        for method, completeness in (("integrated_gradients", 0.003), ("ism", None))
    }
    logits = tuple(float(row) for row in range(N))
    _write(Checks(methods=checks, logits=logits), path)


def write_negatives(directory: Path) -> Path:
    """Explain negatives of a written run too, by the methods of its positives."""
    generator, results = np.random.default_rng(2), Results(directory)
    letters = ["".join(generator.choice(list("ACGT"), LENGTH)) for _ in range(N_NEGATIVES)]
    one_hot = np.array([ppm_of(sequence, 1.0) for sequence in letters], dtype=np.float32)
    names = [f"background{index}" for index in range(N_NEGATIVES)]
    for path in results.paths_of("attributions"):
        track = generator.normal(0, 0.1, (N_NEGATIVES, 1, LENGTH)).astype(np.float32)
        found = Attributions(path.stem, one_hot, one_hot * track)
        where = results.path_of("negative_attributions", model=path.parent.name, method=path.stem)
        where.parent.mkdir(exist_ok=True)
        found.save(where, names)
    for model, checks in results.checks.items():
        told = msgspec.structs.replace(checks, negative_logits=(2.5, 0.25, -4.0))
        _write(told, results.path_of("checks", model=model))
    return directory
