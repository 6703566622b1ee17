// Inside a renderer of Chromium, by LD_PRELOAD: serves the C ABI of the test build (src/test_hooks.rs) to chromium.mjs over a socket, one command
// a line. Commands are the driver's word: this is no place for checks.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PAGE 4096UL

static void *(*open_mapping)(const char *, uint32_t);
static int (*place)(void *, void *, size_t, uint32_t);
static void (*close_mapping)(void *);
static void (*restore)(void *);
static void (*forget)(void *);
static int (*fault)(void *);
static void (*free_mapping)(void *);

static int is_renderer(void) {
  char line[8192] = {0};
  int fd = open("/proc/self/cmdline", O_RDONLY);
  ssize_t length = read(fd, line, sizeof line - 1);
  close(fd);
  for (char *word = line; word < line + length; word += strlen(word) + 1)
    if (strcmp(word, "--type=renderer") == 0) return 1;
  return 0;
}

// Whether the driver's 16 bytes are there. Read by a system call: other threads map and unmap here.
static int is_at(int memory, uintptr_t at, const unsigned char *mark) {
  unsigned char seen[16];
  return pread(memory, seen, 16, (off_t)at) == 16 && memcmp(seen, mark, 16) == 0;
}

// The same for every page of an area that has memory (proc_pid_pagemap(5)): areas can be larger than memory.
static uintptr_t search(int memory, int pagemap, uintptr_t from, uintptr_t to, const unsigned char *mark) {
  static uint64_t entries[65536];
  while (from < to) {
    size_t count = (to - from) / PAGE;
    if (count > 65536) count = 65536;
    if (pread(pagemap, entries, count * 8, (off_t)(from / PAGE * 8)) != (ssize_t)(count * 8)) return 0;
    for (size_t i = 0; i < count; i++)
      if (entries[i] >> 63 && is_at(memory, from + i * PAGE, mark)) return from + i * PAGE;
    from += count * PAGE;
  }
  return 0;
}

// The page-aligned address of what the driver has put at the start of a buffer: most begin where an area does, and the kernel joins some.
static uintptr_t find(const unsigned char *mark) {
  uintptr_t found = 0;
  int memory = open("/proc/self/mem", O_RDONLY), pagemap = open("/proc/self/pagemap", O_RDONLY);
  for (int whole = 0; whole < 2 && !found; whole++) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[4096];
    while (!found && fgets(line, sizeof line, maps)) {
      uintptr_t from, to;
      char rights[5];
      if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) != 3 || strncmp(rights, "rw", 2) != 0) continue;
      if (whole) found = search(memory, pagemap, from, to, mark);
      else if (is_at(memory, from, mark)) found = from;
    }
    fclose(maps);
  }
  close(memory);
  close(pagemap);
  return found;
}

static int mapped(const char *text) {
  int count = 0;
  char line[4096];
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps)) count += strstr(line, text) != NULL;
  fclose(maps);
  return count;
}

static uintptr_t answer(char *line) {
  char *rest, *command = strtok_r(line, " ", &rest);
  char *first = strtok_r(NULL, " ", &rest);
  if (strcmp(command, "open") == 0) return (uintptr_t)open_mapping(rest, (uint32_t)atoi(first));
  if (strcmp(command, "maps") == 0) return (uintptr_t)mapped(first);
  if (strcmp(command, "find") == 0) {
    unsigned char mark[16];
    for (int i = 0; i < 16; i++) sscanf(first + 2 * i, "%2hhx", &mark[i]);
    return find(mark);
  }
  void *mapping = (void *)strtoul(first, NULL, 10);
  if (strcmp(command, "place") == 0) {
    unsigned long address, room;
    unsigned shared;
    sscanf(rest, "%lu %lu %u", &address, &room, &shared);
    return (uintptr_t)place(mapping, (void *)address, room, shared);
  }
  if (strcmp(command, "fault") == 0) return (uintptr_t)fault(mapping);
  if (strcmp(command, "close") == 0) close_mapping(mapping);
  else if (strcmp(command, "restore") == 0) restore(mapping);
  else if (strcmp(command, "forget") == 0) forget(mapping);
  else if (strcmp(command, "free") == 0) free_mapping(mapping);
  return 0;
}

static void *serve(void *unused) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, getenv("MEMMAP_SANDBOX_SOCKET"), sizeof address.sun_path - 1);
  int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(peer, (struct sockaddr *)&address, sizeof address) != 0) return unused;
  void *addon = dlopen(getenv("MEMMAP_SANDBOX_ADDON"), RTLD_NOW);
  FILE *in = fdopen(peer, "r");
  if (addon == NULL) {
    dprintf(peer, "%s\n", dlerror());
    return unused;
  }
  open_mapping = dlsym(addon, "memmap_test_open");
  place = dlsym(addon, "memmap_test_place");
  close_mapping = dlsym(addon, "memmap_test_close");
  restore = dlsym(addon, "memmap_test_restore");
  forget = dlsym(addon, "memmap_test_forget");
  fault = dlsym(addon, "memmap_test_fault");
  free_mapping = dlsym(addon, "memmap_test_free");
  char line[8192];
  while (fgets(line, sizeof line, in)) {
    line[strcspn(line, "\n")] = 0;
    dprintf(peer, "%lu\n", (unsigned long)answer(line));
  }
  return unused;
}

__attribute__((constructor)) static void start(void) {
  pthread_t thread;
  if (getenv("MEMMAP_SANDBOX_SOCKET") && is_renderer()) pthread_create(&thread, NULL, serve, NULL);
}
