"""A run directory of made-up figures in the exact documented form, with every axis its own size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomli_w
from safetensors.numpy import save_file

TRUTH = "CGACCGAACTCC"
MODELS = ("tutorial-cnn", "tutorial-attention", "cnn", "attention")
WITH_ATTENTION = ("tutorial-attention", "attention")
SEEDS = (0, 1, 2)
N, LENGTH, N_FILTERS, KERNEL = 7, 50, 6, 12
METRICS = ("accuracy", "auroc", "auprc", "mcc")
HELD_OUT = ("auroc", "auprc", "mcc", "accuracy", "brier", "ece", "recall_at_fdr10")


def ppm_of(letters: str, certainty: float = 0.97) -> np.ndarray:
    """Give (4, W): `certainty` for the letter of a column, the rest shared; N is uniform."""
    ppm = np.full((4, len(letters)), (1 - certainty) / 3)
    for column, base in enumerate(letters):
        if base == "N":
            ppm[:, column] = 0.25
        else:
            ppm["ACGT".index(base), column] = certainty
    return ppm


def summary(mean: float | None, spread: float = 0.004, n: int = len(SEEDS)) -> dict[str, Any]:
    low, high = (None, None) if mean is None else (mean - spread, mean + spread)
    return {"mean": mean, "low": low, "high": high, "n": n}


def comparison() -> dict[str, Any]:
    models = {}
    for index, model in enumerate(MODELS):
        accuracy = 0.98 + 0.004 * index
        epochs = [5 - index, 6 - index, None if index == 3 else 5 - index]
        reached = [epoch for epoch in epochs if epoch is not None]
        seeds = [
            {
                "seed": seed,
                "test": dict.fromkeys(METRICS, accuracy),
                "epochs_to_target": epochs[seed],
                "best_epoch": 9,
            }
            for seed in SEEDS
        ]
        scores = {metric: summary(accuracy) for metric in METRICS}
        convergence = summary(sum(reached) / len(reached), 0.7, len(reached))
        sizes = [
            {
                "n_train": n,
                "seeds": seeds,
                "summary": {
                    **{m: summary(accuracy - 20 / n, 4 / n) for m in METRICS},
                    "epochs_to_target": convergence,
                },
            }
            for n in (50, 200, 800, 1600)
        ]
        models[model] = {
            "parameters": 6209 + index,
            "seeds": seeds,
            "summary": {**scores, "epochs_to_target": convergence},
            "sizes": sizes,
        }
    difference = {metric: summary(0.004, 0.001) for metric in METRICS}
    return {
        "schema_version": 1,
        "target": 0.95,
        "n_train": 1600,
        "n_test": 400,
        "models": models,
        "differences": [{"a": "attention", "b": "cnn", **difference}],
        "baselines": {
            "composition": {"auroc": 0.7712, "auprc": 0.76, "accuracy": 0.7, "mcc": 0.41},
            "kmer": {"auroc": 0.9997, "auprc": 0.9996, "accuracy": 0.99, "mcc": 0.98},
        },
    }


def audit() -> dict[str, Any]:
    sizes = {"train": (790, 810), "test": (197, 203)}
    contrast = {"positives": 0.52, "negatives": 0.48, "standardised_difference": 0.5, "auroc": 0.62}
    composition = {
        part: {
            "n": {"positives": positives, "negatives": negatives},
            "gc": contrast,
            "length": {"positives": 50.0, "negatives": 50.0, "auroc": 0.5},
            "n_fraction": {"positives": 0.0, "negatives": 0.0},
            "shuffled_negatives": {"dinucleotide": {"negatives": 7 + len(part), "by_chance": 0.0}},
            "repeats": {"ratio": None, "standard_error": None},
        }
        for part, (positives, negatives) in sizes.items()
    }
    return {
        "schema_version": 1,
        "duplicates": {"train": 5, "test": 0},
        "overlap": {"train-test": 3},
        "shared_31mers": {"train-test": {"positives": 11, "negatives": 2}},
        "composition": composition,
        "baselines": comparison()["baselines"],
        "warnings": ["Copies of another sequence of train: 5 of 1,600.", "GC content alone …"],
    }


def metrics() -> dict[str, Any]:
    x = np.linspace(0, 1, 60)
    models = {}
    for index, model in enumerate(MODELS):
        auroc = 0.9 + 0.02 * index
        test = {"value": auroc, "low": auroc - 0.03, "high": auroc + 0.01}
        models[model] = {
            "test": dict.fromkeys(HELD_OUT, test),
            "threshold": -0.25 * (index + 1),
            "seeds": [{"seed": s, **dict.fromkeys(HELD_OUT, auroc - 0.01 * s)} for s in SEEDS],
            "curves": {
                "roc": {"x": x.tolist(), "y": (x ** (1 - auroc)).tolist()},
                "pr": {"x": x.tolist(), "y": (1 - 0.51 * x ** (2 + index)).tolist()},
                "reliability": {"x": x[::4].tolist(), "y": (x[::4] ** 2).tolist(), "n": [14] * 15},
            },
        }
    return {
        "schema_version": 1,
        "models": models,
        "baselines": comparison()["baselines"],
        "negatives": "as given with the data",
    }


def timings() -> dict[str, Any]:
    training = {
        model: {
            "seconds": 12.5 + index,
            "seeds": len(SEEDS),
            "epochs": 30,
            "seconds_per_epoch_and_seed": 0.0431,
            "seconds_to_target": {"0": 1.5, "1": 1.7, "2": None},
        }
        for index, model in enumerate(MODELS)
    }
    stages = {"compare": 50.2, "explain": 12.1, "motifs": 8.4}
    return {"schema_version": 1, "threads": 2, "training": training, "stages": stages}


def motif(route: str, letters: str, exact: bool, offset: int = 0) -> dict[str, Any]:
    similarity = 0.996 if exact else 0.413
    truth = {"truth": TRUTH, "similarity": similarity, "offset": offset, "strand": "+"}
    return {
        "name": f"{route}-1",
        "consensus": letters,
        "ppm": ppm_of(letters).tolist(),
        "n_sites": 187,
        "recovery": {**truth, "exact": exact},
    }


def routes(model: str, seed: int) -> dict[str, list[dict[str, Any]]]:
    found = {
        "filters": [motif("filters", TRUTH[1:], exact=False, offset=1)],
        "saliency": [motif("saliency", TRUTH, exact=True)],
        "ism": [motif("ism", f"N{TRUTH}N", exact=True, offset=-1)] if seed else [],
    }
    if model in WITH_ATTENTION:
        found["attention"] = [motif("attention", TRUTH, exact=True)]
        hidden = model == "tutorial-attention"
        letters = "CCCCCCCCCCCC" if hidden else TRUTH
        found["attention-stretched"] = [motif("attention-stretched", letters, exact=not hidden)]
        found["attention-saliency"] = [motif("attention-saliency", TRUTH, exact=True)]
    return found


def motifs() -> dict[str, Any]:
    shortcut = {
        model: {
            "motif_effect": 17.5,
            "shuffled_fraction": 0.07,
            "homopolymer_fraction": 0.12,
            "mismatch_loss": [round(0.05 * (position + 1), 2) for position in range(len(TRUTH))],
            "verdict": f"order is learnt: shuffles keep 7 % of the effect in {model}",
        }
        for model in MODELS
    }
    models = {m: {"seeds": [{"seed": s, "routes": routes(m, s)} for s in SEEDS]} for m in MODELS}
    truth = {"name": TRUTH, "consensus": TRUTH, "ppm": ppm_of(TRUTH, 1.0).tolist()}
    # Before training only the filters show the motif, in the first seed.
    before = {
        m: {"seeds": [{"seed": 0, "routes": {"filters": routes(m, 0)["filters"], "ism": []}}]}
        for m in MODELS
    }
    return {
        "schema_version": 1,
        "truth": [truth],
        "n_positives": 200,
        "models": models,
        "untrained": before,
        "shortcut": shortcut,
        "discovery": [discovered(TRUTH, None), discovered("CACGTGAC", "USF1")],
        "discovered_by": {
            "model": MODELS[0],
            "seeds": [0, 1],
            "method": "deeplift_shap",
            "database": "JASPAR 2026 CORE vertebrates",
            "found_in": {"positives": 800, "negatives": 790},
            "tested_on": {"positives": 197, "negatives": 203},
            "not_significant": [
                {"consensus": "NWAAW", "direction": "negative", "n_seqlets": 31, "q_value": 0.41}
            ],
        },
    }


def effect(mean: float) -> dict[str, Any]:
    return {"mean": mean, "standard_error": 0.5, "n": 41}


def experiments() -> dict[str, Any]:
    models = {}
    for index, model in enumerate(MODELS):
        alone = {
            "name": TRUTH,
            "word": TRUTH,
            "marginal": effect(7.25 + index),
            "dose": {
                "motif": TRUTH,
                "copies": [1, 2, 3],
                "effects": [effect(7.0 * (k + 1) + index) for k in range(3)],
            },
            "position": {
                "motif": TRUTH,
                "starts": [0, 9, 19, 38],
                "effects": [effect(6.0 + index + k) for k in range(4)],
            },
            "ablation": {
                "replacement": "shuffled",
                "effect": effect(-6.5),
                "control": effect(-0.25) if index else None,
                "n_sites": 43,
            },
        }
        gaps = {"++": [effect(1.5), effect(0.5)], "+-": [effect(-0.5), effect(0.25)]}
        pair = {
            "first_name": TRUTH,
            "second_name": "GATA",
            "first": TRUTH,
            "second": "AGATAA",
            "gaps": [0, 2],
            "together": gaps,
            "interaction": gaps,
        }
        other = {**alone, "name": "GATA", "word": "AGATAA", "ablation": None}
        models[model] = {
            "strands": "forward",
            "n_backgrounds": 41,
            "motifs": [alone, other] if index < 2 else [alone],
            "spacing": pair if index < 2 else None,
        }
    return {"schema_version": 1, "models": models}


def discovered(letters: str, name: str | None) -> dict[str, Any]:
    ppm = ppm_of(letters, 0.9).tolist()
    match = {
        "id": "MA0093.4", "name": name, "q_value": 2e-5, "p_value": 1e-7, "offset": 1,
        "strand": "-", "ppm": ppm_of("GTCATGTGAC", 0.9).tolist(), "others": ["TFE3"],
    }  # fmt: skip
    return {
        "name": "motif-1" if name is None else "motif-2",
        "consensus": letters,
        "direction": "positive" if name is None else "negative",
        "ppm": ppm,
        "cwm": (0.3 * ppm_of(letters, 0.9)).tolist(),
        "n_seqlets": 771,
        "n_sites": 205,
        "p_threshold": 1e-5,
        "positives_with_site": 0.97,
        "negatives_with_site": 0.01,
        "p_value": 0.0 if name is None else 1e-9,
        "log_p_value": -800.0,
        "q_value": 0.0 if name is None else 2e-9,
        "fold": 65.0,
        "profile": [1, 2, 3, 20, 3, 2, 1],
        "central": {"p_value": 0.25, "region": 0.1, "sites_inside": 0.13},
        "mean_contribution": 3.1,
        "ablation": {
            "logit_change": -12.3, "control": 0.1, "by_seed": [-12.0, -12.6], "n_seeds": 2,
            "n_agreeing": 2,
        },
        "match": None if name is None else match,
    }  # fmt: skip


def attention() -> dict[str, Any]:
    means = {"motif": (3.52, 0.2), "background": (0.231, 0.02), "null": (1.04, 0.05)}
    found = {
        **{k: {"mean": m, "low": m - s, "high": m + s} for k, (m, s) in means.items()},
        "n": 197,
        "stretched_first_100": {"motif": 0.351, "background": 0.0352},
    }
    return {"schema_version": 1, "models": dict.fromkeys(WITH_ATTENTION, found)}


def trust() -> dict[str, Any]:
    curve = {"deletion": [1.0, 0.2, 0.0], "insertion": [0.0, 0.7, 1.0], "deletion_auc": 0.11,
             "insertion_auc": 0.6, "gain": 0.3, "gain_low": 0.2, "gain_high": 0.4}  # fmt: skip

    def evidence(method: str) -> dict[str, Any]:
        return {
            "base_auroc": 0.96 if method != "saliency" else None,
            "base_auprc": 0.81,
            "ism_rank_correlation": 0.66,
            "ism_top_overlap": 0.6,
            "fraction_above_null": 0.97,
            "deletion_auc": 0.06,
            "deletion_curve": curve,
            "seed_rank_correlation": 0.52,
            "untrained": {"base_auroc": 0.58, "fraction_above_null": None},
        }

    def model(name: str) -> dict[str, Any]:
        replaced = {"auroc_loss": 0.042, "low": 0.031, "high": 0.055, "logit_change": 0.71}
        methods = [*(["attention"] if name in WITH_ATTENTION else []), "saliency", "ism"]
        return {
            "verdict": f"bases of {name} may be claimed by ism",
            "attention": dict.fromkeys(("uniform", "permuted"), replaced)
            if name in WITH_ATTENTION
            else None,
            "methods": {method: evidence(method) for method in methods},
            "random_order": curve,
            "refused": {} if name in WITH_ATTENTION else {"attention": "there are no maps"},
            "n": 97,
        }

    models = {name: model(name) for name in MODELS}
    return {"schema_version": 1, "fractions": [0.0, 0.1, 1.0], "models": models}


def provenance() -> dict[str, Any]:
    return {
        "run": {
            "command": "motiflens run primer.parquet -o out",
            "version": "0.1.0",
            "seed": 0,
            "data": "primer.parquet",
            "sha256": "ab" * 32,
            "n_sequences": 2000,
            "n_positives": 987,
            "length": LENGTH,
        },
        "versions": {"python": "3.11.2", "torch": "2.13.0", "numpy": "2.4.0"},
        "configuration": {"models": list(MODELS), "seeds": len(SEEDS), "threads": 2},
    }


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
    (directory / "run.toml").write_text(tomli_w.dumps(provenance()))
    for name, content in (
        ("audit", audit()),
        ("metrics", metrics()),
        ("comparison", comparison()),
        ("timings", timings()),
        ("motifs", motifs()),
        ("experiments", experiments()),
        ("attention", attention()),
        ("trust", trust()),
    ):
        (directory / f"{name}.json").write_text(json.dumps(content))
    sites = [f"{TRUTH}:{start}-{start + 12}:+" for start in starts]
    table = {"sequence": letters, "label": 1.0, "name": names, "split": "test", "sites": sites}
    pd.DataFrame(table).to_parquet(directory / "data.parquet")
    for index, model in enumerate(MODELS):
        _write_models(directory / "models", model, index, generator)
        _write_tracks(directory / "attributions" / model, model, names, letters, starts, generator)
    return directory


def _write_models(directory: Path, model: str, index: int, generator: np.random.Generator) -> None:
    for seed in SEEDS:
        folder = directory / f"{model}-seed{seed}"
        folder.mkdir(parents=True)
        n_epochs = 10 + seed if index > 1 else 10
        epochs = np.arange(1, n_epochs + 1)
        history = {
            "epoch": epochs,
            "train_loss": 1 / epochs,
            "valid_loss": 1 / epochs if index > 1 else np.nan,
            "valid_auroc": 1 - 0.4 / epochs if index > 1 else np.nan,
            "test_accuracy": 1 - 0.4 / epochs ** (1 + 0.3 * index + 0.1 * seed),
        }
        pd.DataFrame(history).to_csv(folder / "history.csv", index=False)
        weights = generator.normal(0, 0.3, (N_FILTERS, 4, KERNEL)).astype(np.float32)
        weights[0] += 2 * ppm_of(TRUTH, 1.0).astype(np.float32)
        layers = {"first.weight": weights, "hidden.weight": weights[0]}
        save_file(layers, folder / "weights.safetensors")


def _write_tracks(
    directory: Path,
    model: str,
    names: list[str],
    letters: list[str],
    starts: list[int],
    generator: np.random.Generator,
) -> None:
    directory.mkdir(parents=True)
    one_hot = np.array([ppm_of(sequence, 1.0) for sequence in letters], dtype=np.float32)
    for method in ("saliency", "ism", *(["attention"] if model in WITH_ATTENTION else [])):
        track = generator.normal(0, 0.1, (N, LENGTH))
        for row, start in zip(track, starts, strict=True):
            row[start : start + 12] += 1
        if method == "attention":
            track = np.abs(track) / np.abs(track).sum(axis=1, keepdims=True)
        contributions = one_hot * track[:, None, :]
        arrays = {"one_hot": one_hot, "contributions": contributions, "names": np.array(names)}
        if method != "attention":
            arrays["hypothetical"] = contributions - contributions.mean(axis=1, keepdims=True)
        np.savez(directory / f"{method}.npz", **arrays)
    nothing = {"completeness": None, "strands": None, "precision": 1e-7, "completeness_note": None}
    checks = {"integrated_gradients": nothing | {"completeness": 0.003}, "ism": nothing}
    content = {"schema_version": 1, "methods": checks, "refused": {}}
    (directory / "checks.json").write_text(json.dumps(content))
