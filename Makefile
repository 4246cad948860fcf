# SPDX-License-Identifier: GPL-2.0-only
#
# "make help" says what can be made.

VERSION := $(shell sed -n 's/^.define XBLK_VERSION "\(.*\)"/\1/p' include/xblk/version.h)

# One name for each file, from wherever BUILD comes: what the compiler notes of an object in its .d file is of that name.
BUILD ?= build
override BUILD := $(abspath $(BUILD))
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
override CPPFLAGS += -Iinclude -Icommon -Ilibxenrelay -Ilibxblk -D_GNU_SOURCE
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

.PHONY: all programs modules examples install install-programs install-modules clean help
.PHONY: demo sched-compare check check-long lint bench-parse
.PHONY: bench-record bench-stream bench-clock bench-drain bench-channel bench-overhead bench-probes bench-modules bench-programs
.SECONDARY:

all: programs modules examples

help:
	@echo 'make                    programs, and modules for the running kernel'
	@echo 'make programs           xblktrace, xblkparse, libxenrelay and libxblk'
	@echo 'make modules KDIR=DIR   xenrelay.ko, xblk-guest.ko, xblk-dom0.ko for another kernel'"'"'s headers'
	@echo 'make examples           xblk-slowest, xr-sched.ko and xr-sched-read (see examples/README.md); KDIR=DIR likewise'
	@echo 'make install            both, below PREFIX ($(PREFIX)) and /lib/modules; DESTDIR is honoured'
	@echo 'make demo               a Xen host in QEMU: trace a guest'"'"'s I/O and show the stages'
	@echo 'make sched-compare      I/O schedulers in guest and dom0, compared in the lab (REPEATS=3)'
	@echo 'make check              unit tests, fuzzers and the lab (over half an hour)'
	@echo 'make check-long         the lab scenarios that take longest, and fifteen on other kernels; PART=1/3: a third of them'
	@echo 'make bench-parse        xblkparse against blkparse and btt (a few minutes)'
	@echo 'make lint               sparse, clang-tidy, clang-format, shellcheck and the man pages'
	@echo 'make bench-record       ns per record, beside LTTng-UST, a pipe and memcpy, on this machine (1 minute)'
	@echo 'make bench-stream       messages from one processor to another, beside libxenvchan, on this machine (1 minute)'
	@echo 'make bench-clock        what a reading of the clock costs, on one processor and on two, on this machine (seconds)'
	@echo 'make bench-drain        records/s that xblktrace moves from rings to /dev/null, on this machine (1 minute)'
	@echo 'make bench-channel      MB/s from guest to dom0, beside netfront and libxenvchan, in the lab'
	@echo 'make bench-overhead     what tracing costs a guest'"'"'s fio, beside blktrace, in the lab'
	@echo 'make bench-probes       instructions per record in the kernel'"'"'s probes, in the lab'
	@echo 'make clean              remove $(BUILD)/'
	@echo 'tests/lab/run NAME      one scenario; -i leaves a shell in dom0'

# --- programs ---------------------------------------------------------------

RELAY_SRC := ring/consumer.c $(wildcard libxenrelay/*.c)
COMMON_SRC := $(wildcard common/*.c)
TRACE_SRC := $(wildcard xblktrace/*.c) $(COMMON_SRC)
XBLK_SRC := $(wildcard libxblk/*.c libxblk/*/*.c)
PARSE_SRC := $(wildcard xblkparse/*.c xblkparse/*/*.c) $(COMMON_SRC)
RELAY_LIBS := -lxenstore -lxengnttab -lxenevtchn
TRACE_LIBS := $(RELAY_LIBS) -lxenhypfs -lxencall -ljansson -lxxhash -lzstd -lpthread
PARSE_LIBS := -ljansson -lxxhash -lzstd -lpthread

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

programs: $(BUILD)/bin/xblktrace $(BUILD)/bin/xblkparse $(BUILD)/lib/libxenrelay.so $(BUILD)/lib/libxblk.a

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/lib/libxenrelay.a: $(call objects,$(RELAY_SRC))
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^

