"""Graphs: names, scopes, nesting, collections, control dependencies, finding things by name."""

import threading

import numpy as np
import pytest

import minitf as tf


def op_names():
    return [op.name for op in tf.get_default_graph().get_operations()]


def test_names_are_made_unique_as_tensorflow_does():
    assert tf.constant(1, name="x").name == "x:0"
    assert tf.constant(1, name="x").name == "x_1:0"
    assert tf.constant(1, name="X").name == "X_2:0", "names that differ in case only clash"
    tf.constant(1, name="y_1")
    assert [tf.constant(1, name="y").op.name for _ in range(3)] == ["y", "y_2", "y_3"]


def test_name_scopes_nest_reenter_and_leave():
    with tf.name_scope("a") as outer:
        assert outer == "a/"
        assert tf.constant(1).name == "a/Const:0"
        with tf.name_scope("b"):
            assert tf.constant(1).name == "a/b/Const:0"
        with tf.name_scope("b"):
            assert tf.constant(1).name == "a/b_1/Const:0"
        with tf.name_scope(None):
            assert tf.constant(1).name == "Const:0"
    with tf.name_scope("a"):
        assert tf.constant(1).name == "a_1/Const:0"
    with tf.name_scope(outer):
        assert tf.constant(1).name == "a/Const_1:0"
    with tf.name_scope(None, "default", []):
        assert tf.constant(1).name == "default/Const:0"


def test_constants_of_an_operator_are_named_below_it():
    x = tf.placeholder(tf.float32, name="x")
    y = x + 1.0
    assert y.name == "add:0"
    assert op_names() == ["x", "add/y", "add"]
    z = 2.0 * x
    assert z.op.inputs[0].name == "mul/x:0"


@pytest.mark.parametrize("name", ["a b", "_a", "", "a:0", "-x"])
def test_bad_names_are_refused(name):
    with pytest.raises(ValueError, match="is not a valid node name"):
        tf.get_default_graph().unique_name(name)


def test_bad_scope_names_are_refused():
    with pytest.raises(ValueError, match="'a b' is not a valid root scope name"):
        with tf.name_scope("a b"):
            pass
    with tf.name_scope("fine"), pytest.raises(ValueError, match="'a b' is not a valid scope name"):
        with tf.name_scope("a b"):
            pass


def test_two_nodes_never_share_a_name():
    tf.constant(1.0, name="x/")
    with pytest.raises(ValueError, match="Duplicate node name in graph: 'x'"):
        tf.constant(1.0, name="x/")


def test_ops_land_in_the_entered_graph_and_nested_graphs_restore_the_outer_one():
    outer, inner = tf.Graph(), tf.Graph()
    start = tf.get_default_graph()
    with outer.as_default() as entered:
        assert entered is outer is tf.get_default_graph()
        a = tf.constant(1.0)
        with inner.as_default():
            b = tf.constant(2.0)
        c = tf.constant(3.0)
    assert tf.get_default_graph() is start
    assert a.graph is outer and b.graph is inner and c.graph is outer
    assert [op.name for op in inner.get_operations()] == ["Const"]
    assert start.get_operations() == []


def test_default_graphs_belong_to_threads():
    graph, seen = tf.Graph(), []
    with graph.as_default():
        thread = threading.Thread(target=lambda: seen.append(tf.get_default_graph()))
        thread.start()
        thread.join()
    assert seen[0] is not graph


def test_an_error_inside_a_with_block_restores_the_graph():
    start = tf.get_default_graph()
    with pytest.raises(KeyError):
        with tf.Graph().as_default(), tf.name_scope("x"):
            raise KeyError
    assert tf.get_default_graph() is start
    assert tf.constant(1.0).name == "Const:0"


def test_reset_default_graph():
    before = tf.get_default_graph()
    tf.constant(1.0)
    tf.reset_default_graph()
    assert tf.get_default_graph() is not before
    assert op_names() == []
    with tf.Graph().as_default(), pytest.raises(AssertionError, match="clear nested graphs"):
        tf.reset_default_graph()


