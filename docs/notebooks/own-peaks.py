# %% [markdown]
# # Peaks of your own, from BED to motif
#
# The files here are made up in the first cell: a genome of three contigs and 400 peaks in it, most of which hold a site
# of the GATA factors. With files of your own, begin at *Read the peaks*.

# %%
from pathlib import Path

import numpy as np

import motiflens as ml

generator = np.random.default_rng(3)
motif = ml.Motif.from_string("WGATAASA", name="GATA")
genome = {f"chr{n}": generator.choice(list("ACGT"), 120_000) for n in (1, 2, 3)}
rows = []
for number in range(400):
    contig = f"chr{number % 3 + 1}"
    summit = 400 + 290 * (number // 3) + int(generator.integers(90))
    if generator.random() < 0.8:
        site = [generator.choice(list("ACGT"), p=bases) for bases in motif.ppm.T]
        start = summit + int(generator.integers(-25, 26))
        genome[contig][start : start + len(site)] = site
    row = [contig, summit - 90, summit + 90, f"peak{number}", 0, ".", 1, -1, -1, 90]
    rows.append("\t".join(map(str, row)))

records = [f">{name}\n{''.join(bases)}" for name, bases in genome.items()]
Path("genome.fa").write_text("\n".join(records) + "\n")
Path("peaks.narrowPeak").write_text("\n".join(rows) + "\n")
motif

# %% [markdown]
# ## Read the peaks
#
# 120 bases around each summit; as many negatives of the same GC are taken from the rest of the genome. The split keeps
# sequences that are alike on one side.

# %%
dataset = ml.read("peaks.narrowPeak", genome="genome.fa", width=120)
dataset = ml.split(dataset, "homology", seed=0)
dataset

# %% [markdown]
# Copies, leaks, biases? Each would be told in words:

# %%
ml.audit(dataset)["warnings"]

# %% [markdown]
# ## A first look, without training

# %%
found = ml.discover_motifs(dataset.part("train").positives())
found[0]

# %% [markdown]
# ## The whole run
#
# One model, small enough for a notebook; `ml.run(dataset, "out")` takes the defaults. It writes `out/report.html`, the
# page to look at and to send on.

# %%
settings = ml.Settings(
    models=("cnn",),
    seeds=2,
    sizes=(),
    n_explained=60,
    threads=1,
    strands="both",
    hyperparameters={"cnn": {"n_filters": 64, "recipe": {"epochs": 25}}},
)
ml.run(dataset, "out", settings)
run = ml.load_run("out")
score = run.results.metrics.models["cnn"].test.auroc
print(f"AUROC {score.value:.2f} ({score.low:.2f} to {score.high:.2f}), of held-out peaks")
print(run.results.trust.models["cnn"].verdict)

# %%
for one in run.results.motifs.discovery or ():
    print(one.consensus, f"in {one.positives_with_site:.0%} of held-out peaks")

# %% [markdown]
# ## Use it
#
# Scores of new sequences, with a probability and what is unusual about each:

# %%
ml.predict(run, dataset.part("test").sequences()[:5])
