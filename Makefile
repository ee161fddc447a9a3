# SPDX-License-Identifier: GPL-2.0
#
# Delegates only: user/ is built by CMake, kmod/ by Kbuild, the rest by scripts/.

KVER    ?= $(shell uname -r)
PREFIX  ?= /usr/local
DESTDIR ?=
TESTS   ?=
CHECKS  ?=
TIME    ?= 600
TIMES   ?= 20
NAME    ?=

# The kernel of the test VM; empty: what this Debian installs.
KERNEL  ?=

# Sanitizers of the user side: asan,ubsan or tsan; each choice is built in a folder of its own.
SAN     ?=
comma   := ,
SANDIR   = build/san/$(subst $(comma),-,$(SAN))
SANFLAG  = $(subst asan,address,$(subst ubsan,undefined,$(subst tsan,thread,$(SAN))))

.DEFAULT_GOAL := help
.PHONY: help all user module deps demo test test-all test-san test-debug coverage-kmod soak races again fuzz matrix gallery linux linux-guests kut bench bench-linux lint coverage install uninstall clean

help:
	@echo 'make demo       a first look: load the module and a guest in the test VM'
	@echo 'make test       all tests, on this host and in the test VM'
	@echo 'make matrix     the tests of the VM on every kernel, as a table'
	@echo 'make gallery    guests that prove a fact each, in the test VM and here, as a table'
	@echo 'make linux      boots a Linux kernel of Debian in the test VM under vmctl, to a shell'
	@echo 'make kut        verdicts of kvm-unit-tests under vmctl beside those under QEMU, as a table'
	@echo 'make test-debug tests of the driver, and of the detectors, on a kernel that reports defects'
	@echo 'make coverage-kmod  which lines of the driver the tests reach, on that kernel, as a table'
	@echo 'make soak       processes that come and go in every way, for TIME seconds (600)'
	@echo 'make races      a million tries of each race against what the driver checks: some hours'
	@echo 'make again      the tests of the VM TIMES times in a row (20)'
	@echo 'make fuzz       the parsers of the user side under libFuzzer: NAME=one or all, TIME seconds each (60)'
	@echo 'make bench      instructions per command, through the module and without it'
	@echo 'make bench-linux  time to init, memory and exits of Linux under vmctl, QEMU and kvmtool'
	@echo 'make all        build everything for the test VM'
	@echo 'make user       build the tool, its tests and the sample guests: build/bin, build/guest'
	@echo 'make module     build the modules for the kernel KVER: build/kmod/$$KVER/vmctl.ko, nuke/nuke.ko'
	@echo 'make lint       check the sources: style, static analysis'
	@echo 'make coverage   which lines of the user side the tests reach, as a table; less than 90 % is an error'
	@echo 'make install    install tool, module and udev rule: PREFIX, DESTDIR, KVER'
	@echo 'make uninstall  remove what make install made'
	@echo 'make clean      remove build/'
	@echo
	@echo 'demo, test and lint first install missing packages (scripts/deps --dry-run names them).'
	@echo 'KERNEL=6.1, 6.12, 7.2, debug or all chooses the kernel of the test VM; TESTS the options of'
	@echo 'tests/run; CHECKS some of the checks of scripts/lint; SAN=asan,ubsan or SAN=tsan tests the user'
	@echo 'side with sanitizers.'
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

test: deps linux-guests $(if $(SAN),test-san,test-all)

# With all kernels, what no kernel changes runs once.
test-all:
	@$(MAKE) --no-print-directory all $(if $(filter all,$(KERNEL)),KERNEL=)
ifeq ($(KERNEL),all)
	@tests/run --suite harness --suite unit --suite fuzz --suite abi --suite gallery-host \
		--suite icount --suite testvm $(TESTS)
	@tests/matrix
else
	@tests/run $(if $(KERNEL),--kernel $(KERNEL)) $(TESTS)
endif

