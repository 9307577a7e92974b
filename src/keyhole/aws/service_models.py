"""botocore's data, read once for this process, and as plain dicts.

botocore's own loader looks through four hundred folders for each kind of file before it reads one, and builds an
`OrderedDict` for each object in it; dicts are ordered since Python 3.7, and take half the time and memory.
"""

from __future__ import annotations

import gzip
import json
import os
import threading
from functools import cache
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader, Loader

_ENDINGS = ((".json", open), (".json.gz", gzip.open))


class PlainFiles(JSONFileLoader):
    """Reads a JSON file into dicts."""

    def load_file(self, file_path: str) -> Any:
        """Give what is in the file, None if there is none; `file_path` has no ending."""
        for ending, open_file in _ENDINGS:
            try:
                with open_file(file_path + ending, "rb") as file:
                    return json.loads(file.read())
            except FileNotFoundError:
                continue
        return None


class ServiceModels(Loader):
    """A loader for several threads, of which one reads a model that the others wait for."""

    def __init__(self, search_paths: list[str], *, only_these: bool = False) -> None:
        super().__init__(
            extra_search_paths=search_paths, file_loader=PlainFiles(), include_default_search_paths=not only_these
        )
        self._reading = threading.RLock()
        self._folders: list[str] = []

    def list_available_services(self, type_name: str) -> list[str]:
        """Give the folders there are; one without a file of this type says so when it is read."""
        del type_name
        if not self._folders:
            paths = filter(os.path.isdir, self.search_paths)
            self._folders = sorted({entry.name for path in paths for entry in os.scandir(path) if entry.is_dir()})
        return self._folders

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """Give a service's model. Raises: botocore's DataNotFoundError."""
        with self._reading:
            return super().load_service_model(service_name, type_name, api_version)


@cache
def service_models(data_path: str = "") -> ServiceModels:
    """Give the loader of botocore's data; `data_path` is as in AWS_DATA_PATH: folders that are looked into first."""
    paths = (os.path.expandvars(path) for path in data_path.split(os.pathsep) if path)
    return ServiceModels([str(Path(path).expanduser()) for path in paths])


@cache
def builtin_models() -> ServiceModels:
    """Give the loader of what botocore ships, and nothing that a user may have put beside it."""
    return ServiceModels([Loader.BUILTIN_DATA_PATH], only_these=True)