# The shared library has objects of its own; its name without a number is for the linker.
RELAY_SONAME := libxenrelay.so.1

$(BUILD)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -MMD -MP -c -o $@ $<

$(BUILD)/lib/$(RELAY_SONAME): $(patsubst %.c,$(BUILD)/pic/%.o,$(RELAY_SRC)) libxenrelay/libxenrelay.map
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(RELAY_SONAME) -Wl,-z,defs \
		-Wl,--version-script=libxenrelay/libxenrelay.map -o $@ $(filter %.o,$^) $(RELAY_LIBS)

$(BUILD)/lib/libxenrelay.so: $(BUILD)/lib/$(RELAY_SONAME)
	ln -sf $(RELAY_SONAME) $@

$(BUILD)/bin/xblktrace: $(call objects,$(TRACE_SRC)) $(BUILD)/lib/libxenrelay.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TRACE_LIBS)

# All records are hashed here; the library itself does so with half as many instructions again.
$(BUILD)/obj/xblktrace/chunk.o: override CFLAGS += -O3

# A record passes through many small functions of several files; they become one where they are linked: with the usual
# limits each record takes 3 % more instructions. No call to memset() is made of what pool.h clears in place, and fields
# are not put together to be stored two at a time, which takes more instructions than it saves.
PARSE_CFLAGS ?= -O3 -flto=auto -fno-tree-loop-distribute-patterns -fno-tree-slp-vectorize \
	--param max-inline-insns-auto=200 --param inline-unit-growth=200
LTO_AR ?= gcc-ar

$(BUILD)/obj/libxblk/%.o $(BUILD)/obj/xblkparse/%.o: override CFLAGS += $(PARSE_CFLAGS)
$(BUILD)/bin/xblkparse $(BUILD)/obj/xblk.o: private override CFLAGS += $(PARSE_CFLAGS)

$(BUILD)/obj/libxblk.a: $(call objects,$(XBLK_SRC))
	@mkdir -p $(@D)
	rm -f $@
	$(LTO_AR) rcs $@ $^

$(BUILD)/bin/xblkparse: $(call objects,$(PARSE_SRC)) $(BUILD)/obj/libxblk.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PARSE_LIBS)

# The same for other programs: one object, which any linker takes, and in which only what xblk.h declares has a name.
$(BUILD)/obj/xblk.o: $(call objects,$(XBLK_SRC)) libxblk/libxblk.symbols
	$(CC) $(CFLAGS) -r -flinker-output=nolto-rel -nostdlib -o $@ $(filter %.o,$^)
	objcopy --keep-global-symbols=libxblk/libxblk.symbols $@

$(BUILD)/lib/libxblk.a: $(BUILD)/obj/xblk.o
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^

# --- modules ----------------------------------------------------------------
#
# Kbuild writes beside the sources, so each kernel and each side builds in a
# copy of its own; the modules end up in $(BUILD)/modules/<release>/.

KRELEASE = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
MODULES = $(BUILD)/modules/$(KRELEASE)

# $(call kbuild,COPY,DIRECTORY): the modules of one directory in one of the copies. Clients of xenrelay.ko are
# built where it was, with the versions of its symbols.
kbuild = $(MAKE) --no-print-directory -C $(KDIR) W=1 CONFIG_DEBUG_INFO_BTF_MODULES= $(KFLAGS) \
	M=$(MODULES)/$(1)/$(2) modules
XENRELAY_SYMBOLS = KBUILD_EXTRA_SYMBOLS=$(MODULES)/guest/kmod-xenrelay/Module.symvers

