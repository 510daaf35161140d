// SPDX-License-Identifier: GPL-2.0
/*
 * Attaches BPF programs by fentry and fexit to functions of the kernel, and says how
 * often each has run at SIGUSR1 and at its end, which SIGTERM is.  --once: attaches
 * them and ends.  Exits with 4 where the kernel has no such BPF, and says why.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/btf.h>

#include "kselftest.h"

#define BTF	"/sys/kernel/btf/vmlinux"
#define MOST	16

static const struct {
	const char *name;
	enum bpf_attach_type type;
} kinds[] = {
	{ "fentry", BPF_TRACE_FENTRY },
	{ "fexit", BPF_TRACE_FEXIT },
};

#define KINDS ARRAY_SIZE(kinds)

static int programs[MOST][KINDS];
static char verifier[4096];

static int bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static void missing(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(errno == ENOENT || errno == EOPNOTSUPP || errno == EPERM ? KSFT_SKIP : KSFT_FAIL);
}

/* All types that the kernel has. */
static char *read_types(void)
{
	size_t size = 0, room = 1 << 24;
	char *types = malloc(room);
	int fd = open(BTF, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		missing(BTF);
	while (types && (n = read(fd, types + size, room - size)) > 0)
		size += n;
	close(fd);
	if (!types || size < sizeof(struct btf_header) || size == room) {
		printf("%s cannot be read as a whole\n", BTF);
		exit(KSFT_FAIL);
	}
	return types;
}

/* What follows a type, in bytes. */
static size_t more_of(const struct btf_type *type)
{
	unsigned int n = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return n * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return n * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return n * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return n * sizeof(struct btf_var_secinfo);
	default:
		return 0;
	}
}

/* The number of the type of a function. */
static unsigned int find_function(const char *types, const char *name)
{
	const struct btf_header *header = (const void *)types;
	const char *at = types + header->hdr_len + header->type_off;
	const char *end = at + header->type_len;
	const char *strings = types + header->hdr_len + header->str_off;

	for (unsigned int id = 1; at < end; id++) {
		const struct btf_type *type = (const void *)at;

		if (BTF_INFO_KIND(type->info) == BTF_KIND_FUNC &&
		    !strcmp(strings + type->name_off, name))
			return id;
		at += sizeof(*type) + more_of(type);
	}
	printf("the kernel's types have no function %s\n", name);
	exit(KSFT_SKIP);
}

/* A program that returns 0. */
static int load(unsigned int id, enum bpf_attach_type type)
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_TRACING,
		.expected_attach_type = type,
		.insns = (unsigned long)code,
		.insn_cnt = ARRAY_SIZE(code),
		.license = (unsigned long)"GPL",
		.attach_btf_id = id,
		.log_buf = (unsigned long)verifier,
		.log_size = sizeof(verifier),
		.log_level = 1,
	};
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0) {
		int error = errno;

		printf("%s", verifier);
		errno = error;
		missing("BPF_PROG_LOAD");
	}
	return fd;
}

static void attach(int program)
{
	union bpf_attr attr = { .raw_tracepoint.prog_fd = program };

	/* Attached until this program ends. */
	if (bpf(BPF_RAW_TRACEPOINT_OPEN, &attr) < 0)
		missing("attach");
}

static unsigned long long runs(int program)
{
	struct bpf_prog_info info = { };
	union bpf_attr attr = {
		.info.bpf_fd = program,
		.info.info_len = sizeof(info),
		.info.info = (unsigned long)&info,
	};

	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) ? 0 : info.run_cnt;
}

static void say(char **names, int n)
{
	for (int i = 0; i < n; i++)
		for (unsigned int kind = 0; kind < KINDS; kind++)
			printf("%s %s: %llu\n", names[i], kinds[kind].name,
			       runs(programs[i][kind]));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int once = argc > 1 && !strcmp(argv[1], "--once");
	union bpf_attr count = { .enable_stats.type = BPF_STATS_RUN_TIME };
	char **names = argv + 1 + once;
	int n = argc - 1 - once;
	sigset_t signals;
	char *types;
	int number;

	if (n < 1 || n > MOST) {
		fprintf(stderr, "usage: %s [--once] FUNCTION...\n", argv[0]);
		return KSFT_FAIL;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);

	/* Where these are there, bpf() is. */
	types = read_types();
	if (bpf(BPF_ENABLE_STATS, &count) < 0)
		missing("BPF_ENABLE_STATS");
	for (int i = 0; i < n; i++) {
		for (unsigned int kind = 0; kind < KINDS; kind++) {
			programs[i][kind] = load(find_function(types, names[i]), kinds[kind].type);
			attach(programs[i][kind]);
		}
	}
	free(types);
	printf("# running\n");
	fflush(stdout);
	while (!once && !sigwait(&signals, &number) && number == SIGUSR1)
		say(names, n);
	say(names, n);
	return KSFT_PASS;
}
