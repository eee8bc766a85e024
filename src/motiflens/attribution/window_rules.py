"""Which modules of PyTorch are computed in windows, and how."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from motiflens.attribution.windows import Convolution, Operation, Pointwise, Pool

POINTWISE_MODULES = (
    nn.ReLU, nn.GELU, nn.SiLU, nn.ELU, nn.CELU, nn.SELU, nn.LeakyReLU, nn.Softplus, nn.Sigmoid,
    nn.Tanh, nn.Hardtanh, nn.ReLU6, nn.Hardswish, nn.Mish,
)  # fmt: skip


def of_module(module: nn.Module, length: int) -> Operation | None:
    """Return what a module does to windows of a result of some length, None if as a whole."""
    if isinstance(module, nn.Conv1d):
        return _convolution(module, length)
    if isinstance(module, nn.Identity | nn.Dropout | nn.Dropout1d):
        return Pointwise(lambda x: x)
    if isinstance(module, POINTWISE_MODULES):
        # On a copy, where the module would change its input in place.
        in_place = getattr(module, "inplace", False)
        return Pointwise((lambda x: module(x.clone())) if in_place else module)
    if isinstance(module, nn.BatchNorm1d) and module.running_var is not None:
        scale = (module.running_var + module.eps).rsqrt()
        scale = scale if module.weight is None else scale * module.weight
        assert module.running_mean is not None
        shift = -module.running_mean * scale
        shift = shift if module.bias is None else shift + module.bias
        return Pointwise(lambda x: x * scale + shift)
    if isinstance(module, nn.MaxPool1d | nn.AvgPool1d):
        return _pool(module, length)
    return None


def _convolution(module: nn.Conv1d, length: int) -> Operation | None:
    dilation, reach = module.dilation[0], (module.kernel_size[0] - 1) * module.dilation[0]
    plain = module.padding_mode == "zeros" and module.groups == 1 and module.stride[0] == 1
    if not plain:
        return None
    if isinstance(module.padding, str):
        padding = reach // 2 if module.padding == "same" else 0
    else:
        padding = module.padding[0]
    return Convolution(module.weight, padding, dilation, length)


def _pool(module: nn.MaxPool1d | nn.AvgPool1d, length: int) -> Operation | None:
    def one(value: Any) -> int:
        return int(value[0] if isinstance(value, tuple) else value)

    size, padding = one(module.kernel_size), one(module.padding)
    plain = one(module.stride) == size and padding == 0 and not module.ceil_mode
    if isinstance(module, nn.MaxPool1d):
        plain &= one(module.dilation) == 1 and not module.return_indices
        return Pool(size, torch.Tensor.amax, length) if plain else None
    return Pool(size, torch.Tensor.mean, length) if plain else None
