"""moto reads botocore's data once: left alone it reads EC2's whole model six times, only to learn its regions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import boto3
import botocore.session
from botocore.loaders import Loader
from moto.core import loaders, utils
from moto.core.base_backend import AccountSpecificBackend

from keyhole.aws.service_models import PlainFiles, builtin_models

_LENDING = threading.RLock()


@cache
def share_models() -> None:
    """Let moto's lists of regions have what the gate has read, and its responses one loader, that of its own models."""
    utils.create_loader = _own_loader
    AccountSpecificBackend.get_session = staticmethod(_session)


@contextmanager
def lend_models() -> Iterator[None]:
    """Let sessions that are made meanwhile share them too: some of moto's modules make several as they are imported."""
    with _LENDING:
        original = botocore.session.create_loader
        botocore.session.create_loader = _loader  # type: ignore[assignment]  # a narrower argument is all that is given
        try:
            yield
        finally:
            botocore.session.create_loader = original


def _loader(_data_path: str | None = None) -> Loader:
    return builtin_models()


@cache
def _own_loader() -> loaders.Loader:
    """moto changes the models that it reads: they are not the gate's."""
    loader = loaders.create_loader()
    loader.file_loader = PlainFiles()
    return loader


@cache
def _session() -> boto3.Session:
    session = botocore.session.Session()
    session.register_component("data_loader", builtin_models())
    return boto3.Session(botocore_session=session)