modules:
	@test -n '$(KRELEASE)' || { echo 'make: no kernel headers in $(KDIR):' \
		'install linux-headers-$$(uname -r) or say KDIR=DIR' >&2; exit 1; }
	@mkdir -p $(MODULES)/guest $(MODULES)/dom0
	@cp -ru include ring kmod-common kmod-xenrelay $(MODULES)/guest/
	@cp -ru include ring kmod-common kmod-dom0 $(MODULES)/dom0/
	@$(call kbuild,guest,kmod-xenrelay)
	@$(call kbuild,dom0,kmod-dom0)
	$(call client_modules,kmod-guest)
	@cp -u $(MODULES)/guest/kmod-xenrelay/*.ko $(MODULES)/guest/kmod-guest/*.ko $(MODULES)/dom0/kmod-dom0/*.ko $(MODULES)/

# Kbuild does not see that the versions of xenrelay's symbols have changed: it does when there are no
# symbols yet.
define client_modules
	@cp -ru $(1) $(MODULES)/guest/
	@rm -f $(MODULES)/guest/$(notdir $(1))/Module.symvers
	@$(call kbuild,guest,$(notdir $(1))) $(XENRELAY_SYMBOLS)
endef

examples: $(addprefix $(BUILD)/bin/,xr-sched-read xr-watch xblk-slowest) modules
	$(call client_modules,examples)

$(BUILD)/bin/xr-%: $(BUILD)/obj/examples/xr-%.o $(BUILD)/lib/libxenrelay.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(RELAY_LIBS)

$(BUILD)/bin/xblk-slowest: $(BUILD)/obj/examples/xblk-slowest.o $(BUILD)/lib/libxblk.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PARSE_LIBS)

# --- install ----------------------------------------------------------------

install: install-programs install-modules

install-programs: programs
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)
	install -m 755 $(BUILD)/bin/xblktrace $(DESTDIR)$(SBINDIR)/
	install -m 755 $(BUILD)/bin/xblkparse scripts/xblk-plot scripts/xblk-report scripts/xblk-sched-report \
		$(DESTDIR)$(BINDIR)/
	install -m 755 scripts/xblk-allow scripts/xblk-sched-run $(DESTDIR)$(SBINDIR)/
	install -m 644 $(BUILD)/lib/libxenrelay.a $(BUILD)/lib/libxblk.a $(DESTDIR)$(LIBDIR)/
	install -m 755 $(BUILD)/lib/$(RELAY_SONAME) $(DESTDIR)$(LIBDIR)/
	ln -sf $(RELAY_SONAME) $(DESTDIR)$(LIBDIR)/libxenrelay.so
	for library in libxenrelay libxblk; do \
		sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCLUDEDIR@|$(INCLUDEDIR)|; s|@VERSION@|$(VERSION)|' \
			$$library/$$library.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/$$library.pc || exit 1; \
	done
	install -m 644 libxenrelay/xenrelay-reader.h libxblk/xblk.h $(DESTDIR)$(INCLUDEDIR)/
	install -d $(DESTDIR)$(INCLUDEDIR)/xenrelay $(DESTDIR)$(INCLUDEDIR)/xblk
	install -m 644 include/xenrelay/*.h kmod-xenrelay/xenrelay.h $(DESTDIR)$(INCLUDEDIR)/xenrelay/
	install -m 644 include/xblk/*.h include/xblk/events.def $(DESTDIR)$(INCLUDEDIR)/xblk/
	for page in man/*.[1-9]; do \
		install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; \
	done

install-modules: modules
	install -d $(DESTDIR)/lib/modules/$(KRELEASE)/extra
	install -m 644 $(MODULES)/*.ko $(DESTDIR)/lib/modules/$(KRELEASE)/extra/
	$(if $(DESTDIR),,depmod $(KRELEASE))

clean:
	rm -rf $(BUILD)

# --- the lab's kernels ------------------------------------------------------

# $(call kernel,FUNCTION,NAME): what a function of tests/lab/kernels.sh says of a kernel; NAME is a series or a name that
# tests/lab/kernels has.
kernel = $(shell bash -c '. tests/lab/kernels.sh && $(1) $(2)')
headers = $(call kernel,headers_of,$(1))

lab-modules-%:
	+@$(MAKE) --no-print-directory lab-modules KDIR=$(call headers,$*) KFLAGS="-j$(shell nproc) $(call kernel,make_args_of,$*)"

# What the lab runs beside the programs.
.PHONY: lab-programs
lab-programs: $(addprefix $(BUILD)/bin/,xr-sched-read xr-watch lab-bad-reader lab-contexts lab-cycles lab-no-hypfs.so)

lab-modules: examples lab-programs
	$(call client_modules,tests/lab/modules)

# As for a kernel that was built without function tracing, which no suite here has: compiled and linked.
.PHONY: modules-no-ftrace
modules-no-ftrace:
	+@$(MAKE) --no-print-directory modules BUILD=$(BUILD)/no-ftrace KDIR=$(call headers,oldest) \
		KFLAGS='KCFLAGS="-Werror -include $(abspath tests/host/no-function-tracer.h)"'
	@! nm $(BUILD)/no-ftrace/modules/*/*.ko | grep -w register_ftrace_function

