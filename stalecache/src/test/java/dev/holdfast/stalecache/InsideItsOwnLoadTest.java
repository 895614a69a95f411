/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Deadline;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Passage.Fault;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A call that waited for the load which waits for it would wait for ever; every other call of the same key may wait. */
@ThreadKind.Each
class InsideItsOwnLoadTest {
    private static final String KEY = "a";
    private static final Duration SHORT = Duration.ofMillis(10);

    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    private final StaleCachePolicy policy = StaleCachePolicy.of(b -> b.staleIfSlow(Duration.ZERO));

    @AfterEach
    void close() {
        time.close();
    }

    private Rig rig(Policy... policies) {
        return new Rig(time, Way.CALL, policies);
    }

    private static CompletableFuture<Object> ask(Rig rig, String key, String value) {
        return rig.call(key).callAsync(attempt -> CompletableFuture.completedFuture(value));
    }

    private void assertRefused(CompletableFuture<?> outer) {
        time.run();
        assertThat(Running.errorOf(outer))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("inside the load of the very key");
        assertThat(policy.underWay()).isZero();
    }

    // ---- the work of a load, wherever it runs

    /** What a bulkhead with dedicated threads is to the pipeline. */
    private static final class DedicatedThreads extends Policy {
        DedicatedThreads() {
            super("dedicated", 0);
        }

        @Override
        public int dedicatedThreads() {
            return 9;
        }
    }

    private static final class Delay extends Policy {
        Delay() {
            super("delay", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            passage.inject(Fault.delay(SHORT.toNanos()));
            return PROCEED;
        }
    }

    @Test
    void blockingCallOnADedicatedThreadFailsAtOnce() {
        Rig rig = rig(policy, new DedicatedThreads());
        assertRefused(time.spawn(
                () -> rig.call(KEY).call(attempt -> rig.call(KEY).call(inner -> "never"))));
        assertThat(rig.requests()).containsExactly("miss 2");
    }

    @Test
    void asynchronousCallOnADedicatedThreadFailsAtOnce() {
        Rig rig = rig(policy, new DedicatedThreads());
        assertRefused(rig.call(KEY).callAsync(attempt -> ask(rig, KEY, "never")));
    }

    @Test
    void callOnTheThreadOfAnInjectedFaultFailsAtOnce() {
        Rig rig = rig(policy, new Delay());
        assertRefused(rig.call(KEY).callAsync(attempt -> ask(rig, KEY, "never")));
    }

    @Test
    void callOnAThreadToWhichTheDeadlineIsCarriedFailsAtOnce() {
        Rig rig = rig(policy);
        Executor pool = Deadline.propagating(time.executor());
        assertRefused(rig.call(KEY)
                .callAsync(attempt -> CompletableFuture.supplyAsync(() -> "first", pool)
                        .thenComposeAsync(first -> ask(rig, KEY, "never"), pool)));
    }

    @Test
    void callThatContinuesAForeignStageUnderTheDeadlineFailsAtOnce() {
        Rig rig = rig(policy);
        CompletableFuture<String> foreign = new CompletableFuture<>();
        time.schedule(SHORT.toNanos(), () -> foreign.complete("first"));
        assertRefused(rig.call(KEY)
                .callAsync(attempt ->
                        foreign.thenComposeAsync(first -> ask(rig, KEY, "never"), Deadline.fixed(time.executor()))));
    }

    @Test
    void callThatContinuesACallOfTheLoadFailsAtOnce() {
        Rig rig = rig(policy);
        assertRefused(rig.call(KEY)
                .callAsync(attempt -> rig.call("b")
                        .callAsync(inner -> Work.value("b").taking(SHORT).async(time))
                        .thenCompose(b -> ask(rig, KEY, "never"))));
    }

    @Test
    void callInsideAHedgeOfTheLoadFailsAtOnce() {
        Rig rig = rig(policy, HedgePolicy.of(h -> h.delay(SHORT)));
        AtomicInteger attempts = new AtomicInteger();
        AtomicReference<Throwable> refusal = new AtomicReference<>();
        CompletableFuture<Object> outer = time.spawn(() -> rig.call(KEY).call(attempt -> {
            if (attempts.incrementAndGet() == 1) {
                time.sleep(Duration.ofSeconds(1));
                return "first";
            }
            try {
                return rig.call(KEY).call(inner -> "never");
            } catch (IllegalStateException expected) {
                refusal.set(expected);
                throw expected;
            }
        }));
        time.run();
        assertThat(outer).isCompletedWithValue("first");
        assertThat(refusal.get()).hasMessageContaining("inside the load of the very key");
    }

