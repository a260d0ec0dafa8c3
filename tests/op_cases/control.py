"""Control flow: ops that hold function graphs or Python objects, and cannot be fuzzed one by one."""

from tests.op_cases import exempt

exempt("Capture", "If", "While", "IdentityN", test="tests/ops/test_control.py")
exempt("EmptyVariant", "AddVariants", "ZerosLikeVariant", test="tests/ops/test_tensor_array.py")
exempt(
    "TensorArrayV3", "TensorArrayWriteV3", "TensorArrayReadV3", "TensorArrayGatherV3", "TensorArrayScatterV3",
    "TensorArrayConcatV3", "TensorArraySplitV3", "TensorArraySizeV3", "TensorArrayEntry",
    "TensorArrayReadLike", "TensorArrayWithout", "TensorArrayEntries", "TensorArrayGatherLike",
    "TensorArrayPieces", "TensorArrayConcatLike", test="tests/ops/test_tensor_array.py",
)  # fmt: skip
