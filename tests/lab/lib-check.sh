# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What a scenario says about its outcome, in dom0 and on the host alike. The first verdict counts,
# wherever it is given: also in a pipeline or in $(...), which `exit` alone would not leave.

verdict() { # WORD MESSAGE
	[ -e "$LAB_OUT/result" ] || echo "$1" "${2//$'\n'/ | }" >"$LAB_OUT/result"
	echo "LAB: $1 $2" >&2
}
fail() { verdict FAIL "$*"; kill -s USR1 "$LAB_PID" 2>/dev/null; exit 1; }
skip() { verdict SKIP "$*"; kill -s USR1 "$LAB_PID" 2>/dev/null; exit 1; }
note() { echo "LAB: note: $*" >&2; echo "$*" >>"$LAB_OUT/notes"; }

check_eq() { [ "$2" = "$3" ] || fail "$1: got '$2', want '$3'"; }
# Numbers, whole or not.
check_le() { awk -v a="$2" -v b="$3" 'BEGIN { exit !(a + 0 <= b + 0 && a != "") }' || fail "$1: got '$2', want <= $3"; }
check_ge() { awk -v a="$2" -v b="$3" 'BEGIN { exit !(a + 0 >= b + 0 && a != "") }' || fail "$1: got '$2', want >= $3"; }

# Run functions of a scenario up to the first verdict.
run_steps() { # FUNCTION...
	(
		set -u
		LAB_PID=$BASHPID
		trap 'exit 1' USR1
		for step; do
			declare -F "$step" >/dev/null || continue
			"$step" || fail "$step() ended with status $?"
		done
	) || [ -e "$LAB_OUT/result" ] || verdict FAIL "${*: -1}() was cut short (an unset variable?)"
	[ -e "$LAB_OUT/result" ] || verdict PASS ''
}
