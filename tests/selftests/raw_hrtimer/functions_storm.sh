# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the storms share: guests that arm timers all the while, a clock that is
# bent all the while, and what must not grow.  To be sourced after DIR is set.

. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

# SEED makes a storm another.
SEED=${SEED:-$(date +%s)}

# LIMIT: a number from 0 to one less, by SEED.
echo "$SEED" > "$LOG.random"
random() {
	# In a subshell the state would not go on: it is kept in a file.
	read -r state < "$LOG.random"
	state=$(((state * 1103515245 + 12345) % 2147483648))
	echo $state > "$LOG.random"
	echo $((state / 65536 % $1))
}

# NUMBER COMMAND: so many times, or until it fails; ROUND is how many it was then.
# Where it is often the kernel's log is looked at in between, before it is too long.
rounds() {
	for ROUND in $(seq "$1"); do
		"$2" || { say "failed in round $ROUND of $1"; return 1; }
		[ "$1" -ge 50 ] && [ $((ROUND % ($1 / 20))) = 0 ] || continue
		say "round $ROUND of $1"
		log_is_clean || return 1
		mark
	done
}

# Guests.

STORM=

find_storm_guest() {
	STORM=$(find_program timer_storm_guest)
}

# The guest, and a KVM in which it can run; the module is not loaded.
need_storm_guest() {
	unload raw_hrtimer_test
	unload raw_hrtimer || skip_all "raw_hrtimer is in use"
	need_kvm
	find_storm_guest || skip_all "timer_storm_guest, a guest for KVM's selftests, is not built"
	$STORM --starts 10 > "$LOG" 2>&1
	[ $? != 4 ] || skip_all "timer_storm_guest cannot run here: $(tail -n 1 "$LOG")"
}

# SIGN COMMAND...: starts a guest, which runs when this returns, as SIGN says by
# succeeding; its process in GUEST.
start_until() {
	sign=$1
	shift
	: > "$LOG"
	"$@" > "$LOG" 2>&1 &
	GUEST=$!
	BACKGROUND="$BACKGROUND $GUEST"
	for _ in $(seq 300); do
		"$sign" && return
		kill -0 $GUEST 2> /dev/null || break
		usleep 100000
	done
	sed 's/^/# /' "$LOG"
	return 1
}

says_running() {
	grep -q '^# running' "$LOG"
}

# COMMAND...: starts a guest, which runs when the module has armed a timer of it.
start_armed() {
	armed=$(counter starts)
	start_until has_armed "$@"
}

has_armed() {
	[ "$(counter starts)" != "$armed" ]
}

# [OPTION...]: the storm's guest.
start_guest() {
	start_until says_running "$STORM" "$@"
}

guest_still_runs() {
	kill -0 "$GUEST" && return
	say "the guest has ended"
	sed 's/^/# guest: /' "$LOG"
	return 1
}

# STATUS: what a guest that has ended has said; succeeds if it has.
judge_guest() {
	if [ "$1" = 0 ]; then
		sed -n 's/^ok /# guest: ok /p' "$LOG"
	else
		sed 's/^/# guest: /' "$LOG"
	fi
	return "$1"
}

# Ends it, and succeeds if none of its timers was early or lost.
stop_guest() {
	kill "$GUEST" 2> /dev/null
	wait "$GUEST"
	status=$?
	forget_background "$GUEST"
	judge_guest $status
}

# [OPTION...]: a guest that ends by itself.
guest_passes() {
	$STORM "$@" > "$LOG" 2>&1
	judge_guest $?
}

# As stop_guest, where the module came and went: a timer of the others was early,
# as without it, but none is lost.
stop_disturbed_guest() {
	stop_guest > "$LOG.said"
	sed -n 's/^# guest: .*ok [0-9]* /# guest: /p' "$LOG.said"
	[ "$(grep -c 'lost 0,' "$LOG.said")" -gt 0 ] &&
		! grep -q 'lost [1-9]' "$LOG.said"
}

# PROCESS: it has ended and been waited for.
forget_background() {
	left=
	for process in $BACKGROUND; do
		[ "$process" = "$1" ] || left="$left $process"
	done
	BACKGROUND=$left
}

