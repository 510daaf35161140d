// SPDX-License-Identifier: GPL-2.0
/*
 * A reference clock for chronyd: CLOCK_MONOTONIC_RAW, which nobody bends, from
 * where CLOCK_REALTIME was when this program was started.  chronyd reads it as
 * a SOCK refclock; it is right as far as a test of timers is concerned, and the
 * system's clock is wrong as soon as somebody has set it.
 *
 * usage: refclock SOCKET, which chronyd has made
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* struct sock_sample in chrony's refclock_sock.c, and its magic number */
struct sample {
	struct timeval tv;
	double offset;
	int pulse;
	int leap;
	int pad;
	int magic;
};

#define SAMPLE_MAGIC 0x534f434b
#define PERIOD_US 250000

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct sample sample = { .magic = SAMPLE_MAGIC };
	double start, raw_start;
	int fd;

	if (argc != 2 || strlen(argv[1]) >= sizeof(to.sun_path)) {
		fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
		return 2;
	}
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", argv[1]);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd < 0) {
		perror("socket");
		return 1;
	}

	/* A double has 0.2 us at today's date: enough against errors of 0.1 s. */
	start = seconds(CLOCK_REALTIME);
	raw_start = seconds(CLOCK_MONOTONIC_RAW);
	for (;;) {
		double real = seconds(CLOCK_REALTIME);
		double raw = seconds(CLOCK_MONOTONIC_RAW);

		sample.offset = start + (raw - raw_start) - real;
		sample.tv.tv_sec = (time_t)real;
		sample.tv.tv_usec = (suseconds_t)((real - (time_t)real) * 1e6);
		/* Nobody may be there yet, or any more: the next one will do. */
		sendto(fd, &sample, sizeof(sample), 0, (struct sockaddr *)&to, sizeof(to));
		usleep(PERIOD_US);
	}
}
