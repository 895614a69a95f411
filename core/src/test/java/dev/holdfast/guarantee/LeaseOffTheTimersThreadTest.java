/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.guarantee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallTimeoutException;
import dev.holdfast.Pipeline;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One timer's thread strikes all limits of the JVM: what is told at the end of a lease may wait, and must not wait there. */
class LeaseOffTheTimersThreadTest {
    private static final Duration SOON = Duration.ofMillis(1);

    /** As a log that is sent over the network by another pipeline: it ends only if that one's limit strikes. */
    private final Pipeline ofTheLog = Pipeline.of("log", TimeoutPolicy.of(SOON));

    private final CompletableFuture<Throwable> told = new CompletableFuture<>();
    private final CompletableFuture<String> ended = new CompletableFuture<>();
    private final CountDownLatch stubborn = new CountDownLatch(1);

    /** Gives its permit up at once. */
    private final Policy permits = new Policy("permits", Policy.ENTER | Policy.ENDED) {
        @Override
        public long lease() {
            return SOON.toNanos();
        }

        @Override
        public void ended(Passage passage) {
            ended.complete(Thread.currentThread().getName());
        }
    };

    private final Pipeline pipeline = Pipeline.builder("stock")
            .policies(permits, TimeoutPolicy.of(SOON))
            .observer(new CallObserver() {
                @Override
                public void writtenOff(String pipeline, @Nullable String operation, String policy) {
                    try {
                        ofTheLog.run(new CountDownLatch(1)::await);
                    } catch (Throwable thrown) {
                        told.complete(thrown);
                    }
                }
            })
            .build();

    @AfterEach
    void close() {
        stubborn.countDown();
        pipeline.close();
        ofTheLog.close();
    }

    private void assertToldElsewhere() {
        assertThat(ended.join()).isNotEqualTo("holdfast-timer");
        assertThat(told.join()).isInstanceOf(CallTimeoutException.class);
    }

    @Test
    void ofWorkThatGoesOnAfterItsCall() {
        CompletableFuture<String> never = new CompletableFuture<>() {
            @Override
            public boolean cancel(boolean mayInterrupt) {
                return false;
            }
        };
        assertThatThrownBy(pipeline.callAsync(() -> never)::join).hasCauseInstanceOf(CallTimeoutException.class);
        assertToldElsewhere();
    }

    @Test
    void ofAnActionThatHoldsTheThreadOfItsCall() throws InterruptedException {
        Thread caller = new Thread(() -> assertThatThrownBy(() -> pipeline.run(this::ignoreInterrupts))
                .isInstanceOf(CallTimeoutException.class));
        caller.start();
        assertToldElsewhere();
        stubborn.countDown();
        caller.join();
    }

    /** A hook that closes a connection may hang. All threads for hooks of the pipeline do then, and permits come back all the same. */
    @Test
    void alsoWhereHooksHang() throws InterruptedException {
        int calls = 300;
        CountDownLatch leases = new CountDownLatch(calls);
        Policy counted = new Policy("permits", Policy.ENTER | Policy.ENDED) {
            @Override
            public long lease() {
                return SOON.toNanos();
            }

            @Override
            public void ended(Passage passage) {
                leases.countDown();
            }
        };
        try (Pipeline hanging = Pipeline.of("hanging", counted, TimeoutPolicy.of(SOON))) {
            for (int i = 0; i < calls; i++) {
                CompletableFuture<Object> unused = hanging.operation("x")
                        .unkeyed()
                        .callAsync(attempt -> {
                            attempt.onCancel(this::ignoreInterrupts);
                            return new CompletableFuture<>() {
                                @Override
                                public boolean cancel(boolean mayInterrupt) {
                                    return false;
                                }
                            };
                        });
            }
            leases.await();
        }
    }

    private void ignoreInterrupts() {
        while (true) {
            try {
                stubborn.await();
                return;
            } catch (InterruptedException e) {
                // On purpose.
            }
        }
    }
}
