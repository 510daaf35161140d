#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: package_life.sh FOLDER RELEASE VERSION
#
# Install, upgrade and purge the packages in this Debian, which is thrown away.  FOLDER has
# kernel.deb, dkms.deb, debs/ and next/.  Prints TAP.
top=$1 release=$2 version=$3
modules=/usr/lib/modules/$release
conf=/etc/modprobe.d/raw_hrtimer.conf
export DEBIAN_FRONTEND=noninteractive

number=0
check()		# NAME COMMAND...: one test
{
	name=$1
	shift
	number=$((number + 1))
	if "$@" >/tmp/said 2>&1; then
		echo "ok $number $name"
	else
		sed 's/^/# /' /tmp/said
		echo "not ok $number $name"
	fi
}

fails()
{
	! "$@"
}

# Where packages have files, without what dpkg and depmod keep for themselves.
files()
{
	find /boot /etc /lib/ /opt /srv /usr /var \( -path /var/log -o -path /var/lib/dpkg \
		-o -path /var/cache -o -path "$modules/modules.*" \) -prune -o -print | sort
}

listed()
{
	grep -q '^updates/raw_hrtimer.ko:' $modules/modules.dep
}

status()	# PACKAGE WANTED
{
	dpkg-query -W -f '${db:Status-Abbrev}${Version}' "$1" | grep -x -F "$2"
}

has_no()	# PATTERN FILE
{
	! grep -q "$1" "$2"
}

of_dkms()
{
	dkms status | grep -F "raw_hrtimer/$version"
}

all="raw-hrtimer-modules-$release raw-hrtimer-common"
debs=$top/debs
echo 1..19
check "without that kernel it is not configured" fails dpkg -i "$debs"/raw-hrtimer-modules-*.deb
dpkg --purge raw-hrtimer-modules-$release >/dev/null 2>&1
dpkg -i "$top"/kernel.deb >/dev/null
depmod "$release"
files >/tmp/before

check "it is installed" dpkg -i "$debs"/raw-hrtimer-common_*.deb "$debs"/raw-hrtimer-modules-*.deb
check "the kernel's list of modules has it" listed
check "modinfo finds it" modinfo -k "$release" -F version raw_hrtimer
check "modprobe would load it" modprobe -S "$release" -n raw_hrtimer
check "it is loaded at boot" grep -x raw_hrtimer /usr/lib/modules-load.d/raw_hrtimer.conf
check "dpkg finds its files as they were packaged" dpkg --verify $all

sed -i 's/^#\(options .*\)lapic=Y/\1lapic=N/' $conf
check "modprobe reads the parameters" sh -c \
	'modprobe -c | grep -x "options raw_hrtimer attach=auto nested=Y lapic=N .*"'
rm -f $modules/modules.dep
check "it is upgraded, without a question" dpkg -i "$top"/next/raw-hrtimer-common_*.deb \
	"$top"/next/raw-hrtimer-modules-*.deb
check "to the new version" status raw-hrtimer-modules-$release "ii $version+next"
check "the list of modules is made again" listed
check "and what was changed in modprobe.d stays" grep -q '^options .*lapic=N' $conf

dpkg --force-depends -i "$top"/dkms.deb >/dev/null 2>&1
check "the package for dkms is installed" dpkg --force-depends -i "$debs"/raw-hrtimer-dkms_*.deb
check "dkms knows the module" of_dkms
check "the package for dkms is purged" dpkg --force-depends --purge raw-hrtimer-dkms
check "dkms does not know it any more" fails of_dkms
dpkg --force-depends --purge dkms >/dev/null 2>&1

check "all is purged" dpkg --purge $all
check "the kernel's list of modules does not have it" has_no raw_hrtimer $modules/modules.dep
files >/tmp/after
check "nothing is left" diff /tmp/before /tmp/after
