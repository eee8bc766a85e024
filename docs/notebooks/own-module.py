# %% [markdown]
# # A module of your own, explained
#
# Any `torch.nn.Module` from one-hot sequences `(N, 4, L)` to logits can be explained and checked. Here one is written
# and trained in plain PyTorch, as you might have done; motiflens only looks at it. The data are simulated, so that the
# truth is known: half of the sequences hold `TGACTCA`.

# %%
import torch
from torch import nn

import motiflens as ml

dataset = ml.simulate(n=1200, motif="TGACTCA", length=60, seed=1)
dataset = ml.split(dataset, seed=1)
train, test = dataset.part("train"), dataset.part("test")
dataset

# %% [markdown]
# ## A network and its training, without motiflens


# %%
class Network(nn.Module):
    """Filters, the largest value of each, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.filters = nn.Conv1d(4, 24, kernel_size=11)
        self.output = nn.Linear(24, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits (N,) of one-hot sequences (N, 4, L)."""
        return self.output(self.filters(x).relu().amax(dim=-1)).squeeze(-1)


torch.manual_seed(0)
module = Network()
optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
x = torch.from_numpy(ml.one_hot(train.sequences()))
y = torch.from_numpy(train.labels).float()
criterion = nn.BCEWithLogitsLoss()
for _ in range(40):
    for rows in torch.randperm(len(x)).split(64):
        loss = criterion(module(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

logits = ml.predict(module, test)
print(f"held-out accuracy {((logits > 0) == (test.labels == 1)).mean():.3f}")

# %% [markdown]
# ## Base by base
#
# Saturation mutagenesis changes every base to every other one and looks at the logit. It assumes nothing about the
# network. The shaded site is where the motif was put; the network was never told.

# %%
explained = ml.attribute(module, test.positives(), "ism")
sites = test.positives().sites
ml.plot_track(explained, 0, sites=sites[0])

# %% [markdown]
# How far the *computation* can be trusted stands in `checks`:

# %%
explained.checks

# %% [markdown]
# ## May it be believed?
#
# The explanation of sequences without a signal, deleted bases and an untrained network could all have spoken against
# it.

# %%
from motiflens.evidence import Controls

torch.manual_seed(1)
checked = ml.trust_checks(
    module,
    test.positives(),
    test.negatives(),
    methods=["ism", "saliency"],
    controls=Controls(untrained=Network()),
)
print(checked.verdict)

# %% [markdown]
# ## Which motif?

# %%
motifs = ml.discover_motifs(explained)
motifs[0]

# %%
ml.match_motifs(motifs[0]).head(3)

# %% [markdown]
# ## Order, or only composition?
#
# A network might just count bases. The motif and shuffles of it are put into random sequences:

# %%
print(ml.shortcut_test(module, "TGACTCA", length=60).verdict)
