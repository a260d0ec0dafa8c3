"""Reductions."""

from tests.op_cases import case


def reduction(draw, **options):
    """An input, and some of its dimensions."""
    x = draw.array(**options)
    axes = draw.axes(x.ndim)
    axis = draw.index(axes[0] if len(axes) == 1 and draw.boolean() else axes)
    return {"input": x, "axis": axis, "keep_dims": draw.boolean()}


@case("Sum", "Mean", "Max", "Min")
def reduce(draw):
    return reduction(draw, special=draw.dtype.kind != "f" or draw.dtype.itemsize > 2)


@case("Prod")
def product(draw):
    return reduction(draw, low=-2, high=2, special=False)


@case("All", "Any")
def logical(draw):
    return reduction(draw)


def _factor(tf, input, output):
    return tf.constant(input.shape.num_elements() // max(output.shape.num_elements(), 1), tf.int32)


@case("ReductionFactor", reference=_factor, dtypes=("float32",))
def factor(draw):
    x = draw.array(draw.shape(min_rank=1))
    return {"input": x, "output": draw.array(x.shape[1:])}
