/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Common code of the tests that measure how accurate an emulated timer is.
 *
 * The guest sets the timer for various times ahead, waits by spinning or
 * halting, and subtracts from the TSC that it finds afterwards the one at which
 * the timer was due: below zero is early, which is wrong if it is by more than
 * NTP currently makes of the time until then, and above is late, which is wrong
 * only beyond a given limit.
 *
 * Run the tests with --exact, and with CLOCK_MONOTONIC at another rate than the
 * TSC's, e.g. with "adjtimex -t 9000" or 11000, to see whether KVM takes one for
 * the other.
 */
#ifndef SELFTEST_KVM_TIMER_ACCURACY_H
#define SELFTEST_KVM_TIMER_ACCURACY_H

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "timer_guest.h"
#include "timer_skew.h"

#define TIMER_MAX_SAMPLES	1000000u

/* Where they are in the guest: a region of their own, as there may be many. */
#define TIMER_SAMPLES_GPA	0xc0000000ull
#define TIMER_SAMPLES_GVA	0xc0000000ull
#define TIMER_SAMPLES_SLOT	10

/* Unless told otherwise, no more samples, and no longer than this in total. */
#define TIMER_SAMPLES		20u
#define TIMER_TOTAL_US		2000000u

struct timer_run;

/* One way to use a timer, for distances within bounds. */
struct timer_mode {
	const char *name;
	void (*test)(const struct timer_run *run);
	u64 value;			/* whatever the test makes of it */
	u32 min_us, max_us;
	bool spinning_only;
	bool adds_up;			/* what one is off by, the next is off by, too */
};

/* One test: measures so many samples, and reports them as one result. */
struct timer_run {
	const struct timer_mode *mode;
	u32 distance_us;
	u32 samples;
	u32 max_late;			/* cycles; 0: no limit */
	bool halt;			/* to wait, instead of spinning */
	bool raw;			/* to print each sample */
	bool exact;			/* to allow for nothing */
};

static const u32 timer_distances_us[] = { 10, 100, 1000, 10000, 100000, 1000000 };

/* What the guest is told, and what it tells. */
struct guest_timer {
	u64 samples;
	u64 distance_us;
	u64 halt;
	u64 mode;
	u64 irqs;			/* so far */
	s64 *late;			/* of each sample, in any unit */
};

static struct guest_timer guest_timer;

/* The rate of the guest's TSC in percent of that of the host's. */
static u32 timer_tsc_percent = 100;

/* Since the VM was created. */
static struct timer_skew timer_skew;

/*
 * Guest: wait with interrupts disabled, except while spinning or halted, for
 * the handler to have counted the given number of interrupts.
 */
static inline void guest_wait_for_irq(u64 nr)
{
	while (READ_ONCE(guest_timer.irqs) < nr) {
		if (guest_timer.halt) {
			safe_halt();
		} else {
			sti();
			cpu_relax();
		}
		cli();
	}
}

/* Let the guest's TSC have another rate than the host's, if that is asked for. */
static inline void timer_set_tsc_rate(struct kvm_vcpu *vcpu)
{
	if (timer_tsc_percent == 100)
		return;
	guest_tsc_khz = (u64)guest_tsc_khz * timer_tsc_percent / 100;
	vcpu_ioctl(vcpu, KVM_SET_TSC_KHZ, (void *)(unsigned long)guest_tsc_khz);
	sync_global_to_guest(vcpu->vm, guest_tsc_khz);
}

/* Create a VM that has the arguments, and room for the results. */
static inline struct kvm_vm *timer_vm_create(struct kvm_vcpu **vcpu, void *guest_code,
					     const struct timer_run *run)
{
	size_t size = run->samples * sizeof(s64);
	u64 pages = vm_calc_num_guest_pages(VM_MODE_DEFAULT, size);
	struct kvm_vm *vm;

	timer_skew_start(&timer_skew);

	/* What is asked for here is room for the page tables that map so much. */
	vm = __vm_create_with_one_vcpu(vcpu, pages, guest_code);
	timer_set_tsc_rate(*vcpu);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, TIMER_SAMPLES_GPA,
				    TIMER_SAMPLES_SLOT, pages, 0);
	virt_map(vm, TIMER_SAMPLES_GVA, TIMER_SAMPLES_GPA, pages);
	guest_timer = (struct guest_timer) {
		.samples = run->samples,
		.distance_us = run->distance_us,
		.halt = run->halt,
		.mode = run->mode->value,
		.late = (s64 *)TIMER_SAMPLES_GVA,
	};
	sync_global_to_guest(vm, guest_timer);
	return vm;
}

