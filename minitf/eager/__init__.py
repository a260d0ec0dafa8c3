"""Eager mode: ops run at once, tapes record them, functions are traced. Imports runtime, graph, ops."""