def test_finalized_graphs_refuse_new_ops():
    graph = tf.get_default_graph()
    x = tf.constant(1.0)
    graph.finalize()
    assert graph.finalized
    with pytest.raises(RuntimeError, match="Graph is finalized and cannot be modified"):
        x + 1.0
    with pytest.raises(RuntimeError, match="Graph is finalized"):
        tf.add_to_collection("c", 1)
    assert tf.Session().run(x) == 1.0, "a finalized graph still runs"


def test_finding_ops_and_tensors_by_name():
    graph = tf.get_default_graph()
    x = tf.constant(1.0, name="x")
    pair = tf.unstack(tf.constant([1.0, 2.0]), name="pair")
    assert graph.get_tensor_by_name("x:0") is x
    assert graph.get_tensor_by_name("pair:1") is pair[1]
    assert graph.get_operation_by_name("x") is x.op
    assert graph.as_graph_element("x") is x.op
    assert graph.as_graph_element("x:0") is x
    assert graph.as_graph_element(x) is x


@pytest.mark.parametrize(
    ("method", "name", "error", "words"),
    [
        ("get_tensor_by_name", "x", ValueError, "The name 'x' refers to an Operation, not a Tensor"),
        ("get_tensor_by_name", "y", ValueError, r"looks like an \(invalid\) Operation name, not a Tensor"),
        ("get_tensor_by_name", "y:0", KeyError, "The operation, 'y', does not exist in the graph"),
        ("get_tensor_by_name", "x:3", KeyError, "exists but only has 1 outputs"),
        ("get_tensor_by_name", 3, TypeError, r"Tensor names are strings \(or similar\), not int"),
        ("get_operation_by_name", "y", KeyError, "'y' refers to an Operation not in the graph"),
        ("get_operation_by_name", "x:0", ValueError, "appears to refer to a Tensor, not a Operation"),
        ("get_operation_by_name", None, TypeError, "Operation names are strings"),
        ("as_graph_element", 3.5, TypeError, "Can not convert a float into a Tensor or Operation"),
    ],
)
def test_lookups_that_fail_say_why(method, name, error, words):
    tf.constant(1.0, name="x")
    with pytest.raises(error, match=words):
        getattr(tf.get_default_graph(), method)(name)


def test_elements_of_other_graphs_are_refused():
    with tf.Graph().as_default():
        foreign = tf.constant(1.0, name="foreign")
    with pytest.raises(ValueError, match="is not an element of this graph"):
        tf.get_default_graph().as_graph_element(foreign)
    with pytest.raises(ValueError, match="must be from the same graph"):
        tf.constant(1.0) + foreign


def test_collections():
    tf.add_to_collection("c", 1)
    tf.add_to_collections(["c", "d"], 2)
    assert tf.get_collection("c") == [1, 2]
    assert tf.get_collection("d") == [2]
    assert tf.get_collection("unknown") == []
    tf.get_collection("c").append(3)
    assert tf.get_collection("c") == [1, 2], "get_collection gives a copy"
    tf.get_collection_ref("c").append(3)
    assert tf.get_collection("c") == [1, 2, 3]
    tf.get_default_graph().clear_collection("c")
    assert tf.get_collection("c") == []
    assert tf.get_default_graph().get_all_collection_keys() == ["d"]


def test_collections_by_scope():
    with tf.name_scope("net"):
        inside = tf.constant(1.0)
    tf.add_to_collection("c", inside)
    tf.add_to_collection("c", tf.constant(2.0))
    assert tf.get_collection("c", "net") == [inside]
    assert tf.get_collection("c", scope="ne.") == [inside]


def test_variables_are_collected():
    trained = tf.Variable(1.0, name="trained")
    fixed = tf.Variable(1.0, trainable=False)
    local = tf.Variable(1.0, collections=[tf.GraphKeys.LOCAL_VARIABLES], trainable=False)
    assert tf.global_variables() == [trained, fixed] == tf.all_variables()
    assert tf.trainable_variables() == [trained]
    assert tf.local_variables() == [local]
    assert tf.global_variables(scope="tr") == [trained]


def test_control_dependencies_add_and_forget_edges():
    first = tf.constant(1.0, name="first")
    with tf.control_dependencies([first]):
        second = tf.constant(2.0)
        with tf.control_dependencies([second.op]):
            third = tf.constant(3.0)
        with tf.control_dependencies(None):
            free = tf.constant(4.0)
    assert second.op.control_inputs == [first.op]
    assert third.op.control_inputs == [first.op, second.op]
    assert free.op.control_inputs == []
    assert third.op.node_def.input == ["^first", "^Const"]


