"""Shared by the tests of commands that follow the stream."""

from tests.client.conftest import pauses, serve

__all__ = ["pauses", "serve"]
