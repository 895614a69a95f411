/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testcalls;

import java.lang.management.ManagementFactory;
import java.lang.management.MonitorInfo;
import java.lang.management.ThreadInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The monitors that the library holds while foreign code runs. On Java 21 to 23 a virtual thread that waits while it holds one keeps
 * its carrier. The bin of a {@code ConcurrentHashMap} whose {@code compute} runs a function is one, too.
 */
public final class HeldMonitors {
    private HeldMonitors() {}

    /** Where the current thread, which must be a platform thread, has entered them from the library; none: it pins nothing. */
    public static List<String> now() {
        ThreadInfo self = ManagementFactory.getThreadMXBean()
                .getThreadInfo(new long[] {Thread.currentThread().getId()}, true, false)[0];
        List<String> entered = new ArrayList<>();
        for (MonitorInfo monitor : self.getLockedMonitors()) {
            StackTraceElement[] stack = self.getStackTrace();
            Arrays.stream(stack, monitor.getLockedStackDepth(), stack.length)
                    .filter(frame -> !frame.getClassName().startsWith("java."))
                    .findFirst()
                    .filter(frame -> frame.getClassName().startsWith("dev.holdfast."))
                    .ifPresent(frame -> entered.add(frame + " holds a " + monitor.getClassName()));
        }
        return entered;
    }
}
