"""The Python interface: what it takes, what it gives back, how it shows itself."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import motiflens as ml
from motiflens.simulation import tutorial_grammar

TEXTS = ["ACGTTGCAACTTGCA", "GGNCA", "TTTTACGTTGCAAAA"]


class PerBase(nn.Module):
    """Two logits, each a weighted count of bases: (N, 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[1.0, 2.0, 4.0, 8.0], [0.0, 1.0, 0.0, -3.0]]))

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(-1) @ self.weight.T


@pytest.fixture(scope="module")
def model() -> ml.TrainedModel:
    short = ml.Recipe(epochs=2, validation_fraction=0.2, rc_average=True, rc_augment=True)
    (model,) = ml.train(
        ml.simulate(n=120, length=30),
        seed=3,
        threads=1,
        recipe=short,
        hyperparameters={"n_filters": 8},
    )
    return model


def as_fasta(path: Path) -> Path:
    path.write_text("".join(f">s{n}\n{text}\n" for n, text in enumerate(TEXTS)))
    return path


def test_sequences_of_any_kind_are_the_same_one_hot(tmp_path: Path) -> None:
    x = ml.one_hot(TEXTS)
    assert (x.shape, x.dtype) == ((3, 4, 15), np.float32)
    assert x[1, :, 2].tolist() == x[1, :, 5].tolist() == [0, 0, 0, 0]
    assert x[1, :, 3].tolist() == [0, 1, 0, 0]
    dataset = ml.SequenceDataset.from_sequences(TEXTS, [1, 0, 1])
    file = as_fasta(tmp_path / "some.fa")
    lower = [text.lower().replace("t", "u") for text in TEXTS]
    for same in (
        tuple(TEXTS),
        lower,
        np.array(TEXTS),
        dataset,
        file,
        str(file),
        x,
        torch.tensor(x),
    ):
        assert np.array_equal(ml.one_hot(same), x)
    assert np.array_equal(ml.one_hot(TEXTS[0]), x[:1])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["ACGX"], "'X'"),
        ([], "no sequence"),
        (["ACG", 3], "3 is no sequence"),
        (np.zeros((3, 15, 4)), r"\(3, 15, 4\)"),
        (np.full((2, 4, 5), 0.5), "position 1 of sequence 1"),
        ("nothing.fa", "nothing.fa"),
    ],
)
def test_what_is_no_sequence_is_refused(wrong: object, message: str) -> None:
    with pytest.raises(ml.InputError, match=message):
        ml.one_hot(wrong)  # type: ignore[arg-type]


def test_the_other_strand_is_of_the_same_kind() -> None:
    assert ml.reverse_complement("AACGN") == "NCGTT"
    assert ml.reverse_complement(["AACG", "GA"]) == ["CGTT", "TC"]
    x = ml.one_hot(["AACG", "GA"])
    assert np.array_equal(ml.reverse_complement(x), ml.one_hot(["CGTT", "TC"]))
    other = ml.reverse_complement(torch.tensor(x))
    assert isinstance(other, Tensor)
    assert np.array_equal(other.numpy(), ml.one_hot(["CGTT", "TC"]))


def test_shuffles_keep_dinucleotides_and_the_seed_gives_them_again() -> None:
    shuffles = ml.dinucleotide_shuffle(TEXTS[:1], n=5, seed=1)
    pairs = sorted(itertools.pairwise(TEXTS[0]))
    assert len(shuffles[0]) == 5
    assert all(sorted(itertools.pairwise(s)) == pairs for s in shuffles[0])
    assert shuffles == ml.dinucleotide_shuffle(TEXTS[:1], n=5, seed=1)
    arrays = ml.dinucleotide_shuffle(ml.one_hot(TEXTS[:1]), n=5, seed=1)
    assert np.array_equal(arrays[0], ml.one_hot(shuffles[0]))
    with pytest.raises(ml.InputError, match="n=0"):
        ml.dinucleotide_shuffle(TEXTS, n=0)


