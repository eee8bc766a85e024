"""The names of torch functions, by the rule that holds for them."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Affine in all that depends on the sequence, taken together.
AFFINE = _words(
    """
    add __radd__ sub subtract rsub __rsub__ neg negative positive sum mean cumsum diff
    reshape reshape_as view view_as flatten unflatten ravel permute transpose swapaxes swapdims
    movedim moveaxis mT T t squeeze unsqueeze expand expand_as broadcast_to repeat tile
    repeat_interleave flip fliplr flipud roll rot90 unfold fold narrow select __getitem__
    index_select take_along_dim gather split split_with_sizes tensor_split chunk unbind cat concat
    concatenate stack hstack vstack diagonal diag_embed tril triu pad constant_pad_nd masked_fill
    where broadcast_tensors clone contiguous requires_grad_ to type type_as float double
    cpu cuda avg_pool1d avg_pool2d avg_pool3d
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
    interpolate pixel_shuffle pixel_unshuffle channel_shuffle
    """
)
#: Affine in each of two factors.
PRODUCTS = _words(
    """
    mul multiply __rmul__ matmul __matmul__ __rmatmul__ mm bmm mv dot inner outer linear einsum
    addmm baddbmm addbmm addmv conv1d conv2d conv3d conv_transpose1d conv_transpose2d
    conv_transpose3d
    """
)
#: Elementwise, of straight pieces: differences of values are exact as they are.
PIECEWISE = _words(
    """
    relu relu6 leaky_relu prelu hardtanh hardsigmoid threshold softshrink abs absolute clamp clip
    clamp_min clamp_max
    """
)
#: Elementwise and curved: the slope is taken in float64, as close values cancel in float32.
CURVED = _words(
    """
    exp exp2 expm1 log log2 log10 log1p logit sqrt rsqrt square pow __pow__ __rpow__ reciprocal
    tanh sigmoid logsigmoid gelu silu mish softplus softsign tanhshrink elu selu celu hardswish
    erf sin cos atan arctan
    """
)
#: They change nothing outside training.
DROPOUTS = _words("dropout dropout1d dropout2d dropout3d alpha_dropout")
#: They tell nothing of the values, or make a constant of the same form.
OF_THE_FORM = _words(
    """
    requires_grad grad_fn is_leaf grad _version __repr__ __hash__ zeros_like ones_like full_like
    empty_like new_zeros new_ones new_full new_empty new_tensor
    """
)
