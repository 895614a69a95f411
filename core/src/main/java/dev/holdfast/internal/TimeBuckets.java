/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

/** Buckets for times of one microsecond to an hour, each an eighth of an octave wide. */
public final class TimeBuckets {
    private static final int STEP_BITS = 3;
    private static final int STEPS = 1 << STEP_BITS;
    /** About a microsecond; what is less is all the same. */
    private static final int UNIT_BITS = 10;
    /** More than an hour; what is longer is all the same. */
    private static final int LONGEST_BITS = 42;

    public static final int COUNT = of(Long.MAX_VALUE) + 1;

    private TimeBuckets() {}

    public static int of(long nanos) {
        long units = (Math.min(Math.max(0, nanos), 1L << LONGEST_BITS) >>> UNIT_BITS) + STEPS;
        int octave = Long.SIZE - 1 - Long.numberOfLeadingZeros(units) - STEP_BITS;
        return octave * STEPS + (int) (units >>> octave) - STEPS;
    }

    /** The longest time of a bucket, in nanoseconds. */
    public static long end(int bucket) {
        long units = (long) (STEPS + bucket % STEPS + 1) << (bucket / STEPS);
        return ((units - STEPS) << UNIT_BITS) - 1;
    }
}
