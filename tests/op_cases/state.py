"""Variables: inputs that an op changes are variables, in minitf and in TensorFlow."""

from tests.op_cases import case, exempt
from tests.op_cases.draw import ALL, NUMERIC

exempt("VariableV2", test="tests/graph/test_variables.py")
exempt("VarHandleOp", test="tests/runtime/test_shared_variable.py")
exempt("IsVariableInitialized", test="tests/graph/test_variables.py")


@case("Assign", dtypes=(*ALL, "object"))
def assign(draw):
    shape = draw.shape()
    return {"ref": draw.array(shape), "value": draw.array(shape)}


@case("AssignAdd", "AssignSub", dtypes=NUMERIC)
def update(draw):
    shape = draw.shape()
    return {"ref": draw.array(shape), "value": draw.array(shape)}
