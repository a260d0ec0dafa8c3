"""Graphs of ops: Graph, Operation, Tensor, variables, scopes and gradients. Imports ops and framework."""
