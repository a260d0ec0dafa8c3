"""tf.losses beside TensorFlow's: values, gradients, names, collections and errors."""

import numpy as np
import pytest

from parity.programs import caught, compare

rng = np.random.default_rng(7)
LABELS = rng.random((4, 3)).astype(np.float32)
OUTPUTS = rng.normal(size=(4, 3)).astype(np.float32)
CLASSES = np.array([0, 2, 1, 1])
ONE_HOT = np.eye(3, dtype=np.float32)[CLASSES]
BITS = (LABELS > 0.5).astype(np.float32)
PROBABILITIES = np.clip(np.abs(OUTPUTS), 0.01, 0.99)

FULL = {
    "one": 1.0,
    "number": 0.3,
    "integer": 2,
    "zero": 0.0,
    "column": np.array([[1.0], [0.0], [2.5], [0.5]], np.float32),
    "full": np.array(rng.random((4, 3)) * (LABELS > 0.2), np.float32),
}
PER_EXAMPLE = {**{k: FULL[k] for k in ("one", "number", "zero")}, "each": np.float32([1, 0, 2, 0.5])}
REDUCTIONS = ("NONE", "SUM", "MEAN", "SUM_OVER_BATCH_SIZE", "SUM_BY_NONZERO_WEIGHTS")

ELEMENTWISE = {
    "absolute_difference": (LABELS, OUTPUTS, {}),
    "mean_squared_error": (LABELS, OUTPUTS, {}),
    "huber_loss": (LABELS, OUTPUTS, {"delta": 0.7}),
    "hinge_loss": (BITS, OUTPUTS, {}),
    "log_loss": (BITS, PROBABILITIES, {}),
    "sigmoid_cross_entropy": (BITS, OUTPUTS, {"label_smoothing": 0.1}),
}
PER_ROW = {
    "softmax_cross_entropy": (ONE_HOT, OUTPUTS, {"label_smoothing": 0.2}),
    "sparse_softmax_cross_entropy": (CLASSES, OUTPUTS, {}),
}


def _loss_and_gradient(name, labels, outputs, options, weights, reduction, unknown):
    def program(tf):
        shape = None if unknown else outputs.shape
        logits = tf.placeholder(tf.as_dtype(outputs.dtype), shape)
        given = tf.placeholder(tf.as_dtype(labels.dtype), None if unknown else labels.shape)
        feeds = {logits: outputs, given: labels}
        scale = weights
        if unknown and isinstance(weights, np.ndarray):
            scale = tf.placeholder(tf.float32, None)
            feeds[scale] = weights
        options_ = {} if reduction is None else {"reduction": getattr(tf.losses.Reduction, reduction)}
        loss = getattr(tf.losses, name)(given, logits, weights=scale, **options, **options_)
        gradient = tf.gradients(loss, logits)
        with tf.Session() as session:
            values = session.run([loss, gradient], feeds)
        return {
            "values": values,
            "scope": loss.name.split("/")[0],
            "collected": [x is loss for x in tf.losses.get_losses()],
        }

    compare(program)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("weights", FULL.values(), ids=FULL)
def test_elementwise(name, weights):
    for reduction in REDUCTIONS:
        _loss_and_gradient(name, *ELEMENTWISE[name], weights, reduction, unknown=False)


@pytest.mark.parametrize("name", PER_ROW)
@pytest.mark.parametrize("weights", PER_EXAMPLE.values(), ids=PER_EXAMPLE)
def test_per_row(name, weights):
    for reduction in REDUCTIONS:
        _loss_and_gradient(name, *PER_ROW[name], weights, reduction, unknown=False)


@pytest.mark.parametrize("name", [*ELEMENTWISE, "softmax_cross_entropy"])
def test_unknown_shapes(name):
    table = ELEMENTWISE | PER_ROW
    weights = PER_EXAMPLE["each"] if name in PER_ROW else FULL["column"]
    _loss_and_gradient(name, *table[name], weights, None, unknown=True)
    _loss_and_gradient(name, *table[name], 0.5, None, unknown=True)


def test_cosine_distance():
    def program(tf):
        labels, outputs = (tf.nn.l2_normalize(tf.constant(x), 1) for x in (LABELS, OUTPUTS))
        losses = [tf.losses.cosine_distance(labels, outputs, axis=1)]
        losses.append(tf.losses.cosine_distance(labels, outputs, dim=1, weights=FULL["column"]))
        with tf.Session() as session:
            return {"losses": session.run(losses), "names": [x.name for x in losses]}

    compare(program)