def test_simulated_data_are_the_tutorials_or_what_is_asked_for() -> None:
    dataset = ml.simulate(n=60, motif="TGACTCA", length=33, seed=4)
    assert (len(dataset), dataset.codes.shape[1]) == (60, 33)
    positives = dataset.positives()
    assert len(positives) == 30
    assert all("TGACTCA" in text for text in positives.sequences())
    assert ml.simulate().codes.shape == (2000, 50)
    with pytest.raises(ml.InputError, match="did you mean length"):
        ml.simulate(lenght=33)
    with pytest.raises(ml.InputError, match="n were given"):
        ml.simulate(tutorial_grammar(), n=4)


def test_a_split_has_the_fractions_asked_for_and_keeps_its_own() -> None:
    dataset = ml.simulate(n=400)
    halved = ml.split(dataset, "random", test=0.25, valid=0.2)
    assert halved.split is not None
    counts = {name: int((halved.split == name).sum()) for name in ("train", "valid", "test")}
    assert counts == {"train": 240, "valid": 60, "test": 100}
    assert np.array_equal(ml.split(halved).split, halved.split)
    whole = ml.split(dataset, "random", valid=0)
    assert set(whole.split) == {"train", "test"}
    with pytest.raises(ml.InputError, match="valid=1"):
        ml.split(dataset, valid=1)


def test_any_module_predicts_all_its_targets_and_keeps_its_mode() -> None:
    module = PerBase().train()
    logits = ml.predict(module, TEXTS, batch_size=2, threads=1)
    counts = ml.one_hot(TEXTS).sum(-1)
    np.testing.assert_allclose(logits, counts @ module.weight.detach().numpy().T)
    assert module.training
    assert torch.equal(module.weight, PerBase().weight)
    with pytest.raises(ml.InputError, match=r"shape \(2, 4, 15\) for 2 sequences"):
        ml.predict(nn.Identity(), TEXTS, batch_size=2)
    with pytest.raises(ml.InputError, match=r"\(N, 4, 15\)"):
        ml.predict(nn.Sequential(nn.Flatten(), nn.Linear(4, 1)), TEXTS)
    with pytest.raises(ml.InputError, match="device=gpu9"):
        ml.predict(module, TEXTS, device="gpu9")
    with pytest.raises(ml.InputError, match="threads=0"):
        ml.predict(module, TEXTS, threads=0)


def test_a_trained_model_scores_both_strands_and_comes_back_from_its_folder(
    model: ml.TrainedModel, tmp_path: Path
) -> None:
    texts = ["ACGTTGCAACTTGCAACGTTGCAACTTGCA", "TTTTACGTTGCAAAATTTTACGTTGCAAAA"]
    logits = model.predict(texts)
    np.testing.assert_allclose(model.predict(ml.reverse_complement(texts)), logits, atol=1e-5)
    assert (model.architecture, model.seed, model.length) == ("cnn", 3, 30)
    assert model.hyperparameters == {"n_filters": 8}
    model.save(tmp_path / "kept")
    again = ml.load_model(tmp_path / "kept")
    assert np.array_equal(again.predict(texts), logits)
    assert repr(again) == repr(model) == "TrainedModel('cnn', seed=3, 30 bp, both strands)"
    assert [epoch.train_loss for epoch in again.history] == [e.train_loss for e in model.history]
    assert again.recipe == model.recipe
    (tmp_path / "kept" / "weights.safetensors").write_bytes(b"no")
    with pytest.raises(ml.InputError, match="cannot be read"):
        ml.load_model(tmp_path / "kept")
    with pytest.raises(ml.InputError, match=r"holds no model\.toml"):
        ml.load_model(tmp_path)


def test_training_splits_as_the_command_does(model: ml.TrainedModel) -> None:
    dataset = ml.split(ml.simulate(n=120, length=30), "auto", valid=0.2, seed=3)
    again = ml.train(
        dataset, seed=3, threads=1, recipe=model.recipe, hyperparameters={"n_filters": 8}
    )[0]
    texts = dataset.sequences()
    assert np.array_equal(again.predict(texts), model.predict(texts))
    with pytest.raises(ml.InputError, match="did you mean cnn"):
        ml.train(dataset, "cn")


