"""Modules of others, from the command line: explained, checked and applied like models of a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pybigtools
import pytest
import torch
from torch import nn

import motiflens as ml
from command import motiflens
from motiflens.attribution import Attributions
from motiflens.cli import main
from motiflens.evidence import trust_checks
from motiflens.models import SequenceModel
from motiflens.models.foreign import open_foreign, randomise
from motiflens.results.provenance import Origin
from motiflens.runs import Output
from motiflens.scoring.models import open_models
from motiflens.scoring.modules import open_module
from motiflens.settings import Settings
from motiflens.stages.adopt import adopt

MOTIF, LENGTH, N = "TGACTCAT", 60, 150
CODE = f"""
import torch
from torch import nn

class Net(nn.Module):
    "Two logits: of C and G, and of the best match of one filter."
    def __init__(self):
        super().__init__()
        self.filters, self.head = nn.Conv1d(4, 1, {len(MOTIF)}), nn.Linear(1, 1)
        self.scale = nn.Parameter(torch.tensor([0.1, 0.0, 0.3]))
    def forward(self, x):
        best = torch.relu(self.filters(x)).amax(-1)
        gc = self.scale[0] * x[:, 1:3].sum((1, 2))
        return torch.cat([gc[:, None], self.head(best)], 1)

def build(): return Net()
def fixed(): return nn.Sequential(nn.Flatten(), nn.Linear(4 * {LENGTH}, 1), nn.Flatten(0))
def other(): return nn.Linear({LENGTH}, 1)
"""


def random_sequences(n: int, length: int, seed: int) -> list[str]:
    """Draw sequences without the motif on either strand."""
    generator, found = np.random.default_rng(seed), list[str]()
    while len(found) < n:
        text = "".join(generator.choice(list("ACGT"), length))
        if MOTIF not in text and ml.reverse_complement(MOTIF) not in text:
            found.append(text)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold a module whose second logit is 3 with the motif and -3 without, data, and a genome."""
    home = tmp_path_factory.mktemp("foreign")
    (home / "net.py").write_text(CODE)
    module = open_foreign(f"{home / 'net.py'}:build").module.module
    state = module.state_dict()
    match = torch.from_numpy(ml.one_hot([MOTIF]))
    state["filters.weight"] = 2 * match - 1
    state["filters.bias"] = torch.tensor([1.5 - len(MOTIF)])
    state["head.weight"], state["head.bias"] = torch.tensor([[4.0]]), torch.tensor([-3.0])
    torch.save(state, home / "w.pt")
    torch.save({**state, "head.bias": torch.zeros(1)}, home / "others.pt")
    generator = np.random.default_rng(1)
    texts = random_sequences(2 * N, LENGTH, 2)
    for row in range(N):
        at = int(generator.integers(0, LENGTH - len(MOTIF)))
        texts[row] = texts[row][:at] + MOTIF + texts[row][at + len(MOTIF) :]
    labels = [1] * N + [0] * N
    names = [f"s{row}" for row in range(2 * N)]
    table = pd.DataFrame({"name": names, "sequence": texts, "label": labels})
    table.to_csv(home / "mine.tsv", sep="\t", index=False)
    table.assign(sequence=table["sequence"] + "A").to_csv(home / "long.tsv", sep="\t", index=False)
    contig = random_sequences(1, 400, 5)[0]
    (home / "g.fa").write_text(f">c\n{contig[:200]}{MOTIF}{contig[200:]}\n")
    return home


OWN = ("--module", "net.py:build", "--weights", "w.pt", "--target", "1")


@pytest.fixture(scope="module")
def explained(folder: Path) -> Path:
    """Explain the module by the command line."""
    told = motiflens("explain", "mine.tsv", *OWN, "-o", "out", "--motif", MOTIF, cwd=folder)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("net ")
    assert "net was not trained by motiflens" in told.stderr
    return folder / "out"


def positives_of(run: ml.Run) -> ml.SequenceDataset:
    """Return the explained positives."""
    dataset = run.dataset
    return dataset.subset(np.flatnonzero((dataset.labels > 0) & (dataset.split == "test")))


