# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Captures in a scenario: start and stop xblktrace in dom0, run fio in the guest, and keep what the
# kernel and fio counted beside the trace, so that verify() on the host can hold them together.

load_modules() { load_dom0_module; load_guest_modules 1; }
unload_modules() { unload_guest_modules 1; unload_dom0_module; }

# Start xblktrace in the background, and wait until it traces: /out/NAME.xblk, /out/NAME.log
capture_start() { # NAME [OPTION...]
	local name=$1 end=$((SECONDS + 300)); shift
	# What an earlier capture of that name said is not this one's.
	rm -f "$LAB_OUT/$name.log"
	xblktrace -v -o "$LAB_OUT/$name.xblk" "$@" 2>"$LAB_OUT/$name.log" </dev/null &
	CAPTURE_PID=$!
	until grep -qs 'tracing' "$LAB_OUT/$name.log"; do
		kill -0 $CAPTURE_PID 2>/dev/null || fail "xblktrace ended: $(tail -n 1 "$LAB_OUT/$name.log")"
		[ $SECONDS -lt $end ] || fail "xblktrace does not trace: $(tail -n 1 "$LAB_OUT/$name.log")"
		sleep 0.2
	done
}

# Ctrl-C, and its exit status must be 0.
capture_stop() { # NAME
	kill -INT "$CAPTURE_PID"
	capture_wait "$1" || fail "xblktrace ended with status $?: $(tail -n 1 "$LAB_OUT/$1.log")"
}

# Wait for its end: its exit status.
capture_wait() { # NAME
	local end=$((SECONDS + 180))
	while kill -0 "$CAPTURE_PID" 2>/dev/null; do
		[ $SECONDS -lt $end ] || { kill -KILL "$CAPTURE_PID"; fail "xblktrace does not end: $(tail -n 1 "$LAB_OUT/$1.log")"; }
		sleep 0.2
	done
	wait "$CAPTURE_PID"
}

# fio in guest1 (or FIO_GUEST), its result as JSON in /out/fio-NAME.json. One command, with the counters read
# around it, so that nothing else comes between: /out/stat-NAME is the difference of the disk's
# stat file, /out/interrupts-NAME that of the guest's interrupt counts.
guest_fio() { # NAME OPTION...
	local name=$1 disk=${FIO_DISK:-xvda}; shift
	guest "${FIO_GUEST:-1}" "set -e
		cd /run; cat /sys/block/$disk/stat >stat.before; cat /proc/interrupts >int.before
		fio --name=$name --filename=/dev/$disk --ioengine=libaio --direct=1 --thread \
			--output-format=json --output=fio.json $* >/dev/null
		cat /proc/interrupts >int.after; cat /sys/block/$disk/stat >stat.after
		cat fio.json; echo ==; cat stat.before stat.after; echo ==; cat int.before; echo ==; cat int.after" >"$LAB_OUT/$name.raw" ||
		fail "fio $name failed, status $?: $(tail -n 3 "$LAB_OUT/$name.raw")"
	awk -v part="$LAB_OUT/$name.part" '/^==$/ { n++; next } { print >(part (n + 0)) }' "$LAB_OUT/$name.raw"
	mv "$LAB_OUT/$name.part0" "$LAB_OUT/fio-$name.json"
	awk 'NR == 1 { split($0, b) } NR == 2 { for (i = 1; i <= NF; i++) printf "%d ", $i - b[i]; print "" }' \
		"$LAB_OUT/$name.part1" >"$LAB_OUT/stat-$name"
	interrupt_difference "$LAB_OUT/$name.part2" "$LAB_OUT/$name.part3" >"$LAB_OUT/interrupts-$name"
	rm "$LAB_OUT/$name".part? "$LAB_OUT/$name.raw"
}

# Lines "COUNT NAME" of the event channels' interrupts, from two copies of /proc/interrupts.
interrupt_difference() { # BEFORE AFTER
	awk '/xen-/ { n = 0; name = ""; for (i = 2; i <= NF; i++) if ($i ~ /^[0-9]+$/) n += $i; else name = name " " $i
		if (FILENAME == first) before[$1 name] = n; else print n - before[$1 name], $1 name }' \
		first="$1" "$1" "$2" | sort -rn
}

# The workload of the demo: reads and writes at depth, then 100 MB read in sequence; traced.
capture_fio() { # NAME IOS-OF-EACH-OF-TWO-JOBS
	guest 1 'cat /proc/interrupts >/run/interrupts; cat /run/interrupts' >"$LAB_OUT/interrupts.unloaded"
	load_modules
	capture_start "$1" -d guest1 -D xvda
	guest_fio random --rw=randrw --rwmixread=70 --bs=4k --iodepth=16 --numjobs=2 --group_reporting \
		--size=256M --offset_increment=256M --number_ios="$2"
	guest_fio sequential --rw=read --bs=128k --iodepth=4 --size=100M --offset=600M
	capture_stop "$1"
	unload_modules
}
