"""A process in BPMN 2.0: read within bounds, understood as a graph, and written as steps."""