def test_the_explanations_are_those_of_the_module_called_from_python(
    folder: Path, explained: Path
) -> None:
    run = ml.load_run(explained)
    positives = positives_of(run)
    assert len(positives) == N / 2
    module = open_foreign(f"{folder / 'net.py'}:build", folder / "w.pt").module.module
    checks = run.results.checks["net"]
    for method in ("ism", "deeplift_shap", "saliency"):
        kept = Attributions.load(run.results.path_of("attributions", model="net", method=method))
        called = ml.attribute(module, positives.one_hot(), method, target=1)
        assert np.array_equal(kept.contributions, called.contributions), method
        assert method in checks.methods
        assert kept.names == tuple(positives.names.tolist())
    assert np.all(np.array(checks.logits) == pytest.approx(3.0, abs=1e-5))
    ism = Attributions.load(run.results.path_of("attributions", model="net", method="ism"))
    for row, sites in enumerate(positives.sites):
        on = ism.track[row, sites[0].start : sites[0].end]
        assert on.min() > 5 * np.abs(np.delete(ism.track[row], range(*_span(sites[0])))).max()
    assert "was trained elsewhere, and scored on 300 sequences" in _page(explained)


def _span(site: object) -> tuple[int, int]:
    return site.start, site.end  # type: ignore[attr-defined]


def _page(run: Path) -> str:
    return (run / "report.html").read_text(encoding="utf-8")


def test_scores_stand_beside_those_of_baselines(explained: Path) -> None:
    results = ml.load_run(explained).results
    assert results.metrics.models["net"].test.auroc.value == 1.0
    assert results.comparison.models["net"].parameters == 4 * len(MOTIF) + 1 + 2 + 3
    assert "kmer" in results.comparison.baselines
    assert results.comparison.baselines == results.audit.baselines
    assert results.comparison.n_test == N
    calibration = results.metrics.models["net"].calibration
    assert calibration.n_positives == N / 2


def test_trust_goes_on_with_the_run_and_says_what_python_says(
    folder: Path, explained: Path
) -> None:
    call = ("trust", "mine.tsv", *OWN, "-o", "out", "--motif", MOTIF)
    told = motiflens(*call, cwd=folder)
    assert told.returncode == 0, told.stderr
    run = ml.load_run(explained)
    found = run.results.trust.models["net"]
    assert found.verdict in told.stdout
    assert found.may_claim
    assert "ism" in found.bases_claimed_by
    ism = found.methods["ism"]
    assert ism.base_auroc > 0.99
    assert ism.seed_rank_correlation is None  # there is one seed
    assert ism.untrained.base_auroc < 0.9
    dataset = run.dataset
    of_test = [np.flatnonzero((dataset.labels == k) & (dataset.split == "test")) for k in (1, 0)]
    positives, negatives = (dataset.subset(rows).one_hot() for rows in of_test)
    module = open_foreign(f"{folder / 'net.py'}:build", folder / "w.pt").module.module
    called = trust_checks(module, positives, negatives, methods=found.methods, target=1)
    assert called.auroc == found.auroc
    assert called.methods["ism"].fraction_above_null == ism.fraction_above_null
    assert called.methods["ism"].deletion_auc == ism.deletion_auc
    # Whether a layer of a module of others is attention is not known.
    assert ("attention" in called.verdict) == ("attention" in found.verdict)
    again = motiflens(*call, cwd=folder)
    assert again.returncode == 2
    assert "already holds a finished run; use another directory, or --overwrite" in again.stderr


def test_motifs_predictions_and_hits_come_of_the_run(folder: Path, explained: Path) -> None:
    told = motiflens("motifs", "out", "--json", cwd=folder)
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)["motifs"]
    assert [MOTIF in one["consensus"].upper() for one in found[:1]] == [True]
    hits = motiflens("annotate", "out", "mine.tsv", "-o", "hits.bed", cwd=folder)
    assert hits.returncode == 0, hits.stderr
    names = {line.split("\t")[0] for line in (folder / "hits.bed").read_text().splitlines()[1:]}
    assert len(names & {f"s{row}" for row in range(N)}) > 0.9 * N
    assert len(names & {f"s{row}" for row in range(N, 2 * N)}) < 0.1 * N
    scores = ml.predict(ml.load_run(explained), folder / "mine.tsv")
    alone = ml.predict(open_module(f"{folder / 'net.py'}:build", folder / "w.pt", target=1),
                       folder / "mine.tsv")  # fmt: skip
    assert np.array_equal(scores["logit"], alone["logit"])
    assert scores["probability"][:N].min() > 0.9
    assert scores["probability"][N:].max() < 0.1


