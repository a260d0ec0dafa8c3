"""Every test starts with an empty default graph and leaves no entered graph or session behind."""

import pytest

import minitf as tf
from minitf.graph import default_session
from minitf.ops import registry


@pytest.fixture(autouse=True)
def fresh_graph():
    tf.reset_default_graph()
    yield
    default_session.stack().clear()
    registry.interpreter_stack().clear()
