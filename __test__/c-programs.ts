// Small C programs that the tests talk to.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const cc = process.env.CC ?? 'cc'

/** Compiles a program and hands its path to `use`; nothing is left behind. */
export function withProgram<T>(source: string, use: (program: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'memmap-c-'))
  try {
    const file = join(dir, 'program.c')
    const program = join(dir, 'program')
    writeFileSync(file, source)
    const { status, stderr } = spawnSync(cc, ['-D_GNU_SOURCE', '-Wall', '-o', program, file, '-lrt'], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
    return use(program)
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** Adds seals to the memfd that it inherits as descriptor 3. */
export const SEAL = `
#include <fcntl.h>
#include <stdlib.h>
int main(int argc, char **argv) { return argc == 2 && fcntl(3, F_ADD_SEALS, atoi(argv[1])) == 0 ? 0 : 1; }
`

/** Maps descriptor 3, forks, and both count in it. */
export const FORK = `
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
  int *m = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0);
  if (m == MAP_FAILED) return 1;
  pid_t child = fork();
  if (child == 0) { m[1] = m[0] + 1; _exit(0); }
  int status;
  if (waitpid(child, &status, 0) != child || status != 0) return 2;
  m[2] = m[1] + 1;
  return 0;
}
`

/** Opens a POSIX object by name, reads an int and answers in the next one. */
export const SHM = `
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
int main(int argc, char **argv) {
  int fd = shm_open(argv[1], O_RDWR, 0);
  if (fd < 0) { perror("shm_open"); return 1; }
  int *m = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (m == MAP_FAILED) { perror("mmap"); return 2; }
  m[1] = m[0] * 2;
  return 0;
}
`

/** `make <path> <id>`: makes a segment of 10,000 bytes by ftok and prints its id. `answer <id>`: doubles its first int into the second. */
export const SYSV = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
int main(int argc, char **argv) {
  int make = strcmp(argv[1], "make") == 0;
  int id = make ? shmget(ftok(argv[2], atoi(argv[3])), 10000, IPC_CREAT | IPC_EXCL | 0600) : atoi(argv[2]);
  if (id < 0) { perror("shmget"); return 1; }
  int *m = shmat(id, 0, 0);
  if (m == (void *)-1) { perror("shmat"); return 2; }
  if (make) m[0] = 21; else m[1] = m[0] * 2;
  shmdt(m);
  printf("%d\\n", id);
  return 0;
}
`
