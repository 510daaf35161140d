# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# For kdir-check: which package of this machine's distribution has what is missing.  What is
# in which: Documentation/distributions.rst.

# The value of a variable of a file like os-release; quotes are taken off.
value_of()
{
	sed -n "s/^$2=[\"']\{0,1\}\([^\"']*\)[\"']\{0,1\}\$/\1/p" "$1"
}

# The first of ID and ID_LIKE that is known here.
distribution=unknown
os_release=${OS_RELEASE:-/etc/os-release}
if [ -r "$os_release" ]; then
	for name in $(value_of "$os_release" ID) $(value_of "$os_release" ID_LIKE); do
		case $name in
		debian | ubuntu | fedora | arch)
			distribution=$name
			break
			;;
		opensuse* | suse)
			distribution=opensuse
			break
			;;
		esac
	done
fi

# The command that installs a package, or words that stand for it.
install()
{
	case $distribution in
	debian | ubuntu)
		echo "'apt-get install $1'"
		;;
	fedora)
		echo "'dnf install $1'"
		;;
	arch)
		echo "'pacman -S $1'"
		;;
	opensuse)
		echo "'zypper install $1'"
		;;
	esac
}

# The package of the headers of a release.
headers_package()
{
	case $distribution in
	debian | ubuntu)
		echo "linux-headers-$1"
		;;
	fedora)
		echo "kernel-devel-$1"
		;;
	arch)
		case $1 in
		*-lts | *-zen | *-hardened | *-rt)
			echo "linux-${1##*-}-headers"
			;;
		*-zen[0-9]*)
			echo linux-zen-headers
			;;
		*-hardened[0-9]*)
			echo linux-hardened-headers
			;;
		*)
			echo linux-headers
			;;
		esac
		;;
	opensuse)
		echo "kernel-${1##*-}-devel"
		;;
	*)
		echo "the headers of $1"
		;;
	esac
}

# The packages of a compiler: rustc X.Y, gcc X, bindgen.
tool_package()
{
	case $distribution-$1 in
	ubuntu-rustc)
		echo "rustc-$2"
		;;
	fedora-rustc | arch-rustc | opensuse-rustc)
		echo rust
		;;
	fedora-bindgen)
		echo bindgen-cli
		;;
	arch-bindgen | opensuse-bindgen)
		echo rust-bindgen
		;;
	debian-gcc | ubuntu-gcc | debian-clang | ubuntu-clang)
		echo "$1-$2"
		;;
	opensuse-gcc | opensuse-clang)
		echo "$1$2"
		;;
	*)
		echo "$1"
		;;
	esac
}

# "install it (on Debian: 'apt-get install bindgen')", with what is to be installed.
get()	# WHAT PACKAGE
{
	if [ "$distribution" = unknown ]; then
		echo "install $1"
	else
		echo "install $1 ($(install "$2"))"
	fi
}

own="use the build tree of a kernel of your own with KDIR=..."

# What to do where the headers of a release lack a program of the kernel's scripts.
get_scripts()
{
	case $distribution in
	ubuntu | fedora | arch | opensuse)
		echo "install all of them ($(install "$(headers_package "$1")")), and if that package does not have this file, $own"
		;;
	debian)
		echo "no package of Debian's has it, so $own"
		;;
	*)
		echo "$own"
		;;
	esac
}

# What to do where the headers of a release lack Rust's metadata.
get_metadata()
{
	case $distribution in
	ubuntu)
		echo "install them ($(install "linux-lib-rust-$1")), or $own"
		;;
	debian)
		echo "no package of Debian's has them, so take 'make deb KERNEL=$1', or $own"
		;;
	arch)
		echo "install all of them ($(install "$(headers_package "$1")")), and if that package does not have this file, $own"
		;;
	fedora | opensuse)
		echo "$(headers_package "$1") is not known to have them, so $own"
		;;
	*)
		echo "$own"
		;;
	esac
}
