/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The promise of the page: in any time t, at most burst + t × limit / per calls start, and a batch for each process. */
class SharedBoundTest {
    private static final long MILLI = 1_000_000;
    private static final int LIMIT = 200;
    private static final int BURST = 20;
    private static final int PROCESSES = 2;
    private static final int BATCH = 5;

    /** Three of these seconds are well, and the store does what the name says in the middle. */
    private enum Outage {
        NONE,
        STOPPED,
        STOPPED_AND_DATA_LOST,
        STILL
    }

    /** Two processes and one store, with many more calls than the limit lets start. */
    private static final class Fleet implements AutoCloseable {
        final VirtualTime time;
        final FakeStore store;
        final Dependency dependency;
        final List<Pipeline> pipelines = new ArrayList<>();
        final List<Running<String>> calls = new ArrayList<>();
        final Random random;

        Fleet(long seed, Way way) {
            time = VirtualTime.seeded(seed);
            random = new Random(seed);
            store = new FakeStore(time, LIMIT, BURST).answersAfter(ofMillis(random.nextInt(10)));
            dependency = new Dependency(time, way);
            Duration maxWait = ofMillis(random.nextInt(60));
            for (int i = 0; i < PROCESSES; i++) {
                SharedThrottleSettings settings = SharedThrottleSettings.of(s -> s.key("k")
                        .limit(LIMIT)
                        .burst(BURST)
                        .replicas(PROCESSES)
                        .batch(BATCH)
                        .maxWait(maxWait));
                pipelines.add(Pipeline.builder("process " + i)
                        .policies(new SharedThrottlePolicy(store, settings))
                        .time(time)
                        .build());
            }
        }

        /** About one call a millisecond, for at most so long; some give up. */
        void busy(int millis) {
            for (int i = 0; i < millis; i += 2) {
                int at = i;
                time.schedule(at * MILLI + random.nextInt(2_000_000), this::call);
                time.schedule(at * MILLI + random.nextInt(2_000_000), this::call);
            }
            time.advance(ofMillis(millis));
        }

        private void call() {
            Running<String> call = dependency.call(pipelines.get(random.nextInt(PROCESSES)), ZERO);
            calls.add(call);
            if (random.nextInt(10) == 0) {
                time.schedule(random.nextInt(50) * MILLI, call.giveUp());
            }
        }

        void outage(Outage kind, int millis) {
            switch (kind) {
                case NONE -> {}
                case STOPPED, STOPPED_AND_DATA_LOST -> store.stop();
                case STILL -> store.standStill();
            }
            busy(millis);
            if (kind == Outage.STOPPED_AND_DATA_LOST) {
                store.startEmptied();
            } else {
                store.start();
            }
        }

        @Override
        public void close() {
            time.close();
        }
    }

    @ParameterizedTest
    @EnumSource(Outage.class)
    void neverMoreThanTheLimitWhateverTheStoreDoes(Outage outage) {
        int most = 0;
        for (long seed = 0; seed < 20; seed++) {
            try (Fleet fleet = new Fleet(seed, Way.CALL_ASYNC)) {
                fleet.busy(1_000);
                fleet.outage(outage, 300 + fleet.random.nextInt(3_000));
                fleet.busy(3_000);
                fleet.time.run();

                List<Long> starts = fleet.dependency.starts();
                most = Math.max(most, excess(starts));
                assertThat(excess(starts))
                        .as("calls above the limit, with seed %d and %s", seed, outage)
                        .isLessThanOrEqualTo(BURST + PROCESSES * BATCH);
                assertEndsAreOwn(fleet.calls);
            }
        }
        // Else the loads would be too light to find an error.
        assertThat(most).isGreaterThanOrEqualTo(BURST);
    }

    /** The most calls in any time that the rate of the limit alone does not explain. */
    private static int excess(List<Long> starts) {
        // Of all times that end with a start: the level of a bucket without a bottom that leaks at the rate of the
        // limit.
        double level = 0;
        double highest = 0;
        for (int i = 0; i < starts.size(); i++) {
            double leaked = i == 0 ? 0 : (starts.get(i) - starts.get(i - 1)) * (LIMIT / 1e9);
            level = Math.max(0, level - leaked) + 1;
            highest = Math.max(highest, level);
        }
        return (int) Math.floor(highest + 1e-6);
    }

    private static void assertEndsAreOwn(List<Running<String>> calls) {
        assertThat(calls).allSatisfy(call -> {
            assertThat(call.result()).isDone();
            if (call.result().isCompletedExceptionally()) {
                assertThat(call.error()).isInstanceOfAny(CallRejectedException.class, CancellationException.class);
            }
        });
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void nearlyAllOfTheLimitIsUsed(Way way) {
        for (long seed = 0; seed < 3; seed++) {
            try (Fleet fleet = new Fleet(seed, way)) {
                fleet.busy(5_000);

                assertThat(fleet.dependency.starts())
                        .as("calls that started, with seed %d", seed)
                        .hasSizeBetween((int) (0.95 * (5 * LIMIT + BURST)), 5 * LIMIT + BURST);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = Outage.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
    void mostOfTheLimitIsUsedWhileTheStoreIsAway(Outage outage) {
        for (long seed = 0; seed < 5; seed++) {
            try (Fleet fleet = new Fleet(seed, Way.CALL_ASYNC)) {
                fleet.busy(1_000);
                int before = fleet.dependency.starts().size();
                fleet.outage(outage, 4_000);
                assertThat(fleet.dependency.starts().size() - before)
                        .as("calls that started while the store was %s, with seed %d", outage, seed)
                        .isGreaterThanOrEqualTo((int) (0.9 * 4 * LIMIT));
                int away = fleet.dependency.starts().size();
                fleet.busy(3_000);
                assertThat(fleet.dependency.starts().size() - away)
                        .as("calls that started after the store was %s, with seed %d", outage, seed)
                        .isGreaterThanOrEqualTo((int) (0.8 * 3 * LIMIT));
            }
        }
    }

    /** A process that alone misses the store adds its share, and no more, until it notices that the store is there. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void oneProcessWithoutTheStoreAddsItsShare(Way way) {
        try (VirtualTime time = VirtualTime.seeded(1)) {
            FakeStore store = new FakeStore(time, LIMIT, BURST);
            FakeStore cutOff = new FakeStore(time, LIMIT, BURST);
            Dependency dependency = new Dependency(time, way);
            List<Pipeline> pipelines = new ArrayList<>();
            for (FakeStore seen : List.of(store, cutOff)) {
                SharedThrottleSettings settings = SharedThrottleSettings.of(
                        s -> s.key("k").limit(LIMIT).burst(BURST).replicas(2).maxWait(ZERO));
                pipelines.add(Pipeline.builder("process")
                        .policies(new SharedThrottlePolicy(seen, settings))
                        .time(time)
                        .build());
            }
            cutOff.stop();
            for (int i = 0; i < 4_000; i++) {
                dependency.call(pipelines.get(i % 2), ZERO);
                time.advance(ofMillis(1));
            }

            int seconds = (int) ofSeconds(4).toSeconds();
            assertThat(dependency.starts())
                    .hasSizeBetween(
                            (int) (0.9 * seconds * (LIMIT + LIMIT / 2)), seconds * (LIMIT + LIMIT / 2) + 2 * BURST);
        }
    }
}
