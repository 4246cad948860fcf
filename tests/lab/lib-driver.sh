# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A driver domain: guest1, with blkback and a disk of its own, /dev/nullb0, that takes DRIVER_LATENCY_NS for
# each request. It is guest2's xvda; guest2's xvdb is dom0's. For scenarios with GUESTS=2, DISKS='' and
# MODULES_GUEST=configfs, whose setup and guest_settings call driver_setup and driver_settings.

: "${DRIVER_LATENCY_NS:=2000000}"

# What a driver domain needs beside what a guest has: toolstack, hotplug script, dom0's modules.
driver_setup() {
	(cd / && find etc/xen usr/bin/xl usr/lib | cpio -o -H newc 2>/dev/null | cat /run/lab/guest.cpio -) >/run/lab/driver.cpio
}

driver_settings() { # N
	if [ "$1" = 1 ]; then
		GUEST_MEM=384
		GUEST_CONFIG='driver_domain = 1
			ramdisk = "/run/lab/driver.cpio"'
	else
		driver_start
		# target=, by name, takes the rest of the line.
		GUEST_CONFIG="disk = [ 'phy:/dev/ram2,xvdz,w', 'phy:/dev/nvme0n1,xvdb,w', 'backend=guest1,vdev=xvda,format=raw,access=rw,target=/dev/nullb0' ]"
	fi
}

driver_start() {
	local said
	said=$(guest 1 "set -e
		modprobe -a xen-evtchn xen-gntdev xen-privcmd xenfs xen-blkback
		mount -t xenfs xenfs /proc/xen
		modprobe null_blk nr_devices=0
		mount -t configfs configfs /sys/kernel/config
		cd /sys/kernel/config/nullb && mkdir nullb0 && cd nullb0
		echo 512 >size; echo 2 >irqmode; echo $DRIVER_LATENCY_NS >completion_nsec; echo 1 >submit_queues; echo 1 >power
		mkdir -p /run/xen /var/lib/xen /var/log/xen
		xl devd
		insmod /lib/xblk/xblk-dom0.ko") || fail "the driver domain does not start: $said"
}

driver_allow() { xblk-allow guest2 "$@" || fail 'xblk-allow failed'; } # [DRIVER-DOMAIN...]

# Start xblktrace in the driver domain, and wait until it says so.
driver_trace() { # NAME WORDS [OPTION...]
	local name=$1 words=$2; shift 2
	guest_bg 1 "xblktrace -v -d guest2 -o /run/$name.xblk $* 2>/run/$name.log"
	driver_says "$name" "$words"
}

driver_says() { # NAME WORDS
	guest 1 "for i in {1..1200}; do grep -q '$2' /run/$1.log && exit; sleep 0.1; done; cat /run/$1.log; false" ||
		fail "$1: xblktrace does not say '$2'"
}

# Wait for its end; the trace is in /out then.
driver_end() { # NAME
	guest_wait 1 || fail "$1: xblktrace ended with status $?: $(guest 1 "tail -n 1 /run/$1.log")"
	guest_get 1 "/run/$1.xblk" "/run/$1.log"
	mv "$LAB_OUT/guest1/$1.xblk" "$LAB_OUT/"
}
