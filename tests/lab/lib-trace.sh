# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What verify() asks of a trace, on the host: with the xblkparse that was built, and jq.

PATH=$BUILD/bin:$PATH

# Parse a trace: NAME.json, NAME.txt (the table), NAME.requests. Every capture must balance: each
# record that was produced is in the file or counted as lost.
parse_trace() { # NAME [STATUS]
	local status=0
	xblkparse -J "$1.json" "$1.xblk" >"$1.txt" 2>"$1.err" || status=$?
	check_eq "$1: xblkparse's exit status ($(head -n 1 "$1.err"))" $status "${2:-0}"
	xblkparse --requests "$1.xblk" >"$1.requests" 2>/dev/null
	check_ge "$1: streams" "$(json "$1" '.streams | length')" 2
	check_eq "$1: streams where produced is not written + lost, or written and marks are not what is in the file" \
		"$(json "$1" '[.streams[] | select(.produced != .written + .lost or .written + .marks != .records)] | length')" 0
	check_eq "$1: the bins' sum" "$(json "$1" '[.bins[]] | add')" "$(json "$1" .requests)"
	check_percentiles "$1"
	note "$1: $(json "$1" '"\(.requests) requests, \(.joined) joined, \(.records) records, \(.records_lost) lost, \(.causality_violations) causality violations"')"
}

# The percentiles are those of the requests themselves, sorted, to 1/64. Of disks that had one name
# one after the other, the list of requests does not say which.
check_percentiles() { # NAME
	local one_of_a_name='[.disks | group_by([.domid, .disk])[] | select(length == 1)[]]'
	xblkparse -q --requests --csv "$1.xblk" 2>/dev/null |
		awk -F, '$16 == "joined" { for (i = 17; i <= 22; i++) print $1 "," $3 "," i, $i }' | sort -k1,1 -k2,2n >"$1.sorted"
	json "$1" "$one_of_a_name"' | .[] | "\(.domid),\(.disk)," as $disk | .stages | [.["U-Q2D", "U-T", "0-Q2D", "0-D2C", "0-T", "Q2C"]] | to_entries[]
		| select(.value) | "\($disk)\(.key + 17) " as $key | .value | "\($key)500 \(.p50_ns)", "\($key)900 \(.p90_ns)", "\($key)990 \(.p99_ns)", "\($key)999 \(.p999_ns)"' |
		awk 'NR == FNR { value[$1, ++nr[$1]] = $2; next }
			{ want = value[$1, int((nr[$1] * $2 + 999) / 1000)]; off = $3 > want ? $3 - want : want - $3; checked++; bad += off > want / 64 }
			END { print checked + 0, bad + 0 }' "$1.sorted" - >"$1.percentiles"
	check_eq "$1: percentiles checked, and off by more than 1/64" "$(cat "$1.percentiles")" \
		"$(json "$1" "$one_of_a_name"' | [.[].stages | length] | add * 4') 0"
}

json() { jq -r "$2" "$1.json"; } # NAME FILTER

# Nothing lost, nothing out of order in time, and at least so much of the requests joined.
check_complete() { # NAME REQUESTS SHARE
	check_ge "$1: requests" "$(json "$1" .requests)" "$2"
	check_eq "$1: records lost" "$(json "$1" .records_lost)" 0
	check_eq "$1: causality violations" "$(json "$1" .causality_violations)" 0
	check_ge "$1: share joined" "$(json "$1" '.joined / .requests')" "$3"
}

