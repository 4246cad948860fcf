# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What a scenario may do in dom0. Guests are named by number; the first is meant where none is given.
# A guest has no network: commands go by XenStore (agent.c), files by a scratch disk, which is dom0's
# /dev/ram<N> and the guest's /dev/xvdz. dom0 reads it with O_DIRECT: its page cache does not see what
# blkback writes.
# Whoever waits does so for minutes: what never comes is told then, and what comes late on a machine that is busy
# with other things is no failure.

. /lab/lib-check.sh
. /lab/lib-capture.sh
. /lab/lib-life.sh
. /lab/lib-driver.sh
. /lab/lib-disks.sh
. /lab/settings

domid() { cat "/run/lab/guest${1:-1}.domid" 2>/dev/null; } # [N]

# Under emulation a tick costs a PVH guest a good part of the 4 ms until the next, and until the kernel has chosen its
# clocksource all its processors tick. On a busy machine two of them had time for nothing else, and it never booted. So it
# begins with one, and init-guest brings the others.
guest_create() { # [N]
	local n=${1:-1} disks="'phy:/dev/ram${1:-1},xvdz,w'" letters=abcdefghij i=0 dev id begins=''
	local GUEST_TYPE=$GUEST_TYPE VCPUS=$VCPUS GUEST_MEM=$GUEST_MEM GUEST_CONFIG=$GUEST_CONFIG
	! declare -F guest_settings >/dev/null || guest_settings "$n"
	[ "$GUEST_TYPE" != pvh ] || begins=maxcpus=1
	for dev in $DISKS; do
		[ -b "$dev" ] || fail "guest$n: no block device $dev in dom0"
		disks+=", 'phy:$dev,xvd${letters:i++:1},w'"
	done
	cat >"/run/lab/guest$n.cfg" <<-END
		name = "guest$n"
		type = "$GUEST_TYPE"
		kernel = "/guest/vmlinux"
		ramdisk = "/run/lab/guest.cpio"
		extra = "console=hvc0 loglevel=5 panic=1 lab_modules=${MODULES_GUEST// /,} $begins $GUEST_CMDLINE"
		memory = $GUEST_MEM
		vcpus = $VCPUS
		disk = [ $disks ]
		on_poweroff = "destroy"
		on_reboot = "destroy"
		on_crash = "destroy"
		$GUEST_CONFIG
	END
	timeout 300 xl create -q "/run/lab/guest$n.cfg" || fail "guest$n: xl create failed"
	id=$(xl domid "guest$n") || fail "guest$n: gone at once"
	echo "$id" >"/run/lab/guest$n.domid"
	guest "$n" : || fail "guest$n: no sign of life"
	note_time "guest$n is up, domain $id"
}

# Run a shell command in a guest: its output, its status. GUEST_LIMIT: seconds that it may take (300).
# 124: no answer, 137: over the limit and killed, 255: there is no such guest, or no more.
guest() { # [N] COMMAND...
	local n=1 id status
	[[ ! $1 =~ ^[0-9]+$ ]] || { n=$1; shift; }
	[ -e "/run/lab/guest$n.domid" ] || { echo "guest$n: not running" >&2; return 255; }
	read -r id <"/run/lab/guest$n.domid"
	agent run "$id" "${GUEST_LIMIT:-300}" "/dev/ram$n" "$*"
	status=$?
	case $status in
	124) echo "guest$n: no answer to: $*" >&2; [ "${GUEST_LIMIT:-300}" -lt 300 ] || hang_report "$id" "$n" ;;
	137) echo "guest$n: killed at its limit: $*" >&2; [ "${GUEST_LIMIT:-300}" -lt 300 ] || hang_report "$id" "$n" ;;
	255) echo "guest$n: went away during: $*" >&2 ;;
	esac
	return $status
}

# A command that did not end, most likely for a request that did not: where it is, in /out/hang.N.
# DOMID, N.
hang_report() {
	local i
	for i in 1 2; do
		echo "== dom0, $SECONDS s"
		grep . /sys/block/{nvme,ram,nullb,dm-,loop}*/{inflight,stat} /sys/kernel/debug/xblk-dom0/stats 2>/dev/null | grep -v ' 0  *0$'
		cat /proc/interrupts
		[ $i = 2 ] || sleep 2
	done
	for i in w l; do echo $i >/proc/sysrq-trigger; done
	xl debug-keys eqdr
	xl dmesg | tail -n 400
	echo '== guest'
	agent run "$1" 60 "/dev/ram$2" 'grep . /sys/block/xvd*/inflight; echo w >/proc/sysrq-trigger
		cat /proc/interrupts >/run/i; sleep 2; cat /proc/interrupts | cmp - /run/i; cat /run/i; ps -eo pid,stat,wchan:30,args; dmesg | tail -n 150'
	echo '== dom0 log'
	dmesg | tail -n 150
} >"$LAB_OUT/hang.$2" 2>&1

# Start a command in a guest and go on. One at a time for each guest.
guest_bg() { # [N] COMMAND...
	local n=1
	[[ ! $1 =~ ^[0-9]+$ ]] || { n=$1; shift; }
	guest "$n" "rm -f /run/bg.*; mkfifo /run/bg.status
		setsid bash -c $(printf %q "( $* ) >/run/bg.out 2>&1; echo \$? >/run/bg.status") </dev/null >/dev/null 2>&1 &"
}

# Wait for what guest_bg started: its output, its status.
guest_wait() { # [N]
	guest "${1:-1}" 'read -r status </run/bg.status; cat /run/bg.out; exit $status'
}

