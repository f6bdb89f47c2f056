# The two commands of the README are `make run` and `make test`; both set up what they need in .venv.
.DELETE_ON_ERROR:
.PHONY: run test lint unit bench bench-report crash-test fuzz demo-api clean

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

run: $(VENV)/.installed
	@echo '$$ costkit estimate examples/support-agent.json -n 1000 --offline'
	@$(BIN)/costkit estimate examples/support-agent.json -n 1000 --offline
	@echo
	@echo '$$ costkit report examples/usage.jsonl'
	@$(BIN)/costkit report examples/usage.jsonl

test: lint unit

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

unit: $(VENV)/.installed-dev
	$(BIN)/python -m pytest

bench: $(VENV)/.installed-dev
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/report_memory.py
	$(BIN)/python bench/batch_memory.py
	$(BIN)/python bench/simulate.py
	$(BIN)/python bench/track_overhead.py 400
	$(BIN)/python bench/cache_plan.py
	$(BIN)/python bench/route_evidence.py
	$(BIN)/python bench/token_speed.py

# Reports of gigabytes beside DuckDB, polars, orjson and ccusage: make bench-report MB=1000
MB := 1000
bench-report: $(VENV)/.installed-dev
	@$(PIP) install --group bench
	$(BIN)/python bench/report_speed.py --megabytes $(MB)

# Kills submit and collect at N random instants each, with a network that fails: make crash-test N=1000
N := 200
crash-test: $(VENV)/.installed-dev
	COSTKIT_CRASH_RUNS=$(N) $(BIN)/python -m pytest tests/crash

# Reads N damaged lines, half of them copies of the lines in a folder of real logs: make fuzz N=1000000 LOGS=~/.claude/projects
LOGS :=
fuzz: $(VENV)/.installed-dev
	COSTKIT_FUZZ_LINES=$(N) COSTKIT_FUZZ_LOGS=$(LOGS) $(BIN)/python -m pytest tests/fuzz

# A stand-in for the API on loopback, to try everything without a key.
demo-api: $(VENV)/.installed
	@$(BIN)/python tests/api_server.py

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# A virtual environment whose Python has gone is made anew.
$(VENV)/.installed: pyproject.toml .ci/find-python
	@$(BIN)/python -c '' 2>/dev/null || { rm -rf $(VENV); python=$$(.ci/find-python) && echo "setting up with $$python" && "$$python" -m venv $(VENV); }
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install --editable .
	@$(BIN)/python -m compileall -q costkit  # an editable install is not compiled, and the first runs would pay for it
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PIP) install --group dev
	@touch $@
