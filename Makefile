# Every target sets up what it needs by itself: Python 3.11 or newer (with venv) and make are all that must be there.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
# Most tests on clusters wait for pods and pauses: more of them at a time than there are processors.
PYTEST := $(BIN)/python -m pytest -n 4 --dist worksteal

.PHONY: install demo test test-kube model check format bench clean
install: $(INSTALLED)

$(INSTALLED): requirements-dev.txt constraints.txt core/pyproject.toml $(wildcard plugins/*/pyproject.toml) core/src/sluicegate/_version.py
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt
	touch $@

demo: install
	$(BIN)/sluicegate demo

test: install
	$(PYTEST)

# A kubeconfig in SLUICEGATE_TEST_KUBECONFIG is used instead of building a control plane, which needs Go.
test-kube: install
	$(BIN)/python -m tests.clusters require-real
	$(PYTEST) --cluster=real tests/controller tests/traces tests/walkthrough

# Random stories, other ones in each run (about an hour and a quarter of processor time): for the night.
model: install
	SLUICEGATE_MODEL_SEQUENCES=100000 $(PYTEST) tests/model

check: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The figures of a real control plane, for which Go builds one, take ten minutes. SLUICEGATE_BENCH=small does the same with a handful
# of Rollouts on an embedded cluster.
bench: install
	$(BIN)/python -m pytest -q -s tests/scale
	$(BIN)/python -m tests.scale

clean:
	rm -rf .venv
