/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Reply;
import dev.holdfast.spi.Perishable;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Many calls of few keys with all that can go wrong: everybody gets a value of the own key, and nobody is left behind. */
class RandomCallsTest {
    private static final long SEED = 20_261_125;
    private static final int ROUNDS = 20;
    private static final int CALLS = 300;

    private record Asked(String key, CompletableFuture<?> end) {}

    @ParameterizedTest
    @EnumSource(Way.class)
    void nobodyGetsAStrangersValueAndNobodyIsLeftBehind(Way way) {
        for (long seed = SEED; seed < SEED + ROUNDS; seed++) {
            round(way, seed);
        }
    }

    private void round(Way way, long seed) {
        StaleCachePolicy policy = StaleCachePolicy.of(b -> b.fresh(Duration.ofMillis(5))
                .staleWhileRevalidate(Duration.ofMillis(20))
                .staleIfError(Duration.ofMillis(40))
                .staleIfSlow(Duration.ofMillis(6))
                .maxFollowers(6)
                .maxFollowersIfSlow(2)
                .refreshTimeout(Duration.ofMillis(8))
                .refreshBackoff(Duration.ofMillis(2))
                .refreshAhead(0.3)
                .freshIfIgnored(Duration.ofMillis(3))
                .maxWeight(10)
                .maxValueWeight(8)
                .maxEntries(2));
        Random random = new Random(seed);
        TimeoutPolicy timeout = TimeoutPolicy.of(Duration.ofMillis(12));
        StaleCachePolicyTest.Gate gate = new StaleCachePolicyTest.Gate();
        try (Rig rig = new Rig(VirtualTime.seeded(seed), way, policy, gate, timeout)) {
            List<Asked> asked = new ArrayList<>();
            for (int i = 0; i < CALLS; i++) {
                gate.closed = random.nextInt(10) == 0;
                asked.add(random.nextBoolean() ? repeatable(rig, random) : single(rig, random));
                rig.time.advance(Duration.ofNanos(random.nextInt(2_000_000)));
            }
            rig.time.run();
            assertThat(asked).as("seed %d", seed).allSatisfy(RandomCallsTest::assertOwn);
            assertThat(asked.stream().map(RandomCallsTest::value).filter(RandomCallsTest::isForOne))
                    .as("values for one call alone, seed %d", seed)
                    .isNotEmpty()
                    .doesNotHaveDuplicates();
            assertThat(policy.underWay()).as("flights, seed %d", seed).isZero();
            assertThat(policy.waiting()).as("waiting, seed %d", seed).isZero();
        }
    }

    private static Work work(Random random, String key) {
        String value = "value of " + key;
        int weight = random.nextInt(10);
        Duration fresh = Duration.ofNanos(random.nextInt(10_000_000));
        Duration age = Duration.ofNanos(random.nextInt(10_000_000));
        Work work = switch (random.nextInt(12)) {
            case 0, 1 -> Work.error(new IOException(key));
            case 2 -> Work.error(new IllegalArgumentException(key));
            case 3, 4 -> Work.error(new AssertionError(key));
            case 5 -> Work.value("gone");
            case 6, 7 -> Work.reading(() -> Page.own(value));
            case 8 -> Work.value(Page.of(value, f -> f.fresh(fresh).age(age).weight(weight)));
            case 9 ->
                Work.value((Perishable) () -> {
                    throw new AssertionError(key);
                });
            default -> Work.value(value);
        };
        return work.taking(Duration.ofNanos(random.nextInt(15_000_000)));
    }

    private static String key(Random random) {
        return "key " + random.nextInt(3);
    }

    /** The key is part of what the function answers, since it is asked again in the background for the key it was made for. */
    private static Asked repeatable(Rig rig, Random random) {
        String key = key(random);
        Work next = work(random, key);
        rig.works.put(key, next);
        return new Asked(key, rig.startRepeatable(key));
    }

    private static Asked single(Rig rig, Random random) {
        String key = key(random);
        Duration deadline = Duration.ofMillis(1 + random.nextInt(20));
        Running<Reply<Object>> started = rig.start(rig.call(key).deadline(deadline), work(random, key));
        if (random.nextInt(4) == 0) {
            rig.time.schedule(random.nextInt(10_000_000), started.giveUp());
        }
        return new Asked(key, started.result());
    }

    private static void assertOwn(Asked asked) {
        assertThat(asked.end()).isDone();
        if (asked.end().isCancelled()) {
            return;
        }
        if (asked.end().isCompletedExceptionally()) {
            Throwable error = Running.errorOf(asked.end());
            if (error instanceof IOException
                    || error instanceof IllegalArgumentException
                    || error instanceof AssertionError) {
                assertThat(error).hasMessage(asked.key());
            } else {
                assertThat(error)
                        .isInstanceOfAny(
                                CallRejectedException.class,
                                CallTimeoutException.class,
                                CancellationException.class,
                                InterruptedException.class);
            }
            return;
        }
        assertThat(String.valueOf(value(asked))).isIn("value of " + asked.key(), "gone");
    }

    /** Null if the call has failed. */
    private static @Nullable Object value(Asked asked) {
        if (asked.end().isCompletedExceptionally()) {
            return null;
        }
        Object end = asked.end().join();
        return end instanceof Reply<?> reply ? reply.value() : end;
    }

    private static boolean isForOne(@Nullable Object value) {
        return value instanceof Page page && !page.freshness().shared();
    }
}
