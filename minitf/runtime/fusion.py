"""Rewriting neighbouring nodes of a step into less work.

A matrix product or convolution takes over the bias that is added to its result and the activation that
follows, while the result is still in cache. Which ops can do so their declarations say (`epilogue`).

Behind a maximum pooling, gradients are masked and summed before they are spread over the image, not after:
each goes to one place, where relu's output is the maximum, so the results are the same and a quarter of the
size (for windows of 2 x 2).
"""

from collections import Counter

from minitf.framework import dtypes
from minitf.runtime.plan import Node, Value

_ACTIVATIONS = {"Relu": "relu", "Relu6": "relu6"}
_DTYPES = (dtypes.float32, dtypes.float64)


def fuse(nodes: list[Node], fetched: set[Value]) -> list[Node]:
    """`nodes` (in order) with fusible runs merged; `fetched` values stay. Positions are counted anew."""
    uses = Counter(value for node in nodes for value in node.inputs)
    uses.update(fetched)
    nodes = _before_spreading(nodes, uses)
    awaited = {other for node in nodes for other in node.after}
    result = []
    for node in nodes:
        producer = _foldable_producer(node, uses, awaited)
        if producer is not None and _absorb(producer, node):
            node = producer
        result.append(node)
    # A node that absorbed others stands where the last of them stood.
    seen: set[Node] = set()
    kept = [node for node in reversed(result) if not (node in seen or seen.add(node))]
    kept.reverse()
    for position, node in enumerate(kept):
        node.position = position
    return kept


def _foldable_producer(node: Node, uses: Counter, awaited: set[Node]) -> Node | None:
    """The product whose result only `node` uses, or None."""
    if not node.inputs or node in awaited:
        return None
    value = node.inputs[0]
    producer = value.producer
    if (
        producer is None
        or not producer.definition.epilogue
        or producer in awaited
        or producer.activation is not None
        or uses[value] != 1
        or value.dtype not in _DTYPES
        or not value.shape.is_fully_defined()
        or producer.definition.prepare(producer) is None
    ):
        return None
    return producer


def _absorb(producer: Node, node: Node) -> bool:
    """Lets `producer` do what `node` does, if it can."""
    name = node.definition.name
    if name in _ACTIVATIONS:
        producer.activation = _ACTIVATIONS[name]
    elif name in ("BiasAdd", "AddV2") and producer.bias is None and _adds_vector(node):
        producer.bias = node.inputs[1]
    else:
        return False
    producer.outputs = node.outputs
    for value in node.outputs:
        value.producer = producer
    return True


def _adds_vector(node: Node) -> bool:
    value, bias = node.inputs
    last = node.attrs.get("data_format", "NHWC") == "NHWC"
    return last and bias.shape.rank == 1 and bias.shape.sizes[0] == value.shape.sizes[-1]


def _before_spreading(nodes: list[Node], uses: Counter) -> list[Node]:
    """Masks by relu and sums for biases moved from behind MaxPoolGrad to before it."""
    nodes = list(nodes)
    places = {node: i for i, node in enumerate(nodes)}
    for node in nodes[:]:
        spread = node.inputs[0].producer if node.inputs else None
        if spread is None or spread.definition.name != "MaxPoolGrad":
            continue
        if node.definition.name == "ReluGrad" and uses[node.inputs[0]] == 1:
            pooled = _pooled(spread, node.inputs[1])
            if pooled is None:
                continue
            *where, grad = spread.inputs
            (result,) = node.outputs
            masked = Value(grad.dtype, grad.shape, producer=node)
            node.inputs, node.outputs = [grad, pooled], [masked]
            spread.inputs, spread.outputs = [*where, masked], [result]
            result.producer = spread
            i, j = places[spread], places[node]
            nodes[i], nodes[j] = node, spread
            places[node], places[spread] = i, j
        elif node.definition.name == "BiasAddGrad" and node.attrs["data_format"] == "NHWC":
            uses[node.inputs[0]] -= 1
            node.inputs = [spread.inputs[2]]
            uses[node.inputs[0]] += 1
    return nodes


def _pooled(spread: Node, image: Value) -> Value | None:
    """The maxima over windows of `image` whose places `spread` uses, or None."""
    pool = spread.inputs[1].producer
    if pool is None or pool.definition.name != "MaxPool" or pool.inputs[0] is not image:
        return None
    return pool.outputs[0]
