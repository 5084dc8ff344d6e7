# Everything a user or a developer types. Each recipe works from a fresh clone: it sets up what it needs.

PYTHON ?= python3
BIN := .venv/bin
UNIT := not stack and not e2e
# Java that lives for a minute: its second compiler would take longer than what it compiles.
SHORT_LIVED := JDK_JAVA_OPTIONS=-XX:TieredStopAtLevel=1

# The long form of the fault test: 5 faults are a round (2 processes of the workers, all of them, a bridge, Redis emptied).
CHAOS_TICKS ?= 500000
CHAOS_DOCUMENTS ?= 100
CHAOS_FAULTS ?= 90
CHAOS_SEED ?= 1
# The same of the live stream: 8 faults are a round (cuts, delays, stalls, dead connections, the API killed, Redis emptied).
STREAM_FAULTS ?= 60
STREAM_SECONDS ?= 300
STREAM_SEED ?= 1
# Clients of the stream, of which a fifth stop reading; messages that are made up.
STALLED_CLIENTS ?= 1000
FUZZ_FRAMES ?= 20000
# The long form of made-up requests: how many Schemathesis makes at least, and which ones.
FUZZ_CASES ?= 50000
FUZZ_SEED ?= 1
# More options of the benchmark, e.g. make bench BENCH="--peers DIR --peer-python PATH --flink DIR"
BENCH ?=

.DEFAULT_GOAL := help
.PHONY: help setup run check types test unit axe server-test stack-test e2e bench bench-short chaos fuzz lock format clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: ## the environment .venv and Kafka (nothing to do the second time)
	@"$(PYTHON)" scripts/setup.py

run: setup ## start everything with the demo feed; Ctrl-C stops it
	@exec "$(BIN)/gridtick" up

check: setup ## format, lint, types, import contracts, the OpenAPI document, unit tests: no servers, under a minute
	"$(BIN)/ruff" format --check .
	"$(BIN)/ruff" check .
	"$(BIN)/lint-imports"
	"$(BIN)/python" scripts/npm.py lint
	@$(MAKE) --no-print-directory -j2 --output-sync=target types unit

types:
	"$(BIN)/basedpyright"

unit:
	"$(BIN)/pytest" -q -n 2 -m "$(UNIT)"

test: export HYPOTHESIS_PROFILE = thorough
test: check server-test bench-short ## all of it: check, real servers, end to end, short benchmarks

# What looks for faults in access to the page; a second run needs no network.
axe:
	@"$(BIN)/python" scripts/npm.py axe

# Whole systems wait for what was killed, the tests of single servers do not: together they leave no core idle.
server-test: setup axe
	$(SHORT_LIVED) "$(BIN)/pytest" -q -n 3 --no-loadscope-reorder -m "stack or e2e" --durations=20

stack-test: setup axe ## tests on the real servers
	$(SHORT_LIVED) "$(BIN)/pytest" -q -n 2 -m "stack and not e2e"

e2e: setup ## the whole system under kill -9
	$(SHORT_LIVED) "$(BIN)/pytest" -q -n 3 -m e2e --durations=12

bench-short: setup ## the benchmarks in their short forms
	$(SHORT_LIVED) "$(BIN)/gridtick" bench pipeline --ticks 50000 --rounds 1
	"$(BIN)/gridtick" bench parse --scale 0.02 --rounds 1
	$(SHORT_LIVED) "$(BIN)/gridtick" bench enrich --ticks 20000 --instruments 5000 --rounds 1
	$(SHORT_LIVED) "$(BIN)/gridtick" bench backfill --nodes 1000 --stored 4 --rounds 1 --prices 500000
	$(SHORT_LIVED) "$(BIN)/gridtick" bench api --rounds 1 --seconds 0.3 --ticks 12 --rows 50000
	$(SHORT_LIVED) "$(BIN)/gridtick" bench stream --clients 100 --sent 20000 --rounds 1 --seconds 5

bench: setup ## the benchmarks in full; JSON results in bench-results/
	@mkdir -p bench-results
	"$(BIN)/gridtick" bench pipeline --output bench-results/pipeline.json $(BENCH)
	"$(BIN)/gridtick" bench parse --output bench-results/parse.json
	"$(BIN)/gridtick" bench markets --output bench-results/markets.json
	"$(BIN)/gridtick" bench enrich --output bench-results/enrich.json
	"$(BIN)/gridtick" bench run --output bench-results/run.json
	"$(BIN)/gridtick" bench backfill --output bench-results/backfill.json
	"$(BIN)/gridtick" bench growth --output bench-results/growth.json
	"$(BIN)/gridtick" bench api --output bench-results/api.json
	"$(BIN)/gridtick" bench stream --output bench-results/stream.json

chaos: setup ## the long form of the kill test
	CHAOS_TICKS="$(CHAOS_TICKS)" CHAOS_DOCUMENTS="$(CHAOS_DOCUMENTS)" CHAOS_FAULTS="$(CHAOS_FAULTS)" \
		CHAOS_SEED="$(CHAOS_SEED)" "$(BIN)/pytest" -q -m e2e tests/e2e/test_faults.py
	STREAM_FAULTS="$(STREAM_FAULTS)" STREAM_SECONDS="$(STREAM_SECONDS)" STREAM_SEED="$(STREAM_SEED)" \
		STALLED_CLIENTS="$(STALLED_CLIENTS)" "$(BIN)/pytest" -q -s tests/stream/test_faults.py tests/stream/test_stalled.py

fuzz: setup ## the long form of made-up requests: from the OpenAPI document, and every hostile text in every place
	FUZZ_CASES="$(FUZZ_CASES)" FUZZ_SEED="$(FUZZ_SEED)" FUZZ_EVERY=1 "$(BIN)/pytest" -q -n 2 tests/api/fuzz
	FUZZ_FRAMES="$(FUZZ_FRAMES)" FUZZ_SEED="$(FUZZ_SEED)" "$(BIN)/pytest" -q tests/stream/test_nonsense.py

format: setup ## rewrite the code as `check` wants it
	"$(BIN)/ruff" format .
	"$(BIN)/ruff" check --fix .

lock: setup ## write requirements.lock and local/kafka-jars.lock anew
	@sh scripts/lock.sh

clean: ## remove the environment, what was fetched, caches; data of `make run` stay (gridtick reset --yes)
	rm -rf .venv .stack build *.egg-info .ruff_cache .hypothesis .import_linter_cache bench-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
