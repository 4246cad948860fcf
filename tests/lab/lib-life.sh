# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What a channel's life may not leave behind, in the guests, in dom0, in XenStore and in Xen.
#
#	life_begin
#	...an event: a capture that ends badly...
#	life_same EVENT
#
# Memory comes and goes for reasons of its own: what is allowed is much less than the rings and relay
# buffers of LIFE_RINGS, so that one capture's worth of a leak is seen.

LIFE_RINGS=(-b 512 -n 8)   # KiB: 4 MiB for each vCPU of a guest and for each CPU of dom0
LIFE_GUEST_KIB=2048        # of the 8 MiB and more that a channel has in a guest
LIFE_DOM0_KIB=4096         # of the 8 MiB of dom0's relay buffers
LIFE_XEN_KIB=1024          # which tells whole MiB
LIFE_GRANTS=yes            # empty: not counted

# Disk I/O in a guest, for as long as the scenario lasts: LOAD_IOPS requests each half second, two at a time, so few that
# all else does not stand still. Not by fio, whose sleeps end in a loop as long as it has seen a sleep to be late: on a busy
# machine that is all of them, and each guest then takes a processor whole. Nor by programs that end: to start one costs an
# emulated guest more than the requests.
load_start() { # [N]
	guest_bg "${1:-1}" "for i in 1 2; do
		ioping -q -D -G -WWW -b $((${LOAD_IOPS:-40} / 2)) -i 500ms -s 4k -S 240m -e \$i /dev/xvda & done; wait"
}
load_stop() { guest "${1:-1}" 'killall -q ioping'; } # [N]

# Until the disk of a guest has had so many more requests: in a second of a slow machine there may be none.
load_wait() { # [N] [REQUESTS]
	guest "${1:-1}" "requests() { read -r reads _ _ _ writes _ </sys/block/xvda/stat; echo \$((reads + writes)); }
		end=\$((\$(requests) + ${2:-40})); until [ \$(requests) -ge \$end ]; do sleep 0.2; done" || fail "guest${1:-1}: no load"
}

# While it is counted, nothing is under way: each request of a disk holds a grant.
life_guest() { # N
	guest "$1" "kill -STOP \$(pidof ioping) 2>/dev/null; sleep 0.3
		${LIFE_GRANTS:+"[ -e /sys/module/lab_grants ] || insmod /lib/xblk/lab-grants.ko
		echo grants-free \$(cat /sys/module/lab_grants/parameters/free)"}
		$MEMORY_KIB; kill -CONT \$(pidof ioping) 2>/dev/null; true"
}
# What is free, what files and tmpfs have, and the free pages that each processor keeps to itself, which MemFree leaves out:
# a MiB and more of each. What a processor has counted and not yet told, stat_refresh collects.
MEMORY_KIB="cat /proc/sys/vm/stat_refresh; awk '/^(MemFree|Buffers|Cached):/ { n += \$2 } \$1 == \"count:\" { n += 4 * \$2 }
	END { print \"memory-kib\", n }' /proc/meminfo /proc/zoneinfo"

# Domains have other numbers and UUIDs after a restart.
life_anonymous() {
	local file names=()
	for file in /run/lab/guest*.domid; do
		[ ! -e "$file" ] || names+=(-e "s,/(domain|libxl|device-model|backend/[a-z]+)/$(cat "$file")(/|\$),/\\1/$(basename "$file" .domid)\\2,g")
	done
	sed -E -e 's/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/UUID/' "${names[@]}" | sort
}

# One file for each kind of thing; memory apart, because it is compared otherwise.
life_take() { # DIRECTORY
	local dir=$1 file n
	mkdir -p "$dir"
	: >"$dir/memory"
	for file in /run/lab/guest*.domid; do
		[ -e "$file" ] || continue
		n=${file//[^0-9]/}
		life_guest "$n" | sed "s/^/guest$n /" >"$dir/guest$n" || fail "guest$n does not count its grants"
		grep memory "$dir/guest$n" >>"$dir/memory"
		sed -i /memory/d "$dir/guest$n"
	done
	eval "$MEMORY_KIB" | sed 's/^/dom0 /' >>"$dir/memory"
	xl info | awk '/^free_memory/ { print "xen memory-kib", $3 * 1024 }' >>"$dir/memory"
	xl list | tail -n +2 | wc -l >"$dir/domains"
	xenstore-ls -f | sed 's/ = .*//' | life_anonymous >"$dir/nodes"
	rm -f /run/lab/memreport # which would be appended to
	xenstore-control memreport /run/lab/memreport >/dev/null
	awk '/struct watch / { n = NR } n && NR > n && NR <= n + 2 && $1 ~ "^[/@]" { print $1 }' /run/lab/memreport |
		life_anonymous >"$dir/watches"
	{
		find /sys/kernel/debug/xblk-dom0 -name "*trace*" 2>/dev/null
		cut -d ' ' -f 1 /sys/kernel/debug/tracing/enabled_functions
		pidof xblktrace
	} | sort >"$dir/processes"
}

life_begin() {
	rm -rf /run/lab/life
	life_take /run/lab/life/before
}

# The differences, if any, one a line.
life_compare() {
	local dir=/run/lab/life file
	(cd $dir/before && ls) | grep -v memory | while read -r file; do
		awk -v file="$file" 'FILENAME == ARGV[1] { n[$0]--; next } { n[$0]++ }
			END { for (line in n) if (n[line]) print (n[line] > 0 ? "more" : "less"), file ": " line }' \
			"$dir/before/$file" "$dir/after/$file"
	done
	paste -d ' ' $dir/before/memory $dir/after/memory | awk -v guest=$LIFE_GUEST_KIB -v dom0=$LIFE_DOM0_KIB -v xen=$LIFE_XEN_KIB '{
		may = $1 == "xen" ? xen : $1 == "dom0" ? dom0 : guest
		if ($3 - $6 > may) print $1 ": " $3 - $6 " KiB of memory are missing"
	}'
}

# A page that the other side still maps, or XenStore's answer, may take some seconds; on a busy machine many.
life_same() { # EVENT
	local dir=/run/lab/life end=$((SECONDS + 120)) left
	while :; do
		life_take $dir/after
		left=$(life_compare)
		[ -n "$left" ] && [ $SECONDS -lt $end ] || break
		sleep 0.5
	done
	[ -z "$left" ] || { cp -r $dir "$LAB_OUT/life"; fail "left behind after $1: $left"; }
	note "$1: nothing left: $(cat $dir/after/guest* 2>/dev/null | awk '{ printf "%s %s grants free, ", $1, $3 }')$(
		paste -d ' ' $dir/before/memory $dir/after/memory | awk '{ printf "%s %+d KiB, ", $1, $6 - $3 }')$(
		wc -l <$dir/after/nodes) nodes, $(wc -l <$dir/after/watches) watches"
}

# The channel is free again, without anybody's help.
channel_open() { # [N] [CHANNEL]
	local n=${1:-1} name=${2:-xblk} end=$((SECONDS + 120)) state
	until state=$(xenstore-read "/local/domain/$(domid "$n")/data/xenrelay/$name/state") && [ "$state" = open ]; do
		[ $SECONDS -lt $end ] || fail "guest$n: the channel $name is '$state', not open"
		sleep 0.3
	done
}

# Let XenStore stand still for some seconds, in the background; it answers again when `wait` returns.
xenstore_stop() { # SECONDS
	kill -STOP "$(cat /run/xenstored.pid)"
	{ sleep "$1"; kill -CONT "$(cat /run/xenstored.pid)"; } &
}
