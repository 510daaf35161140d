# SPDX-License-Identifier: GPL-2.0
# For people; the kernel's build reads Kbuild.  See "make help".

KDIR ?= /lib/modules/$(shell uname -r)/build
KBUILD = $(MAKE) -C "$(KDIR)" M="$(CURDIR)"

VERBOSITY = $(if $(VERBOSE),--verbose)
WHICH = $(if $(KERNEL),--kernel "$(KERNEL)")

.DEFAULT_GOAL := modules

all: modules

modules:
	@scripts/kdir-check "$(KDIR)"
	$(KBUILD) modules

modules_install:
	@scripts/kdir-check --headers "$(KDIR)"
	$(KBUILD) modules_install

clean:
	@scripts/kdir-check --headers "$(KDIR)"
	$(KBUILD) clean

toolchain-build: python3
	scripts/toolchain $(WHICH) module

deb rpm: python3
	@scripts/package $(VERBOSITY) $(KERNEL:%=--kernel %) $(if $(KEY),--key "$(KEY)") \
		$(if $(CERT),--cert "$(CERT)") $@

demo: python3
	@scripts/demo $(if $(MACHINE),--machine $(MACHINE)) $(VERBOSITY) $(WHICH)

# Both, even if the figures of the first cannot be trusted.
bench: python3
	@status=0; for machine in vmx svm; do \
		scripts/measure --machine $$machine || status=$$?; \
	done; exit $$status

check: python3
	@scripts/check $(VERBOSITY)

check-quick: python3
	@scripts/check --quick $(VERBOSITY)

check-long: python3
	@scripts/check --long $(VERBOSITY)

figures: python3
	@scripts/figures

# The only thing that the scripts need of this machine and cannot get themselves.  The container is
# that of scripts/bench/toolchain/ways.py.
python3: export CONTAINER = podman run --rm -it --security-opt label=disable -v "$$PWD":/src -w /src \
	-v raw_hrtimer:/root/.cache debian:trixie sh -c 'apt-get update && apt-get -y install make && make demo'
python3:
	@command -v python3 >/dev/null && exit; \
	lacks="This machine has no python3"; \
	if ! command -v apt-get >/dev/null; then \
		help=" and no apt-get to install it: run this in a container: $$CONTAINER"; \
	elif [ "$$(id -u)" != 0 ]; then \
		help=", which 'sudo apt-get install python3' brings"; \
	else \
		echo "$$lacks: installing it with apt-get" >&2; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get -q update && apt-get -q -y --no-install-recommends install python3 && exit; \
		help=" and apt-get could not install it, as is said above"; \
	fi; \
	echo "$$lacks$$help" >&2; exit 1

help:
	@echo 'On a machine whose kernel has CONFIG_RUST and complete headers:'
	@echo '  modules          build raw_hrtimer.ko for the running kernel (default; also: all)'
	@echo '  modules_install  install it under /lib/modules (INSTALL_MOD_PATH=... before it)'
	@echo '  clean            remove what the build made'
	@echo '                   KDIR=... for another kernel; now $(KDIR)'
	@echo
	@echo 'On any Debian 12 or 13, as root, as an ordinary user or in a container (VERBOSE=1 says why'
	@echo 'not in another way); what they need is fetched and kept in ~/.cache/raw_hrtimer:'
	@echo '  demo             show the fault and its cure in an emulated VMX machine; with MACHINE=host'
	@echo '                   in one of KVM on this processor (see Documentation/machines.rst)'
	@echo '  bench            measure it beside what is done without it; takes 45 minutes'
	@echo '  check            run the tests, but for those that take long'
	@echo '  check-quick      run what needs no machine, and each machine once: two minutes'
	@echo '  check-long       run all tests: a day and more'
	@echo '  figures          bring the figures in the documents up to date with the last results'
	@echo '  toolchain-build  build raw_hrtimer.ko for the newest Debian cloud kernel'
	@echo '                   KERNEL=... in this and in demo: another one, as scripts/vm --kernel'
	@echo '  deb, rpm         packages of it in build/packages, for machines without a compiler;'
	@echo '                   KERNEL=$$(uname -r) for another kernel of Debian, or several; KEY=key.pem'
	@echo '                   CERT=cert.pem sign the module'

.PHONY: all modules modules_install clean toolchain-build deb rpm demo bench check check-quick check-long figures python3 help
