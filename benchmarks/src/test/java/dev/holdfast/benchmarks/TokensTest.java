/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** That gRPC's logic and ours do the same work: else the figures compare nothing. */
class TokensTest {

    @Test
    void bothSayTheSameOfEverySequence() {
        for (long seed = 1; seed <= 200; seed++) {
            Random random = new Random(seed);
            int maxTokens = 1 + random.nextInt(20);
            double tokenRatio = random.nextInt(1, 16) / 8.0;
            int failsOf100 = random.nextInt(100);
            // Of a client with little traffic: a busy one has more tokens than gRPC's.
            AtomicLong now = new AtomicLong();
            Tokens ours = new Tokens.Budget(maxTokens, tokenRatio, () -> now.addAndGet(1L << 31));
            Tokens grpc = RetryTokens.Kind.GRPC.of(maxTokens, tokenRatio);
            for (int step = 0; step < 300; step++) {
                String where = "seed " + seed + ", step " + step;
                if (random.nextInt(100) < failsOf100) {
                    assertThat(ours.failed()).as(where).isEqualTo(grpc.failed());
                } else {
                    ours.succeeded();
                    grpc.succeeded();
                }
                assertThat(ours.allows()).as(where).isEqualTo(grpc.allows());
            }
        }
    }

    @Test
    void nineSuccessesForAFailureDrainThem() {
        for (RetryTokens.Kind kind : RetryTokens.Kind.values()) {
            RetryTokens benchmark = new RetryTokens();
            benchmark.budget = kind;
            benchmark.fill();
            RetryTokens.Turn turn = new RetryTokens.Turn();
            assertThat(benchmark.allows()).as(kind.name()).isTrue();
            for (int call = 0; call < 100_000; call++) {
                benchmark.everyTenthFailed(turn);
            }
            assertThat(benchmark.allows()).as(kind.name()).isFalse();
        }
    }
}
