# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What a scenario may do in dom0. Guests are named by number; the first is meant where none is given.
#
# A guest has no network: commands go by XenStore, <guest>/data/lab/cmd = "ID SECONDS BASE64", and
# come back in .../out = "ID STATUS BASE64", or "ID STATUS @SIZE" with the text on the scratch disk.
# The scratch disk is dom0's /dev/ram<N> and the guest's /dev/xvdz; both sides go round dom0's page
# cache, which does not see what blkback writes.

. /lab/lib-check.sh
. /lab/settings

first_guest() { [[ ${1:-} =~ ^[0-9]+$ ]] && echo "$1" || echo 1; }

domid() { cat "/run/lab/guest${1:-1}.domid"; }

guest_create() { # [N]
	local n=${1:-1} disks="'phy:/dev/ram${1:-1},xvdz,w'" letters=abcdefghij i=0 dev id
	for dev in $DISKS; do
		[ -b "$dev" ] || fail "guest$n: no block device $dev in dom0"
		disks+=", 'phy:$dev,xvd${letters:i++:1},w'"
	done
	cat >"/run/lab/guest$n.cfg" <<-END
		name = "guest$n"
		type = "$GUEST_TYPE"
		kernel = "/guest/vmlinux"
		ramdisk = "/run/lab/guest.cpio"
		extra = "console=hvc0 loglevel=5 panic=1 lab_modules=${MODULES_GUEST// /,} $GUEST_CMDLINE"
		memory = $GUEST_MEM
		vcpus = $VCPUS
		disk = [ $disks ]
		on_poweroff = "destroy"
		on_reboot = "destroy"
		on_crash = "destroy"
	END
	timeout 90 xl create -q "/run/lab/guest$n.cfg" || fail "guest$n: xl create failed"
	id=$(xl domid "guest$n") || fail "guest$n: gone at once"
	echo "$id" >"/run/lab/guest$n.domid"
	wait_out "$id" ready 120 >/dev/null || fail "guest$n: no sign of life"
	note_time "guest$n is up, domain $id"
}

# Wait until the guest's answer begins with a word; prints the rest. 124: too late, 255: the guest is gone.
wait_out() { # DOMID WORD SECONDS [COMMAND...: run once the watch is in place]
	local id=$1 word=$2 end=$((SECONDS + $3)) path=/local/domain/$1/data/lab/out out='' watch='' pid status=''
	shift 3
	exec {watch}< <(exec xenstore-watch "$path")
	pid=$!
	read -r -t 20 -u "$watch" # a watch fires once when it is set
	[ $# = 0 ] || "$@" || status=255
	while [ -z "$status" ]; do
		if ! out=$(xenstore-read "$path" 2>/dev/null); then
			xenstore-exists "/local/domain/$id" || status=255
		elif [[ $out == "$word"* ]]; then
			status=0
		elif [ $SECONDS -ge $end ]; then
			status=124
		fi
		[ -n "$status" ] || read -r -t 2 -u "$watch" || sleep 0.1
	done
	kill $pid
	exec {watch}<&-
	[ $status != 0 ] || echo "${out#"$word" }"
	return $status
}

# Run a shell command in a guest: its output, its status. GUEST_LIMIT: seconds that it may take (60).
guest() { # [N] COMMAND...
	local n id cmd limit=${GUEST_LIMIT:-60} token answer status
	n=$(first_guest "$@")
	[[ ! $1 =~ ^[0-9]+$ ]] || shift
	id=$(domid "$n" 2>/dev/null) || { echo "guest$n: not running" >&2; return 255; }
	cmd=$(base64 -w 0 <<<"$*")
	[ ${#cmd} -lt 3900 ] || fail "guest$n: a command of ${#cmd} bytes is too long for XenStore"
	token=${EPOCHREALTIME/[.,]/}
	answer=$(wait_out "$id" "$token" $((limit + 20)) \
		xenstore-write "/local/domain/$id/data/lab/cmd" "$token $limit $cmd")
	status=$?
	case $status in
	124) echo "guest$n: no answer within $((limit + 20)) s to: $*" >&2; return 124 ;;
	255) echo "guest$n: went away during: $*" >&2; return 255 ;;
	esac
	case $answer in
	*' @'*) dd if="/dev/ram$n" bs=1M iflag=direct status=none | head -c "${answer##*@}" ;;
	*' '*) base64 -d <<<"${answer#* }" ;;
	esac
	return "${answer%% *}"
}

# Start a command in a guest and go on. One at a time for each guest.
guest_bg() { # [N] COMMAND...
	local n
	n=$(first_guest "$@")
	[[ ! $1 =~ ^[0-9]+$ ]] || shift
	guest "$n" "rm -f /run/bg.*; mkfifo /run/bg.status
		setsid bash -c $(printf %q "( $* ) >/run/bg.out 2>&1; echo \$? >/run/bg.status") </dev/null >/dev/null 2>&1 &"
}

# Wait for what guest_bg started: its output, its status.
guest_wait() { # [N]
	guest "${1:-1}" 'read -r status </run/bg.status; cat /run/bg.out; exit $status'
}

# Copy files or directories of a guest to /out/guest<N>/.
guest_get() { # [N] PATH...
	local n path status
	n=$(first_guest "$@")
	[[ ! $1 =~ ^[0-9]+$ ]] || shift
	mkdir -p "$LAB_OUT/guest$n"
	for path; do
		guest "$n" "set -o pipefail; cd $(dirname "$path") && tar -c $(basename "$path") | dd of=/dev/xvdz bs=1M iflag=fullblock status=none" ||
			fail "guest$n: cannot send $path"
		dd if="/dev/ram$n" bs=1M iflag=direct status=none 2>/dev/null | tar -x -C "$LAB_OUT/guest$n" ||
			fail "guest$n: $path did not arrive"
	done
}

guest_destroy() { # [N]
	timeout 60 xl destroy "guest${1:-1}"
	rm -f "/run/lab/guest${1:-1}.domid"
}

# Save the guest's kernel log and shut it down; status 1 when it had to be destroyed.
guest_shutdown() { # [N]
	local n=${1:-1} id end=$((SECONDS + 60))
	id=$(domid "$n") || return
	GUEST_LIMIT=20 guest "$n" dmesg >"$LAB_OUT/guest-guest$n.dmesg"
	timeout 20 xl shutdown "guest$n"
	while xl domid "guest$n" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { guest_destroy "$n"; return 1; }
		sleep 0.3
	done
	rm -f "/run/lab/guest$n.domid"
}

guest_dmesg() { guest "${1:-1}" dmesg; }

load_guest_modules() { # [N] [XBLK_GUEST_PARAMETER...]
	local n
	n=$(first_guest "$@")
	[[ ! ${1:-} =~ ^[0-9]+$ ]] || shift
	guest "$n" "insmod /lib/xblk/xenrelay.ko && insmod /lib/xblk/xblk-guest.ko $*" ||
		fail "guest$n: cannot load the modules"
}

unload_guest_modules() { # [N]
	guest "${1:-1}" 'rmmod xblk_guest && rmmod xenrelay' || fail "guest${1:-1}: cannot unload the modules"
}

load_dom0_module() { # [PARAMETER...]
	insmod /lib/xblk/xblk-dom0.ko "$@" || fail 'dom0: cannot load xblk-dom0'
}

unload_dom0_module() { rmmod xblk_dom0 || fail 'dom0: cannot unload xblk-dom0'; }

# Told to the one who waits, with the seconds since dom0's init began.
note_time() { echo "LAB: $*, $SECONDS s" >&2; }
