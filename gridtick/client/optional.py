"""Packages that only data frames need: loaded when they are asked for."""

from importlib import import_module
from typing import Any

from gridtick.client.errors import NotInstalled


def needed(package: str, extra: str) -> Any:
    """The package. `NotInstalled` says what to install where it is not there."""
    try:
        return import_module(package)
    except ImportError as error:
        fix = f"pip install 'gridtick-client[{extra}]'"
        raise NotInstalled(
            f"This needs {package}, which cannot be loaded ({error}). Install it with `{fix}`."
        ) from error
