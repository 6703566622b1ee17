import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Told what to do line by line: see harness/child.mjs. The argument is `buffer` or `segment`. */
public class Rival {
    interface Work {
        long run() throws IOException;
    }

    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static boolean segments;
    static long[] times;

    static long timed(Work work) throws IOException {
        long begun = System.nanoTime();
        long result = work.run();
        times = new long[] {System.nanoTime() - begun};
        return result;
    }

    static FileChannel channel(String path, boolean write) throws IOException {
        return write
                ? FileChannel.open(Path.of(path), StandardOpenOption.READ, StandardOpenOption.WRITE)
                : FileChannel.open(Path.of(path), StandardOpenOption.READ);
    }

    static long first(String path) throws IOException {
        try (FileChannel file = channel(path, false)) {
            if (!segments) return file.map(MapMode.READ_ONLY, 0, file.size()).get(0);
            try (Arena arena = Arena.ofConfined()) {
                return file.map(MapMode.READ_ONLY, 0, file.size(), arena).get(ValueLayout.JAVA_BYTE, 0);
            }
        }
    }

    static long open(String path, int count) throws IOException {
        long[] all = new long[count];
        long result = 0;
        for (int turn = 0; turn < count; turn++) {
            long begun = System.nanoTime();
            result = first(path);
            all[turn] = System.nanoTime() - begun;
        }
        times = all;
        return result;
    }

    static long sum(String path) throws IOException {
        try (FileChannel file = channel(path, false); Arena arena = Arena.ofConfined()) {
            long size = file.size();
            if (segments) {
                MemorySegment words = file.map(MapMode.READ_ONLY, 0, size, arena);
                return timed(() -> {
                    long sum = 0;
                    for (long at = 0; at < size; at += 4) sum += words.get(INT, at);
                    return sum;
                });
            }
            var words = file.map(MapMode.READ_ONLY, 0, size).order(ByteOrder.LITTLE_ENDIAN);
            return timed(() -> {
                long sum = 0;
                for (int at = 0; at < size; at += 4) sum += words.getInt(at);
                return sum;
            });
        }
    }

    static int[] positions(long bytes, int count) {
        int mask = (int) (bytes / 4 - 1);
        int seed = 1;
        int[] all = new int[count];
        for (int turn = 0; turn < count; turn++) {
            seed = seed * 1664525 + 1013904223;
            all[turn] = (seed >>> 8) & mask;
        }
        return all;
    }

    static long increment(String path, int count, long bytes) throws IOException {
        int[] places = positions(bytes, count);
        return timed(() -> {
            try (FileChannel file = channel(path, true); Arena arena = Arena.ofConfined()) {
                if (segments) {
                    MemorySegment words = file.map(MapMode.READ_WRITE, 0, bytes, arena);
                    for (int place : places) words.set(INT, 4L * place, words.get(INT, 4L * place) + 1);
                } else {
                    var words = file.map(MapMode.READ_WRITE, 0, bytes).order(ByteOrder.LITTLE_ENDIAN);
                    for (int place : places) words.putInt(4 * place, words.getInt(4 * place) + 1);
                }
            }
            return places.length;
        });
    }

    public static void main(String[] args) throws IOException {
        segments = args[0].equals("segment");
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        var in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split("\t");
            long used = system.getProcessCpuTime();
            long result = switch (words[0]) {
                case "open" -> open(words[1], Integer.parseInt(words[2]));
                case "sum" -> sum(words[1]);
                case "increment" -> increment(words[1], Integer.parseInt(words[2]), Long.parseLong(words[3]));
                default -> throw new IllegalArgumentException(line);
            };
            var answer = new StringBuilder();
            answer.append(result).append('\t').append(system.getProcessCpuTime() - used);
            for (long time : times) answer.append('\t').append(time);
            System.out.println(answer);
            System.out.flush();
        }
    }
}
