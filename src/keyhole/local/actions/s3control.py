"""S3 Control: operation → actions, as AWS checks them; the account's settings are no resource.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
"""

from __future__ import annotations

from keyhole.local.actions.row import Row, every

ROWS: dict[str, Row] = {
    "GetPublicAccessBlock": every("s3:GetAccountPublicAccessBlock"),
    "PutPublicAccessBlock": every("s3:PutAccountPublicAccessBlock"),
    "DeletePublicAccessBlock": every("s3:PutAccountPublicAccessBlock"),
}
