"""Keyhole: the smallest opening an app needs into S3, and proof that there is no other."""

__version__ = "0.1.0"
