/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.shadow.ShadowPolicy.Decision;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A breaker knows how long answers take, from the tries that it lets in. In shadow, these are the same. */
class ShadowedBreakerTest {
    private static CircuitBreakerPolicy breaker() {
        return CircuitBreakerPolicy.of(b -> b.waitDurationInOpenState(ofSeconds(20)));
    }

    /** One pipeline, and how many of its calls were rejected. */
    private static final class Service implements AutoCloseable {
        final VirtualTime time = new VirtualTime();
        final Pipeline pipeline;
        private final Way way;
        private final List<CompletableFuture<?>> ends = new ArrayList<>();

        Service(Way way, Policy... policies) {
            this.way = way;
            pipeline = Pipeline.builder("stock")
                    .policies(policies)
                    .time(time)
                    .silence("hedge-inside-circuit-breaker")
                    .build();
        }

        /** Calls with a deadline of 300 ms, one each 20 ms. A hedge takes 40 ms less than the first attempt. */
        void calls(int calls, Work work, Duration takes) {
            for (int i = 0; i < calls; i++) {
                AtomicInteger attempts = new AtomicInteger();
                Supplier<Work> attempt =
                        () -> work.taking(takes.minus(ofMillis(40).multipliedBy(attempts.getAndIncrement())));
                Call<Object> call = pipeline.<Object>operation("get").unkeyed().deadline(ofMillis(300));
                ends.add(
                        way == Way.CALL
                                ? Running.blocking(
                                                time,
                                                () -> call.call(
                                                        any -> attempt.get().blocking(time)))
                                        .result()
                                : call.callAsync(any -> attempt.get().async(time)));
                time.advance(ofMillis(20));
            }
        }

        /** An outage, slow answers while the breaker is open, and a recovery. */
        void outageAndRecovery() {
            Work well = Work.value("it");
            calls(150, well, ofMillis(10));
            calls(250, Work.error(new IOException("down")), ofMillis(10));
            calls(300, well, ofMillis(280));
            time.advance(ofSeconds(20));
            calls(20, well, ofMillis(10));
            time.advance(ofSeconds(1));
        }

        long rejected() {
            return ends.stream()
                    .filter(end ->
                            end.isCompletedExceptionally() && Running.errorOf(end) instanceof CallRejectedException)
                    .count();
        }

        @Override
        public void close() {
            time.run();
            pipeline.close();
            time.close();
        }
    }

    private static void findsTheSameHang(Way way, Supplier<List<Policy>> further) {
        ShadowPolicy shadow = ShadowPolicy.of(breaker());
        try (Service active = new Service(way, with(breaker(), further.get()));
                Service inShadow = new Service(way, with(shadow, further.get()))) {
            active.outageAndRecovery();
            inShadow.outageAndRecovery();
            long before = active.rejected();
            assertThat(before).isGreaterThan(400);
            assertThat(shadow.count(Decision.REJECTED)).isEqualTo(before);

            active.calls(150, Work.value("never"), ofSeconds(100));
            inShadow.calls(150, Work.value("never"), ofSeconds(100));
            assertThat(active.rejected() - before).isGreaterThan(50);
            assertThat(shadow.count(Decision.REJECTED)).isEqualTo(active.rejected());
            assertThat(inShadow.rejected()).isZero();
        }
    }

    private static Policy[] with(Policy first, List<Policy> further) {
        List<Policy> all = new ArrayList<>(further);
        all.add(0, first);
        return all.toArray(Policy[]::new);
    }

    @ParameterizedTest
    @EnumSource
    void learnsNothingOfAnswersToTriesThatItWouldHaveTurnedAway(Way way) {
        findsTheSameHang(way, List::of);
    }

    @ParameterizedTest
    @EnumSource
    void learnsNothingOfTheHedgesOfSuchTries(Way way) {
        findsTheSameHang(way, () -> List.of(HedgePolicy.of(h -> h.delay(ofMillis(20)))));
    }

    /** Calls under way end in the layer in which they began. */
    @Test
    void learnsOfAnswersToCallsThatBeganBeforeItWentIntoShadow() {
        try (Service active = new Service(Way.CALL_ASYNC, breaker());
                Service toShadow = new Service(Way.CALL_ASYNC, breaker())) {
            for (Service service : List.of(active, toShadow)) {
                service.calls(100, Work.value("it"), ofMillis(10));
                service.calls(14, Work.value("it"), ofMillis(280));
            }
            toShadow.pipeline.shadow("circuit-breaker");
            ShadowPolicy shadow = toShadow.pipeline.policy(ShadowPolicy.class);

            active.calls(100, Work.value("never"), ofSeconds(100));
            toShadow.calls(100, Work.value("never"), ofSeconds(100));

            assertThat(shadow.count(Decision.REJECTED)).isEqualTo(active.rejected());
        }
    }
}
