#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: steps.sh WAY OTHERS
#
# What each way into the toolchain root has to do, as KTAP: the root is entered and that is
# said first, with why each of so many OTHERS is not used; the module is built; an svm machine
# boots; nothing is left of a command and of a machine that are ended.  For the suites way-*;
# see playing.py.
way=$1
others=$2
scripts=$(readlink -f "$(dirname "$0")/../..")
number=0

# NAME, then a command that succeeds if so.
result()
{
	name=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number $name"
	else
		echo "not ok $number $name"
	fi
}

# To stdout, with what it says of its progress, and to stderr for the log.
shown()
{
	shown=$("$@" 2>&1)
	echo "$shown"
	echo "$shown" >&2
}

# TEXT END: its last lines, as words.
ends()
{
	test "$(echo "$1" | tail -n "$(echo "$2" | wc -w)" | xargs)" = "$2"
}

first_says_the_way()
{
	echo "$said" | head -n 1 | grep -q "($way)\$" &&
		test "$(echo "$said" | grep -c '^\[.* not [a-z]*: ')" = "$others"
}

echo "TAP version 13"
echo "1..6"

said=$(shown "$scripts/toolchain" --verbose run -- sh -c 'id -u; ls /usr/bin/gcc-14')
result "the root is entered" ends "$said" "0 /usr/bin/gcc-14"
result "the way is said first, and why the others are not used" first_says_the_way

# In /tmp of the root, so that nothing of it is in the cache.
tree=$(dirname "$scripts")
kernel=$("$scripts/toolchain" path kernel)
built=$(shown "$scripts/toolchain" run -- sh -c '
	mkdir /tmp/o
	make -C "$1" M="$2" MO=/tmp/o ARCH=x86 CROSS_COMPILE=x86_64-linux-gnu- \
		CC=x86_64-linux-gnu-gcc-14 -j2 modules >/tmp/log 2>&1 || cat /tmp/log
	ls /tmp/o/raw_hrtimer.ko' sh "$kernel" "$tree")
result "the module is built" ends "$built" /tmp/o/raw_hrtimer.ko

# With a program of the root, whose libraries are looked for there.
up=$(shown "$scripts/vm" --machine svm --add "$("$scripts/toolchain" path root)/usr/bin/bc" -- sh -c '
	modprobe raw_hrtimer
	grep -o ^kvm: /sys/kernel/debug/raw_hrtimer/attach
	echo "6 * 7" | /add/bc')
result "an svm machine boots" ends "$up" "kvm: 42"

# NAME COMMAND: to the log, all of it.
interrupted()
{
	"$(dirname "$0")/interrupted.py" "$@" >&2
}

result "nothing is left of a command that is ended" interrupted sleep \
	"$scripts/toolchain" run -- sh -c 'trap "" INT; sleep 300; true'
result "nothing is left of a machine that is ended" interrupted qemu-system-x86 \
	"$scripts/vm" --machine svm -- true