# The clock.

need_bending() {
	need_adjtimex
	need_tsc
	BEND=$(find_program rate_schedule) || skip_all "rate_schedule is not built"
}

# INTERVAL_US [MAX_TICK]: the rate changes from now on, by SEED.
start_bending() {
	# shellcheck disable=SC2034	# functions.sh reads it
	BENT=1
	$BEND --seed "$SEED" --interval "$1" ${2:+--max-tick "$2"} random > "$LOG.bend" &
	BENDING=$!
	BACKGROUND="$BACKGROUND $BENDING"
}

stop_bending() {
	kill "$BENDING"
	wait "$BENDING"
	forget_background "$BENDING"
	cat "$LOG.bend"
	straighten
	settle
}

# The test module.

# Beside raw_hrtimer as it is.
add_test_module() {
	load raw_hrtimer_test || fail_all "raw_hrtimer_test cannot be loaded"
}

# A few timers of its own: none early, none lost.
soak_once() {
	run_case soak 5000 "$SEED" 20000
}

# The same all the while, until stop_soaking, which succeeds if each time did.
start_soaking() {
	while [ ! -e "$LOG.enough" ]; do
		soak_once || exit 1
	done > "$LOG.soak" &
	SOAKING=$!
	BACKGROUND="$BACKGROUND $SOAKING"
}

stop_soaking() {
	touch "$LOG.enough"
	wait "$SOAKING"
	status=$?
	forget_background "$SOAKING"
	tail -n 20 "$LOG.soak"
	return $status
}

# What must not grow.

# Bytes in the slab that cannot be reclaimed, percpu and vmalloc memory, and
# objects of the kernel's debugging, where it has that.
memory_in_use() {
	echo 3 > /proc/sys/vm/drop_caches
	# What is free, but kept: KASAN has a quarantine for it.
	for shrink in /sys/kernel/slab/*/shrink; do
		[ ! -e "$shrink" ] || echo 1 > "$shrink" 2> /dev/null
	done
	sleep 1
	awk '/^(SUnreclaim|Percpu|VmallocUsed):/ { kb += $2 } END { print kb }' /proc/meminfo
}

debug_objects() {
	field_of=$DEBUGFS/debug_objects/stats
	[ ! -r "$field_of" ] || sed -n 's/^pool_used *: *//p' "$field_of"
}

# NAME: active objects of all slab caches, one "NAME COUNT" on each line.
slab_objects() {
	awk 'NR > 2 { print $1, $2 }' /proc/slabinfo
}

# Before the storm, but after a few rounds of it: what is allocated once is no leak.
# And with the same guests and modules there as when nothing_leaked looks.
remember_memory() {
	MEMORY=$(memory_in_use)
	OBJECTS=$(debug_objects)
	slab_objects > "$LOG.slabs"
}

# The cache that has grown most: "COUNT NAME".  Areas of vmalloc() are freed some time
# later, all at once, and what is in them counts as memory.
most_grown_slab() {
	slab_objects | grep -v '^vmap_area ' | awk -v file="$LOG.slabs" '
		BEGIN { while ((getline line < file) > 0) { split(line, w, " "); was[w[1]] = w[2] } }
		{ print $2 - was[$1], $1 }' | sort -n | tail -n 1
}

# ROUNDS: succeeds if no object is left of each of them, or of every other one that the
# kernel's debugging knows of, beyond what a machine needs to breathe; nor 2 MB in all.
nothing_leaked() {
	now=$(memory_in_use)
	objects=$(debug_objects)
	grown=$(most_grown_slab)
	say "memory: $MEMORY kB, then $now kB${objects:+; debug objects: $OBJECTS, then $objects};" \
		"slab that grew most: ${grown#* }, by ${grown%% *} objects"
	[ "${grown%% *}" -lt $(($1 > 300 ? $1 : 300)) ] && [ "$now" -le $((MEMORY + 2048)) ] &&
		{ [ -z "$objects" ] || [ "$objects" -le $((OBJECTS + 32 + $1 / 2)) ]; }
}

# DESCRIPTION, instead of begin.
begin_storm() {
	begin "$1"
	say "SEED=$SEED"
}
