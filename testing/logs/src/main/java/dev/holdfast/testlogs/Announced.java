/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testlogs;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** One pattern that a test class announces, and whether such a record has come. */
record Announced(Pattern pattern, boolean sometimes, CountDownLatch seen) {
    static List<Announced> by(Collection<Logs> annotations) {
        return annotations.stream().flatMap(Announced::by).toList();
    }

    private static Stream<Announced> by(Logs annotation) {
        return Stream.of(annotation.value())
                .map(regex -> new Announced(Pattern.compile(regex), annotation.sometimes(), new CountDownLatch(1)));
    }

    boolean captures(String record) {
        boolean found = pattern.matcher(record).find();
        if (found) {
            seen.countDown();
        }
        return found;
    }

    /** Another thread may still be about to log. */
    static List<Pattern> neverSeen(List<Announced> all, long waitNanos) throws InterruptedException {
        long start = System.nanoTime();
        List<Pattern> missing = new ArrayList<>();
        for (Announced one : all) {
            long left = waitNanos - (System.nanoTime() - start);
            if (!one.sometimes && !one.seen.await(left, TimeUnit.NANOSECONDS)) {
                missing.add(one.pattern);
            }
        }
        return missing;
    }
}
