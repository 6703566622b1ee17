// Starts a command for which one system call fails, as in a container or with a table of the system full (seccomp(2)).
// refuse <call> <errno> [<argument> <mask>] -- <command> ...
// With an argument's index and a mask the call fails only where all bits of the mask are set in that argument, as in flags.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL(name) { #name, SYS_##name }
static const struct { const char *name; int number; } calls[] = {
  CALL(openat), CALL(mmap), CALL(memfd_create), CALL(mlock2), CALL(fallocate), CALL(madvise), CALL(msync), CALL(fsync), CALL(mincore), CALL(mprotect), CALL(mremap),
};

int main(int argc, char **argv) {
  int at = 1;
  if (argc < 5) return 64;
  int number = -1;
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if (strcmp(calls[i].name, argv[at]) == 0) number = calls[i].number;
  if (number < 0) return 65;
  unsigned error = (unsigned)atoi(argv[at + 1]);
  at += 2;
  unsigned argument = 0, mask = 0;
  if (strcmp(argv[at], "--") != 0) {
    argument = (unsigned)atoi(argv[at]);
    mask = (unsigned)strtoul(argv[at + 1], NULL, 0);
    at += 2;
  }
  if (strcmp(argv[at++], "--") != 0) return 66;
  // The low half of an argument lies first on machines of this byte order only.
  unsigned low = (unsigned)(offsetof(struct seccomp_data, args) + 8 * argument);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  low += 4;
#endif
  struct sock_filter filter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 4),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mask, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error & SECCOMP_RET_DATA)),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 67;
  execvp(argv[at], argv + at);
  return 68;
}
