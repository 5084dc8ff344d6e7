"""A change that the store refuses, as the problem of that kind."""

from collections.abc import Generator
from contextlib import contextmanager

from api.problems import KINDS, Problem
from db.postgres.refused import Refused


@contextmanager
def told() -> Generator[None]:
    """Raises the problem instead."""
    try:
        yield
    except Refused as error:
        raise Problem(KINDS[error.why].status, error.why, error.message) from None
