"""Splitting, padding, tiling, broadcasting, reversing, and blocks of images."""

import numpy as np

from tests.op_cases import case
from tests.op_cases.draw import ALL, NUMERIC

EVERYTHING = (*ALL, "object")


@case("Split", dtypes=EVERYTHING)
def split(draw):
    shape = list(draw.shape(min_rank=1, min_size=1))
    axis, parts = draw.integer(0, len(shape) - 1), draw.integer(1, 3)
    shape[axis] *= parts
    signed = np.array(axis - len(shape) if draw.boolean() else axis, np.int32)
    return {"axis": signed, "value": draw.array(tuple(shape)), "num_split": parts}


def cut(draw):
    """A shape, one of its dimensions, and sizes that make it up."""
    shape = list(draw.shape(min_rank=1))
    axis, sizes = draw.integer(0, len(shape) - 1), [draw.integer(0, 3) for _ in range(draw.integer(1, 3))]
    shape[axis] = sum(sizes)
    return tuple(shape), axis, sizes


@case("SplitV", dtypes=EVERYTHING)
def split_v(draw):
    shape, axis, sizes = cut(draw)
    count = len(sizes)
    if count > 1 and draw.boolean():  # TensorFlow has no -1 for a single part
        sizes[draw.integer(0, count - 1)] = -1
    return {
        "value": draw.array(shape), "size_splits": draw.index(sizes),
        "axis": np.array(axis - len(shape) if draw.boolean() else axis, np.int32), "num_split": count,
    }  # fmt: skip


@case("Tile", dtypes=EVERYTHING)
def tile(draw):
    x = draw.array()
    return {"input": x, "multiples": draw.index([draw.integer(0, 3) for _ in range(x.ndim)])}


def _sum_of_tiles(tf, like, multiples, grad):
    sizes = tf.reshape(tf.stack([tf.cast(multiples, tf.int32), tf.shape(like)], 1), [-1])
    return tf.reduce_sum(tf.reshape(grad, sizes), tf.range(0, 2 * like.shape.rank, 2))


@case("TileSum", dtypes=("float32", "float64", "int32"), no_gradient=("like",), reference=_sum_of_tiles)
def tile_sum(draw):
    like = draw.array()
    times = [draw.integer(0, 3) for _ in range(like.ndim)]
    grad = draw.array(tuple(n * size for n, size in zip(times, like.shape, strict=True)), special=False)
    return {"like": like, "multiples": draw.index(times), "grad": grad}


@case("BroadcastTo", dtypes=EVERYTHING)
def broadcast_to(draw):
    (small,) = draw.broadcastable(1)
    lead = draw.shape(max_rank=1)
    target = [*lead, *(draw.integer(0, 3) if size == 1 else size for size in small)]
    return {"input": draw.array(small), "shape": draw.index(target)}


@case("BroadcastArgs", dtypes=("int32", "int64"))
def broadcast_args(draw):
    shapes = draw.broadcastable(2)
    return {"s0": np.array(shapes[0], draw.dtype), "s1": np.array(shapes[1], draw.dtype)}


@case("Pad", dtypes=EVERYTHING)
def pad(draw):
    x = draw.array()
    return {"input": x, "paddings": _borders(draw, x)}


def _borders(draw, x):
    sizes = [draw.integer(0, 2) for _ in range(2 * x.ndim)]
    return draw.index(np.array(sizes).reshape(-1, 2))


@case("PadV2", dtypes=EVERYTHING, no_gradient=("constant_values",))
def pad_v2(draw):
    x = draw.array()
    return {"input": x, "paddings": _borders(draw, x), "constant_values": draw.array((), special=False)}


def mirrored(draw):
    shape, mode = draw.shape(max_rank=3, min_size=1), draw.one_of("REFLECT", "SYMMETRIC")
    room = [size - (mode == "REFLECT") for size in shape]
    paddings = np.array([[draw.integer(0, n) for _ in range(2)] for n in room]).reshape(-1, 2)
    return shape, draw.index(paddings), mode


@case("MirrorPad", dtypes=EVERYTHING)
def mirror_pad(draw):
    shape, paddings, mode = mirrored(draw)
    return {"input": draw.array(shape), "paddings": paddings, "mode": mode}