def test_a_run_of_a_module_is_rebuilt_only_from_the_same_file(
    folder: Path, explained: Path, tmp_path: Path
) -> None:
    run = ml.load_run(explained)
    assert not isinstance(run.model("net"), SequenceModel)
    positives = torch.from_numpy(positives_of(run).one_hot())
    assert run.model("net")(positives).tolist() == pytest.approx([3.0] * len(positives))
    assert run.models["net"](positives).tolist() == run.model("net")(positives).tolist()
    untrained = [run.untrained_model("net")(positives).tolist() for _ in range(2)]
    assert untrained[0] == untrained[1]
    assert np.ptp(untrained[0]) < 6
    text = (folder / "net.py").read_text()
    try:
        (folder / "net.py").write_text(text + "\n# later")
        with pytest.raises(ml.InputError, match="has changed since the run was made; put it back"):
            run.model("net")
        (folder / "net.py").unlink()
        with pytest.raises(ml.InputError, match=r"net.py, which builds the model, is not there"):
            run.models["net"]
    finally:
        (folder / "net.py").write_text(text)


def test_random_weights_are_new_and_the_same_for_a_seed(folder: Path) -> None:
    opened = open_foreign(f"{folder / 'net.py'}:build", folder / "w.pt").module.module
    before = {name: value.clone() for name, value in opened.state_dict().items()}
    state = torch.random.get_rng_state()
    randomise(opened, 3)
    assert torch.equal(state, torch.random.get_rng_state())
    first = {name: value.clone() for name, value in opened.state_dict().items()}
    randomise(opened, 3)
    # What has no way of its own is permuted; so the second time it is permuted once more.
    assert first["filters.weight"].equal(opened.state_dict()["filters.weight"])
    assert not first["filters.weight"].equal(before["filters.weight"])
    assert sorted(first["scale"].tolist()) == sorted(before["scale"].tolist())
    norm = nn.BatchNorm1d(3)
    norm.running_mean += 7
    randomise(norm, 0)
    assert norm.running_mean.tolist() == [0, 0, 0]


def test_a_module_is_scanned_with_and_mutated(folder: Path) -> None:
    own = (*OWN, "--length", "30")
    told = motiflens("scan", "g.fa", *own, "-o", "scan.bw", cwd=folder)
    assert told.returncode == 0, told.stderr
    scorer = open_module(f"{folder / 'net.py'}:build", folder / "w.pt", 30, target=1)
    genome = "".join((folder / "g.fa").read_text().split("\n")[1:])
    windows = [genome[start : start + 30] for start in range(len(genome) - 29)]
    expected = ml.predict(scorer, windows)["logit"].to_numpy()
    with pybigtools.open(str(folder / "scan.bw")) as track:
        found = np.asarray(track.values("c", 15, 15 + len(windows), fillna=np.nan))
    assert found == pytest.approx(expected, abs=1e-5)
    assert expected.max() == pytest.approx(3, abs=1e-5)
    told = motiflens("mutations", "all", "--genome", "g.fa", *own, "-o", "all.tsv", cwd=folder)
    assert told.returncode == 0, told.stderr
    table = pd.read_csv(folder / "all.tsv", sep="\t").rename(columns=lambda name: name.strip("#"))
    row = table[(table["pos"] == 204) & (table["alt"] == "A")].iloc[0]
    changed = windows[203 - 15][:15] + "A" + windows[203 - 15][16:]
    pair = ml.predict(scorer, [windows[203 - 15], changed])["logit"].to_numpy()
    assert row["difference"] == pytest.approx(pair[1] - pair[0], abs=1e-4)
    assert pair[1] - pair[0] == pytest.approx(-6, abs=1e-4)


def test_a_module_scores_variants_in_shards_too(folder: Path) -> None:
    genome = "".join((folder / "g.fa").read_text().split("\n")[1:])
    lines = [f"c\t204\t.\t{genome[203]}\tA\t.\t.\t.", f"c\t100\t.\t{genome[99]}\t<DEL>\t.\t.\t."]
    (folder / "v.vcf").write_text("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\t"
                                  "FILTER\tINFO\n" + "\n".join(lines) + "\n")  # fmt: skip
    call = ("variants", "v.vcf", "--genome", "g.fa", *OWN, "--length", "30")
    whole = motiflens(*call, "-o", "v.out.vcf", cwd=folder)
    assert whole.returncode == 0, whole.stderr
    assert "no motifs are lost or gained, as a module has none" in whole.stderr
    assert "1 of 2 variants scored" in whole.stdout
    text = (folder / "v.out.vcf").read_text()
    assert "ML_DIFF=-6" in text
    for shard in ("1/2", "2/2"):
        told = motiflens(*call, "-o", "shards.vcf", "--shard", shard, cwd=folder)
        assert told.returncode == 0, told.stderr
    told = motiflens("merge", "shards.vcf", cwd=folder)
    assert told.returncode == 0, told.stderr
    assert (folder / "shards.vcf").read_text() == text


