# make demo | test | lint | bench | fuzz | messages | pictures | wheels | portable | wheels-check | test-old-browser | clean
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test lint wheels messages bench fuzz pictures portable wheels-check test-old-browser clean

$(VENV)/.run: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --upgrade pip  # Debian's takes minutes for a second install
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(VENV)/.run
	$(BIN)/riskmap run configs/jinan.yaml

test: $(VENV)/.dev
	@sh tests/debian.sh
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m numpydoc lint $$(git ls-files 'riskmap/*.py')
	@sh tests/types.sh

# A folder of wheels for a machine without network: see the README.
wheels: $(VENV)/.run
	rm -rf wheels
	$(BIN)/python -m pip wheel --quiet --constraint constraints.txt --wheel-dir wheels .

messages: $(VENV)/.dev
	for po in riskmap/locale/*/LC_MESSAGES/*.po; do $(BIN)/pybabel -q compile -i $$po -o $${po%.po}.mo; done

bench: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python benchmarks/run.py

# Ten minutes of damaged input; RISKMAP_FUZZ_SEED=N tries others. CI takes 60 s.
FUZZ_S ?= 600
fuzz: $(VENV)/.dev
	RISKMAP_FUZZ_S=$$(( $(FUZZ_S) / 4 )) $(BIN)/python -m pytest -q -n 0 -s tests/fuzz

# A folder that an office without network or rights unpacks and double-clicks: see the README. Needs the package index.
ARCH ?= win_amd64
portable: $(VENV)/.dev
	$(BIN)/python portable/build.py --arch $(ARCH)

wheels-check: $(VENV)/.dev
	$(BIN)/python portable/build.py --wheels-check

# The page in Chromium 109, the age of the browsers in the offices; needs npm and node.
test-old-browser: $(VENV)/.dev
	RISKMAP_CHROMIUM="$$(sh tests/browser109.sh)" $(BIN)/python -m pytest -n 2 tests/export/onemap

pictures: $(VENV)/.dev demo
	$(BIN)/python docs/make_pictures.py

clean:
	rm -rf $(VENV) outputs/*/ wheels portable/build .chromium109
