"""Merging neighbouring nodes of a step into one kernel call.

A matrix product or convolution takes over the bias that is added to its result and the activation that
follows, while the result is still in cache. Which ops can do so their declarations say (`epilogue`).
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
    ):
        return None
    return producer


def _absorb(producer: Node, node: Node) -> bool:
    """Lets `producer` do what `node` does, if it can."""
    name = node.definition.name
    if name in _ACTIVATIONS:
        producer.activation = _ACTIVATIONS[name]
    elif name in ("BiasAdd", "AddV2") and not producer.has_bias and _adds_vector(node):
        producer.has_bias = True
        producer.inputs = [*producer.inputs, node.inputs[1]]
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
