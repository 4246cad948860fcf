# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Disks of dom0 whose times are known, and what blktrace sees of them.

# /dev/nullb<NUMBER>, which completes every request by a timer, so long after it was issued. What is written
# to it is lost, unless it is to be kept in memory.
null_disk() { # NUMBER NS [keep]
	local dir=/sys/kernel/config/nullb/nullb$1
	if [ ! -d /sys/kernel/config/nullb ]; then
		modprobe null_blk nr_devices=0 || fail 'null_blk'
		mount -t configfs configfs /sys/kernel/config
	fi
	mkdir "$dir" || fail "null_blk: cannot make $dir"
	echo 512 >"$dir/size"
	echo 2 >"$dir/irqmode"
	echo "$2" >"$dir/completion_nsec"
	echo 1 >"$dir/submit_queues"
	[ "${3:-}" != keep ] || echo 1 >"$dir/memory_backed"
	echo 1 >"$dir/power"
}

# Debian's blktrace on disks of dom0, until blktrace_stop: /out/blktrace/<kernel's name of the disk>, which
# has lines "EVENT SECTOR SECTORS RWBS SECONDS NS", with one time for all of them.
blktrace_start() { # DISK...
	local disk end=$((SECONDS + 180)) options=()
	for disk; do options+=(-d "$disk"); done
	mkdir /run/blktrace
	(cd /run/blktrace && exec blktrace "${options[@]}" -b 512 -n 4 -a queue -a issue -a complete >log 2>&1) &
	for disk; do
		disk=$(disk_of "$(stat -c %Hr:%Lr "$disk")")
		until [ -e "/sys/kernel/debug/block/$disk/trace0" ]; do
			kill -0 $! 2>/dev/null && [ $SECONDS -lt $end ] || fail "blktrace does not trace $disk: $(tail -n 1 /run/blktrace/log)"
			sleep 0.1
		done
	done
}
disk_of() { basename "$(realpath "/sys/dev/block/$1")"; } # MAJOR:MINOR

blktrace_stop() {
	local file number options=()
	# shellcheck disable=SC2046 # words
	kill -INT $(pidof blktrace)
	while pidof blktrace >/dev/null; do sleep 0.2; done
	cat /run/blktrace/log
	mkdir "$LAB_OUT/blktrace"
	for file in /run/blktrace/*.blktrace.0; do options+=(-i "$(basename "$file" .blktrace.0)"); done
	(cd /run/blktrace && blkparse -q "${options[@]}" -f '%M:%m %a %S %n %d %T %t\n' | awk -v out="$LAB_OUT/blktrace" \
		'/^[0-9]/ { number = $1; sub(/^[^ ]* /, ""); print >(out "/" number) }') || fail 'blkparse'
	for file in "$LAB_OUT"/blktrace/*; do
		number=${file##*/}
		mv "$file" "$LAB_OUT/blktrace/$(disk_of "$number")"
	done
	rm -r /run/blktrace
}
