// The other side of shared memory, in C. `shared <what> <object>`; 0 where all is as it should be, else the line of what was not.
//   create  makes the object, 3 pages and 5 bytes of byte i = i * 7, for others to open
//   answer  opens an object of such bytes, and adds 1 to each
//   fd      the same with memory behind descriptor 3, which is inherited
//   sealed  descriptor 3 can be read, and neither be written, cut nor extended
//   wait    opens the object and counts to 1000 in its first word, by turns: even numbers are ours
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sched.h>
#include <unistd.h>

#define CHECK(holds) do { if (!(holds)) return __LINE__; } while (0)

static int answer(int fd) {
  struct stat facts;
  CHECK(fstat(fd, &facts) == 0);
  size_t length = (size_t)facts.st_size;
  uint8_t *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  CHECK(bytes != MAP_FAILED);
  for (size_t i = 0; i < length; i++) {
    CHECK(bytes[i] == (uint8_t)(i * 7));
    bytes[i]++;
  }
  return 0;
}

static int sealed(int fd) {
  struct stat facts;
  CHECK(fstat(fd, &facts) == 0);
  size_t length = (size_t)facts.st_size;
  CHECK(mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
  CHECK(ftruncate(fd, facts.st_size - 1) < 0 && errno == EPERM);
  CHECK(ftruncate(fd, facts.st_size + 1) < 0 && errno == EPERM);
  CHECK(write(fd, "x", 1) < 0 && errno == EPERM);
  // Private: kernels before 6.7 refuse a shared mapping of a descriptor that could write.
  uint8_t *bytes = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
  CHECK(bytes != MAP_FAILED);
  for (size_t i = 0; i < length; i++) CHECK(bytes[i] == (uint8_t)(i * 7));
  return 0;
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  const char *what = argv[1], *name = argv[2];
  if (strcmp(what, "fd") == 0) return answer(3);
  if (strcmp(what, "sealed") == 0) return sealed(3);
  if (strcmp(what, "create") == 0) {
    size_t length = 3 * (size_t)sysconf(_SC_PAGESIZE) + 5;
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0);
    CHECK(ftruncate(fd, (off_t)length) == 0);
    uint8_t *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(bytes != MAP_FAILED);
    for (size_t i = 0; i < length; i++) bytes[i] = (uint8_t)(i * 7);
    return 0;
  }
  int fd = shm_open(name, O_RDWR, 0);
  CHECK(fd >= 0);
  if (strcmp(what, "answer") == 0) return answer(fd);
  CHECK(strcmp(what, "wait") == 0);
  _Atomic int32_t *word = mmap(NULL, sizeof *word, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  CHECK(word != MAP_FAILED);
  for (;;) {
    int32_t seen = atomic_load(word);
    if (seen >= 1000) return 0;
    if (seen % 2 == 0) sched_yield();
    else atomic_store(word, seen + 1);
  }
}
