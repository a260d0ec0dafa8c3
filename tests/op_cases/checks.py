"""Assertions, printing and Python functions."""

from tests.op_cases import case, exempt
from tests.op_cases.draw import ALL

exempt("Assert", test="tests/ops/test_checks.py")
exempt("Print", "PrintV2", test="tests/ops/test_print.py")
exempt("PyFunc", "PyFuncStateless", test="tests/ops/test_script.py")


@case("CheckNumerics", elementwise=True)
def finite(draw):
    return {"tensor": draw.array(special=False), "message": "not finite"}


@case("StringFormat", dtypes=(*ALL,))
def text(draw):
    inputs = [draw.array(draw.shape(max_rank=4)) for _ in range(draw.integer(0, 2))]
    template = "|".join(["a", *["%t b" for _ in inputs]])
    return {
        "inputs": inputs,
        "template": template,
        "placeholder": "%t",
        "summarize": draw.one_of(-1, 1, 2, 3),
    }
