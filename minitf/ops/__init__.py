"""Every operation, declared once. Imports kernels and framework, never graph, runtime or eager."""
