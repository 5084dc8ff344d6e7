#!/bin/sh
# Writes .env beside docker-compose.yml: the passwords and secrets that it asks for, made at random, readable by its
# owner only. Never changes one that is there: the servers keep the passwords that they were made with.
set -eu
cd "$(dirname "$0")/.."
if [ -e .env ]; then
    echo "ops/env.sh: .env is there already. To begin anew: docker compose --profile '*' down --volumes; rm .env" >&2
    exit 1
fi
umask 077
made=$(mktemp .env.XXXXXX)
trap 'rm -f "$made"' EXIT

value() { # 32 random bytes in hexadecimal: such a password needs no quoting in an address
    printf '%s=%s\n' "$1" "$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n')"
}
{
    echo "# Passwords of the servers. A server keeps the one that it was first started with."
    value GRIDTICK_CLICKHOUSE_PASSWORD
    value GRIDTICK_CLICKHOUSE_READER_PASSWORD
    value GRIDTICK_POSTGRES_PASSWORD
    value GRIDTICK_REDIS_PASSWORD
    echo "# What API keys are HMACed with: with another one, no key that was given out works any more."
    value GRIDTICK_API_KEY_PEPPER
    echo "# What page cursors are signed with."
    value GRIDTICK_API_CURSOR_SECRET
    echo "# What the audit record is chained with: with another one it can neither be verified nor gone on with."
    value GRIDTICK_API_AUDIT_SECRET
    echo "# Logins of the task monitor and of Grafana; the user is gridtick."
    value GRIDTICK_FLOWER_PASSWORD
    value GRIDTICK_GRAFANA_PASSWORD
    echo
    echo "# May be set too: where the API, Grafana and Prometheus are published, what is logged, a key for \`cli\`."
    echo "# GRIDTICK_BIND=127.0.0.1"
    echo "# GRIDTICK_API_PORT=8080"
    echo "# GRIDTICK_GRAFANA_PORT=3000"
    echo "# GRIDTICK_PROMETHEUS_PORT=9090"
    echo "# GRIDTICK_LOG_LEVEL=INFO"
    echo "# GRIDTICK_API_KEY="
    echo "# While the pepper is replaced, the old one (docs/access.md):"
    echo "# GRIDTICK_API_KEY_PEPPER_BEFORE="
} > "$made"
mv "$made" .env
trap - EXIT
echo "ops/env.sh: .env is made. Keep it: without it the data cannot be opened." >&2
