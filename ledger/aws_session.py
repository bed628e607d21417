"""The boto3 session of a process: it finds what a client is made of without reading all there is.

For each client botocore lists the folders of all its services (there are more than 400), twice,
only to see that the one it is asked for is there; and it reads a megabyte of endpoints into ordered
dictionaries. Made by this session a client takes half of the time, and it is the same client.
"""

from __future__ import annotations

import gzip
from collections.abc import Collection, Iterator
from typing import Any

import boto3
import botocore.session
from botocore.exceptions import DataNotFoundError
from botocore.loaders import JSONFileLoader, Loader
from pydantic_core import from_json
from typing_extensions import override


def share_session() -> None:
    """Let every `boto3.client` of this process be made by one such session.

    Whoever has set up a default session, or made a client by it, keeps that one.
    """
    if boto3.DEFAULT_SESSION is not None:
        return
    session = botocore.session.Session()
    paths = session.get_config_variable("data_path")
    if paths is None:  # models of one's own are botocore's to find
        session.register_component("data_loader", QuickLoader(file_loader=_Files()))
    boto3.setup_default_session(botocore_session=session)


class QuickLoader(Loader):
    """botocore's loader, looking only where it was told to."""

    @override
    def list_available_services(self, type_name: str) -> Collection[str]:  # type: ignore[override]
        return _Services(self, type_name)

    def list_all(self, type_name: str) -> list[str]:
        """Every service, as botocore lists them."""
        return super().list_available_services(type_name)


class _Services(Collection[str]):
    """The services that have data of a type; they are listed only if somebody wants to see them."""

    def __init__(self, loader: QuickLoader, type_name: str) -> None:
        self._loader = loader
        self._type_name = type_name

    def __contains__(self, name: object) -> bool:
        try:
            self._loader.determine_latest_version(str(name), self._type_name)
        except DataNotFoundError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._loader.list_all(self._type_name))

    def __len__(self) -> int:
        return len(self._loader.list_all(self._type_name))


class _Files(JSONFileLoader):
    """JSON as plain dictionaries, which are in order as well."""

    @override
    def load_file(self, file_path: str) -> Any:
        for name, opened in ((f"{file_path}.json", open), (f"{file_path}.json.gz", gzip.open)):
            try:
                with opened(name, "rb") as file:
                    return from_json(file.read())
            except FileNotFoundError:
                continue
        return None
