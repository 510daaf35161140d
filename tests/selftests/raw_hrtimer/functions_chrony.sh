# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# chronyd with a reference clock that is right, and a clock that is not; to be
# sourced after functions.sh.

# REFCLOCK, the program.  chronyd may not step the clock: what is wrong is slewed.
start_chronyd() {
	cat > "$LOG.conf" <<-END
	refclock SOCK $LOG.sock refid RAW poll 0 filter 2
	cmdport 0
	driftfile /dev/null
	END
	# shellcheck disable=SC2034	# functions.sh reads it
	BENT=1
	chronyd -n -u root -f "$LOG.conf" > "$LOG.chronyd" 2>&1 &
	CHRONYD=$!
	"$1" "$LOG.sock" &
	BACKGROUND="$CHRONYD $!"
	for _ in $(seq 30); do
		[ -S "$LOG.sock" ] && return
		sleep 1
	done
	sed 's/^/# chronyd: /' "$LOG.chronyd"
	return 1
}

# Alternately 0.3 s ahead and 0.3 s behind.
DIRECTION=
spoil() {
	if [ -z "$DIRECTION" ]; then
		DIRECTION=1
		set_clock 0.3
	else
		DIRECTION=
		set_clock -0.3
	fi
}

# SECONDS to add.  date sets whole seconds: wait for the fraction.
set_clock() {
	adjtimex -p > /dev/null 2>&1
	now=$(date +%s)
	case $1 in
	-*) usleep 700000; date -s "@$now" > /dev/null ;;
	*) usleep 700000; date -s "@$((now + 1))" > /dev/null ;;
	esac
}
