# make demo   installs what is missing, builds a release, runs the story, ends by itself
# make test   installs, builds (the previous version as well, see .ci/previous-build), runs all tests
# make test-upgrade   only the upgrade of a running cluster from the previous version
# make sim SEEDS=n [FIRST=seed] [LAYER=1|2]   whole clusters on virtual time; 2: with the real actors
# make chaos [CHAOS_MINUTES=5] [SEED=n]   faults on real processes, one after the other and mixed
# make bench-consensus   commits, leaders' deaths, restarts, beside etcd: build/bench/consensus.{json,md}
# make bench-migration [FULL=1]   live migrations beside QEMU's own ways: build/bench/migration.{json,md}
# make bench-queue   1,000 migrations of simulated guests over 125 agents: build/bench/many_migrations.{json,md}
# make guards [ONLY=id]   each guard taken away, its test seen to fail: build/guards/summary.json
# The rest is for developers: make build | format | lint | tidy | fuzz | clean

PRESET ?= dev
JOBS   ?= $(shell nproc)
DEMO_ARGS ?=
TEST_ARGS ?=
TIDY_ARGS ?=
SEEDS ?= 200
FIRST ?= 1
LAYER ?= 1
SIM_ARGS ?=
CHAOS_MINUTES ?= 35
SEED ?= 0
CHAOS_ARGS ?=
BENCH_ARGS ?=
ONLY ?=
GUARDS_ARGS ?=
FULL ?= 0

.PHONY: demo test test-upgrade sim chaos bench-consensus bench-migration bench-queue guards build install configure format lint tidy fuzz clean

install:
	@.ci/install

build/$(PRESET)/build.ninja: | install
	@cmake --preset $(PRESET)

build: install build/$(PRESET)/build.ninja
	@cmake --build --preset $(PRESET) -j $(JOBS)

demo: PRESET = release
demo: install
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target novacron guest_image
	@build/release/bin/novacron demo --folder build/demo $(DEMO_ARGS)

test: build
	@JOBS=$(JOBS) .ci/previous-build
	@ctest --test-dir build/$(PRESET) --output-on-failure $(TEST_ARGS)

test-upgrade: build
	@JOBS=$(JOBS) .ci/previous-build
	@ctest --test-dir build/$(PRESET) --output-on-failure -R integration/cluster_upgrade

sim: install
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target sim
	@build/release/tests/sim/sim --seeds $(SEEDS) --first $(FIRST) --layer $(LAYER) $(SIM_ARGS)

chaos: install
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target chaos
	@build/release/tests/chaos/chaos --minutes $(CHAOS_MINUTES) --seed $(SEED) $(CHAOS_ARGS)

bench-consensus: install
	@JOBS=$(JOBS) .ci/bench-consensus $(BENCH_ARGS)

guards: install
	@tests/guards/guards.py --jobs $(JOBS) $(if $(ONLY),--only '$(ONLY)') $(GUARDS_ARGS)

bench-migration: install
	@JOBS=$(JOBS) FULL=$(FULL) .ci/bench-migration $(BENCH_ARGS)

bench-queue: PRESET = release
bench-queue: install
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target novacron
	@tests/bench/many_migrations.py $(BENCH_ARGS)

format:
	@git ls-files '*.hpp' '*.cpp' | xargs clang-format -i

lint:
	@.ci/lint

# TIDY_ARGS: folders or files; without it, what differs from main.
tidy:
	@.ci/tidy $(TIDY_ARGS)

fuzz: install
	@.ci/fuzz

clean:
	@rm -rf build
