# SPDX-License-Identifier: GPL-2.0
#
# Delegates only: user/ is built by CMake, kmod/ by Kbuild, the rest by scripts/.

KVER    ?= $(shell uname -r)
PREFIX  ?= /usr/local
DESTDIR ?=
TESTS   ?=
CHECKS  ?=

# The kernel of the test VM; empty: what this Debian installs.
KERNEL  ?=

.DEFAULT_GOAL := help
.PHONY: help all user module deps demo test test-debug bench lint install uninstall clean

help:
	@echo 'make demo       a first look: load the module and a guest in the test VM'
	@echo 'make test       all tests, on this host and in the test VM'
	@echo 'make test-debug tests of the driver, and of the detectors, on a kernel that reports defects'
	@echo 'make bench      instructions per command, through the module and without it'
	@echo 'make all        build everything for the test VM'
	@echo 'make user       build the tool, its tests and the sample guests: build/bin, build/guest'
	@echo 'make module     build the modules for the kernel KVER: build/kmod/$$KVER/vmctl.ko, nuke/nuke.ko'
	@echo 'make lint       check the sources: style, static analysis'
	@echo 'make install    install tool, module and udev rule: PREFIX, DESTDIR, KVER'
	@echo 'make uninstall  remove what make install made'
	@echo 'make clean      remove build/'
	@echo
	@echo 'demo, test and lint first install missing packages (scripts/deps --dry-run names them).'
	@echo 'KERNEL=6.1, 6.12, 7.2 or debug chooses the kernel of the test VM; TESTS the options of tests/run;'
	@echo 'CHECKS some of the checks of scripts/lint.'
	@echo 'scripts/testvm -- COMMAND runs any command in the test VM.'

all: user
	@scripts/module $(KERNEL) >/dev/null

user: build/user/build.ninja
	@cmake --build build/user

build/user/build.ninja: | deps
	cmake -S user -B build/user -G Ninja

module:
	@scripts/module $(KVER)

deps:
	@scripts/deps

# Without the tests, which take longer to build than all the rest.
demo: deps build/user/build.ninja
	@cmake --build build/user --target vmctl guests
	@scripts/testvm $(if $(KERNEL),--kernel $(KERNEL)) --no-module -- scripts/demo

test: deps
	@$(MAKE) --no-print-directory all
	@tests/run $(if $(KERNEL),--kernel $(KERNEL)) $(TESTS)

# The kernel is built first where it is not there: some minutes.
test-debug: deps
	@$(MAKE) --no-print-directory all KERNEL=debug
	@tests/run --kernel debug --suite lab --suite kmod --suite e2e $(TESTS)

bench: deps
	@$(MAKE) --no-print-directory all
	@scripts/testvm $(if $(KERNEL),--kernel $(KERNEL)) --icount -- bench-exits

lint:
	@scripts/deps --lint
	@$(MAKE) --no-print-directory user
	@scripts/lint $(CHECKS)

install uninstall:
	@scripts/install $@ '$(DESTDIR)' '$(PREFIX)' '$(KVER)'

clean:
	rm -rf build