MISTAKES = {
    "explain mine.tsv --module nett.py:build -o o": "nett.py",
    "explain mine.tsv --module net.py:built -o o": "net.py has no function built",
    "explain mine.tsv --module net.py:build --weights no.pt -o o": "no.pt",
    "explain mine.tsv --module net.py:fixed --length 60 --weights w.pt -o o": "w.pt lacks",
    "explain mine.tsv --module net.py:other -o o": "takes no sequences of 200 or 100 or 50 bases",
    "explain mine.tsv --module net.py:build --target 2 -o o": "--target 2 is none of the model's 2",
    "explain long.tsv --module net.py:fixed --length 60 -o o": "net takes sequences of 60 bases, "
    "and the longest are of 61",
    "explain mine.tsv --module net.py:build": "has no name; name its directory, such as --output",
    "explain mine.tsv -o o": "--output o is for a module, and there is no --module FILE.py:NAME",
    "trust mine.tsv --negatives shuffle": "--negatives shuffle is for a module, and there",
    "trust none.tsv --module net.py:build -o o": "none.tsv",
    "explain mine.tsv --module net.py:build --weights others.pt --target 1 -o out": "already holds "
    "a finished run",
    "annotate mine.tsv --module net.py:build -o h.bed": "motiflens annotate takes a run and no "
    "--module; make a run around the module",
    "motifs mine.tsv --module net.py:build": "takes a run and no --module",
    "scan run g.fa --module net.py:build -o s.bw": "in place of a run, and also run",
    "scan g.fa -o s.bw": "GENOME is missing",
    "mutations all --genome g.fa --module net.py:none -o m": "has no function none",
}


