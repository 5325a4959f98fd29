# SPDX-License-Identifier: Apache-2.0
# A thin face over CMake's presets and tools/: a verb a line, nothing hidden here.
PRESET ?= release

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

setup: ## install what is missing (Debian packages) and say what the kernel lacks
	@tools/setup.sh

build: setup ## build with the release preset: build/bin/weft, build/cni/<plugin>
	@tools/build.sh $(PRESET)

demo: setup ## build only what it runs; run a 3-node cluster that carries a real application, show it, remove it
	@tools/build.sh $(PRESET) programs
	@python3 tools/demo.py

test: build ## run every test (as root)
	@tools/test.sh $(PRESET)

test-vm: build ## run the tests once more on Debian's 6.1 kernel under qemu
	@tools/setup.sh vm
	@tests/vm/test.sh

lint: setup ## check format, layers, licence lines and clang-tidy
	@tools/setup.sh lint
	@tools/lint.sh
	@tools/build.sh release && python3 tools/tidy.py build/release

format: ## format the sources in place
	@tools/setup.sh lint
	@git ls-files -z '*.cpp' '*.h' | xargs -0 clang-format-14 -i

bench: build ## measure the claims and print ratios (under 5 minutes)
	@bench/run.sh

clean: ## remove the build directory
	rm -rf build

.PHONY: help setup build demo test test-vm lint format bench clean
.DEFAULT_GOAL := help
