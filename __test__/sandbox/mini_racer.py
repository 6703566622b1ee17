"""Files over memory of V8 with its sandbox: mini-racer's V8, which has no Node-API, and the test build of this package by its C ABI
(src/test_hooks.rs). `mini_racer.py <addon> <cycles> <folder> [seed]` prints TAP; scripts/sandbox-test.mjs runs it.

A cycle: the engine makes memory, a file is mapped over it, JavaScript reads and stores, and then the mapping ends in one of the ways that it
can end, or the engine simply drops memory that still has the file. Not one byte of a file may change that was not stored through 'write'.
"""

import ctypes
import gc
import os
import random
import sys
import threading
import time

from py_mini_racer import MiniRacer

ADDON, CYCLES, FOLDER = sys.argv[1], int(sys.argv[2]), sys.argv[3]
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else int(time.time()) % 1_000_000
PAGE, WASM_PAGE = 4096, 65536
READ, WRITE, COPY = 0, 1, 2
TRUNCATED, PROTECTED = 1, 4

CARRIERS = {
    "wasm": "n => (globalThis.M = new WebAssembly.Memory({ initial: n / 65536, maximum: n / 65536 })).buffer",
    "wasm64": "n => (globalThis.M = new WebAssembly.Memory({ initial: BigInt(n / 65536), maximum: BigInt(n / 65536), address: 'i64' })).buffer",
    "resizable": "n => new ArrayBuffer(n, { maxByteLength: n })",
    "shared": "n => new SharedArrayBuffer(n, { maxByteLength: n })",
}

hooks = ctypes.CDLL(ADDON)
hooks.memmap_test_open.restype = ctypes.c_void_p
hooks.memmap_test_open.argtypes = [ctypes.c_char_p, ctypes.c_uint32]
hooks.memmap_test_place.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32]
for name in ("close", "restore", "forget", "fault", "free"):
    getattr(hooks, f"memmap_test_{name}").argtypes = [ctypes.c_void_p]

pick = random.Random(SEED)
engine = MiniRacer()