@case("MirrorPadGrad", dtypes=("float32", "float64"))
def mirror_pad_grad(draw):
    shape, paddings, mode = mirrored(draw)
    padded = tuple(int(n) for n in np.array(shape, int) + paddings.sum(1))
    return {"input": draw.array(padded, special=False), "paddings": paddings, "mode": mode}


@case("ReverseV2", dtypes=EVERYTHING)
def reverse(draw):
    x = draw.array()
    return {"tensor": x, "axis": np.array(draw.axes(x.ndim), draw.index_dtype())}


@case("Roll", dtypes=EVERYTHING)
def roll(draw):
    x = draw.array(draw.shape(min_rank=1))
    if draw.boolean():
        return {"input": x, "shift": draw.index(draw.integer(-5, 5)), "axis": draw.index(draw.axis(x.ndim))}
    axes = [draw.axis(x.ndim) for _ in range(draw.integer(1, 3))]
    return {"input": x, "shift": draw.index([draw.integer(-5, 5) for _ in axes]), "axis": draw.index(axes)}


@case("ReverseSequence", dtypes=EVERYTHING)
def reverse_sequence(draw):
    x = draw.array(draw.shape(min_rank=2, min_size=1))
    batch, seq = draw.permutation(x.ndim)[:2]
    lengths = draw.indices((x.shape[batch],), x.shape[seq] + 1)
    return {"input": x, "seq_lengths": lengths, "seq_dim": seq, "batch_dim": batch}


IMAGES = ("float32", "float64", "float16", "int32", "uint8")


def _in_nhwc(name):
    def reference(tf, input, block_size, data_format):
        raw = getattr(tf.raw_ops, name)
        if data_format == "NHWC":
            return raw(input=input, block_size=block_size)
        turned = raw(input=tf.transpose(input, [0, 2, 3, 1]), block_size=block_size)
        return tf.transpose(turned, [0, 3, 1, 2])

    return reference


def images(draw, spatial, channels):
    sizes = [draw.integer(1, 2), draw.integer(1, 2) * spatial, draw.integer(1, 2) * spatial]
    sizes.append(draw.integer(1, 2) * channels)
    data_format = draw.one_of("NHWC", "NCHW")
    if data_format == "NCHW":
        sizes.insert(1, sizes.pop())
    return draw.array(tuple(sizes)), data_format


@case("SpaceToDepth", dtypes=IMAGES, reference=_in_nhwc("SpaceToDepth"))
def space_to_depth(draw):
    block = draw.integer(2, 3)
    x, data_format = images(draw, block, 1)
    return {"input": x, "block_size": block, "data_format": data_format}


@case("DepthToSpace", dtypes=IMAGES, reference=_in_nhwc("DepthToSpace"))
def depth_to_space(draw):
    block = draw.integer(2, 3)
    x, data_format = images(draw, 1, block**2)
    return {"input": x, "block_size": block, "data_format": data_format}


@case("SpaceToBatchND", dtypes=("float32", "float64", "int32"))
def space_to_batch(draw):
    block = [draw.integer(1, 3) for _ in range(draw.integer(1, 2))]
    paddings = [[draw.integer(0, 2), draw.integer(0, 2)] for _ in block]
    sizes = []
    for b, (before, after) in zip(block, paddings, strict=True):
        size = draw.integer(1, 4)
        sizes.append(size + -(size + before + after) % b)
    shape = (draw.integer(1, 2), *sizes, *draw.shape(max_rank=1, min_size=1))
    return {"input": draw.array(shape), "block_shape": draw.index(block), "paddings": draw.index(paddings)}


@case("BatchToSpaceND", dtypes=("float32", "float64", "int32"))
def batch_to_space(draw):
    block = [draw.integer(1, 3) for _ in range(draw.integer(1, 2))]
    sizes = [draw.integer(1, 3) for _ in block]
    crops = []
    for b, size in zip(block, sizes, strict=True):
        before = draw.integer(0, b * size - 1)
        crops.append([before, draw.integer(0, b * size - 1 - before)])
    batch = draw.integer(1, 2) * int(np.prod(block))
    shape = (batch, *sizes, *draw.shape(max_rank=1, min_size=1))
    return {"input": draw.array(shape), "block_shape": draw.index(block), "crops": draw.index(crops)}


@case("Diag", dtypes=("float32", "float64", "int32", "int64", "complex64", "complex128"))
def diag(draw):
    return {"diagonal": draw.array(draw.shape(min_rank=1, max_rank=2))}


