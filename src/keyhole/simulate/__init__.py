"""Policies on paper: one request, or a stream of them, decided by the engine against policies that are given."""