# Requests and sectors equal what the guest's kernel counted for the disk in the fio runs named, and
# what fio counted: stat has requests (after merging), fio the I/Os that it asked for. To stat an
# empty flush is a write too, of no sector.
check_counts() { # TRACE DISK FIO...
	local trace=$1 disk=$2 op ops column sectors; shift 2
	for op in reads:1:3:read writes:5:7:write; do
		IFS=: read -r ops column sectors op <<<"$op"
		check_eq "$trace: $ops, against /sys/block/$disk/stat" \
			"$(json "$trace" ".disks[] | select(.disk == \"$disk\") | .$ops.ios + if \"$op\" == \"write\" then .flush_ends else 0 end")" \
			"$(cat "${@/#/stat-}" | awk -v c="$column" '{ n += $c } END { print n + 0 }')"
		check_eq "$trace: sectors of $ops, against /sys/block/$disk/stat" \
			"$(json "$trace" ".disks[] | select(.disk == \"$disk\") | .$ops.sectors")" \
			"$(cat "${@/#/stat-}" | awk -v c="$sectors" '{ n += $c } END { print n + 0 }')"
		check_eq "$trace: sectors of $ops, against fio" \
			"$(json "$trace" ".disks[] | select(.disk == \"$disk\") | .$ops.sectors")" \
			"$(for fio; do cat "fio-$fio.json"; done | jq -s "[.[].jobs[].$op.io_bytes] | add / 512")"
	done
}

# Of blktrace's lines, "SECTOR+SECTORS NS", by the key: from the event FROM to its completion.
blktrace_times() { # FROM FILE
	awk -v from="$1" '{ key = $2 "+" $3; ns = $5 * 1000000000 + $6 }
		$1 == from { began[key] = ns }
		$1 == "C" && key in began { printf "%s %.0f\n", key, ns - began[key]; delete began[key] }' "$2" | sort
}

# Of a disk's requests, each one's time in dom0 against blktrace's on the disk that its backend has: of those that have their
# sectors to themselves, as many as are wanted, all that there are; and within 1 ms, but for a few, for dom0's processor may
# be taken away between the two probes. ROWS: --requests --csv; its columns 19 and 20 are 0-Q2D and 0-D2C.
check_blktrace() { # NAME ROWS DISK LOWER WANTED
	local name=$1 rows=$2 disk=$3 lower=$4 wanted=$5
	blktrace_times Q "blktrace/$lower" >"$name.theirs"
	awk -F '[, ]' -v disk="$disk" 'NR == FNR { seen[$1]++; next }
		$3 == disk && $16 == "joined" { key = $5 "+" $6; n[key]++; ns[key] = $19 + $20 }
		END { for (key in n) if (n[key] == 1 && seen[key] < 2) printf "%s %.0f\n", key, ns[key] }' "$name.theirs" "$rows" | sort >"$name.ours"
	check_ge "$name: requests that have their sectors to themselves" "$(wc -l <"$name.ours")" "$wanted"
	check_eq "$name: of these, those that blktrace saw" "$(join "$name.ours" "$name.theirs" | wc -l)" "$(wc -l <"$name.ours")"
	join "$name.ours" "$name.theirs" | awk '{ off = $2 > $3 ? $2 - $3 : $3 - $2; far += off > 1000000; if (off > max) max = off }
		END { printf "%d %.0f\n", far, max }' >"$name.off"
	note "$name: time in dom0, most that it is off blktrace's: $(awk '{ print $2 }' "$name.off") ns"
	check_le "$name: requests whose time in dom0 is more than 1 ms off blktrace's" "$(awk '{ print $1 }' "$name.off")" $((wanted / 20))
}

# fio's I/Os are as many as the requests: where each is one, that is with neither merge nor split.
check_ios() { # TRACE FIO...
	local trace=$1 op; shift
	for op in read write; do
		check_eq "$trace: ${op}s, against fio" "$(json "$trace" "[.disks[].${op}s.ios] | add")" \
			"$(for fio; do cat "fio-$fio.json"; done | jq -s "[.[].jobs[].$op.total_ios] | add")"
	done
}

# The channel sends no event, because it has none to send one by: the guest's event channels are
# those that it had before the modules were loaded. XenStore's had next to nothing to do.
check_silent() { # TRACE FIO...
	local trace=$1 fio; shift
	check_eq "$trace: events that the channel says it sent" "$(json "$trace" .events_sent)" 0
	for fio; do
		check_eq "$fio: event channels of the guest while it is traced" "$(wc -l <"interrupts-$fio")" \
			"$(grep -c xen- interrupts.unloaded)"
		check_le "$fio: XenStore's interrupts during fio" "$(awk '/xenbus/ { n += $1 } END { print n + 0 }' "interrupts-$fio")" 2
	done
}
