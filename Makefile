# SPDX-License-Identifier: GPL-2.0-only
#
# "make help" says what can be made.

VERSION := 0.1.0

BUILD ?= build
KDIR ?= /lib/modules/$(shell uname -r)/build

PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DESTDIR ?=

CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 -Wall -Wextra -Werror -Wmissing-prototypes
override CPPFLAGS += -Iinclude -Ilibxenrelay -D_GNU_SOURCE -DXBLK_VERSION='"$(VERSION)"'
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

.PHONY: all programs modules install install-programs install-modules clean help
.PHONY: demo check

all: programs modules

help:
	@echo 'make                    programs, and modules for the running kernel'
	@echo 'make programs           xblktrace, xblkparse and libxenrelay'
	@echo 'make modules KDIR=DIR   xenrelay.ko, xblk-guest.ko, xblk-dom0.ko for another kernel'"'"'s headers'
	@echo 'make install            both, below PREFIX ($(PREFIX)) and /lib/modules; DESTDIR is honoured'
	@echo 'make demo               a Xen host in QEMU: trace a guest'"'"'s I/O and show the stages'
	@echo 'make check              unit tests, fuzzers and the lab (about 20 minutes)'
	@echo 'make lint               sparse, clang-format and the man pages'
	@echo 'make clean              remove $(BUILD)/'
	@echo 'tests/lab/run NAME      one scenario; -i leaves a shell in dom0'

# --- programs ---------------------------------------------------------------

RELAY_SRC := $(wildcard libxenrelay/*.c)
TRACE_SRC := $(wildcard xblktrace/*.c)
PARSE_SRC := $(wildcard xblkparse/*.c)
RELAY_LIBS := -lxenstore -lxengnttab
TRACE_LIBS := $(RELAY_LIBS) -ljansson -lxxhash
PARSE_LIBS := -ljansson -lxxhash

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

programs: $(BUILD)/bin/xblktrace $(BUILD)/bin/xblkparse

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/lib/libxenrelay.a: $(call objects,$(RELAY_SRC))
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/bin/xblktrace: $(call objects,$(TRACE_SRC)) $(BUILD)/lib/libxenrelay.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TRACE_LIBS)

$(BUILD)/bin/xblkparse: $(call objects,$(PARSE_SRC))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PARSE_LIBS)

# --- modules ----------------------------------------------------------------
#
# Kbuild writes beside the sources, so each kernel and each side builds in a
# copy of its own; the modules end up in $(BUILD)/modules/<release>/.

KRELEASE = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
MODULES = $(BUILD)/modules/$(KRELEASE)

modules:
	@test -n '$(KRELEASE)' || { echo 'make: no kernel headers in $(KDIR):' \
		'install linux-headers-$$(uname -r) or say KDIR=DIR' >&2; exit 1; }
	@for side in guest dom0; do \
		mkdir -p $(MODULES)/$$side && \
		cp -ru include kmod-common kmod-$$side $(MODULES)/$$side/ && \
		$(MAKE) --no-print-directory -C $(KDIR) W=1 $(KFLAGS) \
			M=$(abspath $(MODULES))/$$side/kmod-$$side modules && \
		cp -u $(MODULES)/$$side/kmod-$$side/*.ko $(MODULES)/ || exit 1; \
	done

# --- install ----------------------------------------------------------------

install: install-programs install-modules

install-programs: programs
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR)
	install -m 755 $(BUILD)/bin/xblktrace $(DESTDIR)$(SBINDIR)/
	install -m 755 $(BUILD)/bin/xblkparse scripts/xblk-plot $(DESTDIR)$(BINDIR)/
	for page in man/*.[1578]; do \
		install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; \
	done

install-modules: modules
	install -d $(DESTDIR)/lib/modules/$(KRELEASE)/extra
	install -m 644 $(MODULES)/*.ko $(DESTDIR)/lib/modules/$(KRELEASE)/extra/
	$(if $(DESTDIR),,depmod $(KRELEASE))

clean:
	rm -rf $(BUILD)

# --- the lab's kernels ------------------------------------------------------

headers = $(shell ls -d /lib/modules/$(1).*/build 2>/dev/null | sort -V | tail -n 1)

lab-modules-%:
	+@$(MAKE) --no-print-directory modules KDIR=$(call headers,$*)

# --- tests ------------------------------------------------------------------

demo:
	scripts/demo

check:
	tests/check

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
