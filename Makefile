# Everything a user or a developer types. Each recipe works from a fresh clone: it sets up what it needs.

PYTHON ?= python3
BIN := .venv/bin
UNIT := not stack and not e2e

# The long form of the fault test: 9 faults are a round (5 workers, 2 bridges, 2 times Redis emptied).
CHAOS_TICKS ?= 500000
CHAOS_DOCUMENTS ?= 100
CHAOS_FAULTS ?= 90
CHAOS_SEED ?= 1
# More options of the benchmark, e.g. make bench BENCH="--peers DIR --peer-python PATH --flink DIR"
BENCH ?=

.DEFAULT_GOAL := help
.PHONY: help setup run check types test unit stack-test e2e bench bench-short chaos lock format clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: ## the environment .venv and Kafka (nothing to do the second time)
	@"$(PYTHON)" scripts/setup.py

run: setup ## start everything with the demo feed; Ctrl-C stops it
	@exec "$(BIN)/gridtick" up

check: setup ## format, lint, types, import contracts, unit tests: no servers, under a minute
	"$(BIN)/ruff" format --check .
	"$(BIN)/ruff" check .
	"$(BIN)/lint-imports"
	@$(MAKE) --no-print-directory -j2 --output-sync=target types unit

types:
	"$(BIN)/basedpyright"

unit:
	"$(BIN)/pytest" -q -n 2 --dist loadfile -m "$(UNIT)"

test: export HYPOTHESIS_PROFILE = thorough
test: check stack-test e2e bench-short ## all of it: check, real servers, end to end, short benchmarks

stack-test: setup ## tests on the real servers
	"$(BIN)/pytest" -q -n 2 --dist loadfile -m "stack and not e2e"

e2e: setup ## the whole system under kill -9
	"$(BIN)/pytest" -q -n 2 --dist loadfile --no-loadscope-reorder -m e2e --durations=12

bench-short: setup ## the benchmarks in their short forms
	"$(BIN)/gridtick" bench pipeline --ticks 50000 --rounds 1
	"$(BIN)/gridtick" bench parse --scale 0.02 --rounds 1
	"$(BIN)/gridtick" bench enrich --ticks 20000 --instruments 5000 --rounds 1
	"$(BIN)/gridtick" bench backfill --nodes 1000 --stored 4 --rounds 1 --prices 500000
	"$(BIN)/gridtick" bench api --rounds 1 --seconds 0.3 --ticks 12

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

chaos: setup ## the long form of the kill test
	CHAOS_TICKS="$(CHAOS_TICKS)" CHAOS_DOCUMENTS="$(CHAOS_DOCUMENTS)" CHAOS_FAULTS="$(CHAOS_FAULTS)" \
		CHAOS_SEED="$(CHAOS_SEED)" "$(BIN)/pytest" -q -m e2e tests/e2e/test_faults.py

format: setup ## rewrite the code as `check` wants it
	"$(BIN)/ruff" format .
	"$(BIN)/ruff" check --fix .

lock: setup ## write requirements.lock and local/kafka-jars.lock anew
	@sh scripts/lock.sh

clean: ## remove the environment, what was fetched, caches; data of `make run` stay (gridtick reset --yes)
	rm -rf .venv .stack build *.egg-info .ruff_cache .hypothesis .import_linter_cache bench-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