def test_an_explanation_keeps_its_method_and_names_in_its_file(
    model: ml.TrainedModel, tmp_path: Path
) -> None:
    dataset = ml.simulate(n=6, length=30)
    explained = ml.attribute(model, dataset, "integrated_gradients", n_steps=4)
    assert explained.names == tuple(dataset.names.tolist())
    assert repr(explained) == "Attributions(method='integrated_gradients', 6 × 30 bp)"
    explained.save(tmp_path / "renamed.npz")
    again = ml.Attributions.load(tmp_path / "renamed.npz")
    assert (again.method, again.names) == (explained.method, explained.names)
    assert again.checks == explained.checks
    for name in ("one_hot", "contributions", "hypothetical", "convergence_delta", "difference"):
        assert np.array_equal(getattr(again, name), getattr(explained, name))


def test_a_file_of_before_is_named_by_its_method(tmp_path: Path) -> None:
    x = ml.one_hot(TEXTS)
    np.savez_compressed(tmp_path / "ism.npz", one_hot=x, contributions=2 * x, names=["a", "b", "c"])
    old = ml.Attributions.load(tmp_path / "ism.npz")
    assert (old.method, old.names, old.hypothetical) == ("ism", ("a", "b", "c"), None)


def test_an_option_that_a_method_does_not_take_is_refused() -> None:
    with pytest.raises(ml.InputError, match="ism takes no option, and there is n_steps"):
        ml.attribute(PerBase(), TEXTS, "ism", n_steps=3)


def test_progress_counts_the_sequences(capsys: pytest.CaptureFixture[str]) -> None:
    ml.attribute(PerBase(), TEXTS, "saliency", progress=True, batch_size=2)
    assert capsys.readouterr().err.split("\r")[1:] == [
        "saliency: 0 of 3",
        "saliency: 2 of 3",
        "saliency: 3 of 3\n",
    ]


def test_mutagenesis_of_a_range_is_that_of_the_whole(model: ml.TrainedModel) -> None:
    texts = ["ACGTTGCAACTTGCAACGTTGCAACTTGCA"]
    whole = ml.saturation_mutagenesis(model, texts)
    inside = ml.saturation_mutagenesis(model, texts, 7, 20, threads=1)
    np.testing.assert_allclose(inside, whole[:, :, 7:20], atol=1e-5)
    second = ml.saturation_mutagenesis(PerBase(), texts, 2, 4, target=1)
    assert second[0].T.tolist() == [[0, 1, 0, -3], [3, 4, 3, 0]]  # G and T before
    with pytest.raises(ml.InputError, match="start=20, end=7"):
        ml.saturation_mutagenesis(model, texts, 20, 7)


