"""The types: what a Context holds, and how it is read."""

from __future__ import annotations

from keyhole.iam import Context


def test_a_context_is_a_mapping_without_case() -> None:
    """Keys are found in any case and listed in lower case, each once."""
    context = Context({"aws:UserName": "alice", "aws:TagKeys": ["a", "b"]})
    assert context["AWS:USERNAME"] == "alice"
    assert dict(context) == {"aws:username": "alice", "aws:tagkeys": ("a", "b")}
    assert len(context) == 2
    assert "aws:tagKEYS" in context
    assert "aws:tag" not in context
    assert repr(context) == "Context({'aws:username': 'alice', 'aws:tagkeys': ('a', 'b')})"
