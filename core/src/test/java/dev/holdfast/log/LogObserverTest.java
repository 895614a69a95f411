/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.Refusal;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testlogs.Logged;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LogObserverTest {
    private static final String NO_RETRIES =
            "failed calls are not repeated: the retry budget has few tokens left, or nothing has succeeded for a second";

    private static final Logger LOGGER = Logger.getLogger(LogObserver.NAME);

    private final VirtualTime time = new VirtualTime();
    private final LogObserver log = new LogObserver(time);
    private final List<String> lines = new ArrayList<>();
    private volatile Runnable atNextLine = () -> {};

    private final Logged logged = new Logged(LogObserver.NAME) {
        @Override
        public void publish(LogRecord entry) {
            atNextLine.run();
            lines.add((entry.getLevel().equals(Level.WARNING) ? "! " : "") + entry.getMessage());
        }
    };

    @BeforeEach
    void listen() {
        logged.start();
    }

    @AfterEach
    void listenNoMore() {
        LOGGER.setLevel(null);
        logged.close();
    }

    @Test
    void aChangeOfStateIsWrittenWithItsCause() {
        log.stateChanged("stock", "circuit-breaker", "closed", "open", "6 of 10 calls failed (60 %, limit 50 %)");
        log.stateChanged("stock", "circuit-breaker", "open", "half_open", "its wait is over");

        assertThat(lines)
                .containsExactly(
                        "! pipeline 'stock': circuit-breaker was closed and is open: 6 of 10 calls failed (60 %, limit 50 %)",
                        "pipeline 'stock': circuit-breaker was open and is half_open: its wait is over");
    }

    @Test
    void aStoreThatIsAwayIsAWarningAndItsReturnIsNot() {
        log.stateChanged("stock", "throttle", "shared", "away", "the store has not answered within 250ms");
        log.stateChanged("stock", "throttle", "away", "shared", "the store answers again after 3 s");

        assertThat(lines)
                .containsExactly(
                        "! pipeline 'stock': throttle was shared and is away: the store has not answered within 250ms",
                        "pipeline 'stock': throttle was away and is shared: the store answers again after 3 s");
    }

    @Test
    void anEmptyBudgetIsWrittenOnceAMinuteWithTheNumberOfThoseLeftOut() {
        for (int i = 0; i < 1_500; i++) {
            log.retryRefused("stock", "get", 1, Refusal.BUDGET);
        }
        log.retryRefused("other", "get", 1, Refusal.BUDGET);
        time.advance(Duration.ofMinutes(1));
        log.retryRefused("stock", "get", 1, Refusal.BUDGET);

        assertThat(lines)
                .containsExactly(
                        "! pipeline 'stock': " + NO_RETRIES,
                        "! pipeline 'other': " + NO_RETRIES,
                        "! pipeline 'stock': " + NO_RETRIES + " (1,499 more such events since the last line)");
    }

    @Test
    void retriesThatEndForAnotherReasonAreNotRare() {
        for (Refusal why : Refusal.values()) {
            if (why != Refusal.BUDGET) {
                log.retryRefused("stock", "get", 1, why);
            }
        }

        assertThat(lines).isEmpty();
    }

    private static final class Instance implements CallObserver.Observed {
        private final CallObserver.@Nullable Keys keys;
        private final String name;

        Instance(CallObserver.Keys keys, int number) {
            this.keys = keys;
            name = keys.name() + "/" + number;
        }

        /** Of nothing. */
        Instance(String name) {
            keys = null;
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public List<Policy> policies() {
            return List.of();
        }

        @Override
        public void meters(Meters meters) {}

        @Override
        public CallObserver.@Nullable Keys keys() {
            return keys;
        }
    }

    private static final CallObserver.Keys STOCK = new CallObserver.Keys() {
        @Override
        public String name() {
            return "stock";
        }

        @Override
        public int size() {
            return 30;
        }

        @Override
        public int max() {
            return 100;
        }
    };

    @Test
    void eachEventOfInstancesForKeysHasALineOrIsCountedInOne() {
        int instances = 30;
        for (int number = 0; number < instances; number++) {
            Instance instance = new Instance(STOCK, number);
            CallObserver one = log.forPipeline(instance);
            for (int change = 0; change < 14; change++) {
                one.stateChanged(instance.name, "circuit-breaker", "closed", "open", "ill");
            }
        }
        assertThat(lines).hasSize(100);
        time.advance(Duration.ofMinutes(3));
        assertThat(toldAndCounted()).isEqualTo(instances * 14L);
        assertThat(lines).anyMatch(line -> line.contains("200 more events of instances of 'stock' were left out"));
    }

    /** Of the events, those that have a line and those that lines count. */
    private long toldAndCounted() {
        long counted = lines.stream()
                .flatMap(
                        line -> Pattern.compile("([\\d,]+) more ").matcher(line).results())
                .mapToLong(more -> Long.parseLong(more.group(1).replace(",", "")))
                .sum();
        return counted
                + lines.stream()
                        .filter(line -> line.startsWith("pipeline '", line.startsWith("! ") ? 2 : 0)
                                && !line.contains("' is closed: "))
                        .count();
    }

    /** A breaker that flaps. */
    private static void openAndClose(CallObserver log, String pipeline, int times) {
        for (int i = 0; i < times; i++) {
            log.stateChanged(pipeline, "circuit-breaker", "closed", "open", "ill");
            log.stateChanged(pipeline, "circuit-breaker", "open", "half_open", "its wait is over");
            log.stateChanged(pipeline, "circuit-breaker", "half_open", "closed", "well");
        }
    }

    @Test
    void whatTheLevelKeepsOutIsNotCountedAndUsesUpNothing() {
        LOGGER.setLevel(Level.WARNING);
        openAndClose(log, "stock", 30);
        assertThat(lines).hasSize(10);
        time.advance(Duration.ofMinutes(1));

        assertThat(lines)
                .hasSize(11)
                .allMatch(line -> line.startsWith("! pipeline 'stock': circuit-breaker was closed"));
        assertThat(lines.get(10)).endsWith("(1m ago; 19 more such events since the last line)");
    }

    @Test
    void whatTheLevelKeepsOutUsesUpNoLineOfAllInstances() {
        LOGGER.setLevel(Level.WARNING);
        for (int number = 0; number < 250; number++) {
            Instance instance = new Instance(STOCK, number);
            openAndClose(log.forPipeline(instance), instance.name, 1);
        }
        assertThat(lines).hasSize(100);
        time.advance(Duration.ofMinutes(1));

        assertThat(lines).hasSize(101).last().isEqualTo("! 150 more events of instances of 'stock' were left out");
    }

    @Test
    void changesByHandHaveLinesBesideThoseOfAllInstances() {
        for (int number = 0; number < 150; number++) {
            Instance instance = new Instance(STOCK, number);
            CallObserver one = log.forPipeline(instance);
            one.stateChanged(instance.name, "circuit-breaker", "half_open", "closed", "well");
            one.stateChanged(instance.name, "circuit-breaker", "closed", "forced_open", "by hand");
        }
        assertThat(lines).hasSize(200);
        assertThat(lines)
                .filteredOn(line -> line.contains("forced_open: by hand"))
                .hasSize(100);
        time.advance(Duration.ofMinutes(2));

        assertThat(lines).hasSize(201).last().isEqualTo("! 100 more events of instances of 'stock' were left out");
        assertThat(toldAndCounted()).isEqualTo(300);
    }

    /** So that who reads warnings alone knows how many there were. */
    @Test
    void aLineThatCountsAWarningIsOne() {
        openAndClose(log, "stock", 6);
        time.advance(Duration.ofMinutes(1));
        assertThat(lines)
                .last()
                .isEqualTo("! pipeline 'stock': circuit-breaker was half_open and is closed: well"
                        + " (1m ago; 1 more such events since the last line)");

        time.advance(Duration.ofMinutes(1));
        for (int i = 0; i < 12; i++) {
            log.stateChanged("stock", "circuit-breaker", "half_open", "closed", "well");
        }
        time.advance(Duration.ofMinutes(1));
        assertThat(lines)
                .last()
                .isEqualTo("pipeline 'stock': circuit-breaker was half_open and is closed: well"
                        + " (1m ago; 1 more such events since the last line)");
    }

    @Test
    void aCountOfInstancesIsAWarningOnlyIfAWarningWasLeftOut() {
        for (int number = 0; number < 102; number++) {
            Instance instance = new Instance(STOCK, number);
            log.forPipeline(instance).stateChanged(instance.name, "circuit-breaker", "half_open", "closed", "well");
        }
        time.advance(Duration.ofMinutes(1));
        assertThat(lines).last().isEqualTo("2 more events of instances of 'stock' were left out");
    }

    @Test
    void countsThatTheLevelKeepsOutComeWithALaterLine() {
        for (int number = 0; number < 102; number++) {
            Instance instance = new Instance(STOCK, number);
            log.forPipeline(instance).stateChanged(instance.name, "circuit-breaker", "half_open", "closed", "well");
        }
        LOGGER.setLevel(Level.WARNING);
        time.advance(Duration.ofMinutes(1));
        assertThat(lines).hasSize(100);

        Instance instance = new Instance(STOCK, 102);
        log.forPipeline(instance).stateChanged(instance.name, "circuit-breaker", "closed", "open", "ill");
        assertThat(lines)
                .hasSize(101)
                .last()
                .asString()
                .endsWith("ill (2 more events of instances of 'stock' were left out)");
    }

    @Test
    void aLineThatTheLevelKeepsOutWhileItWaitsTakesNoCountWithIt() throws InterruptedException {
        CountDownLatch slow = new CountDownLatch(1);
        Thread writer = writerOfASlowLine(slow);
        for (int i = 0; i < 12; i++) {
            log.stateChanged("stock", "circuit-breaker", "half_open", "closed", "well");
        }
        time.advance(Duration.ofMinutes(1));
        LOGGER.setLevel(Level.WARNING);
        slow.countDown();
        writer.join();
        assertThat(lines).hasSize(1);
        log.stateChanged("stock", "circuit-breaker", "closed", "open", "ill");

        assertThat(lines).last().asString().endsWith("ill (2 more such events since the last line)");
    }

    /** As of one that is idle. */
    @Test
    void whatAnInstanceLeftOutIsCountedWhenItGoes() {
        Instance instance = new Instance(STOCK, 1);
        CallObserver one = log.forPipeline(instance);
        openAndClose(one, instance.name, 10);
        for (int i = 0; i < 5; i++) {
            one.overrun(instance.name, null, 1);
        }
        time.advance(Duration.ofMinutes(10));
        openAndClose(one, instance.name, 6);
        log.closed(instance);
        one.overrun(instance.name, null, 1);
        one.overrun(instance.name, null, 1);
        openAndClose(one, instance.name, 1);
        time.advance(Duration.ofMinutes(1));

        assertThat(toldAndCounted()).isEqualTo(30 + 5 + 18 + 2 + 3);
        assertThat(lines).anyMatch(line -> line.endsWith("(6 more events of instances of 'stock' were left out)"));
        assertThat(lines).last().isEqualTo("1 more events of instances of 'stock' were left out");
        long now = time.nanos();
        time.run();
        assertThat(time.nanos()).as("no timer was left").isEqualTo(now);
    }

    @Test
    void whatAPipelineLeftOutIsCountedAtItsEnd() {
        Instance stock = new Instance("stock");
        CallObserver one = log.forPipeline(stock);
        openAndClose(one, "stock", 12);
        for (int i = 0; i < 5; i++) {
            one.overrun("stock", null, 1);
        }
        Instance quiet = new Instance("quiet");
        log.forPipeline(quiet).overrun("quiet", null, 1);
        Instance well = new Instance("well");
        CallObserver recovering = log.forPipeline(well);
        for (int i = 0; i < 1_011; i++) {
            recovering.stateChanged("well", "circuit-breaker", "half_open", "closed", "well");
        }
        long now = time.nanos();
        List.of(stock, quiet, well).forEach(log::closed);
        time.run();

        assertThat(time.nanos()).as("no timer was left").isEqualTo(now);
        assertThat(toldAndCounted()).isEqualTo(36 + 5 + 1 + 1_011);
        assertThat(lines)
                .endsWith(
                        "! pipeline 'stock' is closed: 20 more events were left out",
                        "pipeline 'well' is closed: 1,001 more events were left out");
    }

    @Test
    void whoClosesAPipelineDoesNotWaitForTheLog() throws InterruptedException {
        LogObserver onTimers = new LogObserver(new Timers(null));
        List<Instance> pipelines = pipelinesThatLeftOutAnEvent(onTimers);
        CountDownLatch slow = new CountDownLatch(1);
        CountDownLatch written = new CountDownLatch(2);
        List<Thread> writers = Collections.synchronizedList(new ArrayList<>());
        Thread closing = Thread.currentThread();
        atNextLine = () -> {
            writers.add(Thread.currentThread());
            if (Thread.currentThread() != closing) {
                await(slow);
            }
            written.countDown();
        };
        pipelines.forEach(onTimers::closed);
        slow.countDown();
        written.await();

        assertThat(new HashSet<>(writers)).hasSize(1).doesNotContain(closing);
        writers.get(0).join();
        assertThat(lines)
                .endsWith(
                        "! pipeline 'stock' is closed: 1 more events were left out",
                        "! pipeline 'other' is closed: 1 more events were left out");
    }

    /** As if the system had none. */
    @Test
    void aLastLineForWhichThereWasNoThreadComesWithTheNextOne() throws InterruptedException {
        AtomicBoolean none = new AtomicBoolean(true);
        LogObserver onTimers = new LogObserver(new Timers(null) {
            @Override
            public @Nullable Executor executor() {
                if (none.getAndSet(false)) {
                    throw new IllegalStateException("no thread");
                }
                return null;
            }
        });
        List<Instance> pipelines = pipelinesThatLeftOutAnEvent(onTimers);
        CountDownLatch written = new CountDownLatch(2);
        AtomicReference<Thread> writer = new AtomicReference<>();
        atNextLine = () -> {
            writer.set(Thread.currentThread());
            written.countDown();
        };
        pipelines.forEach(onTimers::closed);
        written.await();
        writer.get().join();

        assertThat(lines).endsWith("! pipeline 'other' is closed: 1 more events were left out");
    }

    private static List<Instance> pipelinesThatLeftOutAnEvent(LogObserver log) {
        List<Instance> pipelines = List.of(new Instance("stock"), new Instance("other"));
        for (Instance pipeline : pipelines) {
            CallObserver one = log.forPipeline(pipeline);
            one.overrun(pipeline.name, null, 1);
            one.overrun(pipeline.name, null, 1);
        }
        return pipelines;
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Else a timer would keep an application for a minute after its end, and tell of a pipeline that is no more. */
    @Test
    void nothingIsToldOfAPipelineAfterItsEndButHowManyEventsWereLeftOut() {
        Instance instance = new Instance(STOCK, 1);
        CallObserver one = log.forPipeline(instance);
        for (int change = 0; change < 200; change++) {
            one.stateChanged(instance.name, "circuit-breaker", "closed", "open", "ill");
            one.stateChanged(instance.name, "policy " + change, "closed", "open", "ill");
        }
        assertThat(lines).hasSize(100);
        long now = time.nanos();
        log.closed(instance);
        log.keysClosed(STOCK);
        time.run();
        assertThat(lines).hasSize(101).last().isEqualTo("! 300 more events of instances of 'stock' were left out");
        for (int change = 0; change < 20; change++) {
            one.stateChanged(instance.name, "another policy", "closed", "open", "late");
        }
        time.run();
        assertThat(lines).hasSize(101);
        assertThat(time.nanos()).as("no timer was left").isEqualTo(now);
    }

    @Test
    void aBreakerThatFlapsWritesTenLinesAMinute() {
        for (int i = 0; i < 30; i++) {
            log.stateChanged("stock", "circuit-breaker", "open", "closed", "by hand");
        }
        log.stateChanged("stock", "another", "open", "closed", "by hand");

        assertThat(lines).hasSize(11);
    }

    @Test
    void theEndOfALongOutageIsWrittenHoweverOftenProbesFailed() {
        log.stateChanged("stock", "circuit-breaker", "closed", "open", "45 of 50 calls failed");
        for (int i = 0; i < 100; i++) {
            log.stateChanged("stock", "circuit-breaker", "open", "half_open", "its wait is over");
            log.stateChanged("stock", "circuit-breaker", "half_open", "open", "2 of 2 probes failed");
        }
        log.stateChanged("stock", "circuit-breaker", "half_open", "closed", "1 of 1 probes succeeded");

        assertThat(lines).hasSize(12);
        assertThat(lines.get(11)).endsWith("circuit-breaker was half_open and is closed: 1 of 1 probes succeeded");
    }

    /** Flaps until ten lines are written, and is open then. */
    private void flap() {
        for (int i = 0; i < 5; i++) {
            log.stateChanged("stock", "circuit-breaker", "half_open", "closed", "1 of 1 probes succeeded");
            log.stateChanged("stock", "circuit-breaker", "closed", "open", "5 of 5 calls failed");
            time.advance(Duration.ofSeconds(3));
        }
        assertThat(lines).hasSize(10);
    }

    @Test
    void aChangeByHandHasItsLineHoweverOftenTheBreakerFlaps() {
        flap();
        log.stateChanged("stock", "circuit-breaker", "open", "half_open", "its wait is over");
        log.stateChanged("stock", "circuit-breaker", "half_open", "closed", "1 of 1 probes succeeded");
        log.stateChanged("stock", "circuit-breaker", "closed", "forced_open", "by hand");
        log.stateChanged("stock", "circuit-breaker", "forced_open", "closed", "by the option initial-state");
        time.run();

        assertThat(lines)
                .hasSize(13)
                .endsWith(
                        "! pipeline 'stock': circuit-breaker was closed and is forced_open: by hand",
                        "pipeline 'stock': circuit-breaker was forced_open and is closed: by the option initial-state");
    }

    @Test
    void aProgramThatChangesABreakerByHandDoesNotFloodTheLog() {
        for (int i = 0; i < 30_000; i++) {
            log.stateChanged("stock", "circuit-breaker", "open", "closed", "by hand");
            log.stateChanged("stock", "circuit-breaker", "closed", "open", "by hand");
            time.advance(Duration.ofMillis(1));
        }
        time.run();

        assertThat(lines).hasSize(11);
        assertThat(lines.get(10))
                .isEqualTo("! pipeline 'stock': circuit-breaker was closed and is open: by hand"
                        + " (30s ago; 59,989 more such events since the last line)");
    }

    @Test
    void theLastLineSaysTheStateAlsoOfABreakerThatFlapped() {
        flap();
        log.stateChanged("stock", "circuit-breaker", "half_open", "closed", "1 of 1 probes succeeded");
        time.advance(Duration.ofMillis(44_999));
        assertThat(lines).hasSize(10);

        time.advance(Duration.ofMillis(1));
        assertThat(lines).hasSize(11);
        assertThat(lines.get(10))
                .isEqualTo(
                        "pipeline 'stock': circuit-breaker was half_open and is closed: 1 of 1 probes succeeded (45s ago)");

        time.advance(Duration.ofHours(1));
        assertThat(lines).hasSize(11);
    }

    @Test
    void aChangeThatIsWrittenWithinASecondHasNoAge() {
        flap();
        log.stateChanged("stock", "circuit-breaker", "half_open", "closed", "1 of 1 probes succeeded");
        time.advance(Duration.ofMillis(44_500));
        log.stateChanged("stock", "circuit-breaker", "closed", "open", "4 of 5 calls failed");
        time.advance(Duration.ofMillis(500));

        assertThat(lines).hasSize(11);
        assertThat(lines.get(10)).endsWith("4 of 5 calls failed (1 more such events since the last line)");
    }

    @Test
    void ofSeveralChangesThatAreLeftOutTheLatestIsWritten() {
        flap();
        log.stateChanged("stock", "circuit-breaker", "half_open", "closed", "1 of 1 probes succeeded");
        time.advance(Duration.ofSeconds(3));
        log.stateChanged("stock", "circuit-breaker", "closed", "open", "4 of 5 calls failed");
        time.run();

        assertThat(lines).hasSize(11);
        assertThat(lines.get(10))
                .isEqualTo("! pipeline 'stock': circuit-breaker was closed and is open: 4 of 5 calls failed"
                        + " (42s ago; 1 more such events since the last line)");
    }

    @Test
    void aLaterLineOfThePolicyIsEnough() {
        flap();
        log.stateChanged("stock", "circuit-breaker", "half_open", "closed", "1 of 1 probes succeeded");
        log.stateChanged("stock", "circuit-breaker", "closed", "open", "5 of 5 calls failed");
        log.stateChanged("stock", "circuit-breaker", "open", "half_open", "its wait is over");
        time.run();

        assertThat(lines).hasSize(11);
        assertThat(lines.get(10)).endsWith("circuit-breaker was open and is half_open: its wait is over");
    }

    @Test
    void aBreakerThatFlapsForLongHasTenLinesAMinute() {
        for (int i = 0; i < 600; i++) {
            log.stateChanged("stock", "circuit-breaker", "half_open", "closed", "1 of 1 probes succeeded");
            log.stateChanged("stock", "circuit-breaker", "closed", "open", "5 of 5 calls failed");
            time.advance(Duration.ofSeconds(1));
        }
        time.run();

        assertThat(lines).hasSize(101);
        assertThat(lines.get(100))
                .isEqualTo("! pipeline 'stock': circuit-breaker was closed and is open: 5 of 5 calls failed"
                        + " (1s ago; 110 more such events since the last line)");
    }

    /** Its timers run on a thread that the test knows. */
    private static class Timers implements TimeSource {
        final List<Runnable> set = new ArrayList<>();
        final List<Long> delays = new ArrayList<>();
        private final @Nullable Executor executor;

        Timers(@Nullable Executor executor) {
            this.executor = executor;
        }

        @Override
        public @Nullable Executor executor() {
            return executor;
        }

        @Override
        public long nanos() {
            return 0;
        }

        @Override
        public long millis() {
            return 0;
        }

        @Override
        public Timer schedule(long delayNanos, Runnable task) {
            set.add(task);
            delays.add(delayNanos);
            return () -> {};
        }

        @Override
        public void park(Object blocker, long nanos) {}

        @Override
        public void unpark(Thread thread) {}
    }

    @Test
    void theLogIsNotWrittenOnTheTimersThread() throws InterruptedException {
        aThreadOfItsOwnWritesTheLastLine(new Timers(null));
    }

    @Test
    void theLastLineIsWrittenAlsoIfTheExecutorOfTheTimeRefuses() throws InterruptedException {
        aThreadOfItsOwnWritesTheLastLine(new Timers(task -> {
            throw new RejectedExecutionException("shut down");
        }));
    }

    /** As if the system had none. */
    @Test
    void theLastLineIsWrittenAMinuteLaterIfThereWasNoThreadForIt() throws InterruptedException {
        AtomicBoolean none = new AtomicBoolean(true);
        Timers timers = new Timers(null) {
            @Override
            public @Nullable Executor executor() {
                if (none.getAndSet(false)) {
                    throw new IllegalStateException("no thread");
                }
                return null;
            }
        };
        aThreadOfItsOwnWritesTheLastLine(timers);
        assertThat(timers.delays)
                .hasSize(2)
                .last()
                .isEqualTo(Duration.ofMinutes(1).toNanos());
    }

    private void aThreadOfItsOwnWritesTheLastLine(Timers timers) throws InterruptedException {
        LogObserver onTimers = new LogObserver(timers);
        for (int i = 0; i < 11; i++) {
            onTimers.stateChanged("stock", "circuit-breaker", "closed", "open", "by hand");
        }
        CountDownLatch written = new CountDownLatch(1);
        AtomicReference<Thread> writer = new AtomicReference<>();
        atNextLine = () -> {
            writer.set(Thread.currentThread());
            written.countDown();
        };
        assertThat(timers.set).hasSize(1);
        timers.set.get(0).run();
        timers.set.stream().skip(1).forEach(Runnable::run);
        written.await();

        assertThat(writer.get()).isNotSameAs(Thread.currentThread());
        assertThat(writer.get().isDaemon()).isTrue();
        writer.get().join();
    }

    /** Such as a call that waits for a probe's end, while the log is slow. */
    @Test
    void aLineThatIsBeingWrittenHoldsUpNoOtherChangeAndIsNotOvertaken() throws InterruptedException {
        CountDownLatch slow = new CountDownLatch(1);
        Thread writer = writerOfASlowLine(slow);
        log.stateChanged("stock", "circuit-breaker", "open", "half_open", "second");
        assertThat(lines).isEmpty();
        slow.countDown();
        writer.join();

        assertThat(lines)
                .containsExactly(
                        "! pipeline 'stock': circuit-breaker was closed and is open: first",
                        "pipeline 'stock': circuit-breaker was open and is half_open: second");
    }

    /** Writes the first line until the latch comes. */
    private Thread writerOfASlowLine(CountDownLatch slow) throws InterruptedException {
        CountDownLatch writing = new CountDownLatch(1);
        atNextLine = () -> {
            atNextLine = () -> {};
            writing.countDown();
            await(slow);
        };
        Thread writer = new Thread(() -> log.stateChanged("stock", "circuit-breaker", "closed", "open", "first"));
        writer.start();
        writing.await();
        return writer;
    }

    /** It sends its lines through a pipeline, whose state changes by that. */
    @Test
    void anAppenderMayWaitForAnotherThreadThatTellsOfAChange() {
        atNextLine = () -> {
            atNextLine = () -> {};
            CompletableFuture.runAsync(
                            () -> log.stateChanged("stock", "circuit-breaker", "half_open", "closed", "second"),
                            task -> new Thread(task).start())
                    .join();
        };
        log.stateChanged("stock", "circuit-breaker", "open", "half_open", "first");

        assertThat(lines)
                .containsExactly(
                        "pipeline 'stock': circuit-breaker was open and is half_open: first",
                        "pipeline 'stock': circuit-breaker was half_open and is closed: second");
    }

    @Test
    void ifTheLogStandsStillTheLatestLinesWaitForItAndTheOthersAreCounted() throws InterruptedException {
        CountDownLatch slow = new CountDownLatch(1);
        Thread writer = writerOfASlowLine(slow);
        for (int i = 1; i <= 50; i++) {
            time.advance(Duration.ofMinutes(1));
            log.stateChanged("stock", "circuit-breaker", "half_open", "open", "no " + i + ".");
        }
        slow.countDown();
        writer.join();
        assertThat(lines).hasSize(21).last().asString().contains("no 50.");
        assertThat(lines.get(1)).contains("no 31.");

        log.stateChanged("stock", "circuit-breaker", "half_open", "open", "the last");
        int counted = lines.stream()
                .map(Pattern.compile("\\((\\d+) more")::matcher)
                .filter(Matcher::find)
                .mapToInt(found -> Integer.parseInt(found.group(1)))
                .sum();
        assertThat(lines.size() + counted).isEqualTo(52);
    }

    @Test
    void namesForgeNoLine() {
        log.overrun("stock\nINFO: all is well", "get'\r\nforged\u2028\u001b[31m", 1_000_000);

        assertThat(lines)
                .containsExactly(
                        "! pipeline 'stock\\nINFO: all is well': a call of 'get'\\r\\nforged\\u2028\\u001b[31m'"
                                + " went on for 1 ms after its limit");
    }

    @Test
    void aBreakerInShadowWakesNobody() {
        log.stateChanged("stock", "circuit-breaker-shadow", "closed", "open", "6 of 10 calls failed");

        assertThat(lines)
                .containsExactly(
                        "pipeline 'stock': circuit-breaker-shadow was closed and is open: 6 of 10 calls failed");
    }

    @Test
    void onlyACutOfALimitIsWritten() {
        log.limitChanged("stock", "bulkhead", 20, 25);
        log.limitChanged("stock", "bulkhead", 25, 12);

        assertThat(lines).containsExactly("! pipeline 'stock': bulkhead cut its limit from 25 to 12");
    }

    @Test
    void theFirstPauseIsWrittenAlsoRightAfterACut() {
        log.limitChanged("stock", "bulkhead", 10, 5);
        log.limitChanged("stock", "bulkhead", 5, 1);
        for (int pause = 0; pause < 3; pause++) {
            log.limitChanged("stock", "bulkhead", 1, 0);
            log.limitChanged("stock", "bulkhead", 0, 1);
        }

        assertThat(lines)
                .containsExactly(
                        "! pipeline 'stock': bulkhead cut its limit from 10 to 5",
                        "! pipeline 'stock': bulkhead cut its limit from 1 to 0");

        time.advance(Duration.ofMinutes(1));
        log.limitChanged("stock", "bulkhead", 1, 0);

        assertThat(lines)
                .element(2)
                .isEqualTo("! pipeline 'stock': bulkhead cut its limit from 1 to 0"
                        + " (2 more such events since the last line)");
    }

    @Test
    void workThatGoesOnAndPermitsThatAreLostAreWritten() {
        log.overrun("stock", null, 1_200_000_000);
        log.writtenOff("stock", "get", "bulkhead");

        assertThat(lines)
                .containsExactly(
                        "! pipeline 'stock': a call went on for 1.2 s after its limit",
                        "! pipeline 'stock': bulkhead took back the permit of a call of 'get', which does not end");
    }

    /** Tells of everything with each call. */
    private static final class Talkative extends Policy {
        Talkative() {
            super("talkative", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            passage.stateChanged("closed", "open", "6 of 10 calls failed");
            passage.limitChanged(10, 5);
            return PROCEED;
        }
    }

    @Test
    void aPipelineTellsItWithoutMeasuringItsCalls() throws Exception {
        try (Pipeline pipeline = Pipeline.builder("stock")
                .policies(new Talkative(), TimeoutPolicy.of(Duration.ofSeconds(1)))
                .time(time)
                .observer(log)
                .build()) {
            assertThat(pipeline.<String, RuntimeException>call(() -> "it")).isEqualTo("it");
            assertThatThrownBy(() -> pipeline.call(() -> {
                        throw new IllegalStateException("broken");
                    }))
                    .hasMessage("broken");

            assertThat(lines)
                    .containsExactly(
                            "! pipeline 'stock': talkative was closed and is open: 6 of 10 calls failed",
                            "! pipeline 'stock': talkative cut its limit from 10 to 5",
                            "! pipeline 'stock': talkative was closed and is open: 6 of 10 calls failed");
            assertThat(pipeline.snapshot().changes())
                    .hasSize(2)
                    .allSatisfy(change -> assertThat(change.cause()).isEqualTo("6 of 10 calls failed"));
        }
    }

    @Test
    void aPermitThatIsWrittenOffInShadowIsMissedByNobody() {
        log.writtenOff("stock", "get", "bulkhead-shadow");

        assertThat(lines).isEmpty();
    }
}