matrix: deps
	@$(MAKE) --no-print-directory all
	@tests/matrix

# The module is what it is.
test-san:
	@cmake -S user -B $(SANDIR)/user -G Ninja -DVMCTL_SANITIZE='$(SANFLAG)' -DVMCTL_KMOD_TESTS=OFF
	@cmake --build $(SANDIR)/user
	@scripts/module $(KERNEL) >/dev/null
	@VMCTL_BUILD=$(SANDIR) tests/run --user $(if $(KERNEL),--kernel $(KERNEL)) $(TESTS)

gallery: deps build/user/build.ninja
	@cmake --build build/user --target vmctl guests
	@scripts/module $(KERNEL) >/dev/null
	@tests/gallery $(if $(KERNEL),--kernel $(KERNEL))

# What cases with Linux guests want beside the test VM's own kernel; else they are skipped.
linux-guests: deps
	@for kernel in 6.12 7.2; do scripts/kernel $$kernel >/dev/null || true; done
	@scripts/debian-disk >/dev/null || true

linux: deps build/user/build.ninja
	@cmake --build build/user --target vmctl
	@scripts/testvm $(if $(KERNEL),--kernel $(KERNEL)) -- tests/linux/shell

# VMCTL_KVM_UNIT_TESTS: the folder with the images.
kut: deps
	@$(MAKE) --no-print-directory all
	@tests/kut/table $(if $(KERNEL),--kernel $(KERNEL))

# The kernel is built first where it is not there: some minutes.
test-debug: deps
	@$(MAKE) --no-print-directory all KERNEL=debug
	@tests/run --kernel debug --suite lab --suite kmod --suite e2e --suite linux $(TESTS)

# Some of these tests want more than a slow host has; test-debug judges them.
coverage-kmod: deps
	@$(MAKE) --no-print-directory all KERNEL=debug
	@tests/kcov/run $(TESTS)

soak: deps
	@$(MAKE) --no-print-directory all
	@VMCTL_SOAK=$(TIME) tests/run --suite kmod --filter 'Soak.*:CloseOrder.*' --verbose $(if $(KERNEL),--kernel $(KERNEL)) $(TESTS)

# VMCTL_SOAK: each may take two hours more than other tests may.
races: deps
	@$(MAKE) --no-print-directory all
	@VMCTL_SOAK=7200 tests/run --suite kmod --filter 'Desk.*:Nested.*' --verbose $(if $(KERNEL),--kernel $(KERNEL)) $(TESTS)

again: deps
	@$(MAKE) --no-print-directory all
	@tests/run --times $(TIMES) --suite kmod --suite e2e --suite linux --suite gallery $(if $(KERNEL),--kernel $(KERNEL)) $(TESTS)

fuzz:
	@scripts/deps --fuzz
	@scripts/fuzz $(NAME) $(if $(NAME),$(if $(filter file,$(origin TIME)),60,$(TIME)))

bench: deps
	@$(MAKE) --no-print-directory all
	@scripts/testvm $(if $(KERNEL),--kernel $(KERNEL)) --icount -- bench-exits

# kvmtool's lkvm is measured, too, where PATH has it.
bench-linux: deps
	@$(MAKE) --no-print-directory all
	@scripts/testvm $(if $(KERNEL),--kernel $(KERNEL)) --timeout 3000 -- env PATH="$(CURDIR)/build/bin:$$PATH" tools/bench-linux

lint:
	@scripts/deps --lint
	@$(MAKE) --no-print-directory user
	@scripts/lint $(CHECKS)

coverage:
	@scripts/deps --coverage
	@scripts/module $(KERNEL) >/dev/null
	@scripts/coverage $(if $(KERNEL),--kernel $(KERNEL)) $(TESTS)

install uninstall:
	@scripts/install $@ '$(DESTDIR)' '$(PREFIX)' '$(KVER)'

clean:
	rm -rf build
