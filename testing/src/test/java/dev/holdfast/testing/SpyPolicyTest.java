/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static dev.holdfast.testing.HoldfastAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CheckedFunction;
import dev.holdfast.Pipeline;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SpyPolicyTest {
    /** Else a pipeline with a spy would behave in another way than without. */
    @Test
    void asksThePolicyEverything() {
        assertThat(Stream.of(Policy.class.getDeclaredMethods())
                        .filter(method ->
                                Modifier.isPublic(method.getModifiers()) && !Modifier.isFinal(method.getModifiers()))
                        .map(Method::getName)
                        .filter(name -> !name.equals("toString")))
                .allSatisfy(name -> assertThat(SpyPolicy.class.getDeclaredMethods())
                        .extracting(Method::getName)
                        .contains(name));
    }

    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... layers) {
        return Pipeline.builder("spied").policies(layers).time(time).build();
    }

    @Test
    void policyBehindASpyDoesWhatItWouldDoWithoutOne() throws Exception {
        SpyPolicy retry = SpyPolicy.around(RetryPolicy.of(r -> r.maxAttempts(3)));
        SpyPolicy inner = SpyPolicy.named("inner");
        AtomicInteger tries = new AtomicInteger();
        String value = pipeline(SpyPolicy.around(FallbackPolicy.value("fallback")), retry, inner)
                .call(() -> {
                    if (tries.incrementAndGet() < 3) {
                        throw new IOException("again");
                    }
                    return "third";
                });
        assertThat(value).isEqualTo("third");
        assertThat(retry.entries()).isOne();
        assertThat(retry.settlements()).isEqualTo(3);
        assertThat(retry.ends()).isOne();
        assertThat(inner.entries()).isEqualTo(3);
        assertThat(inner.ends()).isEqualTo(3);
        assertThat(inner.abandonments()).isZero();
        assertThat(retry.open()).isZero();
        retry.assertOver();
        inner.assertOver();
    }

    @Test
    void spyHasTheNameAndTheDeclarationsOfItsPolicy() {
        TimeoutPolicy timeout = TimeoutPolicy.of(Duration.ofSeconds(1));
        SpyPolicy spy = SpyPolicy.around(timeout);
        assertThat(spy.name()).isEqualTo("timeout");
        assertThat(spy.policy()).isSameAs(timeout);
        assertThat(spy.lease()).isEqualTo(timeout.lease());
        assertThat(spy.warnings()).isEqualTo(timeout.warnings());
        assertThat(spy.toString()).isEqualTo("timeout");
    }

    @Test
    void pipelineTakesASpyForItsPolicy() {
        RetryPolicy retry = RetryPolicy.ofDefaults();
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(Duration.ofMillis(20)));
        SpyPolicy spy = SpyPolicy.around(retry);
        Pipeline spied = pipeline(spy, SpyPolicy.around(hedge));
        assertThat(hedge.budget()).as("it pays from that of the retry").isEqualTo(retry.budget());
        assertThat(spied.policy(RetryPolicy.class)).isSameAs(retry);
        assertThatThrownBy(() -> spied.policy(TimeoutPolicy.class)).hasMessageContaining("[RetryPolicy, HedgePolicy]");
        spied.shadow("retry");
        assertThat(spied).hasOrder("retry-shadow", "hedge");
        assertThat(spied.policy(RetryPolicy.class)).isSameAs(retry);
        spied.enforce("retry");
        assertThat(spied.policies()).contains(spy);
        Pipeline around = pipeline(SpyPolicy.around(ShadowPolicy.of(TimeoutPolicy.of(Duration.ofSeconds(1)))));
        around.enforce("timeout");
        assertThat(around).hasOrder("timeout");
    }

    @Test
    void policyBehindASpyIsTakenOver() {
        List<Policy> takenOver = new ArrayList<>();
        class Heir extends Policy {
            Heir() {
                super("heir", 0);
            }

            @Override
            public void takeOver(Policy previous) {
                takenOver.add(previous);
            }
        }
        Policy first = new Heir();
        Policy second = new Heir();
        Policy third = new Heir();
        Pipeline pipeline = pipeline(SpyPolicy.around(first));
        pipeline.replace(first);
        pipeline.replace(SpyPolicy.around(first));
        assertThat(takenOver).as("still the same policy").isEmpty();
        pipeline.replace(second);
        pipeline.replace(SpyPolicy.around(third));
        assertThat(takenOver).containsExactly(first, second);
    }

    @Test
    void layerThatIsSettledTwiceIsFound() throws Exception {
        SpyPolicy spy = SpyPolicy.named("spy");
        pipeline(new Meddler(spy) {
                    @Override
                    public int settle(Passage passage) {
                        spy.settle(passage);
                        return spy.settle(passage);
                    }
                })
                .call(() -> "done");
        assertThatThrownBy(spy::assertSound)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("settled out of turn");
    }

    @Test
    void layerThatIsEndedTwiceIsFound() throws Exception {
        SpyPolicy spy = SpyPolicy.named("spy");
        pipeline(new Meddler(spy) {
                    @Override
                    public void ended(Passage passage) {
                        spy.ended(passage);
                        spy.ended(passage);
                    }
                })
                .call(() -> "done");
        assertThatThrownBy(spy::assertSound).hasMessageContaining("ended out of turn");
    }

    @Test
    void layerThatIsAbandonedAfterItWasEnteredIsFound() throws Exception {
        SpyPolicy spy = SpyPolicy.named("spy");
        pipeline(new Meddler(spy) {
                    @Override
                    public int settle(Passage passage) {
                        spy.abandon(passage);
                        return KEEP;
                    }
                })
                .call(() -> "done");
        assertThatThrownBy(spy::assertSound).hasMessageContaining("abandoned out of turn");
    }

    @Test
    void layerThatWasNeverEnteredIsFound() throws Exception {
        SpyPolicy spy = SpyPolicy.named("spy");
        pipeline(new Meddler(spy) {
                    @Override
                    public int enter(Passage passage) {
                        return PROCEED;
                    }
                })
                .call(() -> "done");
        assertThatThrownBy(spy::assertSound).hasMessageContaining("settled without an entry");
    }

    @Test
    void layerThatIsNeverSettledIsFound() throws Exception {
        SpyPolicy spy = SpyPolicy.named("spy");
        pipeline(new Meddler(spy) {
                    @Override
                    public int settle(Passage passage) {
                        return KEEP;
                    }

                    @Override
                    public void ended(Passage passage) {}
                })
                .call(() -> "done");
        spy.assertSound();
        assertThatThrownBy(spy::assertOver).hasMessageContaining("not over");
        assertThat(spy.open()).isOne();
    }

    /** The entry ends before it is settled: the walk is still inside of the action. */
    @Test
    void workThatIsWrittenOffWhileItHoldsTheThreadOfItsCallIsSound() {
        SpyPolicy permits = SpyPolicy.around(new Policy("permits", Policy.ENTER | Policy.ENDED) {
            @Override
            public long lease() {
                return Duration.ofMillis(100).toNanos();
            }
        });
        ScriptedAction<String> stubborn = ScriptedAction.<String>on(time)
                .returns("late")
                .after(Duration.ofSeconds(5))
                .stubbornly();
        Pipeline pipeline = pipeline(permits, TimeoutPolicy.of(Duration.ofMillis(50)));
        Future<String> call = time.spawn(() -> pipeline.call(stubborn::call));
        time.advance(Duration.ofSeconds(1));
        assertThat(permits.ends()).isOne();
        assertThat(permits.settlements()).isZero();
        permits.assertOver();
        time.run();
        assertThat(call).isDone();
        assertThat(permits.settlements()).isOne();
        permits.assertOver();
    }

    @Test
    void forkedCallIsAnEntryOfItsOwn() {
        SpyPolicy spy = SpyPolicy.around(new Policy("forking", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                passage.beside().fork("background", Long.MAX_VALUE);
                return PROCEED;
            }
        });
        AtomicInteger ran = new AtomicInteger();
        CheckedFunction<String, Integer, RuntimeException> decorated =
                pipeline(spy).<Integer>operation("x").decorate(key -> ran.incrementAndGet());
        decorated.apply("key");
        time.run();
        assertThat(ran).hasValue(2);
        assertThat(spy.entries()).isEqualTo(2);
        assertThat(spy.settlements()).isEqualTo(2);
        spy.assertOver();
    }

    /** Stands in the spy's place and asks it other things than the interpreter does. */
    private static class Meddler extends Policy {
        private final SpyPolicy spy;

        Meddler(SpyPolicy spy) {
            super("meddler", ENTER | SUCCESS | FAILURE | ENDED);
            this.spy = spy;
        }

        @Override
        public int enter(Passage passage) {
            return spy.enter(passage);
        }

        @Override
        public int settle(Passage passage) {
            return spy.settle(passage);
        }

        @Override
        public void ended(Passage passage) {
            spy.ended(passage);
        }
    }

    @Test
    void policyBehindASpyHearsOfLongAttemptsAndOfFallbacks() {
        AtomicInteger told = new AtomicInteger();
        SpyPolicy watcher = SpyPolicy.around(new Policy("watcher", Policy.ENTER | Policy.OVERDUE) {
            @Override
            public int enter(Passage passage) {
                passage.beside().overdueAfter(1_000_000);
                return PROCEED;
            }

            @Override
            public void overdue(long slot, long now) {
                told.incrementAndGet();
            }
        });
        Pipeline spied = pipeline(SpyPolicy.around(FallbackPolicy.ofOperations()), watcher);
        CompletableFuture<String> call = time.spawn(() -> spied.<String>operation("stock")
                .unkeyed()
                .fallback(error -> "fallback")
                .call(attempt -> {
                    time.sleep(Duration.ofMillis(50));
                    throw new IOException("late");
                }));
        time.run();
        assertThat(call).isCompletedWithValue("fallback");
        assertThat(told).hasValue(1);
        watcher.assertOver();
    }
}
