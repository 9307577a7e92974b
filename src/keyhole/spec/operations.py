"""What an app needs around its buckets: alarms, a trail, a place for Terraform's state."""

from __future__ import annotations

from pydantic import Field

from keyhole.spec.fields import Mail, StateKey, TableName, TopicName, TrailName
from keyhole.spec.table import Table


class Monitoring(Table):
    """Alarms on buckets, by mail. It turns on S3's request metrics, which cost as CloudWatch's own metrics do."""

    mails: list[Mail] = Field(min_length=1, description="Who gets mail; each address confirms by a link first.")
    buckets: list[str] = Field([], description="The keys of the buckets to watch; empty: all of the file.")
    client_errors_percent: float = Field(
        5, gt=0, le=100, description="Alarm when more than this share of requests fails by the caller's fault (4xx)."
    )
    server_errors_percent: float = Field(
        1, gt=0, le=100, description="Alarm when more than this share of requests fails by S3's fault (5xx)."
    )
    surge_requests: int = Field(10_000, gt=0, description="Alarm on more requests than this within five minutes.")
    topic_name: TopicName | None = Field(None, description="Default: app and environment, and `alarms`.")


class Audit(Table):
    """A trail of who called what in the account, in every region, with digests that show tampering."""

    bucket: str = Field(description="The key of the bucket that the log files go to.")
    trail_name: TrailName | None = Field(None, description="Default: app and environment, and `trail`.")


class TerraformState(Table):
    """Where Terraform keeps its state, and who may."""

    bucket: str = Field(description="The key of the bucket; it keeps old versions.")
    table_name: TableName | None = Field(
        None, description="A DynamoDB table to lock with; leave it out for Terraform's own lockfile in the bucket."
    )
    key: StateKey | None = Field(None, description="The state's key in the bucket. Default: APP/terraform.tfstate.")
    workloads: list[str] = Field(
        [], description="The keys of the workloads that lock: their grants cover the bucket, this adds the table."
    )
