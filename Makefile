# Every target sets up what it needs in .venv, from nothing: `make demo` is all there is to type.
PYTHON ?= python3
PIP = .venv/bin/python -m pip --disable-pip-version-check
# One process a core, with one thread each: two threads of one process gain far less.
PYTEST = OMP_NUM_THREADS=1 .venv/bin/python -m pytest --numprocesses auto --dist loadfile

.PHONY: demo test test-slow test-browser test-html test-kills test-all check docs site-reports \
  bench bench-gpu bench-gpu-export bench-memory bench-explain bench-rules \
  bench-attribution bench-motifs bench-models
.DELETE_ON_ERROR:

demo: .venv/.installed
	.venv/bin/motiflens demo

test: .venv/.installed-dev
	$(PYTEST)

test-slow: .venv/.installed-dev
	$(PYTEST) -m slow

# Every command in tiles killed ten times at random moments.
test-kills: .venv/.installed-dev
	KILLS=10 $(PYTEST) -m slow tests/test_long_commands.py -k killed

# The pages in both languages, light and dark, wide and on a phone.
test-browser: .venv/.installed-dev
	PAGES=all $(PYTEST) -m slow tests/test_pages_in_browser.py

# Every page by the Nu validator of HTML, a package of npm that needs Java.
test-html: .venv/.installed-dev .venv/vnu
	$(PYTEST) -m slow tests/test_valid_html.py

test-all: .venv/.installed-dev
	$(PYTEST) -m ""

check: .venv/.installed-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

# Notebooks are run, and a cell that fails is an error; finished reports are shown where they are.
docs: .venv/.installed-dev
	OMP_NUM_THREADS=1 .venv/bin/python -m scripts.notebooks runs/site/notebooks
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict

# The finished reports that the site shows, of data in ../shared/data: a quarter of an hour of two cores.
site-reports: .venv/.installed
	.venv/bin/python -m scripts.site_reports ../shared/data

# Ours beside others, every row of docs/evidence/speed.md but those of a GPU: half an hour of two cores.
bench: .venv/.installed
	.venv/bin/python -m benchmarks

# What benchmarks.gpu needs on a machine with neither network nor data, into runs/bench-gpu.
bench-gpu-export: .venv/.installed
	.venv/bin/python -m benchmarks.gpu_export

bench-gpu: .venv/.installed bench-gpu-export
	.venv/bin/python -m benchmarks.gpu --old runs/bench-gpu/old --data $$(ls runs/bench-gpu/data/train.*) \
	  --test $$(ls runs/bench-gpu/data/test.*) --output runs/bench-gpu/gpu.json

bench-memory: .venv/.installed
	.venv/bin/python -m benchmarks.memory

bench-explain: .venv/.installed
	.venv/bin/python -m benchmarks.explain

bench-rules: .venv/.installed
	.venv/bin/python -m benchmarks.rules

bench-attribution: .venv/.installed
	.venv/bin/python -m benchmarks.attribution_speed

bench-motifs: .venv/.installed-dev
	.venv/bin/python -m benchmarks.motifs

# Learning curves of cnn, attention, hybrid and transformer; stopped, it goes on where it was.
bench-models: .venv/.installed
	.venv/bin/python -m benchmarks.models

# A stamp is written last, so that a set-up cut short is taken up again.
.venv/.installed: pyproject.toml constraints.txt
	@rm -f .venv/.installed .venv/.installed-dev
	@command -v $(PYTHON) >/dev/null || { \
	  echo "motiflens needs Python 3.11 or newer, and there is no $(PYTHON); name yours: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "motiflens needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1); name another: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) install -c constraints.txt -e .
	@touch $@

.venv/vnu: | .venv/.installed
	npm install --prefix .venv/vnu --ignore-scripts --no-audit --no-fund vnu-jar@26.9.27

.venv/.installed-dev: .venv/.installed
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@