# Copy files or directories of a guest to /out/guest<N>/.
guest_get() { # [N] PATH...
	local n=1 path size
	[[ ! $1 =~ ^[0-9]+$ ]] || { n=$1; shift; }
	mkdir -p "$LAB_OUT/guest$n"
	for path; do
		size=$(guest "$n" "set -o pipefail; cd $(dirname "$path") && tar -c $(basename "$path") | tee /dev/xvdz | wc -c") ||
			fail "guest$n: cannot send $path"
		dd if="/dev/ram$n" bs=1M count=$(((size + 1048575) / 1048576)) iflag=direct status=none |
			tar -x -C "$LAB_OUT/guest$n" || fail "guest$n: $path did not arrive"
	done
}

guest_destroy() { # [N]
	timeout 120 xl destroy "guest${1:-1}"
	rm -f "/run/lab/guest${1:-1}.domid"
}

# Wait until a guest has gone; its number is forgotten.
guest_gone() { # [N]
	local id end=$((SECONDS + 180))
	id=$(domid "${1:-1}")
	while xl domname "$id" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "guest${1:-1}: domain $id is still there: $(xl list | awk -v id="$id" '$2 == id')"
		sleep 0.3
	done
	rm -f "/run/lab/guest${1:-1}.domid"
}

# Have a guest's kernel panic. What it says then is in crashed-guest<N>.log, where nobody looks for complaints.
guest_crash() { # [N]
	local n=${1:-1}
	GUEST_LIMIT=60 guest "$n" dmesg >"$LAB_OUT/guest-guest$n.before-crash.dmesg"
	guest "$n" 'echo c >/proc/sysrq-trigger' 2>/dev/null
	guest_gone "$n"
	mv "/var/log/xen/console/guest-guest$n.log" "$LAB_OUT/crashed-guest$n.log"
}

# Wait for a guest that has got another domain: after a reboot with on_reboot="restart", or a restore.
guest_again() { # N
	local n=$1 id='' end=$((SECONDS + 180))
	until id=$(xl domid "guest$n" 2>/dev/null) && [ "$id" != "$(domid "$n")" ]; do
		[ $SECONDS -lt $end ] || fail "guest$n: no new domain"
		sleep 0.3
	done
	echo "$id" >"/run/lab/guest$n.domid"
	guest "$n" : || fail "guest$n: no sign of life as domain $id"
	note_time "guest$n is domain $id"
}

# Save the guest's kernel log and shut it down; status 1 when it had to be destroyed.
guest_shutdown() { # [N]
	local n=${1:-1} id end=$((SECONDS + 180))
	id=$(domid "$n") || return
	GUEST_LIMIT=60 guest "$n" dmesg >"$LAB_OUT/guest-guest$n.dmesg"
	timeout 60 xl shutdown "guest$n"
	while xl domid "guest$n" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { guest_destroy "$n"; return 1; }
		sleep 0.3
	done
	rm -f "/run/lab/guest$n.domid"
}

guest_dmesg() { guest "${1:-1}" dmesg; }

load_guest_modules() { # [N] [XBLK_GUEST_PARAMETER...]
	local n=1
	[[ ! ${1:-} =~ ^[0-9]+$ ]] || { n=$1; shift; }
	guest "$n" "insmod /lib/xblk/xenrelay.ko && insmod /lib/xblk/xblk-guest.ko ${CLOCK:+clock=$CLOCK} $*" ||
		fail "guest$n: cannot load the modules"
}

unload_guest_modules() { # [N]
	guest "${1:-1}" 'rmmod xblk_guest && rmmod xenrelay' || fail "guest${1:-1}: cannot unload the modules"
}

load_dom0_module() { # [PARAMETER...]
	insmod /lib/xblk/xblk-dom0.ko ${CLOCK:+clock=$CLOCK} "$@" || fail 'dom0: cannot load xblk-dom0'
}

unload_dom0_module() { rmmod xblk_dom0 || fail 'dom0: cannot unload xblk-dom0'; }

# Told to the one who waits, with the seconds since dom0's init began.
note_time() { echo "LAB: $*, $SECONDS s" >&2; }

# A session of xblk-dom0's without xblktrace, until dom0_session_end; its records are in dom0's
# /sys/kernel/debug/xblk-dom0/trace*. DOMIDS: with commas between them, or ''. One command at a time goes
# to the device, and a shell's echo is one write().
dom0_session() { # SUBBUF_KB NR_SUBBUFS DOMIDS DISK...
	local kb=$1 nr=$2 domids=$3 disk line=''; shift 3
	exec 9>/dev/xblk-dom0 || fail 'cannot open /dev/xblk-dom0'
	[ -z "$domids" ] || echo "add domids=$domids" >&9 || fail "xblk-dom0 does not take domids=$domids"
	for disk; do
		line+=,$(<"/sys/block/$disk/dev")@$(<"/sys/block/$disk/diskseq")
		[ ${#line} -gt 3000 ] || continue
		echo "add disks=${line#,}" >&9 || fail "xblk-dom0 does not take disks up to $disk"
		line=''
	done
	[ -z "$line" ] || echo "add disks=${line#,}" >&9 || fail 'xblk-dom0 does not take the last disks'
	echo "start version=1 subbuf_kb=$kb nr_subbufs=$nr" >&9 || fail 'xblk-dom0 does not start'
}
dom0_session_stop() { echo stop >&9 || fail 'xblk-dom0 does not stop'; }
dom0_session_end() { exec 9>&-; }