@case("DiagPart", dtypes=("float32", "float64", "int32", "int64", "complex64", "complex128"))
def diag_part(draw):
    return {"input": draw.array(draw.shape(min_rank=1, max_rank=2) * 2)}


MATRICES = ("float32", "float64", "int32", "bool", "complex64")
ALIGNMENTS = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")


def band(draw):
    """Matrices' shape, the diagonals of a band in it, its shape as they are packed, and how."""
    lead, rows, columns = draw.shape(max_rank=1), draw.integer(1, 4), draw.integer(1, 4)
    lower = draw.integer(-rows + 1, columns - 1)
    upper = draw.integer(lower, columns - 1)
    longest = min(rows + min(upper, 0), columns - max(lower, 0))
    k = [lower, upper] if upper > lower or draw.boolean() else lower
    count = (upper - lower + 1,) if upper > lower else ()
    packed = (*lead, *count, longest)
    return (*lead, rows, columns), np.array(k, np.int32), packed, draw.one_of(*ALIGNMENTS)


@case(
    "MatrixDiagV3",
    dtypes=MATRICES,
    no_gradient=("padding_value",),
)
def matrix_diag(draw):
    shape, k, packed, align = band(draw)
    lower, upper = int(k.min()), int(k.max())
    longest = packed[-1]
    least = [longest - min(upper, 0), longest + max(lower, 0)]
    sizes = list(shape[-2:]) if least[0] == shape[-2] or least[1] == shape[-1] else least
    if draw.boolean():
        sizes = [-1, -1]
    rows, columns = np.array(sizes, np.int32)
    return {
        "diagonal": draw.array(packed), "k": k, "num_rows": rows, "num_cols": columns,
        "padding_value": draw.array((), special=False), "align": align,
    }  # fmt: skip


@case(
    "MatrixDiagPartV3",
    dtypes=MATRICES,
    no_gradient=("padding_value",),
)
def matrix_diag_part(draw):
    shape, k, _, align = band(draw)
    return {
        "input": draw.array(shape),
        "k": k,
        "padding_value": draw.array((), special=False),
        "align": align,
    }


@case("MatrixSetDiagV3", dtypes=MATRICES)
def matrix_set_diag(draw):
    shape, k, packed, align = band(draw)
    return {"input": draw.array(shape), "diagonal": draw.array(packed), "k": k, "align": align}


@case("MatrixBandPart", dtypes=NUMERIC)
def matrix_band_part(draw):
    x = draw.array(draw.shape(min_rank=2))
    lower, upper = (draw.integer(-1, size) for size in x.shape[-2:])
    index = draw.index_dtype()
    return {"input": x, "num_lower": np.array(lower, index), "num_upper": np.array(upper, index)}


def patches(draw):
    """Images' shape, and attributes of patches that fit into them."""
    shape = tuple(draw.integer(low, high) for low, high in ((1, 2), (3, 6), (3, 6), (1, 2)))
    attrs = {
        name: (1, draw.integer(1, 2), draw.integer(1, 2), 1) for name in ("ksizes", "strides", "rates")
    }  # fmt: skip
    return shape, attrs | {"padding": draw.one_of("SAME", "VALID")}


@case("ExtractImagePatches", dtypes=("float32", "float64", "int32", "uint8"))
def extract_image_patches(draw):
    shape, attrs = patches(draw)
    return {"images": draw.array(shape, special=False), **attrs}


def _patches_added(tf, like, grad, **attrs):
    with tf.GradientTape() as tape:
        images = tf.zeros(like.shape, grad.dtype)
        tape.watch(images)
        cut = tf.raw_ops.ExtractImagePatches(images=images, **{k: _listed(v) for k, v in attrs.items()})
    return tape.gradient(cut, images, grad)


def _listed(value):
    return list(value) if isinstance(value, tuple) else value


@case(
    "ExtractImagePatchesGrad", dtypes=("float32", "float64"), no_gradient=("like",), reference=_patches_added
)
def extract_image_patches_grad(draw):
    from minitf.ops.patches import _extract_patches

    shape, attrs = patches(draw)
    like = draw.array(shape, special=False)
    cut = _extract_patches.definition.kernel(like, **attrs)
    return {"like": like, "grad": draw.array(cut.shape, special=False), **attrs}
