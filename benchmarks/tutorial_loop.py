"""The tutorial's two models and its training loop, in plain PyTorch and its own style.

Written anew from the description of the tutorial, as the baseline that our training is timed
against and as an independent implementation that our models are compared with. It is not meant
to be fast, and should not become so.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

N_FILTERS = 32
KERNEL_SIZE = 12
POOL_SIZE = 4
N_UNITS = 9  # 50 bases leave 39 places of the kernel, and 39 // 4 pooled units


class TutorialCNN(nn.Module):
    """Convolution, pool and two dense layers: one-hot (N, 4, 50) to logits (N,); 6,209 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, N_FILTERS, KERNEL_SIZE)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool1d(POOL_SIZE)
        self.dense = nn.Linear(N_FILTERS * N_UNITS, 16)
        self.output = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        """One-hot (N, 4, 50) to logits (N,)."""
        x = self.pool(self.relu(self.conv(x)))
        x = self.relu(self.dense(x.flatten(1)))
        logits: Tensor = self.output(x).squeeze(1)
        return logits


class AdditiveAttention(nn.Module):
    """score = v · tanh(W [query; key] + b), softmax over the units; Bahdanau et al. 2015, eq. 6."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.attention = nn.Linear(2 * n_features, n_features)
        self.v = nn.Parameter(torch.rand(n_features))

    def forward(self, query: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Query (N, F) and keys (N, U, F) to context (N, F) and weights (N, U)."""
        n_batch, n_units, _ = keys.shape
        queries = query.unsqueeze(1).repeat(1, n_units, 1)
        energy = torch.tanh(self.attention(torch.cat((queries, keys), dim=2)))
        energy = energy.permute(0, 2, 1)
        v = self.v.repeat(n_batch, 1).unsqueeze(1)
        weights = torch.softmax(torch.bmm(v, energy).squeeze(1), dim=1)
        context = torch.bmm(weights.unsqueeze(1), keys).squeeze(1)
        return context, weights


class TutorialAttention(nn.Module):
    """The CNN with a context joined to its 16 numbers: (N, 4, 50) to (N,); 8,865 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, N_FILTERS, KERNEL_SIZE)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool1d(POOL_SIZE)
        self.dense = nn.Linear(N_FILTERS * N_UNITS, 16)
        self.attention = AdditiveAttention(N_FILTERS)
        self.context = nn.Linear(N_FILTERS, 16)
        self.output = nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        """One-hot (N, 4, 50) to logits (N,)."""
        x = self.pool(self.relu(self.conv(x)))
        keys = x.permute(0, 2, 1)
        context, _ = self.attention(keys.mean(dim=1), keys)
        features = self.relu(self.dense(x.flatten(1)))
        context = self.relu(self.context(context))
        logits: Tensor = self.output(torch.cat((features, context), dim=1)).squeeze(1)
        return logits


def train_tutorial(
    model_class: type[nn.Module],
    one_hot_train: Tensor,
    labels_train: Tensor,
    one_hot_test: Tensor,
    labels_test: Tensor,
    epochs: int = 30,
    seed: int = 0,
) -> list[float]:
    """Train one model as the tutorial does; return the test accuracy after each epoch."""
    torch.manual_seed(seed)
    model = model_class()
    train = DataLoader(TensorDataset(one_hot_train, labels_train), batch_size=32, shuffle=True)
    test = DataLoader(TensorDataset(one_hot_test, labels_test), batch_size=32)
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    accuracies = []
    for _ in range(epochs):
        model.train()
        for one_hot, labels in train:
            optimizer.zero_grad()
            loss = criterion(model(one_hot), labels)
            loss.backward()
            optimizer.step()
        accuracies.append(accuracy_on(model, test))
    return accuracies


def accuracy_on(model: nn.Module, test: DataLoader[tuple[Tensor, ...]]) -> float:
    model.eval()
    n_right = n_seen = 0
    with torch.no_grad():
        for one_hot, labels in test:
            n_right += int(((model(one_hot) > 0) == (labels > 0.5)).sum())
            n_seen += len(labels)
    return n_right / n_seen
