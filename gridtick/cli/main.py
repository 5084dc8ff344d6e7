"""The entry point: finds the module of a command, hands it to typer, and turns an error into one sentence."""

import logging
import sys
from importlib import import_module
from typing import Final

import typer

from gridtick.cli import sink
from pipeline.errors import DataProcessingError

COMMANDS: Final = (
    "up",
    "down",
    "status",
    "reset",
    "doctor",
    "parse",
    "send",
    "ticks",
    "bars",
    "latest",
    "tail",
    "curve",
    "spreads",
    "explain",
    "verify",
    "dlq",
    "reference",
    "keys",
    "tenants",
    "audit",
    "bridge",
    "bench",
)


def build(commands: tuple[str, ...]) -> typer.Typer:
    """An application with these commands; each module registers its own."""
    app = typer.Typer(
        name="gridtick", no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False,
        help="Exact ticks, bars and live prices from the raw price messages of US power and gas markets.",
    )  # fmt: skip
    app.callback()(lambda: None)
    for name in commands:
        import_module(f"gridtick.cli.{name}").register(app)
    return app


def run() -> None:
    """Run the command line; 2, after a sentence on standard error, for refused input or a wrong setting."""
    wanted = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    # What a library logs about a server that is away says less than the sentence that the command ends with.
    logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())
    try:
        # Only the module of the command that was typed is loaded, which keeps the start quick.
        build((wanted,) if wanted in COMMANDS else COMMANDS)()
    except DataProcessingError as error:
        sys.stderr.write(f"gridtick: {error.message}{_facts(error)}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sink.end(error)
        raise
    finally:
        sink.end()


def _facts(error: DataProcessingError) -> str:
    shown = ", ".join(f"{name}: {value}" for name, value in error.context.items())
    return f" ({shown})" if shown else ""


if __name__ == "__main__":
    run()
