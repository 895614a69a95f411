/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Operation;
import dev.holdfast.Reason;
import dev.holdfast.Verdict;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Exceptions and functions of the user's that throw where they are asked something: the call ends with its own outcome. */
class HostileErrorTest {
    /** Throws where it is asked. Not for its message: the JDK's own futures ask for that. */
    private static final class Hostile extends SocketTimeoutException {
        @Override
        public synchronized Throwable getCause() {
            throw new IllegalStateException("asked for its cause");
        }

        @Override
        public StackTraceElement[] getStackTrace() {
            throw new IllegalStateException("asked where it was thrown");
        }
    }

    /** Its cause is itself. */
    private static final class Ring extends CompletionException {
        @Override
        public synchronized Throwable getCause() {
            return this;
        }
    }

    private static Object ended(Lab lab, Way way, Exception error) {
        Lab.Running call = lab.start(way, Step.error(error), Step.error(error));
        lab.time.run();
        return call.error() == null ? call.value() : call.error();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void errorThatThrowsWhereItIsAskedForItsCauseIsTheCallers(Way way) {
        try (Lab lab = new Lab().notIdempotent()) {
            Probe outer = lab.probe("outer");
            lab.layers(outer, RetryPolicy.ofDefaults());
            Exception hostile = new Hostile();
            assertThat(ended(lab, way, hostile) == hostile).isTrue();
            assertThat(lab.log).contains("outer settle FAILURE");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void errorThatThrowsWhereItIsAskedForItsCauseIsRetriedAndHasAFallback(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(FallbackPolicy.value("instead"), RetryPolicy.of(r -> r.maxAttempts(2)));
            assertThat(ended(lab, way, new Hostile())).isEqualTo("instead");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void wrapperAroundItselfIsAnErrorAsAnyOther(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(FallbackPolicy.value("instead"), RetryPolicy.of(r -> r.maxAttempts(2)));
            assertThat(ended(lab, way, new Ring())).isEqualTo("instead");
        }
    }

    @Logs("interval of a retry threw or returned null")
    @ParameterizedTest
    @EnumSource(Way.class)
    void intervalThatThrowsIsAsIfThereWereNone(Way way) {
        assertThat(attemptsWith(way, attempts -> {
                    throw new IllegalStateException("of the user's");
                }))
                .isEqualTo(3);
    }

    @Logs("interval of a retry threw or returned null")
    @ParameterizedTest
    @EnumSource(Way.class)
    void intervalThatAnswersNullIsAsIfThereWereNone(Way way) {
        assertThat(attemptsWith(way, attempts -> null)).isEqualTo(3);
    }

    private static int attemptsWith(Way way, Function<Integer, Long> interval) {
        try (Lab lab = new Lab()) {
            lab.layers(RetryPolicy.of(r -> r.interval(interval)));
            Exception own = new IOException("own");
            Lab.Running call = lab.start(way, Step.error(own), Step.error(own), Step.error(own));
            lab.time.run();
            assertThat(call.error()).isSameAs(own);
            return call.script.started();
        }
    }

    /** Clients wrap what they do not know. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void rejectionOfAnInnerPipelineIsOneHereTooWhateverWrapsIt(Way way) {
        try (Lab lab = new Lab()) {
            AtomicInteger asked = new AtomicInteger();
            lab.building(builder -> builder.classifier((value, error) -> {
                asked.incrementAndGet();
                return Verdict.FAILURE;
            }));
            lab.layers(lab.probe("outer"));
            Exception wrapped = new IOException(
                    "the client's",
                    new CallRejectedException(Reason.BULKHEAD_FULL, "inner", "bulkhead", "full", -1, null));
            assertThat(ended(lab, way, wrapped)).isSameAs(wrapped);
            assertThat(lab.log).contains("outer settle REJECTED");
            assertThat(asked).hasValue(0);
        }
    }

    @Logs("a decorated function of 'lab' was not run")
    @ParameterizedTest
    @EnumSource(Way.class)
    void functionDoesNotRunOnAThreadThatSaysItIsForSomebodyElse(Way way) {
        ThreadLocal<String> user = ThreadLocal.withInitial(() -> "nobody");
        try (Lab lab = new Lab()) {
            lab.layers(dedicated());
            Operation<String> orders = lab.pipeline().operation("orders");
            AtomicInteger run = new AtomicInteger();
            CompletableFuture<String> call;
            if (way == Way.CALL) {
                call = lab.time.spawn(() -> {
                    user.set("Ada");
                    return orders.decorate((String key) -> key + run.incrementAndGet(), user::get)
                            .apply("a");
                });
            } else {
                user.set("Ada");
                call = orders.decorateAsync(
                                (String key) -> CompletableFuture.completedFuture(key + run.incrementAndGet()),
                                user::get)
                        .apply("a");
                user.remove();
            }
            lab.time.run();
            assertThat(call).isCompletedExceptionally();
            assertThat(run).hasValue(0);
        }
    }

    private static Policy dedicated() {
        return new Policy("isolation", 0) {
            @Override
            public int dedicatedThreads() {
                return 1;
            }
        };
    }
}