@pytest.mark.parametrize("call", MISTAKES)
def test_mistakes_are_told_in_a_line(
    folder: Path, explained: Path, call: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(folder)
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(SystemExit) as ended:
        main(call.split())
    told = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert told[-1].startswith("motiflens: ")
    assert MISTAKES[call] in told[-1]
    assert {path.name for path in folder.iterdir()} == before


def test_an_unfinished_run_of_another_module_is_not_resumed(
    folder: Path, explained: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(folder)
    motiflens("explain", "mine.tsv", *OWN, "-o", "half", cwd=folder)
    (folder / "half" / "attention.json").unlink()
    call = ["explain", "mine.tsv", "--module", "net.py:build", "--target", "1", "-o", "half"]
    with pytest.raises(SystemExit) as ended:
        main([*call, "--weights", "others.pt"])
    assert ended.value.code == 2
    assert "begun with another module, or other weights" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main([*call, "--weights", "w.pt"])
    assert ended.value.code == 0
    for method in ("ism", "deeplift_shap"):
        kept = [Attributions.load(folder / run / "attributions" / "net" / f"{method}.npz")
                for run in ("half", "out")]  # fmt: skip
        assert np.array_equal(kept[0].contributions, kept[1].contributions)


ODD = """
from torch import nn
class Tied(nn.Module):
    "Logits (N,); the weights of one filter are those of two layers."
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv1d(4, 2, 5), nn.Conv1d(4, 2, 5)
        self.two.weight = self.one.weight
    def forward(self, x):
        return (self.one(x).relu() + self.two(x).relu()).amax((1, 2))
def tied(): return Tied()
"""


def test_tied_weights_and_several_lengths_are_kept(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(ODD)
    texts = [text[: 20 + row % 9] for row, text in enumerate(random_sequences(48, 30, 7))]
    table = pd.DataFrame({"sequence": texts, "label": [0, 1] * 24})
    table["split"] = ["train", "train", "valid", "valid", "test", "test"] * 8
    opened = open_foreign(f"{tmp_path / 'odd.py'}:tied")
    place = Output(tmp_path / "out")
    run = adopt(opened, ml.read(table), place, Settings(), origin=Origin(data="table"))
    notes = run.results.provenance.run.notes
    assert any("padded with zero columns to 28 bases, which odd may not know" in n for n in notes)
    again = run.model("odd")
    assert again.one.weight is again.two.weight
    one_hot = torch.from_numpy(ml.one_hot(texts[:5]))
    assert again(one_hot).tolist() == opened.module(one_hot).tolist()
    assert again(one_hot).shape == (5,)
    # The split that the data came with is kept, and the validation split is too small to calibrate.
    assert run.settings.split == "given"
    assert run.results.metrics.models["odd"].calibration is None
    assert run.results.comparison.n_test == 16
    scorer = open_models(run)
    assert (scorer.length, scorer.min_length, scorer.takes_padding) == (28, 5, False)
    scores = ml.predict(run, texts)["logit"].tolist()
    alone = [again(torch.from_numpy(ml.one_hot([text]))).item() for text in texts]
    assert scores == pytest.approx(alone, abs=1e-6)


def test_a_sequence_that_is_too_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(ODD)
    table = pd.DataFrame({"sequence": ["ACGTA", "CCGTAC", "ACG"] * 8, "label": [0, 1] * 12})
    opened = open_foreign(f"{tmp_path / 'odd.py'}:tied")
    with pytest.raises(ml.InputError, match="a sequence has 3 bases, and odd takes 5 or more"):
        adopt(opened, ml.read(table), Output(tmp_path / "o"), Settings(), origin=Origin())
    assert not (tmp_path / "o").exists()


STRANGE = """
import sys
from torch import nn
print("read")
class Strange(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind, self.filters = kind, nn.Conv1d(4, 1, 3)
    def forward(self, x):
        if self.kind == "fails" and len(x) > 2: raise ValueError("too many")
        logits = self.filters(x).amax((1, 2))
        if self.kind == "prints": print("called")
        return logits.squeeze() if self.kind == "squeezed" else logits
def fails(): return Strange("fails")
def squeezed(): return Strange("squeezed")
def prints(): return Strange("prints")
def double(): return prints().double()
def ends(): sys.exit(3)
"""


@pytest.fixture
def strange(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with modules that behave oddly, data, a genome and a variant."""
    for name in ("mine.tsv", "g.fa"):
        (tmp_path / name).write_text((folder / name).read_text())
    genome = "".join((folder / "g.fa").read_text().split("\n")[1:])
    (tmp_path / "v.vcf").write_text(f"c\t204\t.\t{genome[203]}\tA\t.\t.\t.\n")
    (tmp_path / "strange.py").write_text(STRANGE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "call",
    [
        "predict mine.tsv -o o.tsv",
        "explain mine.tsv -o o",
        "scan g.fa -o o.bw",
        "variants v.vcf --genome g.fa -o o.vcf",
        "mutations all --genome g.fa -o o.tsv",
    ],
)
def test_a_module_that_fails_when_it_is_called_is_told_in_a_line(
    strange: Path, call: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*call.split(), "--module", "strange.py:fails"])
    assert ended.value.code == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(f"motiflens: line 10 of {strange / 'strange.py'} failed: ValueError: to")
    assert not [path for path in strange.glob("o*") if path.suffix != ".tiles"]


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("ends", "ends of strange.py failed: SystemExit: 3; call it in Python to see where"),
        ("squeezed", "returned shape () for 1 sequence; wrap it so that it returns logits (N,)"),
    ],
)
def test_a_module_that_cannot_be_called_is_refused_before_it_is_used(
    strange: Path, function: str, told: str
) -> None:
    with pytest.raises(ml.InputError) as refused:
        open_foreign(f"strange.py:{function}")
    assert told in str(refused.value)


def test_what_a_module_prints_stays_out_of_the_results(strange: Path) -> None:
    told = motiflens("predict", "mine.tsv", "--module", "strange.py:prints", "-o", "-", cwd=strange)
    assert told.returncode == 0, told.stderr
    assert len(told.stdout.splitlines()) == 2 * N + 1
    assert told.stdout.startswith("name\tlogit")
    assert "read" in told.stderr.splitlines()
    assert "called" in told.stderr.splitlines()


def test_a_module_in_double_precision_is_computed_in_single(strange: Path) -> None:
    single, double = (open_module(f"strange.py:{name}") for name in ("prints", "double"))
    texts = random_sequences(5, LENGTH, 3)
    assert np.array_equal(ml.predict(single, texts)["logit"], ml.predict(double, texts)["logit"])