def test_progress_counts_the_changes(capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["AAAAAAAAA", "CCCCCCCCCCC"]
    ml.marginalize(PerBase(), "TT", texts, strands="both", progress=True)
    ml.ablate(PerBase(), texts, 2, 5, n=3, progress=True)
    ml.space(PerBase(), ("A", "T"), texts, gaps=[1, 4], strands="both", progress=True)
    ml.shortcut_test(PerBase(), "TTG", length=9, n_backgrounds=2, progress=True)
    lines = [line.split("\r")[-1].rstrip() for line in capsys.readouterr().err.split("\n")[:-1]]
    assert lines == [
        "marginalize: 2 of 2 changes",
        "ablate: 3 of 3 changes",
        "space: 48 of 48 changes",
        "shortcut test: 34 of 34 changes",
    ]


def test_effects_are_what_the_weights_say() -> None:
    put_in = ml.marginalize(PerBase(), "TT", ["AAAAA", "CCCCCCC"])
    assert put_in.before.tolist() == [5, 14]
    assert put_in.after.tolist() == [5 - 2 + 16, 14 - 4 + 16]
    assert (put_in.effect, put_in.se) == (13, 1)
    assert repr(put_in) == "Perturbation(effect=13, se=1, n=2)"
    left_out = ml.ablate(PerBase(), ["ACCTA", "GGGGG"], [1, 0], [4, 5], n=3)
    assert left_out.differences.tolist() == [0, 0]  # shuffles keep the counts
    drawn = ml.ablate(PerBase(), ["TTTTT"], 0, 5, replacement="random", n=200)
    assert drawn.effect == pytest.approx(5 * (3.75 - 8), abs=1)
    pair = ml.space(PerBase(), ("A", "T"), ["CCCCC"], gaps=[1], orientations=["++"])
    assert pair.together["++"][0].mean == 1 + 8 - 4
    assert ml.shortcut_test(PerBase(), "TTTT", n_backgrounds=20).outcome == "composition"


@pytest.mark.parametrize(
    "call",
    [
        lambda: ml.ablate(ml.one_hot(TEXTS), [[]] * 3),  # type: ignore[arg-type]
        lambda: ml.ablate(PerBase(), TEXTS, sites=[[]] * 3),
    ],
)
def test_the_former_ablate_is_recognised(call) -> None:
    with pytest.raises(ml.InputError, match="shuffle_out"):
        call()


def test_a_run_is_no_file_of_motifs(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("")
    with pytest.raises(ml.InputError, match="is a run"):
        ml.read_motifs(tmp_path)


def test_values_show_themselves(model: ml.TrainedModel) -> None:
    dataset = ml.simulate(n=8, length=30, seed=2)
    named = ml.SequenceDataset.from_sequences(["ACGT"], [1], names=["<b>&"])
    motif = ml.Motif.from_string("TGASTCA", name="AP1")
    explained = ml.attribute(model, dataset, "ism")
    assert repr(dataset) == "SequenceDataset(8 × 30 bp, 4 positives)"
    assert repr(motif) == "Motif('AP1', TGASTCA, 0 sites)"
    for value in (dataset, named, motif, explained, ml.marginalize(model, "ACGT")):
        page = value._repr_html_()
        ElementTree.fromstring(f"<div>{page}</div>")
        assert "<b>" not in page
    assert explained._repr_html_().count("<svg") == 3
    assert "<svg" in motif._repr_html_()
    with_contributions = replace(motif, cwm=motif.ppm - 0.25)
    ids = re.findall(r'id="([^"]+)"', with_contributions._repr_html_())
    assert len(ids) == len(set(ids)) == 8  # the letters of two logos
    assert dataset._repr_html_().count("<mark>") == 12 * sum(len(row) for row in dataset.sites[:5])


def test_pictures_are_matplotlibs(model: ml.TrainedModel) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    dataset = ml.simulate(n=8, length=30, seed=2)
    explained = ml.attribute(model, dataset, "ism")
    axes = ml.plot_track(explained, 1, start=3, end=21, sites=dataset.sites[1])
    assert axes.get_xlim() == (3.4, 21.6)
    drawn = np.count_nonzero(explained.contributions[1, :, 3:21])
    assert len(axes.patches) == drawn + len(dataset.sites[1])
    own = pyplot.subplots()[1]
    assert ml.plot_logo(ml.Motif.from_string("TGASTCA"), ax=own) is own
    assert ml.plot_attention(np.ones((3, 9))).images[0].get_array().shape == (3, 9)
    with pytest.raises(ml.InputError, match="index=8"):
        ml.plot_track(explained, 8)
    with pytest.raises(ml.InputError, match="did you mean auroc"):
        ml.plot_comparison(ml.Run("nowhere"), "aucroc")
    pyplot.close("all")


def test_a_message_names_arguments_and_no_options(model: ml.TrainedModel) -> None:
    for call in (
        lambda: ml.predict(model, TEXTS, threads=-1),
        lambda: ml.attribute(model, ["ACGT" * 8], target=1),
    ):
        with pytest.raises(ml.InputError) as caught:
            call()
        assert not re.search(r"--\w", str(caught.value))
        assert "; got" not in str(caught.value)