$(BUILD)/bin/lab-%: $(BUILD)/obj/tests/lab/%.o $(BUILD)/lib/libxenrelay.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(RELAY_LIBS)

$(BUILD)/bin/lab-%.so: tests/lab/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -fPIC -shared -o $@ $<

# --- tests ------------------------------------------------------------------

# Programs and modules as guests and hosts have them that nobody has updated: of the commit before records had
# other events than these 18 and dom0 a control device.
EARLIER := f580db2

.PHONY: earlier
earlier:
	@test -e $(BUILD)/earlier/$(EARLIER) || { rm -rf $(BUILD)/earlier && mkdir -p $(BUILD)/earlier/tree && \
		git archive $(EARLIER) | tar -x -C $(BUILD)/earlier/tree && touch $(BUILD)/earlier/$(EARLIER); }
	@$(MAKE) --no-print-directory -C $(BUILD)/earlier/tree BUILD=build KDIR=$(call headers,default) programs modules

demo:
	scripts/demo

# REPEATS=N runs of each scheduler on each side, in turns.
sched-compare:
	scripts/install-deps build lab plot
	@$(MAKE) --no-print-directory programs lab-modules-default
	tests/lab/run -o $(BUILD)/bench tests/bench/sched-compare
	PATH=$(BUILD)/bin:$$PATH scripts/xblk-sched-report $(BUILD)/bench/sched-compare/sched

check:
	tests/check

# PART=1/3: of the scenarios one third, which is always the same.
check-long:
	tests/check long $(PART)

# What a library or a program is made of, made and named: for tests/host/layers.
OBJECTS_OF := $(addprefix objects-,libxenrelay libxblk xblktrace xblkparse)
.PHONY: $(OBJECTS_OF)
objects-libxenrelay: $(call objects,$(RELAY_SRC))
objects-libxblk: $(call objects,$(XBLK_SRC))
objects-xblktrace: $(call objects,$(TRACE_SRC))
objects-xblkparse: $(call objects,$(PARSE_SRC))
$(OBJECTS_OF):
	@echo $^

# Tests that share what they are played with; those of the sink and of whole captures run under the thread sanitizer, too.
unit_tests = $(patsubst tests/unit/test_%.c,%,$(wildcard $(1:%=tests/unit/test_%.c)))
SINK_TESTS := $(call unit_tests,trace_sink trace_writer*)
MANY_TESTS := $(call unit_tests,trace_many*)
ROTATE_TESTS := $(call unit_tests,trace_rotate*)
TAP_TESTS := $(call unit_tests,trace_tap*)
CAPTURE_TESTS := $(call unit_tests,trace_capture*) trace_silent $(ROTATE_TESTS) $(TAP_TESTS)
ROTATE_SRC := $(addprefix tests/unit/,busy_day.c recording_module.c)
TAP_SRC := $(addprefix tests/unit/,tapped_capture.c tapping.c recording_module.c)

