"""`python -m parity [words]`: compares every model (or those whose names hold a word) with TensorFlow.

Prints one line per quantity: the model, what was compared, the largest error relative to the scale of the
quantity, the tolerance and the verdict. Exits with 1 when anything is off.
"""

import sys

from parity.table import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
