/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A log that throws, as a full disk or an exception that cannot be printed makes it, harms no call. */
@Isolated
@ThreadKind.Each
class ThrowingLogTest {
    private static final Logger LOGGER = Logger.getLogger("dev.holdfast");

    private final AtomicInteger thrown = new AtomicInteger();
    private final Handler broken = new Handler() {
        @Override
        public void publish(LogRecord entry) {
            thrown.incrementAndGet();
            throw new IllegalStateException("disk full");
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void breakLog() {
        LOGGER.addHandler(broken);
        LOGGER.setUseParentHandlers(false);
    }

    @AfterEach
    void mendLog() {
        LOGGER.removeHandler(broken);
        LOGGER.setUseParentHandlers(true);
    }

    /** Throws whatever it is told. */
    private static final CallObserver THROWING = new CallObserver() {
        @Override
        public void callSettled(
                String pipeline, @Nullable String operation, Outcome outcome, Source source, int attempts, long nanos) {
            throw new AssertionError("callSettled");
        }

        @Override
        public void attemptSettled(
                String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
            throw new AssertionError("attemptSettled");
        }

        @Override
        public void retryScheduled(String pipeline, @Nullable String operation, int attempts, long waitNanos) {
            throw new AssertionError("retryScheduled");
        }
    };

    @ParameterizedTest
    @EnumSource(Way.class)
    void callWhoseObserverThrowsGetsItsAnswerAndGivesBackWhatItHolds(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.observer(THROWING));
            AtomicInteger held = new AtomicInteger();
            AtomicInteger entered = new AtomicInteger();
            Policy holds = new Policy("holds", Policy.ENTER | Policy.ENDED) {
                @Override
                public int enter(Passage passage) {
                    held.incrementAndGet();
                    entered.incrementAndGet();
                    return PROCEED;
                }

                @Override
                public void ended(Passage passage) {
                    held.decrementAndGet();
                }
            };
            lab.layers(RetryPolicy.of(r -> r.maxAttempts(2)), holds);
            Lab.End end = lab.run(way, Step.error(new IOException("once")), Step.value("answer"))
                    .end();
            assertThat(end.what()).isEqualTo("answer from LIVE");
            assertThat(entered).hasValue(2);
            assertThat(held).hasValue(0);
            assertThat(thrown).hasPositiveValue();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callWhoseContextCannotBeRestoredEnds(Way way) {
        CallContext context = () -> () -> {
            throw new AssertionError("restore");
        };
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.context(context));
            lab.layers(RetryPolicy.of(r -> r.maxAttempts(2)));
            Lab.End end = lab.run(
                            way,
                            Step.error(new IOException("once")).after(1),
                            Step.value("answer").after(1))
                    .end();
            assertThat(end.what()).isEqualTo("answer from LIVE");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callWhoseHookThrowsEndsByItsLimit(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(TimeoutPolicy.of(millis(5)));
            CompletableFuture<Object> future = way == Way.CALL
                    ? lab.time.spawn(() -> lab.operation().unkeyed().call(attempt -> {
                        attempt.onCancel(() -> {
                            throw new AssertionError("hook");
                        });
                        lab.time.sleep(millis(100));
                        return "late";
                    }))
                    : lab.operation().unkeyed().callAsync(attempt -> {
                        attempt.onCancel(() -> {
                            throw new AssertionError("hook");
                        });
                        return new CompletableFuture<>();
                    });
            lab.time.advance(millis(200));
            assertThat(future).isCompletedExceptionally();
            assertThat(thrown).hasPositiveValue();
        }
    }
}