# All that is compiled for tests on this machine, so that checks may run beside each other.
.PHONY: test-programs
test-programs: $(addprefix $(BUILD)/test/,tsan_relay_threads bare_relay_nested tsan_relay_reading tsan_parse_ahead \
	$(addprefix tsan_,$(SINK_TESTS) $(CAPTURE_TESTS)) trace_seeds named-trace hostile-trace plain-trace \
	$(filter-out test_relay_threads test_relay_nested,$(basename $(notdir $(wildcard tests/unit/test_*.c)))) \
	$(basename $(notdir $(wildcard tests/fuzz/fuzz_*.c)))) $(addprefix $(BUILD)/bench/,record stream clock drain gen_events)

# Unit tests run under sanitizers, against objects of their own. Those of the channel's reading
# end and of xblktrace meet a XenStore and a grant table that tests/unit/fake_xen.c plays.
san_objects = $(patsubst %.c,$(BUILD)/san/%.o,$(1))
PARSE_TEST_SRC := $(filter-out %/main.c,$(PARSE_SRC)) $(XBLK_SRC) tests/unit/trace_gen.c tests/unit/known.c \
	tests/unit/sim.c $(wildcard tests/unit/stacks*.c)
TRACE_TEST_SRC := $(filter-out %/main.c,$(TRACE_SRC)) $(RELAY_SRC) $(addprefix tests/unit/,fake_xen.c channel_pages.c \
	played_capture.c trace_content.c written.c)

$(BUILD)/san/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Ixblkparse -Itests/unit $(CFLAGS) $(SANITIZE) -MMD -MP -c -o $@ $<

# By name: a pattern with the shorter stem is passed over while an object does not exist.
PARSE_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/test/%,$(wildcard tests/unit/test_parse_*.c))

$(PARSE_TESTS): $(BUILD)/test/%: $(BUILD)/san/tests/unit/%.o $(call san_objects,$(PARSE_TEST_SRC))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $^ -lcmocka $(PARSE_LIBS) -lm

# Of what is shipped, without sanitizers, for very many seeds.
$(BUILD)/obj/tests/unit/%.o: override CPPFLAGS += -Ixblkparse -Itests/unit
$(BUILD)/test/bare_parse_stacks: private override CFLAGS += $(PARSE_CFLAGS)
$(BUILD)/test/bare_parse_stacks: $(call objects,tests/unit/test_parse_stacks.c $(PARSE_TEST_SRC))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ -lcmocka $(PARSE_LIBS) -lm

# An archive, so that a test, or what it shares with others and is linked before, can take the place of a file.
$(BUILD)/san/trace.a: $(call san_objects,$(TRACE_TEST_SRC))
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/test/test_%: $(BUILD)/san/tests/unit/test_%.o $(BUILD)/san/trace.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka -ljansson -lxxhash -lzstd -lm -lpthread

$(ROTATE_TESTS:%=$(BUILD)/test/test_%): $(call san_objects,$(ROTATE_SRC))
$(MANY_TESTS:%=$(BUILD)/test/test_%): $(call san_objects,tests/unit/many_guests.c)
$(TAP_TESTS:%=$(BUILD)/test/test_%): $(call san_objects,$(TAP_SRC))

# The ring's two ends as two threads, also under the thread sanitizer.
$(BUILD)/test/tsan_%: tests/unit/test_%.c ring/consumer.c $(wildcard ring/*.h include/*/*.h)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-tsan -fsanitize=thread -o $@ $(filter %.c,$^) -lcmocka -lpthread

# xblkparse's threads likewise, and those that share a channel.
$(BUILD)/tsan/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Ixblkparse -Itests/unit $(CFLAGS) -Wno-tsan -fsanitize=thread -MMD -MP -c -o $@ $<

tsan_objects = $(patsubst %.c,$(BUILD)/tsan/%.o,$(1))

