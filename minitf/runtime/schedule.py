"""The order of a step's nodes, and where a variable's old value must be kept."""

import heapq

from minitf.runtime.plan import Node, Value


def order(nodes: list[Node]) -> list[Node]:
    """The nodes so that each comes after what it needs, and writes to variables as late as they can.

    Reading first means that within one `run`, ops that have no control dependency on an update see the
    variables as they were before it.
    """
    waiting = {node: 0 for node in nodes}
    users: dict[Node, list[Node]] = {node: [] for node in nodes}
    for node in nodes:
        before = {v.producer for v in node.reads if v.producer is not None} | set(node.after)
        waiting[node] = len(before)
        for other in before:
            users[other].append(node)
    rank = {node: (bool(node.writes), i) for i, node in enumerate(nodes)}
    ready = [(*rank[node], node) for node in nodes if waiting[node] == 0]
    heapq.heapify(ready)
    ordered = []
    while ready:
        *_, node = heapq.heappop(ready)
        node.position = len(ordered)
        ordered.append(node)
        for user in users[node]:
            waiting[user] -= 1
            if waiting[user] == 0:
                heapq.heappush(ready, (*rank[user], user))
    return ordered


def overtaken(nodes: list[Node], kept: set[Value]) -> set[Value]:
    """Values that show a variable and are used after it has been written again: these need a copy.

    Those in `kept` are used when the step has ended.
    """
    writes: dict[int, list[int]] = {}
    for node in nodes:
        for slot in node.writes:
            writes.setdefault(id(slot), []).append(node.position)
    uses = [(value, node.position) for node in nodes for value in node.reads]
    uses += [(value, len(nodes)) for value in kept]
    result = set()
    for value, position in uses:
        if value.slot is None or value.producer is None:
            continue
        made = value.producer.position
        if any(made < at < position for at in writes.get(id(value.slot), ())):
            result.add(value)
    return result
