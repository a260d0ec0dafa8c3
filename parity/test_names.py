"""Nodes are named as TensorFlow names them: scripts fetch 'Mean:0' and find variables by name.

Each expression is evaluated twice in a fresh graph, by both engines, and once more inside a name scope; the
names of the resulting tensors must agree.
"""

import pytest
import tensorflow

import minitf

LINES = """
x + y | x - y | x * y | x / y | x // y | x % y | x ** y | -x | abs(x) | x + 1.0 | 1.0 + x | 2.0 * x
x > y | x >= y | x < y | x <= y | p & p | p | ~p | p ^ p | x[0] | x[1:, ::-1] | x[..., tf.newaxis] | x @ y
tf.add(x, y) | tf.subtract(x, y) | tf.multiply(x, y) | tf.divide(x, y) | tf.div(x, y) | tf.truediv(x, y)
tf.floordiv(x, y) | tf.mod(x, y) | tf.pow(x, y) | tf.maximum(x, y) | tf.minimum(x, y) | tf.negative(x)
tf.square(x) | tf.sqrt(x) | tf.rsqrt(x) | tf.exp(x) | tf.log(x) | tf.log1p(x) | tf.sigmoid(x) | tf.tanh(x)
tf.abs(x) | tf.sign(x) | tf.round(x) | tf.floor(x) | tf.ceil(x) | tf.reciprocal(x)
tf.squared_difference(x, y) | tf.equal(x, y) | tf.not_equal(x, y) | tf.less(x, y) | tf.greater(x, y)
tf.logical_and(p, p) | tf.logical_or(p, p) | tf.logical_not(p) | tf.logical_xor(p, p) | tf.is_nan(x)
tf.is_finite(x) | tf.reduce_sum(x) | tf.reduce_mean(x) | tf.reduce_max(x, 0) | tf.reduce_min(x)
tf.reduce_prod(x) | tf.reduce_all(p) | tf.reduce_any(p) | tf.reduce_mean(x, name="loss") | tf.matmul(x, y)
tf.add_n([x, y]) | tf.constant(1.0) | tf.constant(1.0, name="c") | tf.zeros([2]) | tf.ones([2])
tf.fill([2], 1.0) | tf.range(5) | tf.zeros_like(x) | tf.ones_like(x) | tf.placeholder(tf.float32)
tf.placeholder_with_default(1.0, []) | tf.Variable(1.0) | tf.Variable(1.0, name="w") | tf.identity(x)
tf.stop_gradient(x) | tf.cast(x, tf.int32) | tf.to_float(n) | tf.to_int32(x) | tf.shape(u) | tf.size(u)
tf.rank(u) | tf.reshape(x, [4]) | tf.transpose(x) | tf.transpose(x, [1, 0]) | tf.expand_dims(x, 0)
tf.squeeze(x) | tf.concat([x, y], 0) | tf.concat([x], 0) | tf.stack([x, y]) | tf.unstack(x)[0]
tf.split(x, 2)[1] | tf.where(p, x, y) | tf.where(p) | tf.slice(x, [0, 0], [1, 1]) | tf.tile(x, [1, 2])
tf.pad(x, [[1, 1], [0, 0]]) | tf.one_hot(n, 3) | tf.gather(x, n) | tf.argmax(x, 1)
tf.clip_by_value(x, 0.0, 1.0) | tf.assign(v, [1.0, 2.0]) | v.assign_add([1.0, 2.0])
v.assign_sub([1.0, 2.0]) | v.read_value() | v.value() | tf.nn.relu(x) | tf.nn.softmax(x)
tf.nn.bias_add(x, v) | tf.nn.l2_loss(x) | tf.nn.softmax_cross_entropy_with_logits_v2(labels=x, logits=y)
tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=y) | tf.random_normal([2])
tf.random_uniform([2]) | tf.truncated_normal([2]) | tf.random_shuffle(x)
tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(v)) | tf.no_op() | tf.group(x, y)
tf.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(v)) | tf.global_variables_initializer()
tf.tuple([x, y])[0] | tf.get_variable(next(fresh), [2]) | tf.Variable(lambda: tf.zeros([2]), name="made")
"""
EXPRESSIONS = [line.strip() for row in LINES.strip().splitlines() for line in row.split(" | ")]


def names(tf, expression):
    with tf.Graph().as_default() as graph:
        known = {
            "tf": tf,
            "x": tf.placeholder(tf.float32, [2, 2], name="x"),
            "y": tf.placeholder(tf.float32, [2, 2], name="y"),
            "u": tf.placeholder(tf.float32, name="u"),
            "n": tf.placeholder(tf.int32, [2], name="n"),
            "p": tf.placeholder(tf.bool, [2, 2], name="p"),
            "v": tf.Variable([1.0, 2.0], name="v"),
            "fresh": iter("abc"),
        }
        found = [eval(expression, known).name for _ in range(2)]
        with tf.name_scope("scope"):
            found.append(eval(expression, known).name)
        variables = [(op.name, op.type) for op in graph.get_operations() if op.type.startswith("Variable")]
    return found, variables


@pytest.fixture(scope="module", autouse=True)
def reference_variables():
    """The variables of TF1: their ops are VariableV2."""
    tensorflow.compat.v1.disable_resource_variables()
    yield
    tensorflow.compat.v1.enable_resource_variables()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_names(expression):
    assert names(minitf, expression) == names(tensorflow.compat.v1, expression)
