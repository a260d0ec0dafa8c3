"""Running graphs: the step plan and the Session. Imports graph, ops and framework."""
