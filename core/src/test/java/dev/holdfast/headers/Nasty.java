/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.headers;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/** Texts of a megabyte that somebody sent to do harm, for whatever reads texts from outside. */
final class Nasty {
    private static final int MEGABYTE = 1 << 20;

    /** Hundreds of times what reading a megabyte once takes, and far below what reading it for each of its characters would. */
    private static final long MOST_CPU_NANOS = 10_000_000_000L;

    private Nasty() {}

    static Stream<String> texts() {
        Stream<String> repeated = Stream.of(
                        (" ¦\t¦ \t¦\n¦0¦1¦9¦1_¦_¦-¦+¦-1¦.¦,¦:¦;¦=¦\"¦(¦a¦Sun, ¦Sun¦Sunday, ¦06 Nov ¦Nov ¦00:¦GMT¦\u0000¦\u007f"
                                        + "¦\u0661¦\u00a0¦\u2003¦\u2028¦\ufeff¦\ud800¦\ud83d\ude00¦m¦S¦5m¦1e¦0x¦%¦\\")
                                .split("¦", -1))
                .map(unit -> unit.repeat(MEGABYTE / unit.length()));
        Stream<String> around = Stream.of(
                "5" + " ".repeat(MEGABYTE),
                " ".repeat(MEGABYTE) + "5",
                "5" + " ".repeat(MEGABYTE) + "5",
                "1".repeat(MEGABYTE) + "m",
                "0".repeat(MEGABYTE) + "5",
                "-" + "9".repeat(MEGABYTE),
                "Sun, 06 Nov 1994 08:49:37 GMT" + " ".repeat(MEGABYTE),
                " ".repeat(MEGABYTE) + "Sunday, 06-Nov-94 08:49:37 GMT",
                "Sun Nov " + " ".repeat(MEGABYTE) + "6 08:49:37 1994",
                "Sun, 06 Nov " + "1994".repeat(MEGABYTE / 4) + " 08:49:37 GMT");
        return Stream.concat(repeated, around);
    }

    static <T> T quickly(Callable<T> parser) throws Exception {
        long before = cpuNanos();
        T result = parser.call();
        assertThat(cpuNanos() - before).as("CPU time").isLessThan(MOST_CPU_NANOS);
        return result;
    }

    private static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
