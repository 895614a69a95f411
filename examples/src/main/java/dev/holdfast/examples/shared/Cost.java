/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.shared;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.valkey.SharedThrottlePolicy;
import dev.holdfast.valkey.ValkeyStore;
import java.util.Arrays;

/** What a call costs with a shared throttle, beside one of this process alone. Ends with 1 if it is more than 1.5 times that. */
public final class Cost {
    private static final int LIMIT = 100_000_000;
    private static final int ROUNDS = 2_000;
    private static final int CALLS = 1_000;
    private static final double MOST = 1.5;

    private Cost() {}

    /** Argument: the URI of the server. */
    public static void main(String[] args) {
        double ratio;
        try (ValkeyStore store = ValkeyStore.connect(args[0])) {
            Pipeline local = pipeline(ThrottlePolicy.of(t -> t.limit(LIMIT)));
            Pipeline shared = pipeline(SharedThrottlePolicy.of(
                    store, s -> s.key("cost").limit(LIMIT).replicas(2)));
            medians(local, shared); // for the compiler
            long[] medians = medians(local, shared);
            ratio = (double) medians[1] / medians[0];
            System.out.printf(
                    "  a call at the median: %.1f ns with a throttle of this process, %.1f ns with a shared one (%.2f times)%n",
                    medians[0] / (double) CALLS, medians[1] / (double) CALLS, ratio);
        }
        System.exit(ratio <= MOST ? 0 : 1);
    }

    private static Pipeline pipeline(Policy throttle) {
        return Pipeline.builder("cost").policies(throttle).build();
    }

    /** Of the two, each round of the one followed by one of the other, so that both meet the same machine. */
    private static long[] medians(Pipeline local, Pipeline shared) {
        long[] first = new long[ROUNDS];
        long[] second = new long[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            first[i] = round(local);
            second[i] = round(shared);
        }
        Arrays.sort(first);
        Arrays.sort(second);
        return new long[] {first[ROUNDS / 2], second[ROUNDS / 2]};
    }

    private static long round(Pipeline pipeline) {
        int done = 0;
        long begin = System.nanoTime();
        for (int i = 0; i < CALLS; i++) {
            done += pipeline.call(() -> 1);
        }
        long nanos = System.nanoTime() - begin;
        if (done != CALLS) {
            throw new IllegalStateException(done + " calls of " + CALLS);
        }
        return nanos;
    }
}
