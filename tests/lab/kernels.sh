# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Which kernels tests/lab/kernels lists, and where they are on this machine. To be sourced.

# What has been unpacked for the lab; a clean build leaves it.
KERNEL_STORE=${XDG_CACHE_HOME:-$HOME/.cache}/xblk-lab
kernel_list=$(dirname "${BASH_SOURCE[0]}")/kernels
suite_options=()

kernels() { grep -v '^#' "$kernel_list"; }

# The series that have a name, or that are called so themselves.
series_of() { # NAME
	kernels | awk -v name="$1" '{ for (i = 1; i <= NF; i++) if ((i == 1 || i > 3) && $i == name) print $1 }'
}

# The newest headers of a series on this machine.
headers_of() { # SERIES|NAME
	local series dir
	series=$(series_of "$1")
	[ -n "$series" ] || { echo "no kernel '$1' in tests/lab/kernels" >&2; return 1; }
	dir=$(compgen -G "/lib/modules/$series.*/build/Makefile" | sort -V | tail -n 1)
	[ -n "$dir" ] || { echo "no headers of Linux $series here: run scripts/install-deps test" >&2; return 1; }
	echo "${dir%/Makefile}"
}
release_of() { # SERIES|NAME
	local dir
	dir=$(headers_of "$1") && basename "$(dirname "$dir")"
}

# The one release whose modules are in an unpacked kernel tree.
release_in() { # DIR
	local dirs
	mapfile -t dirs < <(find "$1/lib/modules/" "$1/usr/lib/modules/" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' 2>/dev/null | sort -u)
	[ ${#dirs[@]} = 1 ] || { echo "$1/lib/modules has ${#dirs[@]} kernels' modules, not one's" >&2; return 1; }
	echo "${dirs[0]}"
}

# What the lab's images of a kernel are called; a directory is known by its slash.
kernel_id() { # SERIES|NAME|DIR
	local id
	case $1 in
	*/*) id=$(release_in "$1") && echo "tree-$id" ;;
	*) id=$(series_of "$1")
		[ "$(wc -w <<<"$id")" = 1 ] || { echo "'$1' is not one kernel of tests/lab/kernels" >&2; return 1; }
		echo "$id" ;;
	esac
}

# The directory with a kernel, its modules and, if it is another suite's, the C library of its build tools.
kernel_tree() { echo "$KERNEL_STORE/linux-$1.d"; } # RELEASE

# Unpack a kernel there, and more packages of its suite, unless it is there. Whoever calls holds $KERNEL_STORE/lock.
fetch_kernel() { # RELEASE PACKAGE...
	local release=$1 tmp deb parts; shift
	[ ! -d "$(kernel_tree "$release")" ] || return 0
	# Where the image's own package is empty, the kernel is in others, which have the release in their names.
	parts=$(apt-cache "${suite_options[@]}" depends "linux-image-$release" 2>/dev/null |
		awk -v release="-$release" '$1 == "Depends:" && substr($2, length($2) - length(release) + 1) == release { print $2 }')
	echo "unpacking Linux $release" >&2
	tmp=$(mktemp -d "$KERNEL_STORE/tmp.XXXXXX") || return
	# shellcheck disable=SC2086 # words
	if ! (cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root "${suite_options[@]}" download "linux-image-$release" $parts "$@") >&2 ||
		! printf '%s\0' "$tmp"/*.deb | xargs -0 -I '{}' dpkg -x '{}' "$tmp/x"; then
		rm -rf "$tmp"
		echo "apt has no Linux $release, of which the headers are here: run scripts/install-deps" >&2
		return 1
	fi
	[ -e "$tmp/x/lib" ] || ln -s usr/lib "$tmp/x/lib"
	mv "$tmp/x" "$(kernel_tree "$release")"
	rm -rf "$tmp"
}

# make's arguments for modules. The build tools of another suite's kernel need a newer C library than this machine may
# have, so they run with that suite's; and its compiler is newer, which knows more attributes.
make_args_of() { # SERIES|NAME
	local release tools libc series suite
	release=$(release_of "$1") || return
	read -r series suite _ < <(kernels | awk -v series="$(series_of "$1")" '$1 == series')
	[ "$suite" != - ] || return 0
	tools=/lib/modules/$release/build libc="$(realpath "${BASH_SOURCE[0]%/*}")/with-libc $(kernel_tree "$release")/usr/lib/x86_64-linux-gnu"
	echo "CC=gcc CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT= KCFLAGS='-Wno-attributes -Werror'" \
		"objtool='$libc $tools/tools/objtool/objtool.real-x86' MODPOST='$libc $tools/scripts/mod/modpost.real-lsb-64'"
}
