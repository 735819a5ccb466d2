# Everything the project does, by one word; `make` alone lists the words.
#   PYTHONS="3.11 3.13"   only these Pythons, of those `make pythons` lists (all, when not given)
#   PYTHON=path           the Python that starts it all, and for which is done what is done once
#   ARGS="-k timeout"     more arguments for the program that the target runs
#   FUZZ_SECONDS=600      how long `make fuzz` runs each target; FUZZ_RUNS=10000000: how often
#   TESTS="test_httplib"  the interpreter's own test modules to take for conformance

PYTHON ?=
PYTHONS ?=
ARGS ?=
TESTS ?=
export PYTHONS

candidates := $(or $(PYTHON),python3 python3.15 python3.14 python3.13 python3.12 python3.11)
python := $(shell for python in $(candidates); do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
too_old = oxisocket needs Python 3.11 or newer, and none of these is: $(candidates). \
	Next: install one (on Debian: apt-get install python3 python3-venv; with pyenv: pyenv install 3.13), \
	or name yours: make PYTHON=/path/to/python3
pythons = $(or $(python),$(error $(too_old))) tests/pythons
rooms = $(or $(python),$(error $(too_old))) tests/rooms

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help pythons demo build wheel wheels wheelcheck again dated release test style lint format rooms pictures unit loom miri msrv deny fuzz pytest conformance differential torture nomemory refleaks sanitize storms processors bench ecosystem macos site clean

help: ## list the targets
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile; echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

pythons: ## list the Pythons of this machine
	@$(pythons) list

demo: ## build, install, run the tutorial's conversation, and draw it
	@$(pythons) build --default -- examples/demo.py $(or $(ARGS),target/demo)

build: ## build and install the package for each Python, in .venvs/3.x
	@$(pythons) build

wheel: build ## the same, and say where the wheels are
	@ls target/wheels/*/*.whl

wheels: ## those that are released, with the source distribution, in dist/; needs rustup; ARGS="3.14t musllinux_1_2_aarch64" for some
	@$(wheels) build $(ARGS)

wheelcheck: ## try what is in dist/ here, in Debian 11, on arm64 and with musl; writes the README's table; needs root
	@$(wheels) check $(ARGS)

again: ## build wheels once more from the source distribution, elsewhere: the bytes must be the same
	@$(wheels) again $(ARGS)

dated: ## give the version its date in the changelog, today's
	@$(wheels) dated

release: ## whether this commit can be released: its tag, the version and the changelog agree
	@$(wheels) release

wheels = $(pythons) build --default --no-package --with wheels -- tests/wheels

# The storm of threads that close sockets under each other finds in half a minute what it misses in three seconds.
test: export OXISOCKET_STORM ?= 30
test: lint msrv unit loom miri pytest conformance ## everything below, down to conformance

style: ## formatting, ruff, and no circle of files: the part of lint that takes seconds
	@$(rooms) --check
	@$(pythons) cargo -- fmt --check
	@$(pythons) cargo -- fmt --check --manifest-path benches/bare/Cargo.toml
	@$(pythons) cargo -- fmt --check --manifest-path tests/fuzz/Cargo.toml
	@$(pythons) build --default --no-package --with lint -- -m ruff check --quiet
	@$(pythons) build --default --no-package --with lint -- -m ruff format --check --quiet

lint: style ## the same, and clippy, mypy, the stub held to the module, macos, and deny where that is installed
	@$(pythons) cargo -- clippy --quiet --all-targets -- -D warnings
	@$(pythons) cargo --for free-threaded -- clippy --quiet --all-targets -- -D warnings
	@$(pythons) cargo -- clippy --quiet --manifest-path benches/bare/Cargo.toml --target-dir target/benches -- -D warnings
	@$(pythons) cargo -- clippy --quiet --manifest-path tests/fuzz/Cargo.toml --all-targets -- -D warnings
	@$(pythons) build --default --with lint -- -m mypy python tests/pythons examples
	@$(pythons) build --default --with lint -- -m mypy tests/rooms
	@MYPYPATH=tests/rooms $(pythons) build --default --with lint -- -m mypy tests/site
	@MYPYPATH=tests/pythons:tests/processors:tests/parts $(pythons) build --default --with lint -- -m mypy tests/wheels backend
	@$(pythons) build --default --with lint --with bench -- -m mypy benches
	@$(pythons) build --default --with lint -- -m mypy.stubtest oxisocket
	@$(MAKE) --no-print-directory macos
	@$(if $(cargo_deny),$(MAKE) --no-print-directory deny ARGS=,echo "without make deny: cargo-deny is not installed")

# Of a Mac's libraries it needs only Rust's own, because nothing is linked.
macos: ## whether it compiles for macOS: cargo check and clippy; needs rustup
	@$(pythons) cargo --for macos -- check --quiet --locked --all-targets
	@$(pythons) cargo --for macos -- clippy --quiet --locked --all-targets -- -D warnings

format: ## write the formatting that lint asks for
	@$(pythons) cargo -- fmt
	@$(pythons) cargo -- fmt --manifest-path benches/bare/Cargo.toml
	@$(pythons) cargo -- fmt --manifest-path tests/fuzz/Cargo.toml
	@$(pythons) build --default --no-package --with lint -- -m ruff check --fix --quiet
	@$(pythons) build --default --no-package --with lint -- -m ruff format --quiet

rooms: ## draw the rooms of src/ anew, as the code is now: docs/rooms.svg
	@$(rooms) --picture docs/rooms.svg

pictures: ## draw the conversation of the tutorial's two programs anew, from a real run: docs/conversation.svg
	@$(pythons) build --default -- tests/pictures

unit: ## the Rust tests, and the corpus of the fuzz targets
	@$(pythons) cargo -- test --quiet $(ARGS)
	@$(pythons) cargo -- test --quiet --manifest-path tests/fuzz/Cargo.toml --test corpus $(ARGS)

# Three preemptions make ten times as many orders, and take minutes.
loom: export LOOM_MAX_PREEMPTIONS ?= 2
loom: ## every order in which threads can enter, end, close and fork, with a GIL and without
	@$(pythons) cargo --for loom -- test --release --quiet --lib model $(ARGS) -- --show-output
	@$(pythons) cargo --for loom-free-threaded -- test --release --quiet --lib model $(ARGS) -- --show-output

# A test that asks the system something is told no, and goes on; the clock is Miri's own. A pointer made from a number is an error, and
# so is one that is aligned only by luck.
miri processors: export MIRIFLAGS ?= -Zmiri-isolation-error=hide -Zmiri-strict-provenance -Zmiri-symbolic-alignment-check
miri: ## the Rust tests that need no interpreter, under Miri, which finds undefined behaviour; needs rustup
	@$(pythons) cargo --for miri -- miri test --quiet --lib $(ARGS)

msrv: ## whether the oldest Rust that Cargo.toml promises can build it; needs rustup
	@$(pythons) cargo --for msrv -- check --quiet --locked --all-targets

# Only the database of advisories comes from the network; a test does not fetch it.
advisories = $(and $(wildcard $(or $(CARGO_HOME),$(HOME)/.cargo)/advisory-dbs/*/),advisories)
cargo_deny := $(shell command -v cargo-deny 2>/dev/null)

