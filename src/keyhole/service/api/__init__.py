"""The HTTP interface: one file for each group of addresses under /v1."""