    @Test
    @Logs("fallback-inside-stale-cache")
    void fallbackInsideTheLoadFailsAtOnce() {
        AtomicReference<Rig> rig = new AtomicReference<>();
        rig.set(rig(policy, FallbackPolicy.of(error -> rig.get().call(KEY).call(inner -> "never"))));
        assertRefused(time.spawn(() -> rig.get().call(KEY).call(attempt -> {
            throw new IOException("ill");
        })));
    }

    // ---- calls that are outside of the load

    private CompletableFuture<Object> loadBySomebodyElse(Rig rig) {
        CompletableFuture<Object> load = rig.call(KEY)
                .callAsync(attempt -> Work.value("read").taking(SHORT).async(time));
        time.advance(Duration.ZERO);
        return load;
    }

    @Test
    @Logs("key-without-idempotence")
    void whatWasWrittenIsReadBackWhileSomebodyElseLoadsIt() {
        Rig rig = rig(policy);
        CompletableFuture<Object> other = loadBySomebodyElse(rig);
        CompletableFuture<Object> blocking = time.spawn(() ->
                rig.call(KEY).idempotent(false).call(write -> rig.call(KEY).call(read -> "alone")));
        CompletableFuture<Object> async = rig.call(KEY).idempotent(false).callAsync(write -> ask(rig, KEY, "alone"));
        time.run();
        assertThat(other).isCompletedWithValue("read");
        assertThat(blocking).isCompletedWithValue("read");
        assertThat(async).isCompletedWithValue("read");
    }

    @Test
    void fallbackOutsideOfTheLoadJoinsTheLoadOfSomebodyElse() {
        AtomicReference<Rig> rig = new AtomicReference<>();
        AtomicReference<CompletableFuture<Object>> other = new AtomicReference<>();
        rig.set(rig(
                FallbackPolicy.of(error -> {
                    other.set(rig.get()
                            .call(KEY)
                            .callAsync(
                                    attempt -> Work.value("read").taking(SHORT).async(time)));
                    return rig.get().call(KEY).call(inner -> "alone");
                }),
                policy));
        CompletableFuture<Object> outer = time.spawn(() -> rig.get().call(KEY).call(attempt -> {
            throw new IOException("ill");
        }));
        time.run();
        assertThat(outer).isCompletedWithValue("read");
        assertThat(other.get()).isCompletedWithValue("read");
    }

    @Test
    void callThatGoesOnAloneMayJoinTheLoadOfSomebodyElse() {
        Rig rig = rig(policy, TimeoutPolicy.of(Duration.ofMillis(300)));
        Work never = Work.value("never").taking(Duration.ofSeconds(10));
        rig.start(rig.call(KEY).deadline(Duration.ofMillis(200)), never);
        time.advance(Duration.ofMillis(30));
        rig.start(rig.call(KEY).deadline(Duration.ofMillis(400)), never);
        time.advance(SHORT);
        CompletableFuture<Object> alone = rig.call(KEY).callAsync(attempt -> ask(rig, KEY, "alone"));
        // It is alone from 340 ms on, and the load of the second one is under way until 430 ms.
        time.advance(Duration.ofMillis(310));
        assertThat(policy.underWay()).isOne();
        assertThat(alone).isNotDone();
        time.run();
        assertThat(alone).isCompletedWithValue("alone");
    }

    @Test
    void workThatOutlivesItsLoadMayJoinTheNextOne() {
        Rig rig = rig(policy);
        CompletableFuture<Object> late = new CompletableFuture<>();
        CompletableFuture<Object> load = rig.call(KEY).callAsync(attempt -> {
            Executor here = Deadline.fixed(time.executor());
            time.schedule(
                    SHORT.toNanos(),
                    () -> here.execute(() -> {
                        CompletableFuture<?> unused = ask(rig, KEY, "alone").thenAccept(late::complete);
                    }));
            return CompletableFuture.completedFuture("first");
        });
        assertThat(load).isCompletedWithValue("first");
        time.advance(Duration.ofMillis(5));
        CompletableFuture<Object> other = loadBySomebodyElse(rig);
        time.run();
        assertThat(other).isCompletedWithValue("read");
        assertThat(late).isCompletedWithValue("read");
    }

    @Test
    void callOfAClassifierFailsAtOnce() {
        for (boolean async : new boolean[] {true, false}) {
            AtomicReference<Operation<Object>> stock = new AtomicReference<>();
            Pipeline pipeline = Pipeline.builder("inventory")
                    .policies(policy)
                    .classifier((value, error) -> {
                        stock.get().key(KEY).call(attempt -> "never");
                        return Verdict.SUCCESS;
                    })
                    .time(time)
                    .build();
            stock.set(pipeline.operation("stock"));
            assertRefused(
                    async
                            ? stock.get().key(KEY).callAsync(attempt -> CompletableFuture.completedFuture("value"))
                            : time.spawn(() -> stock.get().key(KEY).call(attempt -> "value")));
        }
    }
}