@pytest.mark.parametrize("weights", [1.0, 0.5, 0.0, FULL["column"]], ids=["one", "half", "zero", "column"])
def test_mean_pairwise_squared_error(weights):
    def program(tf):
        outputs = tf.constant(OUTPUTS)
        loss = tf.losses.mean_pairwise_squared_error(LABELS, outputs, weights)
        with tf.Session() as session:
            return {"values": session.run([loss, tf.gradients(loss, outputs)])}

    compare(program)


def test_labels_and_weights_of_one_column_more():
    def program(tf):
        losses = [
            tf.losses.sparse_softmax_cross_entropy(CLASSES[:, None], OUTPUTS),
            tf.losses.sparse_softmax_cross_entropy(CLASSES[:, None], OUTPUTS, PER_EXAMPLE["each"][:, None]),
        ]
        labels = tf.placeholder(tf.int64)
        unknown = tf.losses.sparse_softmax_cross_entropy(labels, tf.constant(OUTPUTS))
        with tf.Session() as session:
            values = session.run(losses)
            values += [session.run(unknown, {labels: x}) for x in (CLASSES, CLASSES[:, None])]
        return {"values": values, "names": [x.name for x in losses]}

    compare(program)


def test_dtypes():
    def program(tf):
        losses = [
            tf.losses.mean_squared_error(LABELS.astype(np.float64), OUTPUTS.astype(np.float64)),
            tf.losses.mean_squared_error(CLASSES, OUTPUTS[:, 0]),
            tf.losses.sigmoid_cross_entropy(CLASSES > 0, tf.constant(OUTPUTS[:, 0], tf.float64)),
            tf.losses.softmax_cross_entropy(ONE_HOT.astype(np.int32), OUTPUTS.astype(np.float64)),
            tf.losses.compute_weighted_loss(OUTPUTS.astype(np.float64), FULL["full"]),
        ]
        with tf.Session() as session:
            return {"values": session.run(losses), "dtypes": [x.dtype.name for x in losses]}

    compare(program)


def test_collections_and_totals():
    def program(tf):
        with tf.name_scope("left"):
            tf.losses.mean_squared_error(LABELS, OUTPUTS)
            tf.losses.mean_squared_error(LABELS, OUTPUTS, scope="mine", loss_collection="other")
            tf.losses.absolute_difference(LABELS, OUTPUTS, loss_collection=None)
        tf.losses.add_loss(tf.constant(2.0, name="two"))
        none = tf.losses.get_regularization_loss()
        tf.get_variable("w", initializer=[3.0], regularizer=lambda w: tf.reduce_sum(w * w))
        totals = [
            tf.losses.get_total_loss(),
            tf.losses.get_total_loss(False),
            tf.losses.get_regularization_loss(),
            none,
        ]
        totals.append(tf.losses.get_total_loss(name="left_alone", scope="left"))
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            values = session.run(totals)
        return {
            "values": values,
            "names": [x.name for x in totals],
            "losses": [x.name for x in tf.losses.get_losses() + tf.get_collection("other")],
            "left": [x.name for x in tf.losses.get_losses("left")],
        }

    compare(program)


def test_errors():
    def program(tf):
        losses = tf.losses
        mse = losses.mean_squared_error
        return {
            "no labels": caught(lambda: mse(None, OUTPUTS)),
            "no predictions": caught(lambda: losses.huber_loss(LABELS, None)),
            "no logits": caught(lambda: losses.sparse_softmax_cross_entropy(CLASSES, None)),
            "no one-hot labels": caught(lambda: losses.softmax_cross_entropy(None, OUTPUTS)),
            "shapes": caught(lambda: mse(LABELS, OUTPUTS[:2])),
            "reduction": caught(lambda: mse(LABELS, OUTPUTS, reduction="mean")).split(". Key")[0],
            "axis": caught(lambda: losses.cosine_distance(LABELS, OUTPUTS)),
            "rank": caught(lambda: mse(LABELS, OUTPUTS, weights=np.ones(4)))[:60],
            "size": caught(lambda: mse(LABELS, OUTPUTS, weights=np.ones((4, 2))))[:74],
        }

    compare(program)


def test_wrong_weights_of_unknown_shape_fail_when_they_run():
    def program(tf):
        weights = tf.placeholder(tf.float32)
        loss = tf.losses.mean_squared_error(LABELS, OUTPUTS, weights)
        with tf.Session() as session:
            right = session.run(loss, {weights: FULL["column"]})
            wrong = caught(lambda: session.run(loss, {weights: np.ones((4, 2))}))
        return {
            "right": right,
            "says so": "weights can not be broadcast to values" in wrong,
            "type": wrong[:22],
        }

    compare(program)