static inline int timer_compare(const void *a, const void *b)
{
	s64 x = *(const s64 *)a, y = *(const s64 *)b;

	return x < y ? -1 : x > y;
}

/* Units of which there are so many in a millisecond as cycles, rounded down. */
static inline s64 timer_units_to_cycles(s64 n, s64 units_per_ms)
{
	s64 cycles = n * (s64)guest_tsc_khz;

	return cycles / units_per_ms - (cycles % units_per_ms < 0);
}

/* In the order in which they were taken. */
static inline void timer_print_samples(const s64 *late, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		if (i % 16 == 0)
			ksft_print_msg("raw:");
		printf(" %ld%s", (long)late[i], i % 16 == 15 || i == nr - 1 ? "\n" : "");
	}
}

/* Of so many units, how many NTP makes a timer early by; rounded up. */
static inline s64 timer_allowed(const struct timer_run *run, u64 units)
{
	return run->exact ? 0 : units * timer_skew_ppm(&timer_skew) / 1000000 + 1;
}

/*
 * Report the results of a VM, and free it.
 *
 * The first sample is only asked whether it's early, as the guest takes EPT
 * violations to get through it.
 */
static inline void timer_report(struct kvm_vm *vm, const struct timer_run *run, u64 units_per_ms)
{
	s64 *late = addr_gva2hva(vm, (gva_t)guest_timer.late);
	u32 skip = run->samples > 1, nr = run->samples - skip;
	s64 drift, allowed = timer_allowed(run, run->distance_us * (u64)guest_tsc_khz / 1000);
	u64 early = 0;
	u32 i;

	for (i = 0; i < run->samples; i++) {
		late[i] = timer_units_to_cycles(late[i], units_per_ms);
		early += late[i] < -(run->mode->adds_up ? allowed * (i + 1) : allowed);
	}
	if (run->raw)
		timer_print_samples(late, run->samples);
	late += skip;
	drift = late[nr - 1] - late[0];
	qsort(late, nr, sizeof(late[0]), timer_compare);

	ksft_test_result(!early && (!run->max_late || late[nr - 1] <= run->max_late),
			 "%s %u us %s: early %lu, late min %ld median %ld p99 %ld max %ld cycles, last - first %ld\n",
			 run->mode->name, run->distance_us, run->halt ? "halted" : "spinning",
			 (unsigned long)early, (long)late[0], (long)late[nr / 2],
			 (long)late[(u64)nr * 99 / 100], (long)late[nr - 1], (long)drift);
	kvm_vm_free(vm);
}

static inline void timer_help(const char *name, const struct timer_mode *modes, int nr_modes)
{
	int i;

	printf("usage: %s [OPTION ARGUMENT]...\n\n"
	       " --mode:     one of those below (default: all)\n"
	       " --wait:     spinning or halted (default: both)\n"
	       " --distance: US to the time at which the timer is due (default: various)\n"
	       " --samples:  number of each kind, at most %u (default: %u, or what takes %u s)\n"
	       " --max-late: fail if a timer is more cycles late (default: any is fine)\n"
	       " --tsc:      PERCENT of the host's TSC rate for the guest's (default: 100)\n"
	       " --exact:    allow for nothing, not even for NTP; without an argument\n"
	       " --raw:      print each sample, in cycles; without an argument\n\nmodes:",
	       name, TIMER_MAX_SAMPLES, TIMER_SAMPLES, TIMER_TOTAL_US / 1000000);
	for (i = 0; i < nr_modes; i++)
		printf(" %s", modes[i].name);
	printf("\n");
	exit(KSFT_FAIL);
}