deny: ## licences, sources and advisories of the crates; needs cargo-deny
	@$(if $(cargo_deny),,echo "cargo-deny is missing. Next: cargo install cargo-deny --locked"; exit 1)
	@$(if $(advisories),,echo "skipped: advisories; there is no database of them here ('cargo deny fetch db' brings it)")
	@cargo deny --log-level warn --frozen check $(advisories) bans licenses sources $(ARGS)

fuzz: ## each byte that comes from outside, mutated: a minute for each target; needs rustup, and a C++ compiler
	@$(pythons) build --default -- tests/fuzz $(ARGS)

pytest: ## the Python tests but for `make ecosystem`, on each Python
	@$(pythons) build --with test -- -m pytest -n auto --ignore tests/ecosystem $(ARGS)

# What a part of the Pythons or other tests give, or one run among others, is no news for the documentation.
test: report = target/conformance/report.md
report = $(if $(PYTHONS)$(TESTS),target/conformance/report.md,docs/conformance.md)

conformance: ## the interpreter's own socket tests, on each Python; writes docs/conformance.md
	@rm -rf target/conformance; status=0; \
	$(pythons) build --with test -- tests/conformance $(TESTS) --json 'target/conformance/{version}.json' $(ARGS) || status=1; \
	$(pythons) build --default -- tests/conformance --merge target/conformance/*.json --report $(report) && exit $$status

differential: ## a million random calls on the stdlib's sockets and on ours
	@$(pythons) build --default --with test -- tests/differential $(ARGS)

torture: ## each system call fails in turn, with each of its errors, on the stdlib and on ours; needs cc
	@$(pythons) build --default --with test -- tests/torture $(ARGS)

nomemory: ## each allocation fails in turn, the interpreter's and the library's; needs cc for the latter
	@$(pythons) build --default --with test -- tests/memory $(ARGS)

refleaks: ## each call a thousand times, and test_socket with -R 3:3, under an interpreter that counts all references
	@$(pythons) build --for debug --with test -- tests/refleaks $(ARGS)

# The instruments: ARGS="address", "thread", "memcheck" for one of them.
sanitize: ## the tests under AddressSanitizer, ThreadSanitizer and valgrind's memcheck; needs rustup, gcc and valgrind
	@$(python) tests/sanitize $(ARGS)

storms: ## two minutes each: crowds, alarms, forks, no descriptors, 10,000 connections, killed peers, exits
	@$(pythons) build --default --with test -- tests/storms $(ARGS)

processors: ## the Rust and Python tests on i386, and on s390x and arm64 with qemu, and Miri for s390x; needs root
	@$(pythons) build --default --no-package -- tests/processors $(ARGS)
	@$(pythons) cargo --for big-endian -- miri test --quiet --lib

bench: export PYTHONS := $(or $(PYTHONS),3.11 3.13)
bench: ## measure the stdlib, oxisocket and the bare calls; writes docs/benchmarks.md
	@rm -rf target/benchmarks; \
	$(pythons) build --with bench -- benches --json 'target/benchmarks/{version}.json' $(ARGS) && \
	$(pythons) build --default --with bench -- benches --merge target/benchmarks/*.json --report docs/benchmarks.md

ecosystem: ## programs and libraries that stand on sockets; measures them for docs/ecosystem.md, but in CI
	@rm -rf target/ecosystem; \
	$(pythons) build --with test --with ecosystem -- -m pytest tests/ecosystem $(measured) $(ARGS) && \
	$(if $(measured),$(pythons) build --default -- tests/ecosystem/report.py target/ecosystem/*.json,true)

measured = $(if $(CI),,--times 'target/ecosystem/{version}.json')

site: ## the documentation as pages, with every name of the API, in target/site
	@$(pythons) build --default --with site -- tests/site $(ARGS)

clean: ## remove everything that was built
	rm -rf target dist .venvs .hypothesis .mypy_cache .pytest_cache .ruff_cache