class File:
    """A file whose every byte is known."""

    def __init__(self, index):
        self.path = os.path.join(FOLDER, f"sandbox-{index}.bin")
        # Whole pages and not; as small as one page, and larger than what V8 gives to small buffers.
        self.content = os.urandom(pick.choice([PAGE, WASM_PAGE, 5 * WASM_PAGE, 40 * WASM_PAGE]) * pick.randint(1, 5) - pick.choice([0, 1, 4000]))
        self.write()
        self.room = -(-len(self.content) // WASM_PAGE) * WASM_PAGE

    def write(self):
        with open(self.path, "wb") as file:
            file.write(self.content)

    def byte(self, at):
        with open(self.path, "rb") as file:
            file.seek(at)
            return file.read(1)[0]

    def changed(self):
        with open(self.path, "rb") as file:
            now = file.read()
        return abs(len(now) - len(self.content)) + sum(a != b for a, b in zip(now, self.content)) if now != self.content else 0


def maps(text="sandbox-"):
    with open("/proc/self/maps") as file:
        return sum(text in line for line in file)


def collect():
    gc.collect()
    engine.low_memory_notification()


def place(carrier, file, access):
    """Gives the mapping and the address; the engine's buffer is `x`, bytes of it `u`."""
    view = engine.eval(f"globalThis.x = ({CARRIERS[carrier]})({file.room}); globalThis.u = new Uint8Array(x); x")
    address = ctypes.addressof(ctypes.c_char.from_buffer(view))
    del view
    mapping = hooks.memmap_test_open(file.path.encode(), access)
    assert mapping, "not opened"
    errno = hooks.memmap_test_place(mapping, address, file.room, int(carrier == "shared"))
    assert errno == 0, f"not placed: errno {errno}"
    return mapping


def use(mapping, file, access, counts):
    """What JavaScript sees is the file; what it stores reaches the file through 'write' only."""
    places = [pick.randrange(len(file.content)) for _ in range(4)] + [0, len(file.content) - 1]
    seen = engine.eval(f"[{','.join(map(str, places))}].map(at => u[at]).join()")
    assert seen == ",".join(str(file.content[at]) for at in places), "views are not the file"
    at = pick.choice(places)
    other = file.content[at] ^ 255
    engine.eval(f"u[{at}] = {other}; 0")
    assert file.byte(at) == (other if access == WRITE else file.content[at]), "a store went the wrong way"
    assert engine.eval(f"u[{at}]") == other
    engine.eval(f"u[{at}] = {file.content[at]}; 0")
    if access == READ:
        assert hooks.memmap_test_fault(mapping) == PROTECTED
    counts["stores"] += 2
    if pick.randrange(10) == 0 and len(file.content) > 2 * PAGE:
        os.truncate(file.path, 10)
        assert engine.eval(f"u[{len(file.content) - 1}]") == 0
        assert hooks.memmap_test_fault(mapping) == TRUNCATED
        counts["faults"] += 1
        # What was stored through it since is in zero pages. Written anew, behind the mapping's back.
        file.write()


def finish(mapping, carrier, counts):
    end = pick.choice(["close", "close", "late", "drop"])
    counts[end] += 1
    if end == "drop":
        # Nobody restores: the engine frees pages that still have the file.
        hooks.memmap_test_forget(mapping)
    else:
        hooks.memmap_test_close(mapping)
        if carrier.startswith("wasm"):
            nothing = "0n" if carrier == "wasm64" else "0"
            assert engine.eval(f"M.grow({nothing}); u.length") == 0, "views are empty after the close"
        elif carrier == "shared":
            assert engine.eval("u[0] + u[u.length - 1]") == 0, "zeros after the close"
        if end == "close":
            hooks.memmap_test_restore(mapping)
        if carrier == "resizable" and end == "close":
            assert engine.eval("u[0] + u[u.length - 1]") == 0, "zeros after the close"
    engine.eval("globalThis.x = globalThis.u = globalThis.M = undefined; 0")
    if end == "late":
        hooks.memmap_test_restore(mapping)
    hooks.memmap_test_free(mapping)


def churn():
    """Strangers get the addresses, and store everywhere."""
    engine.eval(
        "(() => { for (let i = 1; i < 8; i++) { new Uint8Array(65536 * i * i).fill(0xee);"
        " new Uint8Array(new ArrayBuffer(100000, { maxByteLength: 200000 })).fill(0xee) } return 0 })()"
    )


def traps():
    """WebAssembly's own faults still arrive as errors."""
    # (memory 1) (func (export "f") (param i32) (result i32) local.get 0 i32.load)
    code = "0,97,115,109,1,0,0,0,1,6,1,96,1,127,1,127,3,2,1,0,5,3,1,0,1,7,5,1,1,102,0,0,10,9,1,7,0,32,0,40,2,0,11"
    return engine.eval(
        f"(() => {{ const {{ f }} = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([{code}]))).exports;"
        " let n = 0; for (let i = 0; i < 100; i++) try { f(1 << 20) } catch (e) { if (e instanceof WebAssembly.RuntimeError) n++ } return n })()"
    )


def cycles(carrier):
    counts = dict.fromkeys(["stores", "faults", "close", "late", "drop"], 0)
    files = [File(index) for index in range(12)]
    for cycle in range(CYCLES):
        file, access = pick.choice(files), pick.choice([READ, WRITE, COPY])
        mapping = place(carrier, file, access)
        use(mapping, file, access, counts)
        finish(mapping, carrier, counts)
        if cycle % 10 == 0:
            churn()
        if cycle % 50 == 0:
            collect()
    collect()
    churn()
    changed = sum(file.changed() for file in files)
    assert changed == 0, f"{changed} file bytes changed"
    assert traps() == 100, "traps of WebAssembly"
    left = maps()
    assert left == 0, f"{left} left mapped"
    return f"{CYCLES} cycles, {counts['close']} closed, {counts['late']} restored late, {counts['drop']} dropped with the file, {counts['stores']} stores, {counts['faults']} files cut, 0 file bytes changed"


def race(_):
    """The last mapping closes while a thread is storing into its SharedArrayBuffer."""
    file, rounds = File(0), max(CYCLES // 10, 20)
    for cycle in range(rounds):
        mapping = place("shared", file, READ)
        pages = -(-len(file.content) // PAGE)
        thread = threading.Thread(
            target=lambda: engine.eval(f"(() => {{ for (let i = 0; i < 30000; i++) u[(i * 7 % {pages}) * 4096] = 99; return 0 }})()")
        )
        thread.start()
        time.sleep(pick.random() * 0.003)
        hooks.memmap_test_close(mapping)
        thread.join()
        hooks.memmap_test_free(mapping)
        assert file.changed() == 0
    engine.eval("globalThis.x = globalThis.u = undefined; 0")
    return f"{rounds} closes under a storing thread, 0 file bytes changed"


def main():
    tests = [(f"{carrier}: random lives", cycles, carrier) for carrier in CARRIERS] + [("shared: the close under a storing thread", race, None)]
    print(f"TAP version 14\n1..{len(tests)}\n# mini-racer, V8 {engine.v8_version}, seed {SEED}", flush=True)
    failed = False
    for number, (title, test, argument) in enumerate(tests, 1):
        try:
            print(f"ok {number} - {title} # {test(argument)}", flush=True)
        except Exception as error:
            failed = True
            print(f"not ok {number} - {title}\n  ---\n  message: {type(error).__name__} {error}\n  ...", flush=True)
    sys.exit(1 if failed else 0)


main()
