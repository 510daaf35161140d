// SPDX-License-Identifier: GPL-2.0
/*
 * Process 1 of the guest: runs the command and reports to the host.
 *
 * Everything goes through I/O port 0xe9, which both emulators pass to the host
 * byte by byte: no baud rate, no interrupts, nothing left in a buffer when the
 * machine is turned off.  A frame is a type, a length (16 bits, little endian)
 * and that many bytes:
 *
 *	K  a line of the kernel log
 *	S  the command starts: the TSC; the kernel log before this is the boot's
 *	O  the command's stdout
 *	E  its stderr
 *	F  a piece of an archive of the files that the host asks for: when it has ended
 *	X  its exit status and the TSC: the last frame
 *
 * stdout is a terminal, so that the C library flushes it after each line, but a
 * raw one, so that no byte is changed.  If a person is at the other end, it is an
 * ordinary terminal, the command's stdin and stderr too; what the person types comes
 * by the serial port.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <x86intrin.h>

#define PORT 0xe9
#define MAGIC "\r\n\001raw_hrtimer-vm-1\002"
#define INTERACTIVE "/run/vm/interactive"
#define SERIAL "/dev/ttyS0"
#define WANTED "/run/vm/get"
#define COLLECT "/sbin/collect"

enum { KMSG, OUT, ERR, IN, STREAMS };

static struct pollfd streams[STREAMS];

static void put(const void *data, size_t len)
{
	asm volatile("rep outsb" : "+S"(data), "+c"(len) : "d"(PORT) : "memory");
}

static void frame(char type, const void *data, size_t len)
{
	uint8_t head[3] = { type, len & 0xff, len >> 8 };

	put(head, sizeof(head));
	put(data, len);
}

/*
 * Called after the fork: a child would inherit the access, and with it slower
 * context switches than any process has in production.
 */
static bool connect_port(void)
{
	static bool connected;

	if (!connected && iopl(3) == 0) {
		put(MAGIC, sizeof(MAGIC) - 1);
		connected = true;
	}
	return connected;
}

/* The last words; the host ends the machine when it has read them. */
static void finish(int status)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%d %llu", status, __rdtsc());

	frame('X', text, len);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void fail(const char *what)
{
	char text[256];
	int len = snprintf(text, sizeof(text), "vm: %s: %s\n", what, strerror(errno));

	if (!connect_port()) {
		fputs(text, stderr);	/* the console: all that is left */
		reboot(RB_POWER_OFF);
	}
	frame('E', text, len);
	finish(125);
}

/* "6,123,4567,-;text\n KEY=value\n" becomes "<6>[    0.004567] text\n". */
static void forward_kmsg(void)
{
	char record[8192], line[8192 + 32];
	unsigned long long usec;
	unsigned int priority;
	ssize_t len;

	for (;;) {
		char *text, *end;

		len = read(streams[KMSG].fd, record, sizeof(record) - 1);
		if (len < 0 && errno == EPIPE)
			continue;	/* some were overwritten */
		if (len <= 0)
			return;
		record[len] = '\0';
		text = strchr(record, ';');
		if (!text || sscanf(record, "%u,%*u,%llu", &priority, &usec) != 2)
			continue;
		end = strchrnul(++text, '\n');
		frame('K', line, snprintf(line, sizeof(line), "<%u>[%5llu.%06llu] %.*s\n",
					  priority & 7, usec / 1000000, usec % 1000000,
					  (int)(end - text), text));
	}
}

/* Passes on what there is, without waiting. */
static void forward(struct pollfd *stream, char type)
{
	char data[4096];
	ssize_t len;

	if (stream->fd < 0)
		return;
	while ((len = read(stream->fd, data, sizeof(data))) > 0)
		frame(type, data, len);
	if (len == 0 || errno != EAGAIN) {
		close(stream->fd);	/* EIO: the terminal's last user is gone */
		stream->fd = -1;
	}
}

/* Passes what a person types on to the command's terminal. */
static void forward_input(void)
{
	char data[256];
	ssize_t len;

	if (streams[IN].fd < 0 || streams[OUT].fd < 0)
		return;
	while ((len = read(streams[IN].fd, data, sizeof(data))) > 0)
		if (write(streams[OUT].fd, data, len) < 0)
			return;
}

static int open_serial(void)
{
	struct termios raw = { .c_cflag = CS8 | CREAD | CLOCAL | B115200, .c_cc[VMIN] = 1 };
	int fd = open(SERIAL, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || tcsetattr(fd, TCSANOW, &raw))
		fail(SERIAL);
	return fd;
}

