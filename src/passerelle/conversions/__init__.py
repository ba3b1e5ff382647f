"""From what exists to a definition: forms in JSON Schema, CSV files, OpenAPI documents and BPMN processes."""
