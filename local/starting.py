"""Starting programs at ports of our choice, though another program may take one in between."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from local import ports
from local.process import Program
from local.supervisor import Say, Supervisor
from pipeline.errors import DataProcessingError

_TRIES: Final = 6  # another stack at the same ports opens them one by one: each of the five servers' may be lost

Chosen = TypeVar("Chosen", bound=Mapping[str, int])


def start(
    supervisor: Supervisor, choose: Callable[[], Chosen], programs: Callable[[Chosen], Sequence[Program]], say: Say
) -> Chosen:
    """Start `programs` at the ports of `choose`, and at others where somebody else listens on one by then.

    The ports at which they run. Raises `DataProcessingError` for a program that fails for another reason.
    """
    for tries_left in reversed(range(_TRIES)):
        chosen = choose()
        try:
            supervisor.start(programs(chosen))
        except DataProcessingError:
            supervisor.stop_last()
            lost = [port for port in chosen.values() if not ports.is_free(port)]
            if not lost or not tries_left:
                raise
            say(f"port {lost[0]} has been taken by another program: starting again at other ports")
        else:
            return chosen
    raise AssertionError("the last try returns or raises")
