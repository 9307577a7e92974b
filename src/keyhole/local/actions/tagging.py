"""Resource Groups Tagging API: operation → action; none takes a resource.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for Amazon Resource Group Tagging API".
"""

from __future__ import annotations

from keyhole.local.actions.row import Row, every

ROWS: dict[str, Row] = {
    "GetResources": every("tag:GetResources"),
    "GetTagKeys": every("tag:GetTagKeys"),
    "GetTagValues": every("tag:GetTagValues"),
}
