// Round trips of `wait`, `waitAsync` and `notify` between two processes, beside two C programs on the bare futex(2), which are the limit.
// `node benchmark/cases/wait.mjs [rounds]`; the pairs take turns in one run. Linux with a C compiler.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MappedFile } from '../../index.js'

const TRIPS = 20_000
const WARM = 2000

/** `trips path role count`: role 0 sends and prints the median and the 99th percentile in ns; role 1 answers. */
const source = String.raw`
#include <fcntl.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int order(const void *a, const void *b) { return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b); }
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e9 + t.tv_nsec; }
static void await(uint32_t *word, uint32_t old) {
  while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == old) syscall(SYS_futex, word, FUTEX_WAIT, old, NULL, NULL, 0);
}
static void post(uint32_t *word, uint32_t value) {
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
  syscall(SYS_futex, word, FUTEX_WAKE, 1);
}
int main(int argc, char **argv) {
  uint32_t *words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, open(argv[1], O_RDWR), 0);
  uint32_t count = atoi(argv[3]);
  double *times = malloc(count * sizeof *times);
  puts("ready"); fflush(stdout);
  for (uint32_t turn = 0; turn < count; turn++) {
    if (argv[2][0] == '1') { await(words, turn); post(words + 1, turn + 1); continue; }
    double begin = now();
    post(words, turn + 1);
    await(words + 1, turn);
    times[turn] = now() - begin;
  }
  qsort(times, count, sizeof *times, order);
  if (argv[2][0] == '0') printf("%f %f\n", times[count / 2], times[count / 100 * 99]);
}
`

/** The same in JavaScript. */
async function play(path, role, mode) {
  const mapping = MappedFile.openSync(path, { access: 'write' })
  const words = mapping.view(Int32Array)
  const times = new Float64Array(TRIPS)
  const post = (at, value) => {
    Atomics.store(words, at, value)
    mapping.notify(4 * at, 1)
  }
  if (role === '1') {
    console.log('ready')
    for (let turn = 0; turn < TRIPS; turn++) {
      while (Atomics.load(words, 0) === turn) mapping.wait(0, turn)
      post(1, turn + 1)
    }
  } else {
    for (let turn = 0; turn < TRIPS; turn++) {
      const begin = process.hrtime.bigint()
      post(0, turn + 1)
      while (Atomics.load(words, 1) === turn) {
        if (mode === 'sync') mapping.wait(4, turn)
        else await mapping.waitAsync(4, turn)
      }
      times[turn] = Number(process.hrtime.bigint() - begin)
    }
    const sorted = times.subarray(WARM).toSorted()
    console.log(`${sorted[sorted.length >> 1]} ${sorted[Math.floor(sorted.length * 0.99)]}`)
  }
  mapping.close()
}

const self = fileURLToPath(import.meta.url)
if (process.argv[2] === 'play') {
  // A wait without a time limit keeps no process alive.
  const alive = setInterval(() => {}, 1000)
  await play(...process.argv.slice(3))
  clearInterval(alive)
} else {
  const folder = mkdtempSync(join(tmpdir(), 'memmap-wait-'))
  try {
    writeFileSync(join(folder, 'trips.c'), source)
    const program = join(folder, 'trips')
    execFileSync('cc', ['-O2', '-o', program, join(folder, 'trips.c')])
    const path = join(folder, 'words')
    const c = (role) => [program, path, role, TRIPS]
    const js = (role, mode) => [process.execPath, self, 'play', path, role, mode]
    const pairs = {
      'C, C': [c(0), c(1)],
      'wait, C': [js(0, 'sync'), c(1)],
      'wait, wait': [js(0, 'sync'), js(1, 'sync')],
      'waitAsync, C': [js(0, 'async'), c(1)],
    }
    const results = Object.fromEntries(Object.keys(pairs).map((name) => [name, []]))
    for (let round = 0; round < Number(process.argv[2] ?? 5); round++) {
      for (const [name, [sender, answerer]] of Object.entries(pairs)) {
        writeFileSync(path, Buffer.alloc(4096))
        const other = spawn(answerer[0], answerer.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
        const gone = once(other, 'exit')
        await once(other.stdout, 'data')
        const text = execFileSync(sender[0], sender.slice(1), { encoding: 'utf8' })
        await gone
        results[name].push(text.trim().split('\n').at(-1).split(' ').map(Number))
      }
    }
    const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
    const limit = median(results['C, C'].map(([p50]) => p50))
    console.log(`Node ${process.version}, load average ${loadavg()[0].toFixed(1)}; microseconds, medians of the rounds`)
    for (const [name, figures] of Object.entries(results)) {
      const [p50, p99] = [0, 1].map((which) => median(figures.map((one) => one[which])))
      const ratio = (p50 / limit).toFixed(2)
      console.log(
        `${name.padEnd(14)} p50 ${(p50 / 1e3).toFixed(2)} p99 ${(p99 / 1e3).toFixed(1)}  ${ratio}x of C  (${figures.map(([one]) => (one / 1e3).toFixed(1)).join(', ')})`,
      )
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
