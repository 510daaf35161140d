// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded where proot 5.1 traces: it changes the memory of a process that
 * executes a program, and a child of vfork() or posix_spawn() still has that in
 * common with its parent.  Here these are fork(), and so are popen() and
 * system(), which call the C library's own posix_spawn().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

/* As in glibc's posix/spawn_int.h; the first three members of the type in spawn.h. */
enum { CLOSE, DUP2, OPEN, CHDIR, FCHDIR, CLOSEFROM, TCSETPGRP };

struct __spawn_action {
	int tag;
	union {
		struct { int fd, newfd; } fds;
		struct { int fd; char *path; int oflag; mode_t mode; } open;
		struct { char *path; } chdir;
	} action;
};

pid_t vfork(void)
{
	return fork();
}

static int act(const struct __spawn_action *a)
{
	int fd = a->action.fds.fd;

	switch (a->tag) {
	case CLOSE:
		close(fd);
		return 0;
	case DUP2:
		if (fd == a->action.fds.newfd)
			return fcntl(fd, F_SETFD, fcntl(fd, F_GETFD) & ~FD_CLOEXEC);
		return dup2(fd, a->action.fds.newfd) < 0;
	case OPEN: {
		int got = open(a->action.open.path, a->action.open.oflag, a->action.open.mode);

		if (got < 0 || got == fd)
			return got < 0;
		if (dup2(got, fd) < 0)
			return -1;
		return close(got);
	}
	case CHDIR:
		return chdir(a->action.chdir.path);
	case FCHDIR:
		return fchdir(fd);
	case CLOSEFROM:
		closefrom(fd);
		return 0;
	default:
		return tcsetpgrp(fd, getpgrp());
	}
}

static int prepare(const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr)
{
	short flags = 0;
	sigset_t set;
	pid_t group;
	int n;

	if (attr) {
		posix_spawnattr_getflags(attr, &flags);
		posix_spawnattr_getsigdefault(attr, &set);
		for (n = 1; flags & POSIX_SPAWN_SETSIGDEF && n < NSIG; n++)
			if (sigismember(&set, n) == 1)
				signal(n, SIG_DFL);
		posix_spawnattr_getpgroup(attr, &group);
		if (flags & POSIX_SPAWN_SETSID && setsid() < 0)
			return -1;
		if (flags & POSIX_SPAWN_SETPGROUP && setpgid(0, group))
			return -1;
	}
	for (n = 0; actions && n < actions->__used; n++)
		if (act(&actions->__actions[n]))
			return -1;
	posix_spawnattr_getsigmask(attr ? attr : &(posix_spawnattr_t){ 0 }, &set);
	if (flags & POSIX_SPAWN_SETSIGMASK)
		sigprocmask(SIG_SETMASK, &set, NULL);
	return 0;
}

typedef int execute_fn(const char *, char *const[], char *const[]);

static int spawn(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attr, char *const argv[], char *const envp[],
		 execute_fn *execute)
{
	int pipes[2], error = 0;
	pid_t child;

	if (pipe2(pipes, O_CLOEXEC))
		return errno;
	/* Above what the actions are likely to close or to replace. */
	error = fcntl(pipes[1], F_DUPFD_CLOEXEC, 200);
	close(pipes[1]);
	pipes[1] = error;
	error = 0;
	child = fork();
	if (child == 0) {
		if (!prepare(actions, attr))
			execute(file, argv, envp);
		error = errno;
		if (write(pipes[1], &error, sizeof(error)) < 0)
			_exit(126);
		_exit(127);
	}
	close(pipes[1]);
	if (child < 0)
		error = errno;
	else if (read(pipes[0], &error, sizeof(error)) > 0)
		waitpid(child, NULL, 0);
	close(pipes[0]);
	if (!error && pid)
		*pid = child;
	return error;
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	return spawn(pid, path, actions, attr, argv, envp, execve);
}

int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	return spawn(pid, file, actions, attr, argv, envp, execvpe);
}

static pid_t shell(const char *command, int from, int to)
{
	pid_t child = fork();

	if (child)
		return child;
	if (from >= 0 && from != to) {
		dup2(from, to);
		close(from);
	} else if (from >= 0) {
		fcntl(to, F_SETFD, 0);
	}
	execl("/bin/sh", "sh", "-c", "--", command, NULL);
	_exit(127);
}

static int status_of(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

int system(const char *command)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old_int, old_quit;
	pid_t child;
	int status;

	if (!command)
		return 1;
	child = shell(command, -1, -1);
	if (child < 0)
		return -1;
	sigaction(SIGINT, &ignore, &old_int);
	sigaction(SIGQUIT, &ignore, &old_quit);
	status = status_of(child);
	sigaction(SIGINT, &old_int, NULL);
	sigaction(SIGQUIT, &old_quit, NULL);
	return status;
}

/* The open ones, newest first. */
static struct pipe {
	FILE *file;
	pid_t child;
	struct pipe *next;
} *pipes;

FILE *popen(const char *command, const char *mode)
{
	int reads = strchr(mode, 'r') != NULL, ends[2];
	struct pipe *new = malloc(sizeof(*new));

	if (!new)
		return NULL;
	if (pipe2(ends, O_CLOEXEC)) {
		free(new);
		return NULL;
	}
	new->file = fdopen(ends[!reads], reads ? "r" : "w");
	new->child = new->file ? shell(command, ends[reads], reads) : -1;
	close(ends[reads]);
	if (new->child < 0) {
		if (new->file)
			fclose(new->file);
		free(new);
		return NULL;
	}
	if (!strchr(mode, 'e'))
		fcntl(ends[!reads], F_SETFD, 0);
	new->next = pipes;
	pipes = new;
	return new->file;
}

int pclose(FILE *file)
{
	struct pipe **at, *found;
	pid_t child;

	for (at = &pipes; *at && (*at)->file != file; at = &(*at)->next)
		;
	if (!*at) {
		errno = ECHILD;
		return -1;
	}
	found = *at;
	*at = found->next;
	child = found->child;
	free(found);
	fclose(file);
	return status_of(child);
}
