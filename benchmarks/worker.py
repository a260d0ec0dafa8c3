"""One workload by one engine: `python -m benchmarks.worker WORKLOAD ENGINE SECONDS STARTED`.

Prints the figure as the last line, a JSON number.
"""

import json
import sys

from benchmarks.workloads import WORKLOADS, Run

if __name__ == "__main__":
    name, engine, seconds, started = sys.argv[1:]
    figure = WORKLOADS[name].run(Run(engine, float(seconds), float(started)))
    print(json.dumps(figure))
