"""`tf.strings`: strings as tensors' elements. Names only."""

from minitf.ops.strings import (
    reduce_join, regex_full_match, regex_replace, string_format as format,
    string_join as join, string_length as length,
    string_lower as lower, string_strip as strip, string_upper as upper, strings_split as split, substr,
)  # fmt: skip
from minitf.ops.strings_convert import (
    as_string, string_to_hash_bucket_fast as to_hash_bucket_fast, string_to_number as to_number,
)  # fmt: skip
