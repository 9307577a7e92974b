"""The settings of a bucket compared in meaning and not in spelling. Pure.

AWS: Amazon S3 API Reference, LifecycleRule, LifecycleRuleFilter, CORSRule, PublicAccessBlockConfiguration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Rules = list[dict[str, Any]] | None
_LISTS = ("AllowedMethods", "AllowedOrigins", "AllowedHeaders", "ExposeHeaders")


def same_lifecycle(want: Rules, have: Rules) -> bool:
    """Hold iff both do the same to objects: names and order of rules do not count, nor how "all keys" is written."""
    return _set_of(want, _lifecycle_rule) == _set_of(have, _lifecycle_rule)


def same_cors(want: Rules, have: Rules) -> bool:
    """Hold iff both let the same requests through: the order of rules counts, that within them does not."""
    return [_cors_rule(rule) for rule in want or ()] == [_cors_rule(rule) for rule in have or ()]


def same_block(want: Mapping[str, bool] | None, have: Mapping[str, bool] | None) -> bool:
    """Hold iff both block the same: what is not said is off."""
    return {name for name, is_on in (want or {}).items() if is_on} == {
        name for name, is_on in (have or {}).items() if is_on
    }


def _set_of(rules: Rules, normal: Any) -> set[str]:
    return {repr(normal(rule)) for rule in rules or ()}


def _lifecycle_rule(rule: Mapping[str, Any]) -> Any:
    filters = rule.get("Filter") or {}
    prefix = filters.get("Prefix", rule.get("Prefix")) or ""
    normal = {name: _unordered(value) for name, value in rule.items() if name not in {"ID", "Filter", "Prefix"}}
    rest = {name: _unordered(value) for name, value in filters.items() if name != "Prefix"}
    return prefix, sorted(rest.items()), sorted(normal.items())


def _unordered(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(repr(_unordered(item)) for item in value)
    if isinstance(value, Mapping):
        return sorted((name, repr(_unordered(item))) for name, item in value.items())
    return value


def _cors_rule(rule: Mapping[str, Any]) -> Any:
    return rule.get("MaxAgeSeconds"), [sorted(set(rule.get(name) or ())) for name in _LISTS]
