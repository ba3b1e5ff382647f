"""What a workspace may have and do: executions, records, storage, requests; and its turns at the workers."""
