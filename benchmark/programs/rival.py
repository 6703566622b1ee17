"""Python's mmap and numpy.memmap, told what to do line by line: see harness/child.mjs. The argument is `mmap` or `numpy`."""
import mmap
import struct
import sys
import time


def positions(size, count):
    mask = size // 4 - 1
    seed = 1
    for _ in range(count):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        yield (seed >> 8) & mask


def timed(action):
    begun = time.perf_counter_ns()
    result = action()
    return result, [time.perf_counter_ns() - begun]


class Mmap:
    def __init__(self):
        self.kept = {}

    def keep(self, path):
        if path not in self.kept:
            with open(path, 'rb') as file:
                self.kept[path] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return self.kept[path]

    def open(self, path, count):
        times = []
        result = 0
        for _ in range(int(count)):
            begun = time.perf_counter_ns()
            with open(path, 'rb', buffering=0) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                result = mapped[0]
            times.append(time.perf_counter_ns() - begun)
        return result, times

    def find(self, path, needle, _threads):
        mapped, needle = self.keep(path), needle.encode()
        return timed(lambda: mapped.find(needle))

    def count(self, path, byte, _threads):
        mapped, byte = self.keep(path), bytes([int(byte)])

        def work():
            found = 0
            at = mapped.find(byte)
            while at >= 0:
                found += 1
                at = mapped.find(byte, at + 1)
            return found

        return timed(work)

    def copy(self, path, slice_length):
        mapped, step = self.keep(path), int(slice_length)

        def work():
            copied = 0
            for at in range(0, len(mapped), step):
                copied += len(mapped[at : at + step])
            return copied

        return timed(work)

    def increment(self, path, count, size):
        places = list(positions(int(size), int(count)))

        def work():
            with open(path, 'r+b') as file, mmap.mmap(file.fileno(), 0) as mapped:
                for place in places:
                    at = 4 * place
                    (value,) = struct.unpack_from('<i', mapped, at)
                    struct.pack_into('<i', mapped, at, value + 1)
            return len(places)

        return timed(work)


class Numpy:
    def __init__(self):
        import numpy

        self.numpy = numpy
        self.kept = {}

    def open(self, path, count):
        times = []
        result = 0
        for _ in range(int(count)):
            begun = time.perf_counter_ns()
            mapped = self.numpy.memmap(path, dtype=self.numpy.uint8, mode='r')
            result = int(mapped[0])
            del mapped
            times.append(time.perf_counter_ns() - begun)
        return result, times

    def sum(self, path):
        if path not in self.kept:
            self.kept[path] = self.numpy.memmap(path, dtype='<i4', mode='r')
        words = self.kept[path]
        return timed(lambda: int(words.sum(dtype=self.numpy.int64)))

    def increment(self, path, count, size):
        places = list(positions(int(size), int(count)))

        def work():
            words = self.numpy.memmap(path, dtype='<i4', mode='r+')
            for place in places:
                words[place] += 1
            return len(places)

        return timed(work)


def main():
    rival = Numpy() if sys.argv[1] == 'numpy' else Mmap()
    for line in sys.stdin:
        verb, *words = line.rstrip('\n').split('\t')
        used = time.process_time_ns()
        result, times = getattr(rival, verb)(*words)
        answer = [result, time.process_time_ns() - used, *times]
        print('\t'.join(str(one) for one in answer), flush=True)


main()
