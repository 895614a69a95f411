/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
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
        final List<FakeStore.Connection> connections = new ArrayList<>();
        final List<SharedThrottlePolicy> throttles = new ArrayList<>();
        final List<Pipeline> pipelines = new ArrayList<>();
        final List<Running<String>> calls = new ArrayList<>();
        final Random random;
        /** When calls started, and what they weigh. */
        final List<long[]> weighed = new ArrayList<>();

        private int heaviest = 1;
        /** The process that gets no processor; -1 if none. */
        private int still = -1;

        private int overdue;

        Fleet(long seed, Way way) {
            this(seed, way, ofMillis(new Random(seed).nextInt(60)));
        }

        Fleet(long seed, Way way, Duration maxWait) {
            time = VirtualTime.seeded(seed);
            random = new Random(seed);
            store = new FakeStore(time, LIMIT, BURST).answersAfter(ofMillis(random.nextInt(10)));
            dependency = new Dependency(time, way);
            for (int i = 0; i < PROCESSES; i++) {
                SharedThrottleSettings settings = SharedThrottleSettings.of(s -> s.key("k")
                        .limit(LIMIT)
                        .burst(BURST)
                        .replicas(PROCESSES)
                        .batch(BATCH)
                        .maxWait(maxWait));
                connections.add(store.connection());
                throttles.add(new SharedThrottlePolicy(connections.get(i), settings));
                pipelines.add(Pipeline.builder("process " + i)
                        .policies(throttles.get(i), note())
                        .time(time)
                        .build());
            }
        }

        /** Calls of any weight up to this one. */
        Fleet weighing(int most) {
            heaviest = most;
            return this;
        }

        private Policy note() {
            return new Policy("note", Policy.ENTER) {
                @Override
                public int enter(Passage passage) {
                    weighed.add(new long[] {passage.now(), passage.weight()});
                    return PROCEED;
                }
            };
        }

        /** About one call a millisecond, for at most so long; some give up. */
        void busy(int millis) {
            busy(millis, 1);
        }

        /** About one call in so many milliseconds. */
        void busy(int millis, int distance) {
            for (int i = 0; i < millis; i += distance) {
                time.schedule(i * MILLI + random.nextInt(2_000_000), () -> call(random.nextInt(PROCESSES)));
            }
            time.advance(ofMillis(millis));
        }

        /** A process gets no processor for so long. Then its calls come together. */
        void stall(int millis) {
            still = random.nextInt(PROCESSES);
            connections.get(still).standStill();
            busy(millis);
            int awake = still;
            still = -1;
            connections.get(awake).goOn();
            for (; overdue > 0; overdue--) {
                call(awake);
            }
        }

        private void call(int process) {
            if (process == still) {
                overdue++;
                return;
            }
            int weight = heaviest == 1 ? 1 : 1 + random.nextInt(random.nextBoolean() ? 1 : heaviest);
            Running<String> call = dependency.call(
                    pipelines.get(process).<String>operation("work").unkeyed().weight(weight), ZERO);
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

    @ParameterizedTest
    @EnumSource(Outage.class)
    void callsThatMayWaitLongAreHeldToTheLimitToo(Outage outage) {
        for (long seed = 0; seed < 3; seed++) {
            try (Fleet fleet = new Fleet(seed, Way.CALL_ASYNC, ofSeconds(2))) {
                fleet.busy(1_000, 3);
                fleet.outage(outage, 300 + fleet.random.nextInt(1_000));
                fleet.busy(4_000, 3);

                assertThat(excess(fleet.dependency.starts()))
                        .as("calls above the limit, with seed %d and %s", seed, outage)
                        .isLessThanOrEqualTo(BURST + PROCESSES * BATCH);
            }
        }
    }

    /** It hears the answers late, and the store is well. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aProcessThatStandsStillAddsNothing(Way way) {
        int most = 0;
        for (long seed = 0; seed < 10; seed++) {
            try (Fleet fleet = new Fleet(seed, way)) {
                for (int i = 0; i < 4; i++) {
                    fleet.busy(fleet.random.nextInt(300));
                    fleet.stall(1_000);
                }
                fleet.busy(300);

                most = Math.max(most, excess(fleet.dependency.starts()));
                assertThat(most)
                        .as("calls above the limit, with seed %d", seed)
                        .isLessThanOrEqualTo(BURST + PROCESSES * BATCH);
                assertThat(fleet.throttles)
                        .as("throttles, with seed %d", seed)
                        .allMatch(throttle -> throttle.withoutStore() == 0 && !throttle.storeIsAway());
            }
        }
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

    /** The same, of weight. */
    private static double excessOfWeight(List<long[]> starts) {
        double level = 0;
        double highest = 0;
        for (int i = 0; i < starts.size(); i++) {
            double leaked = i == 0 ? 0 : (starts.get(i)[0] - starts.get(i - 1)[0]) * (LIMIT / 1e9);
            level = Math.max(0, level - leaked) + starts.get(i)[1];
            highest = Math.max(highest, level);
        }
        return highest - 1e-6;
    }

    /** A process may have a heavy call's permits beside its batch. */
    @ParameterizedTest
    @EnumSource(Outage.class)
    void neverMoreWeightThanTheLimitWhateverTheStoreDoes(Outage outage) {
        int heaviest = 12;
        double most = 0;
        for (long seed = 0; seed < 20; seed++) {
            Duration maxWait = ofMillis(seed % 2 == 0 ? 60 : 400);
            try (Fleet fleet = new Fleet(seed, Way.CALL_ASYNC, maxWait).weighing(heaviest)) {
                fleet.busy(1_000, 2);
                fleet.outage(outage, 300 + fleet.random.nextInt(3_000));
                fleet.busy(3_000, 2);
                fleet.time.run();

                most = Math.max(most, excessOfWeight(fleet.weighed));
                assertThat(excessOfWeight(fleet.weighed))
                        .as("weight above the limit, with seed %d and %s", seed, outage)
                        .isLessThanOrEqualTo(BURST + PROCESSES * (BATCH + heaviest));
                assertEndsAreOwn(fleet.calls);
                assertThat(fleet.throttles).allMatch(throttle -> throttle.waiting() == 0);
            }
        }
        assertThat(most).isGreaterThanOrEqualTo(BURST);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void heavyCallsAreNotKeptOutAndNearlyAllOfTheLimitIsUsed(Way way) {
        int heaviest = 12;
        for (long seed = 0; seed < 3; seed++) {
            try (Fleet fleet = new Fleet(seed, way, ofMillis(400)).weighing(heaviest)) {
                fleet.busy(5_000, 4);

                long sum = fleet.weighed.stream().mapToLong(start -> start[1]).sum();
                assertThat(sum)
                        .as("weight that started, with seed %d", seed)
                        .isBetween((long) (0.9 * (5 * LIMIT + BURST)), 5L * LIMIT + BURST);
                assertThat(fleet.weighed.stream().filter(start -> start[1] > 6).count())
                        .as("heavy calls that started, with seed %d", seed)
                        .isGreaterThan(10);
                assertThat(fleet.weighed.stream().filter(start -> start[1] == 1).count())
                        .as("light calls that started, with seed %d", seed)
                        .isGreaterThan(50);
            }
        }
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
