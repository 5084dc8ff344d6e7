"""`gridtick bench api`: how fast the API answers, beside a bare FastAPI route that returns the same bytes.

Both are processes of their own under the same server settings (`api.service.http`), asked in turn by the same client
over the same connections; the API's figures include authentication and limits. Measured first with nothing else going
on, then while generic ticks come in at a steady rate, also for the instruments that are asked for.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from local.bench import api_access, api_client, api_export, api_servers
from local.bench.api_client import Rate
from local.bench.api_servers import Case, Say
from local.stack import API_PORT, Stack, servers
from local.supervisor import Supervisor

_Runs = dict[str, dict[str, list[Rate]]]  # by case, then by server


@dataclass(frozen=True, slots=True)
class Plan:
    """How often everything is measured, for how many seconds each time, and how many ticks an instrument has."""

    rounds: int
    seconds: float
    data_dir: Path
    ticks: int = api_servers.A_DAY
    exported: int = 5_000_000


def measure(plan: Plan, say: Say) -> dict[str, object]:
    """Runs the plan on servers of its own; the result as JSON-ready values."""
    with servers(plan.data_dir, say=say) as bare_stack:
        stack, supervisor = api_servers.with_ports(bare_stack), Supervisor(say)
        try:
            api_servers.load_day(stack, plan.ticks, say)
            api_servers.until_ready(stack)
            key = api_servers.start_api(stack, supervisor)
            exported = api_export.measure(stack, supervisor, key, plan.exported, say)
            return _measured(plan, stack, supervisor, api_servers.cases(stack, supervisor, key), say) | {
                "access_us": api_access.measure(),
                "exported": exported,
            }
        finally:
            supervisor.stop()


def _measured(plan: Plan, stack: Stack, supervisor: Supervisor, cases: Sequence[Case], say: Say) -> dict[str, object]:
    port = int(stack.environ[API_PORT])
    quiet = _rounds(plan, port, cases, say)
    with api_servers.ingest(stack, supervisor) as landed:
        before = landed()
        busy = _rounds(plan, port, cases, say)
        came = landed() - before
    return {
        "bench": "api",
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "connections": api_client.CONNECTIONS,
        "instruments": api_servers.INSTRUMENTS,
        "ticks_an_instrument": plan.ticks,
        "ingest": {"sent_per_s": api_servers.INGESTED, "landed": came},
        "without_ingest": _report(quiet),
        "with_ingest": _report(busy),
    }


def _rounds(plan: Plan, api_port: int, cases: Sequence[Case], say: Say) -> _Runs:
    runs: _Runs = {case.name: {"gridtick": [], "bare": []} for case in cases}
    for _ in range(plan.rounds):
        for case in cases:
            for server, port in (("gridtick", api_port), ("bare", case.bare_port)):
                rate = api_client.drive(port, case.wires(), plan.seconds, case.status, case.connections)
                runs[case.name][server].append(rate)
                say(f"{case.name} {server}: {rate.requests_per_s:.0f}/s")
    return runs


def _report(runs: _Runs) -> dict[str, object]:
    return {case: _beside(of["gridtick"], of["bare"]) for case, of in runs.items()}


def _beside(own: Sequence[Rate], bare: Sequence[Rate]) -> dict[str, object]:
    """Medians over the rounds; the ratio is that of each round's two rates."""
    ratios = [each.requests_per_s / other.requests_per_s for each, other in zip(own, bare, strict=True)]
    return {
        "ratio": round(median(ratios), 2),
        "gridtick": _median(own),
        "bare": _median(bare),
    }


def _median(rates: Sequence[Rate]) -> dict[str, float]:
    every = [asdict(rate) for rate in rates]
    return {name: round(median(each[name] for each in every), 3) for name in every[0]}
