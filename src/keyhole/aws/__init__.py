"""The only door to AWS: the port, its implementation over botocore, and errors with what to do about them."""

from keyhole.aws.port import Aws, Call

__all__ = ["Aws", "Call"]
