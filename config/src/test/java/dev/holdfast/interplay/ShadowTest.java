/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.PipelineSnapshot;
import dev.holdfast.Reason;
import dev.holdfast.Reply;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.bulkhead.BulkheadSettings;
import dev.holdfast.chaos.ChaosPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.shadow.ShadowPolicy.Decision;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.throttling.AdaptiveThrottlePolicy;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.ratelimiter.RateLimiter;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A policy in shadow says what it would have done, and does nothing. */
class ShadowTest {
    private static final int CALLS = 600;

    private static List<Policy> active() {
        return new ArrayList<>(List.of(
                DeadlinePolicy.of(ofMillis(300)),
                StaleCachePolicy.of(c -> c.fresh(ofMillis(20)).staleIfError(ofSeconds(5))),
                RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(ofMillis(5))),
                CircuitBreakerPolicy.of(b -> b.minimumNumberOfCalls(10).waitDurationInOpenState(ofMillis(200))),
                BulkheadPolicy.of(b -> b.maxConcurrentCalls(6).maxWait(ofMillis(10))),
                TimeoutPolicy.of(ofMillis(60))));
    }

    /** Strict ones of each kind, so that each decides often. */
    private static List<Policy> strict() {
        return List.of(
                DeadlinePolicy.of(ofMillis(40)),
                FallbackPolicy.of(error -> "instead"),
                StaleCachePolicy.of(c -> c.fresh(ofMillis(50))
                        .staleWhileRevalidate(ofMillis(500))
                        .staleIfError(ofSeconds(5))),
                RetryPolicy.of(r -> r.maxAttempts(5).initialBackoff(ofMillis(5))),
                HedgePolicy.of(h -> h.delay(ofMillis(10))),
                CircuitBreakerPolicy.of(
                        b -> b.minimumNumberOfCalls(3).failureRateThreshold(20).waitDurationInOpenState(ofMillis(50))),
                ThrottlePolicy.of(t -> t.limit(50).per(ofSeconds(1)).burst(2).maxWait(ofMillis(20))),
                BulkheadPolicy.of(
                        b -> b.maxConcurrentCalls(2).maxWaitingCalls(2).maxWait(ofMillis(5))),
                TimeoutPolicy.of(ofMillis(15)),
                ChaosPolicy.of(c -> c.enabled(true).errorRate(0.3)));
    }

    /** What happened: each start of the action and each end of a call, with its time. */
    private static final class Story {
        final List<String> lines = new ArrayList<>();
        private final VirtualTime time;
        private final Map<String, Integer> starts = new HashMap<>();

        Story(VirtualTime time) {
            this.time = time;
        }

        /** What the dependency does now: the n-th start for a key is the same in every story. */
        Work work(String key) {
            int start = starts.merge(key, 1, Integer::sum);
            lines.add(time.nanos() + " " + key + " starts");
            SplittableRandom random = new SplittableRandom(31L * key.hashCode() + start);
            Work work = random.nextInt(4) == 0 ? Work.error(new IOException(key)) : Work.value(key + "." + start);
            return work.taking(ofMillis(1 + random.nextInt(80)));
        }

        void discarded(Object value) {
            lines.add(time.nanos() + " discarded: " + value);
        }

        void ends(String call, Object answer) {
            lines.add(time.nanos() + " " + call + " ends: " + answer);
        }
    }

    private static List<String> story(Way way, long seed, List<Policy> policies) {
        SplittableRandom random = new SplittableRandom(seed);
        // Events of one instant in the order in which they are made: a draw would differ for each timer of a shadow's
        // own.
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline =
                        Pipeline.builder("stock").policies(policies).time(time).build()) {
            Story story = new Story(time);
            Operation<Object> operation = pipeline.operation("get", options -> options.discard(story::discarded));
            for (int i = 0; i < CALLS; i++) {
                String name = "call " + i;
                String key = "key " + random.nextInt(15);
                boolean decorated = random.nextBoolean();
                Call<Object> own = random.nextBoolean() ? operation.key(key) : operation.unkeyed();
                Call<Object> call = own.idempotent(random.nextInt(4) > 0);
                time.schedule(i * 3_000_000L, () -> {
                    CompletableFuture<Object> end = way == Way.CALL
                            ? time.spawn(() -> decorated
                                    ? operation
                                            .decorate((String asked) ->
                                                    story.work(asked).blocking(time))
                                            .apply(key)
                                    : call.call(attempt -> story.work(name).blocking(time)))
                            : decorated
                                    ? operation
                                            .decorateAsync((String asked) ->
                                                    story.work(asked).async(time))
                                            .apply(key)
                                    : call.callAsync(attempt -> story.work(name).async(time));
                    var unused = end.whenComplete(
                            (answer, error) -> story.ends(name, error == null ? answer : Running.errorOf(end)));
                });
            }
            time.run();
            assertThatWhatWasDecidedHasAMeter(pipeline);
            return story.lines;
        }
    }

    private static void assertThatWhatWasDecidedHasAMeter(Pipeline pipeline) {
        PipelineSnapshot snapshot = pipeline.snapshot();
        for (int i = 0; i < pipeline.policies().size(); i++) {
            if (pipeline.policies().get(i) instanceof ShadowPolicy shadow) {
                for (Decision decision : Decision.values()) {
                    String name = "shadow.decisions{decision=" + decision.name().toLowerCase(Locale.ROOT) + "}";
                    Number shown = snapshot.policies().get(i).numbers().getOrDefault(name, 0L);
                    assertThat(shown).as("%s of %s", name, shadow).isEqualTo(shadow.count(decision));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    @Logs("key-without-idempotence")
    void changesNothing(Way way) {
        for (long seed = 0; seed < 5; seed++) {
            List<String> without = story(way, seed, active());
            for (int place = 0; place <= active().size(); place++) {
                List<Policy> policies = active();
                List<ShadowPolicy> shadows =
                        strict().stream().map(ShadowPolicy::of).toList();
                policies.addAll(place, shadows);

                assertThat(story(way, seed, policies))
                        .as("seed %d, place %d", seed, place)
                        .isEqualTo(without);
                if (place == 0) {
                    assertThat(shadows)
                            .allSatisfy(
                                    shadow -> assertThat(shadow.report()).isNotEqualTo("would have changed nothing"));
                }
            }
        }
    }

    // ---- what it says is what would have been

    /** Calls that do not wait for one another, and whether each was let through. */
    private static List<Boolean> letThrough(Way way, Policy policy, Duration between, IntFunction<Work> dependency) {
        List<Boolean> through = new ArrayList<>();
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline =
                        Pipeline.builder("stock").policies(policy).time(time).build()) {
            Operation<Object> operation = pipeline.operation("get");
            for (int i = 0; i < CALLS; i++) {
                int call = i;
                through.add(false);
                time.schedule(i * between.toNanos(), () -> {
                    var unused = dependency
                            .apply(call)
                            .start(way, time, operation.unkeyed())
                            .result()
                            .whenComplete((reply, error) -> through.set(
                                    call,
                                    !(error instanceof CallRejectedException)
                                            && !(error != null && error.getCause() instanceof CallRejectedException)));
                });
            }
            time.run();
        }
        return through;
    }

    private static void saysWhatWouldHaveBeen(
            Way way, Supplier<Policy> policy, Duration between, IntFunction<Work> dependency) {
        List<Boolean> active = letThrough(way, policy.get(), between, dependency);
        ShadowPolicy shadow = ShadowPolicy.of(policy.get());
        List<Boolean> inShadow = letThrough(way, shadow, between, dependency);

        long turnedAway = active.stream().filter(through -> !through).count();
        assertThat(inShadow).doesNotContain(false);
        assertThat(turnedAway).isBetween(10L, CALLS - 10L);
        assertThat(shadow.count(Decision.REJECTED)).isEqualTo(turnedAway);
        long well = 0;
        for (int i = 0; i < CALLS; i++) {
            well += active.get(i) || !isWell(dependency.apply(i)) ? 0 : 1;
        }
        assertThat(shadow.succeeded(Decision.REJECTED)).isEqualTo(well);
    }

    private static boolean isWell(Work work) {
        try {
            work.error();
            return false;
        } catch (NullPointerException none) {
            return true;
        }
    }

    @ParameterizedTest
    @EnumSource
    void aThrottle(Way way) {
        saysWhatWouldHaveBeen(
                way,
                () -> ThrottlePolicy.of(t -> t.limit(100).per(ofSeconds(1)).burst(3)),
                ofMillis(7),
                call -> Work.value("it"));
    }

    @ParameterizedTest
    @EnumSource
    void aBulkheadWithoutAQueue(Way way) {
        saysWhatWouldHaveBeen(
                way,
                () -> BulkheadPolicy.of(b -> b.maxConcurrentCalls(4).maxWait(Duration.ZERO)),
                ofMillis(3),
                call -> (call % 3 == 0 ? Work.error(new IOException("ill")) : Work.value("it"))
                        .taking(ofMillis(5 + call % 30)));
    }

    @ParameterizedTest
    @EnumSource
    void aCircuitBreaker(Way way) {
        saysWhatWouldHaveBeen(
                way,
                () -> CircuitBreakerPolicy.of(
                        b -> b.slidingWindowSize(20).minimumNumberOfCalls(10).waitDurationInOpenState(ofMillis(100))),
                ofMillis(3),
                call -> (call / 100 % 2 == 1 ? Work.error(new IOException("ill")) : Work.value("it"))
                        .taking(ofMillis(2)));
    }

    @ParameterizedTest
    @EnumSource
    void limitsOfTime(Way way) {
        ShadowPolicy shadow = ShadowPolicy.of(TimeoutPolicy.of(ofMillis(20)));
        List<Boolean> through =
                letThrough(way, shadow, ofMillis(3), call -> Work.value("it").taking(ofMillis(1 + call % 40)));

        assertThat(through).doesNotContain(false);
        assertThat(shadow.count(Decision.CUT_OFF)).isEqualTo(CALLS / 2);
        assertThat(shadow.succeeded(Decision.CUT_OFF)).isEqualTo(CALLS / 2);
        assertThat(shadow.report()).isEqualTo("would have cut off 300 tries, of which 300 succeeded");
    }

    /** Calls of a decorated function for one key, one after the other, with a pause between; how many were answered. */
    private static long answeredFromMemory(Way way, Policy policy, int calls, Duration takes, Duration between) {
        AtomicInteger answered = new AtomicInteger();
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline =
                        Pipeline.builder("stock").policies(policy).time(time).build()) {
            Operation<Object> operation = pipeline.operation("get");
            Work work = Work.value("it").taking(takes);
            var blocking = operation.decorate((String key) -> work.blocking(time));
            var async = operation.decorateAsync((String key) -> work.async(time));
            var unused = time.spawn(() -> {
                for (int i = 0; i < calls; i++) {
                    Running<Reply<Object>> running = way == Way.CALL
                            ? Running.blocking(time, () -> blocking.reply("key"))
                            : Running.async(async.reply("key"));
                    var unusedResult = running.result().thenAccept(reply -> {
                        if (reply.source() != Reply.Source.LIVE) {
                            answered.incrementAndGet();
                        }
                    });
                    time.sleep(takes.plus(between));
                }
                return null;
            });
            time.run();
        }
        return answered.get();
    }

    @ParameterizedTest
    @EnumSource
    void aStaleCacheThatAnswersSlowCalls(Way way) {
        Supplier<Policy> cache = () -> StaleCachePolicy.of(c -> c.staleIfSlow(ofMillis(20)));
        ShadowPolicy shadow = ShadowPolicy.of(cache.get());

        long active = answeredFromMemory(way, cache.get(), 200, ofMillis(60), ofMillis(20));
        assertThat(answeredFromMemory(way, shadow, 200, ofMillis(60), ofMillis(20)))
                .isZero();

        assertThat(active).isEqualTo(199);
        assertThat(shadow.report()).isEqualTo("would have answered 199 tries, of which 199 succeeded");
    }

    @ParameterizedTest
    @EnumSource
    void aStaleCacheWithLoadsThatAreNotSlow(Way way) {
        ShadowPolicy shadow = ShadowPolicy.of(StaleCachePolicy.of(c -> c.staleIfSlow(ofMillis(80))));

        answeredFromMemory(way, shadow, 20, ofMillis(60), ofMillis(20));

        assertThat(shadow.report()).isEqualTo("would have changed nothing");
    }

    /** A load that ends in time, after slow ones: calls wait for it, and are not answered with the old value. */
    @ParameterizedTest
    @EnumSource
    void aStaleCacheWhoseLoadsAreFastAgain(Way way) {
        for (boolean inShadow : new boolean[] {false, true}) {
            Policy cache = StaleCachePolicy.of(c -> c.staleIfSlow(ofMillis(20)));
            ShadowPolicy shadow = ShadowPolicy.of(cache);
            List<String> sources = new ArrayList<>();
            try (VirtualTime time = new VirtualTime();
                    Pipeline pipeline = Pipeline.builder("stock")
                            .policies(inShadow ? shadow : cache)
                            .time(time)
                            .build()) {
                Operation<Object> operation = pipeline.operation("get");
                AtomicInteger loads = new AtomicInteger();
                Supplier<Work> work = () -> Work.value("it").taking(ofMillis(loads.getAndIncrement() < 3 ? 60 : 10));
                var blocking = operation.decorate((String key) -> work.get().blocking(time));
                var async = operation.decorateAsync((String key) -> work.get().async(time));
                for (int i = 0; i < 8; i++) {
                    var running = way == Way.CALL
                            ? Running.blocking(time, () -> blocking.reply("key"))
                            : Running.async(async.reply("key"));
                    time.run();
                    sources.add(running.result().join().source().toString());
                }
            }
            if (inShadow) {
                assertThat(sources).containsOnly("LIVE");
                assertThat(shadow.count(Decision.ANSWERED)).isEqualTo(2);
                assertThat(shadow.count(Decision.DELAYED)).isEqualTo(1);
            } else {
                assertThat(sources.stream().filter(source -> !source.equals("LIVE")))
                        .hasSize(2);
            }
        }
    }

    private static Map<String, Number> hedged(Way way, Policy hedge) {
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline =
                        Pipeline.builder("stock").policies(hedge).time(time).build()) {
            Operation<Object> operation = pipeline.operation("get");
            for (int i = 0; i < 40; i++) {
                var unused = Work.value("it").taking(ofMillis(15)).start(way, time, operation.unkeyed());
                time.run();
            }
            return pipeline.snapshot().numbers();
        }
    }

    /** Else what many processes tell of a setting would be wrong in the same direction. */
    @Test
    void whatIsLeftToChanceIsNotTheSameInEachPipeline() {
        Set<Long> rejected = new HashSet<>();
        for (int i = 0; i < 10; i++) {
            ShadowPolicy shadow = ShadowPolicy.of(AdaptiveThrottlePolicy.ofDefaults());
            try (VirtualTime time = new VirtualTime();
                    Pipeline pipeline = Pipeline.builder("stock-" + i)
                            .policies(shadow)
                            .time(time)
                            .build()) {
                for (int call = 0; call < 1_000; call++) {
                    boolean fails = call % 5 < 3;
                    try {
                        pipeline.call(() -> {
                            if (fails) {
                                throw new IOException("down");
                            }
                            return "up";
                        });
                    } catch (IOException expected) {
                        // Three of five.
                    }
                }
                rejected.add(shadow.count(Decision.REJECTED));
            }
        }
        assertThat(rejected).hasSizeGreaterThan(5);
    }

    @ParameterizedTest
    @EnumSource
    void aHedgeSpendsItsBudget(Way way) {
        Supplier<Policy> hedge = () -> HedgePolicy.of(h -> h.delay(ofMillis(5)));
        ShadowPolicy shadow = ShadowPolicy.of(hedge.get());

        Map<String, Number> active = hedged(way, hedge.get());
        Map<String, Number> inShadow = hedged(way, shadow);

        Number started = active.get("hedge.started");
        assertThat(started).isEqualTo(9L);
        assertThat(shadow.count(Decision.HEDGED)).isEqualTo(started);
        assertThat(inShadow)
                .containsEntry("shadow.hedge.started", started)
                .containsEntry("shadow.hedge.refused", active.get("hedge.refused"));
    }

    /** The answers of a burst fill the budget again, but after all of it has asked. */
    @ParameterizedTest
    @EnumSource
    void aHedgeAsksItsBudgetWhenItsDelayIsOver(Way way) {
        Supplier<Policy> hedge = () -> HedgePolicy.of(h -> h.delay(ofMillis(50)));
        ShadowPolicy shadow = ShadowPolicy.of(hedge.get());
        List<Long> started = new ArrayList<>();
        for (Policy policy : List.of(hedge.get(), shadow)) {
            try (VirtualTime time = new VirtualTime();
                    Pipeline pipeline = Pipeline.builder("stock")
                            .policies(policy)
                            .time(time)
                            .build()) {
                for (int i = 0; i < 200; i++) {
                    var unused = Work.value("it")
                            .taking(ofMillis(500))
                            .start(way, time, pipeline.<Object>operation("get").unkeyed());
                }
                time.advance(ofMillis(100));
                String meter = policy == shadow ? "shadow.hedge.started" : "hedge.started";
                started.add(pipeline.snapshot().numbers().get(meter).longValue());
                time.run();
                assertThat(pipeline.snapshot().numbers().get(meter)).isEqualTo(started.get(started.size() - 1));
            }
        }
        assertThat(started).containsExactly(5L, 5L);
        assertThat(shadow.count(Decision.HEDGED)).isEqualTo(5);
    }

    /** The watchdog tells of an attempt a millisecond late. */
    @ParameterizedTest
    @EnumSource
    void aHedgeOfAnAttemptThatEndsSoonAfterTheDelayCounts(Way way) {
        ShadowPolicy shadow = ShadowPolicy.of(HedgePolicy.of(h -> h.delay(ofMillis(2))));
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline =
                        Pipeline.builder("stock").policies(shadow).time(time).build()) {
            for (int micros : new int[] {1_900, 2_000, 2_100, 2_900, 3_100}) {
                var unused = Work.value("it")
                        .taking(Duration.ofNanos(1_000L * micros))
                        .start(way, time, pipeline.<Object>operation("get").unkeyed());
                time.run();
            }
        }
        assertThat(shadow.count(Decision.HEDGED)).isEqualTo(3);
    }

    @ParameterizedTest
    @EnumSource
    void aPolicyThatReplacesOneInShadowCountsOnAndTheOneBeforeBeginsAnew(Way way) {
        ShadowPolicy before = ShadowPolicy.of(TimeoutPolicy.of(ofMillis(20)));
        ShadowPolicy after = ShadowPolicy.of(TimeoutPolicy.of(ofMillis(30)));
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline =
                        Pipeline.builder("stock").policies(before).time(time).build()) {
            Work slow = Work.value("it").taking(ofMillis(50));
            var unused = slow.start(way, time, pipeline.<Object>operation("get").unkeyed());
            time.run();
            pipeline.replace(after);
            pipeline.enforce("timeout");
            pipeline.shadow("timeout");
            assertThat(pipeline.policy(ShadowPolicy.class).count(Decision.CUT_OFF))
                    .isEqualTo(1);
            assertThat(ShadowPolicy.of(before.policy()).count(Decision.CUT_OFF)).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aHedgeTakesNoTokenOfTheRetryBesideIt(Way way) {
        RetryPolicy retry = RetryPolicy.ofDefaults();
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(ofMillis(5)));
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline = Pipeline.builder("stock")
                        .policies(retry, ShadowPolicy.of(hedge))
                        .time(time)
                        .build()) {
            Operation<Object> operation = pipeline.operation("get");
            for (int i = 0; i < 40; i++) {
                var unused = Work.value("it").taking(ofMillis(15)).start(way, time, operation.unkeyed());
                time.run();
            }
            assertThat(pipeline.policy(ShadowPolicy.class).count(Decision.HEDGED))
                    .isEqualTo(9);
            assertThat(retry.budget().orElseThrow().tokens()).isEqualTo(10);

            pipeline.enforce("hedge");
            assertThat(hedge.budget()).isEqualTo(retry.budget());
            pipeline.shadow("hedge");
            assertThat(hedge.budget()).isPresent().isNotEqualTo(retry.budget());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aRetryWhoseWaitDoesNotFitIntoTheDeadline(Way way) {
        for (int wait : new int[] {200, 300, 1_000}) {
            ShadowPolicy shadow = ShadowPolicy.of(RetryPolicy.of(r ->
                    r.initialBackoff(ofMillis(wait)).maxBackoff(ofMillis(wait)).jitter(RetrySettings.Jitter.NONE)));
            try (VirtualTime time = new VirtualTime();
                    Pipeline pipeline = Pipeline.builder("stock")
                            .policies(DeadlinePolicy.of(ofMillis(300)), shadow)
                            .time(time)
                            .build()) {
                var unused = Work.error(new IOException("ill"))
                        .start(way, time, pipeline.<Object>operation("get").unkeyed());
                time.run();
            }
            assertThat(shadow.count(Decision.RETRIED)).isEqualTo(wait < 300 ? 1 : 0);
        }
    }

    @Test
    void aCallInsideTheLoadOfItsOwnKeyWouldHaveBeenTurnedAway() {
        ShadowPolicy shadow = ShadowPolicy.of(StaleCachePolicy.of(c -> c.fresh(ofSeconds(1))));
        try (Pipeline pipeline = Pipeline.of("stock", shadow)) {
            Operation<String> operation = pipeline.operation("get");
            String answer = operation
                    .key("key")
                    .<RuntimeException>call(outer -> operation.key("key").<RuntimeException>call(inner -> "it"));

            assertThat(answer).isEqualTo("it");
            assertThat(shadow.report()).isEqualTo("would have turned away 1 try, of which 1 succeeded");
        }
    }

    // ---- what goes wrong

    @Test
    @Logs("a policy in shadow threw")
    void aPolicyThatThrowsBreaksNoCall() {
        Policy broken = new Policy("broken", Policy.ENTER | Policy.SUCCESS | Policy.ENDED) {
            @Override
            public int enter(Passage passage) {
                throw new IllegalStateException("broken");
            }
        };
        try (Pipeline pipeline = Pipeline.of("stock", ShadowPolicy.of(broken))) {
            assertThat(pipeline.<String, RuntimeException>call(() -> "it")).isEqualTo("it");
            assertThat(pipeline.<String, RuntimeException>call(() -> "it")).isEqualTo("it");
        }
    }

    /** Throws a checked exception, as Kotlin's code may. */
    private static Policy throwing(Throwable thrown) {
        return new Policy("broken", Policy.ENTER | Policy.SUCCESS | Policy.FAILURE) {
            @Override
            public int enter(Passage passage) {
                return ShadowTest.<RuntimeException>sneaky(thrown);
            }

            @Override
            public int settle(Passage passage) {
                return ShadowTest.<RuntimeException>sneaky(thrown);
            }

            @Override
            public void abandon(Passage passage) {
                int unused = ShadowTest.<RuntimeException>sneaky(thrown);
            }
        };
    }

    private static <X extends Throwable> int sneaky(Throwable thrown) throws X {
        @SuppressWarnings("unchecked")
        X unchecked = (X) thrown;
        throw unchecked;
    }

    @Test
    @Logs("a policy in shadow threw")
    void aPolicyThatThrowsACheckedExceptionBreaksNoCall() {
        try (Pipeline pipeline = Pipeline.of("stock", ShadowPolicy.of(throwing(new IOException("broken"))))) {
            assertThat(pipeline.<String, RuntimeException>call(() -> "it")).isEqualTo("it");
            assertThat(pipeline.callAsync(() -> CompletableFuture.completedFuture("it")))
                    .isCompletedWithValue("it");
        }
    }

    @Test
    @Logs("a policy in shadow threw")
    void theActionSeesAnInterruptOfAPolicyThatWaits() {
        try (Pipeline pipeline = Pipeline.of("stock", ShadowPolicy.of(throwing(new InterruptedException())))) {
            assertThat(pipeline.<Boolean, RuntimeException>call(Thread::interrupted))
                    .isTrue();
        } finally {
            boolean unused = Thread.interrupted();
        }
    }

    @Test
    void whatIsInShadowCannotBePutIntoShadow() {
        ShadowPolicy shadow = ShadowPolicy.of(TimeoutPolicy.of(ofMillis(20)));

        assertThatThrownBy(() -> ShadowPolicy.of(shadow)).hasMessage("timeout-shadow is in shadow already");
    }

    // ---- switched while it runs

    @Test
    void aPolicyGoesIntoShadowAndComesBackWithItsState() {
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline = Pipeline.builder("stock")
                        .policies(BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWait(Duration.ZERO)))
                        .time(time)
                        .build()) {
            Work slow = Work.value("it").taking(ofSeconds(1));
            Operation<Object> operation = pipeline.operation("get");
            var first = slow.start(Way.CALL_ASYNC, time, operation.unkeyed()).result();
            pipeline.shadow("bulkhead");
            var second = slow.start(Way.CALL_ASYNC, time, operation.unkeyed()).result();
            ShadowPolicy shadow = pipeline.policy(ShadowPolicy.class);
            assertThat(shadow.count(Decision.REJECTED)).isOne();
            assertThat(pipeline.toString()).isEqualTo("stock: bulkhead-shadow > call");
            pipeline.enforce("bulkhead");
            var third = slow.start(Way.CALL_ASYNC, time, operation.unkeyed()).result();
            assertThat(third).isCompletedExceptionally();
            time.run();

            assertThat(first).isCompleted();
            assertThat(second).isCompleted();
            assertThat(pipeline.policy(BulkheadPolicy.class).inFlight()).isZero();
            assertThat(shadow.report()).isEqualTo("would have turned away 1 try, of which 1 succeeded");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBulkheadInShadowRejectsOnlyIfItsCallsDoNotWait(Way way) {
        ShadowPolicy queues = ShadowPolicy.of(BulkheadPolicy.of(b -> b.maxConcurrentCalls(10)));
        ShadowPolicy rejects =
                ShadowPolicy.of(BulkheadPolicy.of(b -> b.maxConcurrentCalls(10).maxWait(Duration.ZERO)));
        for (ShadowPolicy shadow : List.of(queues, rejects)) {
            try (VirtualTime time = new VirtualTime();
                    Pipeline pipeline = Pipeline.builder("stock")
                            .policies(shadow)
                            .time(time)
                            .build()) {
                for (int i = 0; i < 30; i++) {
                    var unused = Work.value("it")
                            .taking(ofSeconds(1))
                            .start(way, time, pipeline.<Object>operation("get").unkeyed());
                }
                time.run();
            }
        }
        assertThat(queues.report()).isEqualTo("would have delayed 20 tries");
        assertThat(rejects.report()).isEqualTo("would have turned away 20 tries, of which 20 succeeded");
    }

    /** As on the page. */
    @Test
    void settingsOfAShadowBesideAnActivePolicyAreEnforcedByReplace() {
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline = Pipeline.builder("stock")
                        .policies(
                                ShadowPolicy.of(BulkheadPolicy.of(
                                        b -> b.maxConcurrentCalls(1).maxWait(Duration.ZERO))),
                                BulkheadPolicy.of(b -> b.maxConcurrentCalls(25)))
                        .time(time)
                        .build()) {
            Work slow = Work.value("it").taking(ofSeconds(1));
            Operation<Object> operation = pipeline.operation("get");
            var first = slow.start(Way.CALL_ASYNC, time, operation.unkeyed()).result();
            ShadowPolicy shadow = pipeline.policy(ShadowPolicy.class);
            Policy bulkhead = BulkheadPolicy.of(((BulkheadPolicy) shadow.policy()).settings());
            pipeline.replace(pipeline.policies().stream()
                    .filter(policy -> policy != shadow)
                    .map(policy -> policy instanceof BulkheadPolicy ? bulkhead : policy)
                    .toArray(Policy[]::new));

            assertThat(pipeline.toString()).isEqualTo("stock: bulkhead > call");
            assertThat(pipeline.policy(BulkheadPolicy.class).inFlight()).isOne();
            var second = slow.start(Way.CALL_ASYNC, time, operation.unkeyed()).result();
            assertThat(second).isCompletedExceptionally();
            time.run();
            assertThat(first).isCompleted();
            assertThat(pipeline.policy(BulkheadPolicy.class).inFlight()).isZero();
        }
    }

    @Test
    void onlyOnePolicyOfTheKindCanBeMeant() {
        try (Pipeline pipeline = Pipeline.of("stock", TimeoutPolicy.of(ofMillis(20)))) {
            assertThatThrownBy(() -> pipeline.shadow("bulkhead"))
                    .hasMessage(
                            "pipeline 'stock' has no bulkhead that is active, but exactly one is asked for: stock: timeout > call");
            assertThatThrownBy(() -> pipeline.enforce("timeout"))
                    .hasMessage("pipeline 'stock': a timeout is active already; use replace()");
            pipeline.shadow("timeout");
            assertThatThrownBy(() -> pipeline.shadow("timeout"))
                    .hasMessage("pipeline 'stock': a timeout is in shadow already; use replace()");
            assertThatThrownBy(() -> pipeline.enforce("timeout-shadow"))
                    .hasMessage(
                            "pipeline 'stock' has no timeout-shadow that is in shadow, but exactly one is asked for: "
                                    + "stock: timeout-shadow > call");
        }
    }

    @Test
    void standsOutsideTheOneThatIsActive() {
        try (Pipeline pipeline = Pipeline.builder("stock")
                .standard()
                .with(ShadowPolicy.of(BulkheadPolicy.of(b -> b.maxConcurrentCalls(5))))
                .build()) {
            assertThat(pipeline.toString())
                    .isEqualTo(
                            "stock: deadline > retry > circuit-breaker > bulkhead-shadow > bulkhead > timeout > call");
            assertThat(pipeline.warnings()).isEmpty();
            assertThat(pipeline.snapshot().numbers())
                    .containsEntry("shadow.bulkhead.limit", 5.0)
                    .containsEntry("bulkhead.limit", 10.0)
                    .containsEntry("shadow.decisions{decision=rejected}", 0L);
        }
    }

    @Test
    void aPolicyThatComesIntoShadowAgainCountsOn() {
        try (Pipeline pipeline = Pipeline.of(
                "stock",
                ThrottlePolicy.of(t -> t.limit(2).per(Duration.ofHours(1)).burst(2)))) {
            pipeline.shadow("throttle");
            for (int i = 0; i < 4; i++) {
                pipeline.run(() -> {});
            }
            pipeline.enforce("throttle");
            pipeline.shadow("throttle");
            assertThat(pipeline.snapshot().numbers()).containsEntry("shadow.decisions{decision=rejected}", 2L);
            pipeline.run(() -> {});
            assertThat(pipeline.policy(ShadowPolicy.class).report())
                    .isEqualTo("would have turned away 3 tries, of which 3 succeeded");
        }
    }

    /** Asks for a hedge, and throws when it is asked. */
    private static final class BrokenHedge extends Policy {
        BrokenHedge() {
            super("broken-hedge", Policy.ENTER | Policy.HEDGE);
        }

        @Override
        public int enter(Passage passage) {
            passage.beside().hedgeAfter(1);
            return PROCEED;
        }

        @Override
        public long hedge(int hedges, long now) {
            throw new IllegalStateException("broken");
        }
    }

    @ParameterizedTest
    @EnumSource
    @Logs("a policy in shadow threw")
    void aPolicyThatThrowsWhereItWouldHedgeBreaksNoCall(Way way) {
        assertThat(letThrough(
                        way,
                        ShadowPolicy.of(new BrokenHedge()),
                        ofMillis(3),
                        call -> Work.value("it").taking(ofMillis(5))))
                .doesNotContain(false);
    }

    /** Turns every call away after all, and counts those that are inside. */
    private static final class AfterAll extends Policy {
        private final AtomicInteger inside = new AtomicInteger();

        AfterAll() {
            super("after-all", Policy.ENTER | Policy.ENDED | Policy.STILL_ADMITS);
        }

        @Override
        public int enter(Passage passage) {
            inside.incrementAndGet();
            return PROCEED;
        }

        @Override
        public int stillAdmits(Passage passage) {
            return passage.reject(Reason.OTHER, -1, "after all");
        }

        @Override
        public void ended(Passage passage) {
            inside.decrementAndGet();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoIsTurnedAwayAfterAllIsNotInsideForEver(Way way) {
        AfterAll afterAll = new AfterAll();
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline = Pipeline.builder("stock")
                        .policies(
                                ShadowPolicy.of(afterAll),
                                ThrottlePolicy.of(t ->
                                        t.limit(1).per(ofSeconds(1)).burst(1).maxWait(ofSeconds(10))))
                        .time(time)
                        .build()) {
            for (int i = 0; i < 3; i++) {
                var unused = Work.value("it")
                        .start(way, time, pipeline.<Object>operation("get").unkeyed());
            }
            time.run();

            assertThat(afterAll.inside).hasValue(0);
            assertThat(pipeline.policy(ShadowPolicy.class).count(Decision.REJECTED))
                    .isEqualTo(2);
        }
    }

    @Test
    void aPolicyThatAnotherPipelineHasTooDoesNotGoIntoShadow() {
        BulkheadPolicy shared = BulkheadPolicy.of(b -> b.maxConcurrentCalls(1));
        try (Pipeline one = Pipeline.of("one", shared);
                Pipeline other = Pipeline.of("other", shared)) {
            assertThatThrownBy(() -> one.shadow("bulkhead"))
                    .hasMessage(
                            "pipeline 'one': others have this bulkhead, too, and what it counts in shadow would bind those where it"
                                    + " is active; use replace() with one of its own");
            assertThat(one.toString()).isEqualTo("one: bulkhead > call");
            other.run(() -> {});
        }
    }

    @Test
    void aPolicyThatIsInShadowInAnotherPipelineTooDoesNotBecomeActive() {
        ShadowPolicy shared = ShadowPolicy.of(BulkheadPolicy.of(b -> b.maxConcurrentCalls(1)));
        try (Pipeline one = Pipeline.of("one", shared);
                Pipeline other = Pipeline.of("other", shared)) {
            assertThatThrownBy(() -> one.enforce("bulkhead")).hasMessageContaining("others have this bulkhead, too");
            assertThat(one.toString()).isEqualTo("one: bulkhead-shadow > call");
            other.run(() -> {});
        }
    }

    @Test
    void aPolicyAroundAnObjectOfOtherCodeDoesNotGoIntoShadow() {
        List<Policy> existing = List.of(
                BulkheadPolicy.of(Bulkhead.ofDefaults("theirs")),
                CircuitBreakerPolicy.of(CircuitBreaker.ofDefaults("theirs")),
                ThrottlePolicy.of(RateLimiter.ofDefaults("theirs")));
        assertThat(existing).allSatisfy(policy -> {
            String refusal = policy.name()
                    + " cannot be in shadow: other code uses its object, too, and would be bound by what it counts there;"
                    + " put one of its own into shadow, with settings made of the config of that object";
            assertThatThrownBy(() -> ShadowPolicy.of(policy))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(refusal);
            try (Pipeline pipeline = Pipeline.builder("stock").policies(policy).build()) {
                assertThatThrownBy(() -> pipeline.shadow(policy.name()))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage(refusal);
                assertThat(pipeline.toString()).isEqualTo("stock: " + policy.name() + " > call");
            }
        });
        // As the page on each says.
        assertThat(ShadowPolicy.of(BulkheadPolicy.of(BulkheadSettings.from(BulkheadConfig.ofDefaults())))
                        .bindsOthers())
                .isFalse();
    }

    @Test
    void chaosInShadowTroublesNobody() {
        try (Pipeline pipeline = Pipeline.of(
                "stock", ShadowPolicy.of(ChaosPolicy.of(c -> c.enabled(true).errorRate(1))))) {
            assertThat(pipeline.warnings()).isEmpty();
            pipeline.run(() -> {});
            assertThat(pipeline.policy(ShadowPolicy.class).report()).isEqualTo("would have put a fault into 1 try");
        }
    }

    /** A method that is added to a policy must be thought of in shadow, too. */
    @Test
    void passesOnAllThatAPolicyIsAskedButForWhatWouldChangeACall() {
        Set<String> wouldChangeACall =
                Set.of("longest", "dedicatedThreads", "mayAnswer", "hedge", "hedgeBegun", "hedgeNotMade");
        Set<String> passedOn = names(ShadowPolicy.class);

        assertThat(names(Policy.class))
                .allSatisfy(name ->
                        assertThat(passedOn.contains(name)).as(name).isNotEqualTo(wouldChangeACall.contains(name)));
    }

    private static Set<String> names(Class<?> type) {
        return Stream.of(type.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !Modifier.isFinal(method.getModifiers()))
                .map(Method::getName)
                .filter(name -> !name.equals("toString"))
                .collect(Collectors.toSet());
    }

    @Test
    void severalInShadowLoseNoNumbers() {
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline = Pipeline.builder("stock")
                        .time(time)
                        .policies(
                                ShadowPolicy.of(ThrottlePolicy.of(t -> t.burst(1))),
                                ShadowPolicy.of(BulkheadPolicy.of(
                                        b -> b.maxConcurrentCalls(1).maxWait(Duration.ZERO))))
                        .build()) {
            pipeline.run(() -> pipeline.run(() -> pipeline.run(() -> {})));

            assertThat(pipeline.snapshot().numbers())
                    .containsEntry("shadow.decisions{decision=rejected}", 2L)
                    .containsEntry("shadow.decisions.2{decision=rejected}", 2L);
        }
    }
}
