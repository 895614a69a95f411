/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.retry.RetryBudget;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/** A token bucket that retries are paid from, as gRPC's proposal A6 has it. */
interface Tokens {
    void succeeded();

    /** Takes a token; true if more than half are left. */
    boolean failed();

    /** Whether more than half are left. */
    boolean allows();

    /** Holdfast's, without the few retries that time grants: A6 has none. The time is what a policy has been told. */
    record Budget(RetryBudget budget, LongSupplier now) implements Tokens {
        Budget(int maxTokens, double tokenRatio, LongSupplier now) {
            this(
                    RetryBudget.of(
                            b -> b.maxTokens(maxTokens).tokenRatio(tokenRatio).minRetriesPerMinute(0)),
                    now);
        }

        @Override
        public void succeeded() {
            budget.succeeded(now.getAsLong());
        }

        @Override
        public boolean failed() {
            return budget.failed(now.getAsLong(), Integer.MAX_VALUE);
        }

        @Override
        public boolean allows() {
            return budget.allows(now.getAsLong());
        }
    }

    /**
     * The logic of gRPC's {@code RetriableStream.Throttle}, which nobody else can use: thousandths of a token in one word,
     * which whoever changes it swaps.
     */
    final class OneWord implements Tokens {
        private static final int ONE_TOKEN = 1_000;

        private final int max;
        private final int ratio;
        private final int threshold;
        private final AtomicInteger left;

        OneWord(int maxTokens, double tokenRatio) {
            max = maxTokens * ONE_TOKEN;
            ratio = (int) (tokenRatio * ONE_TOKEN);
            threshold = max / 2;
            left = new AtomicInteger(max);
        }

        @Override
        public void succeeded() {
            int seen;
            do {
                seen = left.get();
            } while (seen != max && !left.compareAndSet(seen, Math.min(max, seen + ratio)));
        }

        @Override
        public boolean failed() {
            int seen;
            do {
                seen = left.get();
            } while (seen != 0 && !left.compareAndSet(seen, Math.max(0, seen - ONE_TOKEN)));
            return seen - ONE_TOKEN > threshold;
        }

        @Override
        public boolean allows() {
            return left.get() > threshold;
        }
    }
}
