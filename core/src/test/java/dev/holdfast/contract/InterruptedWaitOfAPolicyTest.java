/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A policy whose {@code enter} blocks, because code of others gives it no choice, is interrupted there. */
@ThreadKind.Each
class InterruptedWaitOfAPolicyTest {
    private final VirtualTime time = new VirtualTime();
    private final List<Outcome> outcomes = new ArrayList<>();
    private boolean personal;
    private int entered;
    private boolean flag;

    @AfterEach
    void close() {
        time.close();
    }

    /** What the policy does then; both clear the flag, as a wait of the JDK does. */
    private enum Says {
        THROWS {
            @Override
            int interrupted(Passage passage) {
                throw Says.<RuntimeException>asItIs(new InterruptedException());
            }
        },
        REJECTS {
            @Override
            int interrupted(Passage passage) {
                return passage.reject(Reason.INTERRUPTED, -1, "interrupted");
            }
        };

        abstract int interrupted(Passage passage);

        @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
        private static <E extends Throwable> E asItIs(Throwable thrown) throws E {
            throw (E) thrown;
        }
    }

    private Throwable call(Says says, boolean async) {
        Policy outer = new Policy("outer", Policy.FAILURE) {
            @Override
            public int settle(Passage passage) {
                outcomes.add(passage.outcome());
                personal = passage.personal();
                return KEEP;
            }
        };
        Policy blocks = new Policy("blocks", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                entered++;
                return Thread.interrupted() ? says.interrupted(passage) : passage.pause(0);
            }
        };
        Pipeline pipeline = Pipeline.builder("p")
                .policies(outer, RetryPolicy.of(r -> r.maxAttempts(3)), blocks)
                .time(time)
                .build();
        CompletableFuture<String> answer = time.spawn(() -> {
            Thread.currentThread().interrupt();
            try {
                return async
                        ? pipeline.callAsync(() -> CompletableFuture.completedFuture("ran"))
                                .getNow("open")
                        : pipeline.call(() -> "ran");
            } finally {
                flag = Thread.interrupted();
            }
        });
        time.run();
        Throwable error = answer.handle((value, thrown) -> thrown).join();
        return error.getCause() == null ? error : error.getCause();
    }

    @ParameterizedTest
    @EnumSource
    void givesUpABlockingCall(Says says) {
        assertGivenUp(call(says, false));
        assertThat(flag).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void givesUpAnAsynchronousCall(Says says) {
        assertGivenUp(call(says, true));
        // What was thrown has cleared it.
        assertThat(flag).isEqualTo(says == Says.THROWS);
    }

    private void assertGivenUp(Throwable error) {
        assertThat(error)
                .isInstanceOfSatisfying(
                        CallRejectedException.class,
                        rejection -> assertThat(rejection.reason()).isEqualTo(Reason.INTERRUPTED));
        assertThat(outcomes).containsExactly(Outcome.INTERRUPTED);
        assertThat(personal).isTrue();
        assertThat(entered).isOne();
    }
}