/* In the child: the terminal is its stdin, stdout and stderr, and signals it. */
static bool take_terminal(int terminal)
{
	return ioctl(terminal, TIOCSCTTY, 0) == 0 && dup2(terminal, 0) == 0 &&
	       dup2(terminal, 1) == 1 && dup2(terminal, 2) == 2;
}

/* Prepares the command; it runs once something is written to *gate. */
static pid_t prepare(char **argv, bool interactive, int *gate)
{
	struct termios raw = { .c_cflag = CS8 | CREAD | B38400, .c_cc[VMIN] = 1 };
	int out, child_out, err[2], wait[2];
	pid_t pid;
	char byte;

	if (openpty(&out, &child_out, NULL, interactive ? NULL : &raw, NULL) ||
	    pipe(err) || pipe(wait))
		fail("terminal");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		setsid();
		if (read(wait[0], &byte, 1) != 1)
			_exit(126);
		if (interactive ? !take_terminal(child_out) :
		    dup2(open("/dev/null", O_RDONLY), 0) < 0 ||
		    dup2(child_out, 1) < 0 || dup2(err[1], 2) < 0)
			_exit(126);
		close_range(3, ~0U, 0);
		execvp(argv[0], argv);
		fprintf(stderr, "vm: %s: %s\n", argv[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(child_out);
	close(err[1]);
	fcntl(out, F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	streams[OUT] = (struct pollfd){ .fd = out, .events = POLLIN };
	streams[ERR] = (struct pollfd){ .fd = err[0], .events = POLLIN };
	streams[IN] = (struct pollfd){ .fd = interactive ? open_serial() : -1, .events = POLLIN };
	*gate = wait[1];
	return pid;
}

static char **read_command(const char *path)
{
	static char words[128 * 1024], *argv[4096];
	FILE *file = fopen(path, "r");
	size_t len, at, n = 0;

	if (!file)
		fail(path);
	len = fread(words, 1, sizeof(words) - 1, file);
	fclose(file);
	for (at = 0; at < len && n < 4095; at += strlen(words + at) + 1)
		argv[n++] = words + at;
	if (n == 0)
		fail("no command");
	return argv;
}

/* Sends the files that the host asks for, as one archive. */
static void send_files(void)
{
	char data[32768];
	int archive[2];
	sigset_t none;
	ssize_t len;
	pid_t pid;

	if (access(WANTED, F_OK))
		return;
	if (pipe(archive))
		fail("pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(archive[1], 1);
		close_range(3, ~0U, 0);
		execl(COLLECT, COLLECT, NULL);
		_exit(127);
	}
	close(archive[1]);
	while ((len = read(archive[0], data, sizeof(data))) > 0)
		frame('F', data, len);
	waitpid(pid, NULL, 0);
}

static void on_child(int signal)
{
	(void)signal;	/* only there to end ppoll() */
}

/* Reaps whatever has ended; returns whether the command has. */
static bool ended(pid_t command, int *status)
{
	bool is_over = false;
	pid_t pid;
	int how;

	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		if (pid == command) {
			*status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
			is_over = true;
		}
	}
	return is_over;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_child };
	bool is_over = false;
	sigset_t child, none;
	int status, gate, len;
	pid_t command;
	char text[32];

	/* SIGCHLD arrives only inside ppoll(), so that none is missed. */
	sigemptyset(&none);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigaction(SIGCHLD, &action, NULL);

	command = prepare(read_command(argc > 1 ? argv[1] : "/run/vm/command"),
			  access(INTERACTIVE, F_OK) == 0, &gate);
	streams[KMSG].fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	streams[KMSG].events = POLLIN;
	if (streams[KMSG].fd < 0)
		fail("/dev/kmsg");
	if (!connect_port())
		fail("iopl");
	forward_kmsg();
	len = snprintf(text, sizeof(text), "%llu", __rdtsc());
	frame('S', text, len);
	sigprocmask(SIG_BLOCK, &child, NULL);
	if (write(gate, "", 1) != 1)
		fail("start");

	while (!is_over) {
		if (ppoll(streams, STREAMS, NULL, &none) < 0 && errno != EINTR)
			fail("poll");
		is_over = ended(command, &status);
		forward_kmsg();
		forward(&streams[ERR], 'E');
		forward(&streams[OUT], 'O');
		forward_input();
	}
	forward_kmsg();
	send_files();
	finish(status);
}
