"""minitf and TensorFlow side by side in one run: `python -m benchmarks`.

workloads.py  what is measured: each workload is written once, against TensorFlow's API
measure.py    how: the timing loop, peak memory, installed size, the machine
worker.py     one workload by one engine in a process of its own; prints one JSON line
report.py     medians and ratios; table, JSON, Markdown and chart
__main__.py   the rounds: which worker runs when
"""