/* What is asked for; NULL and 0 stand for any. */
struct timer_options {
	const char *mode, *wait;
	u32 distances_us[ARRAY_SIZE(timer_distances_us)], nr_distances;
	u32 samples, max_late;
	bool raw, exact;
};

/* Count the tests of a mode, and run them unless that's all. */
static inline u32 timer_test_mode(const struct timer_mode *mode,
				  const struct timer_options *options, bool count_only)
{
	struct timer_run run = {
		.mode = mode, .max_late = options->max_late, .raw = options->raw,
		.exact = options->exact,
	};
	u32 i, nr = options->nr_distances ?: ARRAY_SIZE(timer_distances_us), tests = 0;
	int halt;

	for (i = 0; i < nr; i++) {
		run.distance_us = options->distances_us[i] ?: timer_distances_us[i];
		if (run.distance_us < mode->min_us ||
		    (mode->max_us && run.distance_us > mode->max_us))
			continue;
		run.samples = options->samples ?:
			      max(1u, min(TIMER_SAMPLES, TIMER_TOTAL_US / run.distance_us));

		for (halt = 0; halt <= !mode->spinning_only; halt++) {
			if (options->wait && strcmp(options->wait, halt ? "halted" : "spinning"))
				continue;
			run.halt = halt;
			tests++;
			if (!count_only)
				mode->test(&run);
		}
	}
	return tests;
}

static inline void timer_parse(int argc, char *argv[], const struct timer_mode *modes, int nr_modes,
			       struct timer_options *options)
{
	static const struct option names[] = {
		{ "mode", required_argument, NULL, 'm' },
		{ "wait", required_argument, NULL, 'w' },
		{ "distance", required_argument, NULL, 'd' },
		{ "samples", required_argument, NULL, 's' },
		{ "max-late", required_argument, NULL, 'l' },
		{ "tsc", required_argument, NULL, 't' },
		{ "exact", no_argument, NULL, 'e' },
		{ "raw", no_argument, NULL, 'r' },
		{ }
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (opt) {
		case 'm':
			options->mode = optarg;
			break;
		case 'w':
			options->wait = optarg;
			break;
		case 'd':
			if (options->nr_distances == ARRAY_SIZE(options->distances_us))
				timer_help(argv[0], modes, nr_modes);
			options->distances_us[options->nr_distances++] =
				atoi_positive("Microseconds", optarg);
			break;
		case 's':
			options->samples = atoi_positive("Samples", optarg);
			break;
		case 'l':
			options->max_late = atoi_positive("Cycles", optarg);
			break;
		case 't':
			timer_tsc_percent = atoi_positive("Percent", optarg);
			break;
		case 'e':
			options->exact = true;
			break;
		case 'r':
			options->raw = true;
			break;
		default:
			timer_help(argv[0], modes, nr_modes);
		}
	}
	if (optind < argc || options->samples > TIMER_MAX_SAMPLES)
		timer_help(argv[0], modes, nr_modes);
}

static inline u32 timer_test_modes(const struct timer_mode *modes, int nr_modes,
				   const struct timer_options *options, bool count_only)
{
	u32 tests = 0;
	int i;

	for (i = 0; i < nr_modes; i++)
		if (!options->mode || !strcmp(options->mode, modes[i].name))
			tests += timer_test_mode(&modes[i], options, count_only);
	return tests;
}

/* What main() ends with, after its requirements. */
static inline void timer_main(int argc, char *argv[], const struct timer_mode *modes, int nr_modes)
{
	struct timer_options options = { };
	u32 tests;

	timer_parse(argc, argv, modes, nr_modes, &options);
	tests = timer_test_modes(modes, nr_modes, &options, true);
	if (!tests)
		timer_help(argv[0], modes, nr_modes);

	ksft_print_header();
	ksft_set_plan(tests);
	timer_test_modes(modes, nr_modes, &options, false);
	ksft_finished();
}

#endif /* SELFTEST_KVM_TIMER_ACCURACY_H */