def test_group_runs_all_and_yields_none():
    v, w = tf.Variable(1.0), tf.Variable(2.0)
    both = tf.group(v.assign(10.0), w.assign_add(1.0))
    assert isinstance(both, tf.Operation) and both.type == "NoOp"
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(both) is None
        assert session.run([v, w]) == [10.0, 3.0]


def test_devices_are_noted():
    with tf.device("/cpu:0"):
        x = tf.constant(1.0)
    assert x.device == x.op.device == "/device:CPU:0"
    assert tf.constant(1.0).device == ""


def test_operations_describe_themselves():
    a, b = tf.constant([[1.0]], name="a"), tf.constant([[2.0]], name="b")
    product = tf.matmul(a, b, transpose_b=True, name="product")
    op = product.op
    assert (op.type, op.name, op.inputs, op.outputs, op.values()) == (
        "MatMul", "product", [a, b], [product], (product,)
    )  # fmt: skip
    assert op.get_attr("transpose_b") is True and op.get_attr("T") == tf.float32
    with pytest.raises(ValueError, match="has no attr named 'nonsense'"):
        op.get_attr("nonsense")
    assert op.node_def.input == ["a", "b"] and "MatMul" in str(op)
    assert repr(op) == "<tf.Operation 'product' type=MatMul>"
    assert a.consumers() == [op]
    assert "test_graph.py" in op.traceback[0]


def test_graph_version_grows():
    graph = tf.get_default_graph()
    before = graph.version
    tf.constant(1.0)
    assert graph.version > before


def test_shape_errors_name_the_op_its_shapes_and_the_users_line():
    a, b = tf.ones([2, 3]), tf.ones([4, 5])
    with pytest.raises(ValueError) as caught:
        tf.matmul(a, b, name="product")
    message = str(caught.value)
    assert "Dimensions must be equal, but are 3 and 4 for 'product' (op: 'MatMul')" in message
    assert "with input shapes: [2,3], [4,5]" in message
    assert "Defined at" in message and "test_graph.py:" in message
    with pytest.raises(ValueError, match=r"Dimensions must be equal, but are 3 and 4 for 'add'"):
        a + tf.ones([4])


def test_a_failed_call_leaves_the_graph_usable():
    before = len(op_names())
    with pytest.raises(ValueError):
        tf.matmul(tf.zeros([2, 3]), tf.zeros([4, 5]))
    names = op_names()[before:]
    assert not any("MatMul" in name for name in names)
    assert np.array_equal(tf.Session().run(tf.zeros([2])), [0, 0])


def test_graph_def_describes_the_nodes():
    with tf.Graph().as_default() as graph:
        x = tf.constant(1.0, name="x")
        tf.negative(x, name="y")
    definition = graph.as_graph_def()
    assert isinstance(definition, tf.GraphDef)
    assert [(node.name, node.op, node.input) for node in definition.node] == [
        ("x", "Const", []),
        ("y", "Neg", ["x"]),
    ]
    assert [node.name for node in tf.Session(graph=graph).graph_def.node] == ["x", "y"]
    assert 'node {\n  name: "x"\n  op: "Const"' in str(definition)
    with pytest.raises(NotImplementedError, match="add_shapes"):
        graph.as_graph_def(add_shapes=True)


def test_devices_get_their_full_names():
    with tf.device("/cpu:0"):
        short = tf.constant(1.0)
    with tf.device("/device:GPU:1"):
        full = tf.constant(1.0)
    assert (short.device, full.device) == ("/device:CPU:0", "/device:GPU:1")


@pytest.mark.parametrize(
    "name", ["import_graph_def", "fixed_size_partitioner", "min_max_variable_partitioner"]
)
def test_what_cannot_be_served_names_itself(name):
    with pytest.raises(NotImplementedError, match=name):
        getattr(tf, name)(3)


def test_only_ops_without_gradient_can_be_declared_so():
    tf.NotDifferentiable("PyFunc")
    with pytest.raises(ValueError, match="'MatMul' is no op without a gradient"):
        tf.NoGradient("MatMul")
