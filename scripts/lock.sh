#!/bin/sh
# Writes requirements.lock and requirements-service.lock (versions and hashes, no addresses) and local/kafka-jars.lock anew.
set -eu
cd "$(dirname "$0")/.."
if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    [ -x .stack/uv/bin/uv ] || { python3 -m venv .stack/uv && .stack/uv/bin/python -m pip install -q uv; }
    uv=.stack/uv/bin/uv
fi
compile() {
    "$uv" pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
        --no-annotate "$@" pyproject.toml
}
compile --extra dev --extra local --upgrade -o requirements.lock
# What a container installs: the same versions, without the servers of the embedded stack and the tools.
compile --extra build --constraint requirements.lock --upgrade -o requirements-service.lock
.venv/bin/python -m local.kafka_jars --lock