$(BUILD)/test/tsan_parse_ahead: $(call tsan_objects,tests/unit/test_parse_ahead.c $(PARSE_TEST_SRC))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fsanitize=thread -o $@ $^ -lcmocka $(PARSE_LIBS) -lm

# And those of xblktrace that take a trace to its file.
TRACE_SINK_SRC := $(addprefix xblktrace/,writer.c sink.c pack.c chunk.c clock.c index.c output.c leavings.c) \
	tests/unit/written.c

$(SINK_TESTS:%=$(BUILD)/test/tsan_%): $(BUILD)/test/tsan_%: $(BUILD)/tsan/tests/unit/test_%.o \
		$(call tsan_objects,$(TRACE_SINK_SRC))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fsanitize=thread -o $@ $^ -lcmocka -lxxhash -lzstd -lpthread

run-test_%: $(BUILD)/test/test_%
	$<

$(SINK_TESTS:%=run-test_%): run-test_%: $(BUILD)/test/test_% $(BUILD)/test/tsan_%
	$(BUILD)/test/test_$*
	$(BUILD)/test/tsan_$*

# What is bad about a trace is the program's to say.
run-test_parse_foreign: $(BUILD)/test/test_parse_foreign $(BUILD)/bin/xblkparse
	XBLKPARSE=$(BUILD)/bin/xblkparse $<

# As in make check-long.
.PHONY: run-seeds
run-seeds: $(BUILD)/test/bare_parse_stacks
	SEEDS=10000 $<

run-test_parse_ahead: $(BUILD)/test/test_parse_ahead $(BUILD)/test/tsan_parse_ahead
	$(BUILD)/test/test_parse_ahead
	$(BUILD)/test/tsan_parse_ahead

$(BUILD)/test/tsan_relay_reading: $(call tsan_objects,tests/unit/test_relay_reading.c tests/unit/fake_xen.c $(RELAY_SRC))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fsanitize=thread -o $@ $^ -lcmocka -lpthread

run-test_relay_reading: $(BUILD)/test/test_relay_reading $(BUILD)/test/tsan_relay_reading
	$(BUILD)/test/test_relay_reading
	$(BUILD)/test/tsan_relay_reading

# Without what the test plays itself.
$(BUILD)/tsan/trace.a: $(call tsan_objects,$(TRACE_TEST_SRC))
	rm -f $@
	$(AR) rcs $@ $^

$(CAPTURE_TESTS:%=$(BUILD)/test/tsan_%): $(BUILD)/test/tsan_%: $(BUILD)/tsan/tests/unit/test_%.o $(BUILD)/tsan/trace.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fsanitize=thread -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka -ljansson -lxxhash -lzstd -lpthread

$(ROTATE_TESTS:%=$(BUILD)/test/tsan_%): $(call tsan_objects,$(ROTATE_SRC))
$(TAP_TESTS:%=$(BUILD)/test/tsan_%): $(call tsan_objects,$(TAP_SRC))

# Their traces are xblkparse's to judge.
$(CAPTURE_TESTS:%=run-test_%): run-test_%: $(BUILD)/test/test_% $(BUILD)/test/tsan_% $(BUILD)/bin/xblkparse
	XBLKPARSE=$(BUILD)/bin/xblkparse $(BUILD)/test/test_$*
	XBLKPARSE=$(BUILD)/bin/xblkparse $(BUILD)/test/tsan_$*

run-test_trace_many_streams: $(BUILD)/test/test_trace_many_streams $(BUILD)/bin/xblkparse
	XBLKPARSE=$(BUILD)/bin/xblkparse $<

run-test_relay_threads: $(BUILD)/test/tsan_relay_threads
	$<

# Goes from instruction to instruction, of which a sanitizer would add many.
$(BUILD)/test/bare_%: tests/unit/test_%.c ring/consumer.c $(wildcard ring/*.h include/*/*.h)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $(filter %.c,$^) -lcmocka

run-test_relay_nested: $(BUILD)/test/bare_relay_nested
	$<

# FUZZ_SECONDS of a fuzzer, tests/fuzz/fuzz_*.c, from the corpus in the tree or, for traces, one
# that is generated. What it finds new stays in $(BUILD)/fuzz/.
FUZZ_SECONDS ?= 60
FUZZ_FLAGS := -O1 -Wno-missing-prototypes -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
fuzz_objects = $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(1))

$(BUILD)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	clang $(CPPFLAGS) -Ixblkparse -Itests/unit $(CFLAGS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/test/fuzz_trace: $(call fuzz_objects,$(PARSE_TEST_SRC))
$(BUILD)/test/fuzz_proto: $(call fuzz_objects,libxenrelay/proto.c)
$(BUILD)/test/fuzz_parse_options: $(call fuzz_objects,$(PARSE_TEST_SRC))
$(BUILD)/test/fuzz_trace_options: $(call fuzz_objects,xblktrace/options.c xblktrace/actions.c $(COMMON_SRC))

$(BUILD)/test/fuzz_%: $(BUILD)/fuzz/obj/tests/fuzz/fuzz_%.o
	@mkdir -p $(@D)
	clang $(FUZZ_FLAGS) -o $@ $^ $(PARSE_LIBS) -lm

$(BUILD)/test/trace_seeds: $(call san_objects,tests/fuzz/trace_seeds.c tests/unit/trace_gen.c)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $^ $(PARSE_LIBS)

$(BUILD)/test/named-trace $(BUILD)/test/hostile-trace: $(BUILD)/test/%: $(call san_objects,tests/host/%.c tests/unit/trace_gen.c)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $^ $(PARSE_LIBS)

$(BUILD)/test/plain-trace: $(call san_objects,tests/host/plain-trace.c tests/unit/sim.c tests/unit/trace_gen.c)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $^ $(PARSE_LIBS)

.PHONY: trace_seeds
trace_seeds: $(BUILD)/test/trace_seeds
	mkdir -p $(BUILD)/fuzz/trace
	$< $(BUILD)/fuzz/trace

run-fuzz_trace: trace_seeds

# What they say of a command line that is wrong is not to be read a million times.
run-fuzz_parse_options run-fuzz_trace_options: FUZZ_RUN_FLAGS := -close_fd_mask=3

run-fuzz_%: $(BUILD)/test/fuzz_%
	mkdir -p $(BUILD)/fuzz/$*
	ASAN_OPTIONS=quarantine_size_mb=8 \
		$< $(FUZZ_RUN_FLAGS) -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 \
			-artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz/$* $(wildcard tests/fuzz/corpus/$*)

# The ring and the doorbell as models, every interleaving of them, with and without their rules.
run-model:
	BUILD=$(BUILD) tests/model/run

# --- benchmarks: see tests/bench/README.md ------------------------------------

$(BUILD)/bench/record: tests/bench/record.c tests/bench/record-event.h tests/bench/ends.h ring/consumer.c $(wildcard ring/*.h include/*/*.h)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -I. -Itests/bench $(CFLAGS) -o $@ $(filter %.c,$^) -lxenvchan $(RELAY_LIBS) -llttng-ust -ldl -lpthread

$(BUILD)/bench/stream: tests/bench/stream.c tests/bench/ends.h ring/consumer.c $(wildcard ring/*.h include/*/*.h)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -I. $(CFLAGS) -o $@ $(filter %.c,$^) -lxenvchan -lpthread

# An archive, as for the unit tests: the benchmark takes the place of a file.
$(BUILD)/obj/trace.a: $(call objects,$(TRACE_TEST_SRC))
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/bench/drain: $(BUILD)/obj/tests/bench/drain.o $(BUILD)/obj/trace.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ -ljansson -lxxhash -lzstd -lm -lpthread

$(BUILD)/bench/channel-%: tests/bench/channel-%.c tests/bench/channel.h $(BUILD)/lib/libxenrelay.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $(filter %.c %.a,$^) -lxenvchan $(RELAY_LIBS)

$(BUILD)/bench/cpu-time: tests/bench/cpu-time.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< -lxenctrl

bench-modules: modules
	$(call client_modules,tests/bench/kmod)

# What the lab's benchmarks need: programs, and modules for the lab's default kernel.
bench-programs: $(addprefix $(BUILD)/bench/,channel-xenrelay channel-vchan channel-tcp cpu-time)
	@$(MAKE) --no-print-directory bench-modules KDIR=$(call headers,default)

bench-channel bench-overhead bench-probes: bench-%:
	@scripts/install-deps build lab bench
	@$(MAKE) -s programs lab-modules-default bench-programs
	@tests/bench/$*

$(BUILD)/bench/clock: tests/bench/clock.c kmod-common/clock-sample.h include/xblk/record.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -I. $(CFLAGS) -o $@ $< -lpthread

# Both ends of the ring run, nothing is lost, and there are figures.
run-bench_record: $(BUILD)/bench/record
	LTTNG_UST_REGISTER_TIMEOUT=0 $< -t 1 -b 2000 memcpy xenrelay xenrelay_spinning xenrelay_tsc

# Likewise.
run-bench_stream: $(BUILD)/bench/stream
	$< 1

run-bench_clock: $(BUILD)/bench/clock
	$< 1

run-bench_drain: $(BUILD)/bench/drain
	$< 1 1000000

bench-clock: $(BUILD)/bench/clock
	@$< | tee $(BUILD)/bench/clock.tsv

bench-stream:
	@scripts/install-deps build bench
	@$(MAKE) -s $(BUILD)/bench/stream
	@$(BUILD)/bench/stream | tee $(BUILD)/bench/stream.tsv

bench-drain: $(BUILD)/bench/drain
	@$< | tee $(BUILD)/bench/drain.tsv

bench-record:
	@scripts/install-deps build bench
	@$(MAKE) -s $(BUILD)/bench/record
	@tests/bench/record

$(BUILD)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< -lxxhash -lzstd

bench-parse: $(BUILD)/bin/xblkparse $(BUILD)/bench/gen_events $(BUILD)/bench/memory
	@BUILD=$(BUILD) tests/bench/parse

FORMATTED := $(wildcard include/*/*.h ring/*.[ch] kmod-*/*.[ch] libxenrelay/*.[ch] common/*.[ch] xblktrace/*.[ch] \
	libxblk/*.[ch] libxblk/*/*.[ch] xblkparse/*.[ch] xblkparse/*/*.[ch] examples/*.[ch] tests/unit/*.[ch] tests/fuzz/*.c \
	tests/host/*.c tests/lab/*.c tests/lab/*/*.c tests/bench/*.c tests/bench/*/*.c)

SHELL_FILES := .ci/run $(shell grep -rlE '^\#!/bin/(ba)?sh|^\# shellcheck shell=' tests)

lint:
	clang-format --dry-run -Werror $(FORMATTED)
	shellcheck -S style $(filter-out scripts/xblk-report,$(wildcard scripts/*))
	shellcheck -S warning $(SHELL_FILES)
	for page in man/*.[1-9]; do mandoc -T lint -W warning $$page || exit 1; done
	$(MAKE) --no-print-directory sparse-default
	tests/tidy $(BUILD)/sparse/modules $(call headers,default) '$(filter -I% -D_GNU_SOURCE,$(CPPFLAGS)) \
		-DXBLK_VERSION="" -std=gnu11' -- $(sort $(RELAY_SRC) $(TRACE_SRC) $(XBLK_SRC) $(PARSE_SRC))

sparse-%:
	+@$(MAKE) --no-print-directory lab-modules BUILD=$(BUILD)/sparse KDIR=$(call headers,$*) \
		KFLAGS='C=2 CF="-Wsparse-error"'

-include $(shell find $(BUILD)/obj $(BUILD)/pic $(BUILD)/san $(BUILD)/tsan $(BUILD)/fuzz/obj -name '*.d' 2>/dev/null)
