/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.time;

import static java.time.Duration.ofHours;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.spi.TimeSource.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class VirtualTimeTest {
    private static final long FOR_EVER = Long.MAX_VALUE;

    private final VirtualTime time = new VirtualTime();
    private final List<String> log = new ArrayList<>();
    private final List<CompletableFuture<?>> callers = new ArrayList<>();
    private volatile Thread waiter = Thread.currentThread();

    @AfterEach
    void end() {
        assertThat(callers).noneMatch(CompletableFuture::isCompletedExceptionally);
        time.close();
    }

    private void start(Callable<?> caller) {
        callers.add(time.spawn(caller));
    }

    @Test
    void anHourPassesAtOnceAndToTheNanosecond() {
        long start = time.nanos();
        long startMillis = time.millis();
        start(() -> {
            time.sleep(ofHours(1));
            return null;
        });

        time.run();

        assertThat(time.nanos() - start).isEqualTo(ofHours(1).toNanos());
        assertThat(time.millis() - startMillis).isEqualTo(ofHours(1).toMillis());
    }

    @Test
    void eventsOfOneInstantKeepTheOrderInWhichTheyWereMade() {
        time.schedule(5, () -> log.add("timer"));
        time.schedule(0, () -> log.add("task 1"));
        time.executor().execute(() -> log.add("task 2"));
        start(() -> log.add("caller"));
        time.schedule(5, () -> log.add("later timer"));
        time.schedule(1, () -> log.add("early timer"));

        time.run();

        assertThat(log).containsExactly("task 1", "task 2", "caller", "early timer", "timer", "later timer");
    }

    @Test
    void aCancelledTimerNeitherRunsNorMakesTimePass() {
        long start = time.nanos();
        Timer timer = time.schedule(1_000, () -> log.add("ran"));
        time.schedule(10, timer::cancel);

        time.run();

        assertThat(log).isEmpty();
        assertThat(time.nanos() - start).isEqualTo(10);
    }

    @Test
    void advanceRunsWhatIsDueAndStopsExactlyThere() {
        long start = time.nanos();
        time.schedule(1_000, () -> {
            log.add("on the edge");
            time.schedule(0, () -> log.add("made on the edge"));
        });
        time.schedule(1_001, () -> log.add("behind it"));

        time.advance(ofNanos(1_000));

        assertThat(log).containsExactly("on the edge", "made on the edge");
        assertThat(time.nanos() - start).isEqualTo(1_000);

        time.advance(ofSeconds(1));

        assertThat(log).endsWith("behind it");
        assertThat(time.nanos() - start).isEqualTo(1_000_001_000);
    }

    @Test
    void advanceLeavesSleepersAsleepUntilTheirTime() throws Exception {
        CompletableFuture<String> sleeper = time.spawn(() -> {
            time.sleep(ofSeconds(2));
            return "awake";
        });

        time.advance(ofMillis(1_999));
        assertThat(sleeper).isNotDone();

        time.advance(ofMillis(1));
        assertThat(sleeper).isCompletedWithValue("awake");
    }

    @Test
    void timeDoesNotGoBack() {
        assertThatIllegalArgumentException().isThrownBy(() -> time.advance(ofMillis(-1)));
    }

    @Test
    void oneThreadAtATimeIsActive() {
        AtomicInteger active = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        for (int i = 0; i < 50; i++) {
            start(() -> {
                for (int turn = 0; turn < 20; turn++) {
                    most.accumulateAndGet(active.incrementAndGet(), Math::max);
                    active.decrementAndGet();
                    time.sleep(ofNanos(1));
                }
                return null;
            });
        }

        time.run();

        assertThat(most).hasValue(1);
    }

    @Test
    void anEventThatParksHoldsUpNobodyElse() {
        time.schedule(0, () -> {
            waiter = Thread.currentThread();
            time.park(this, FOR_EVER);
            log.add("unparked at " + time.nanos());
        });
        long due = time.nanos() + 7;
        time.schedule(7, () -> time.unpark(waiter));

        time.run();

        assertThat(log).containsExactly("unparked at " + due);
    }

    @Test
    void parkEndsWhenItsTimeIsOver() {
        long start = time.nanos();

        time.park(this, 30);

        assertThat(time.nanos() - start).isEqualTo(30);
    }

    @Test
    void parkForNoTimeReturnsAtOnce() {
        time.schedule(0, () -> log.add("ran"));

        time.park(this, 0);
        time.park(this, -1);

        assertThat(log).isEmpty();
    }

    @Test
    void anUnparkBeforeTheParkMakesItReturnAtOnceAndOnlyOnce() {
        long start = time.nanos();
        time.unpark(Thread.currentThread());
        time.unpark(Thread.currentThread());

        time.park(this, FOR_EVER);
        assertThat(time.nanos()).isEqualTo(start);

        time.park(this, 10);
        assertThat(time.nanos() - start).isEqualTo(10);
    }

    @Test
    void aParkAfterAnUnparkedParkWaitsAgain() {
        long start = time.nanos();
        start(() -> {
            waiter = Thread.currentThread();
            time.park(this, FOR_EVER);
            log.add("first " + (time.nanos() - start));
            time.park(this, 100);
            log.add("second " + (time.nanos() - start));
            return null;
        });
        time.schedule(10, () -> {
            time.unpark(waiter);
            time.unpark(waiter);
        });

        time.run();

        assertThat(log).containsExactly("first 10", "second 110");
    }

    @Test
    void aPooledThreadInheritsNoPermitAndNoInterrupt() {
        time.schedule(0, () -> {
            time.unpark(Thread.currentThread());
            Thread.currentThread().interrupt();
            log.add(Thread.currentThread().getName());
        });
        long start = time.nanos();
        time.schedule(1, () -> {
            log.add(Thread.currentThread().getName());
            time.park(this, 10);
            log.add("after " + (time.nanos() - start));
        });

        time.run();

        assertThat(log).containsExactly("virtual-time-1", "virtual-time-1", "after 11");
    }

    @Test
    void anInterruptedSleeperWakesAtThatInstant() {
        long start = time.nanos();
        CompletableFuture<Void> sleep = time.spawn(() -> {
            waiter = Thread.currentThread();
            time.sleep(ofSeconds(10));
            return null;
        });
        time.schedule(500, () -> time.interrupt(waiter));

        time.run();

        assertThat(sleep).isCompletedExceptionally();
        assertThatThrownBy(sleep::join).hasCauseInstanceOf(InterruptedException.class);
        assertThat(time.nanos() - start).isEqualTo(500);
    }

    @Test
    void anUnparkDoesNotWakeASleeperButIsKept() {
        long start = time.nanos();
        start(() -> {
            waiter = Thread.currentThread();
            time.sleep(ofNanos(100));
            log.add("slept " + (time.nanos() - start));
            time.park(this, FOR_EVER);
            return log.add("parked " + (time.nanos() - start));
        });
        time.schedule(50, () -> time.unpark(waiter));

        time.run();

        assertThat(log).containsExactly("slept 100", "parked 100");
    }

    @Test
    void anInterruptEndsAParkAndStaysInSightOfAll() {
        start(() -> {
            waiter = Thread.currentThread();
            time.park(this, FOR_EVER);
            return log.add("flag of its own: " + Thread.currentThread().isInterrupted());
        });
        time.schedule(5, () -> {
            time.interrupt(waiter);
            time.schedule(0, () -> log.add("too late to look"));
            log.add("flag at once: " + time.isInterrupted(waiter));
        });

        time.run();

        assertThat(log).containsExactly("flag at once: true", "flag of its own: true", "too late to look");
    }

    @Test
    void theInterruptOfAThreadStaysInSightUntilItsTurn() {
        AtomicInteger seen = new AtomicInteger();
        start(() -> {
            waiter = Thread.currentThread();
            time.park(this, FOR_EVER);
            return log.add("went on");
        });
        time.schedule(5, () -> {
            for (int i = 0; i < 1_000; i++) {
                time.schedule(0, () -> seen.addAndGet(time.isInterrupted(waiter) ? 1 : 0));
            }
            time.interrupt(waiter);
        });

        time.run();

        assertThat(seen).hasValue(1_000);
        assertThat(log).containsExactly("went on");
    }

    @Test
    void anInterruptByJavaItselfIsHeededToo() {
        Thread main = Thread.currentThread();
        Thread interrupter = new Thread(main::interrupt);
        time.schedule(1, () -> {
            interrupter.start();
            join(interrupter);
        });

        assertThatThrownBy(() -> time.sleep(ofHours(1))).isInstanceOf(InterruptedException.class);

        assertThat(main.isInterrupted()).isFalse();
    }

    @Test
    void anInterruptedThreadDoesNotParkAndKeepsItsFlag() {
        time.schedule(0, () -> log.add("ran"));
        Thread.currentThread().interrupt();

        time.park(this, FOR_EVER);

        assertThat(log).isEmpty();
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void runAndAdvanceHeedNoInterruptAndKeepTheFlag() {
        start(() -> log.add("ran"));
        Thread.currentThread().interrupt();

        time.run();
        time.advance(ofMillis(1));

        assertThat(Thread.interrupted()).isTrue();
        assertThat(log).containsExactly("ran");
    }

    @Test
    void aThreadThatWasNotSpawnedLetsTimePassWhileItParks() {
        Thread main = Thread.currentThread();
        time.schedule(40, () -> time.unpark(main));
        time.schedule(50, () -> log.add("too late"));
        long start = time.nanos();

        time.park(this, FOR_EVER);

        assertThat(time.nanos() - start).isEqualTo(40);
        assertThat(log).isEmpty();
    }

    @Test
    void aDeadlockIsVisible() {
        time.schedule(40, () -> log.add("no help"));

        assertThatThrownBy(() -> time.park("the permit", FOR_EVER))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("deadlock")
                .hasMessageContaining("the permit");
        assertThat(log).containsExactly("no help");
    }

    @Test
    void runReturnsWhileThreadsAreParkedForGood() {
        start(() -> {
            waiter = Thread.currentThread();
            time.park(this, FOR_EVER);
            return log.add("unparked");
        });

        time.run();
        assertThat(log).isEmpty();

        time.unpark(waiter);
        time.run();
        assertThat(log).containsExactly("unparked");
    }

    @Test
    void runAndAdvanceThrowWhatEventsThrewAfterEverythingHasHappened() {
        time.schedule(1, () -> {
            throw new IllegalArgumentException("first");
        });
        time.schedule(2, () -> {
            throw new AssertionError("second");
        });
        time.schedule(3, () -> log.add("went on"));

        assertThatThrownBy(time::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("first")
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
        assertThat(log).containsExactly("went on");
        time.run();
    }

    @Test
    void aSpawnedCallerFailsInItsFutureOnly() {
        CompletableFuture<String> caller = time.spawn(() -> {
            throw new StackOverflowError("deep");
        });

        time.run();

        assertThatThrownBy(caller::join).hasCauseInstanceOf(StackOverflowError.class);
    }

    @Test
    void anInterruptByJavaOfAThreadThatRestsDoesNotHitItsNextTask() {
        for (int i = 0; i < 2_000; i++) {
            CompletableFuture<Thread> over = time.spawn(Thread::currentThread);
            time.run();
            over.join().interrupt();
            CompletableFuture<String> next = time.spawn(() -> {
                time.sleep(ofMillis(1));
                return "slept";
            });
            time.run();
            assertThat(next).isCompletedWithValue("slept");
        }
    }

    @Test
    void aSpawnedThreadCannotRunTime() {
        CompletableFuture<Void> run = time.spawn(() -> {
            time.run();
            return null;
        });

        time.run();

        assertThatThrownBy(run::join).hasCauseInstanceOf(AssertionError.class);
    }

    @Test
    void twoThousandSleepersWakeInTheirOrder() {
        List<Integer> woken = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            int millis = i;
            start(() -> {
                time.sleep(ofMillis(4_000 - millis));
                return woken.add(millis);
            });
        }

        time.run();

        assertThat(woken).hasSize(2_000).isSortedAccordingTo((a, b) -> b - a);
    }

    @Test
    void aThousandSleepersAreInterruptedAtOnce() {
        List<Thread> sleepers = new ArrayList<>();
        AtomicInteger interrupted = new AtomicInteger();
        for (int i = 0; i < 1_000; i++) {
            start(() -> {
                sleepers.add(Thread.currentThread());
                try {
                    time.sleep(ofHours(1));
                } catch (InterruptedException e) {
                    interrupted.incrementAndGet();
                }
                return null;
            });
        }
        time.schedule(1, () -> sleepers.forEach(time::interrupt));

        time.run();

        assertThat(interrupted).hasValue(1_000);
    }

    @Test
    void theSameSeedGivesTheSameRun() {
        for (long seed = 0; seed < 20; seed++) {
            assertThat(commotion(seed)).as("seed %s", seed).isEqualTo(commotion(seed));
        }
    }

    @Test
    void anotherSeedGivesAnotherRun() {
        assertThat(commotion(1)).isNotEqualTo(commotion(2));
    }

    /** A hundred threads that sleep, park, unpark and interrupt each other; what they did, in its order. */
    private static String commotion(long seed) {
        StringBuilder log = new StringBuilder();
        try (VirtualTime time = VirtualTime.seeded(seed)) {
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                int id = i;
                time.executor().execute(() -> {
                    threads.add(Thread.currentThread());
                    Random random = new Random(id);
                    for (int step = 0; step < 20; step++) {
                        String did = step(time, threads, random);
                        log.append(time.nanos() + " " + id + " " + did + "\n");
                    }
                });
            }
            time.run();
        }
        return log.toString();
    }

    private static String step(VirtualTime time, List<Thread> threads, Random random) {
        Thread other = threads.get(random.nextInt(threads.size()));
        return Thread.currentThread().getName()
                + switch (random.nextInt(5)) {
                    case 0 -> {
                        time.park(threads, 1 + random.nextInt(5));
                        yield " parked";
                    }
                    case 1 -> {
                        time.unpark(other);
                        yield " unparked " + other.getName();
                    }
                    case 2 -> {
                        time.interrupt(other);
                        yield " interrupted " + other.getName() + ' ' + time.isInterrupted(other);
                    }
                    case 3 -> {
                        time.schedule(random.nextInt(5), () -> time.unpark(other));
                        yield " set a timer";
                    }
                    default -> slept(time, Duration.ofNanos(random.nextInt(5)));
                };
    }

    private static String slept(VirtualTime time, Duration duration) {
        try {
            time.sleep(duration);
            return " slept";
        } catch (InterruptedException e) {
            return " was interrupted";
        }
    }

    @Test
    void realThreadsMayWakeAndScheduleFromOutside() throws Exception {
        AtomicInteger tasks = new AtomicInteger();
        AtomicBoolean go = new AtomicBoolean();
        start(() -> {
            waiter = Thread.currentThread();
            while (!go.get()) {
                time.park(this, FOR_EVER);
            }
            return log.add("went on");
        });
        time.run();
        List<Thread> outside = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Thread thread = new Thread(() -> {
                for (int n = 0; n < 1_000; n++) {
                    time.schedule(n, tasks::incrementAndGet);
                    time.unpark(waiter);
                }
            });
            outside.add(thread);
            thread.start();
        }
        time.run();
        outside.forEach(VirtualTimeTest::join);
        go.set(true);
        time.unpark(waiter);
        time.run();

        assertThat(tasks).hasValue(4_000);
        assertThat(log).containsExactly("went on");
    }

    @Test
    void severalGuestsMayWaitAtOnce() {
        List<Thread> guests = new ArrayList<>();
        AtomicInteger done = new AtomicInteger();
        for (int i = 0; i < 8; i++) {
            int id = i;
            Thread guest = new Thread(() -> {
                for (int n = 0; n < 200; n++) {
                    time.park(this, 1 + id);
                }
                done.incrementAndGet();
            });
            guests.add(guest);
            guest.start();
        }

        guests.forEach(VirtualTimeTest::join);

        assertThat(done).hasValue(8);
    }

    @Test
    void oneThreadAtATimeRunsTime() throws InterruptedException {
        CompletableFuture<Void> second = new CompletableFuture<>();
        Thread other = new Thread(() -> endsAs(second, () -> time.advance(ofSeconds(5))), "second");
        time.schedule(1, () -> {
            other.start();
            join(other);
        });

        time.advance(ofSeconds(2));

        assertThatThrownBy(second::join)
                .hasCauseInstanceOf(AssertionError.class)
                .hasMessageContaining(
                        "second runs it while " + Thread.currentThread().getName() + " runs it; start");
        time.run();
    }

    @Test
    void threadThatWasNotSpawnedDoesNotWaitWhileAnotherOneRunsTime() {
        CompletableFuture<Void> wait = new CompletableFuture<>();
        Thread other = new Thread(() -> endsAs(wait, () -> time.park(this, 5)), "foreign");
        time.schedule(1, () -> {
            other.start();
            join(other);
        });

        time.run();

        assertThatThrownBy(wait::join)
                .hasCauseInstanceOf(AssertionError.class)
                .hasMessageContaining("foreign waits in it while")
                .hasMessageContaining("executor()");
    }

    @Test
    void timeIsNotRunWhileAThreadWaitsInItThatWasNotSpawned() {
        CompletableFuture<Throwable> refused = new CompletableFuture<>();
        Thread main = Thread.currentThread();
        Thread other = new Thread(
                () -> {
                    refused.complete(catchThrowable(time::run));
                    time.unpark(main);
                },
                "second");
        time.schedule(1, () -> {
            other.start();
            join(other);
        });

        time.park(this, FOR_EVER);

        assertThat(refused.join())
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("second runs it while " + main.getName() + " waits in it");
    }

    private static void endsAs(CompletableFuture<Void> future, Runnable work) {
        try {
            work.run();
            future.complete(null);
        } catch (Throwable e) {
            future.completeExceptionally(e);
        }
    }

    @Test
    void closeLeavesNoThreadAndEndsAllWaits() throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        List<CompletableFuture<Void>> callers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            callers.add(time.spawn(() -> {
                threads.add(Thread.currentThread());
                time.park(this, FOR_EVER);
                return null;
            }));
        }
        time.schedule(0, () -> threads.add(Thread.currentThread()));
        time.run();
        assertThat(threads).hasSize(11).allMatch(Thread::isAlive).allMatch(Thread::isDaemon);

        time.close();

        joined(threads);
        assertThat(callers)
                .allSatisfy(caller -> assertThatThrownBy(caller::join)
                        .hasCauseInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("closed"));
    }

    @Test
    void nothingIsAcceptedAfterClose() {
        time.close();
        time.close();

        assertThatThrownBy(() -> time.schedule(0, () -> {})).isInstanceOf(RejectedExecutionException.class);
        assertThatThrownBy(() -> time.spawn(() -> null)).isInstanceOf(RejectedExecutionException.class);
        assertThatIllegalStateException().isThrownBy(time::run);
        assertThatIllegalStateException().isThrownBy(() -> time.park(this, 1));
    }

    @Test
    void aTimerForNeverNeverRuns() {
        time.schedule(FOR_EVER, () -> log.add("ran"));

        time.run();
        time.advance(ofSeconds(Long.MAX_VALUE));

        assertThat(log).isEmpty();
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void itsThreadsAreMadeByTheFactoryThatItIsGivenAndEndWithIt() throws Exception {
        List<Thread> made = new ArrayList<>();
        VirtualTime own = new VirtualTime().threads(task -> {
            Thread thread = new Thread(task, "given");
            made.add(thread);
            return thread;
        });
        CompletableFuture<Thread> first = own.spawn(Thread::currentThread);
        CompletableFuture<Thread> parked = own.spawn(() -> {
            own.sleep(Duration.ofMillis(5));
            return Thread.currentThread();
        });
        own.run();
        assertThat(made).isNotEmpty().contains(first.join(), parked.join());
        own.close();
        joined(made);
    }

    @Test
    void threadsOfAPoolAreFreeAgainWhenTheTimeIsClosed() throws Exception {
        ExecutorService pool = Executors.newCachedThreadPool();
        try {
            for (int run = 0; run < 3; run++) {
                VirtualTime own = new VirtualTime().pool(pool);
                CompletableFuture<Boolean> interrupted = own.spawn(Thread::interrupted);
                CompletableFuture<Object> parked = own.spawn(() -> {
                    own.park(this, FOR_EVER);
                    return "its end";
                });
                own.schedule(5, Thread.currentThread()::isInterrupted);
                own.schedule(6, () -> Thread.currentThread().interrupt());
                own.run();
                assertThat(interrupted).isCompletedWithValue(false);
                own.close();
                assertThat(parked).isCompletedExceptionally();
            }
        } finally {
            pool.shutdown();
        }
        // Nothing is left that would hold them.
        assertThat(pool.awaitTermination(5, TimeUnit.MINUTES)).isTrue();
    }

    @Test
    void aTaskOfAPoolMayCloseItsTime() {
        ExecutorService pool = Executors.newCachedThreadPool();
        try {
            VirtualTime own = new VirtualTime().pool(pool);
            own.schedule(5, own::close);
            assertThatIllegalStateException().isThrownBy(own::run).withMessageContaining("closed");
        } finally {
            pool.shutdown();
        }
    }

    @Test
    void aPoolThatHasNoThreadOfItsOwnIsRefused() {
        VirtualTime own = new VirtualTime().pool(Runnable::run);
        own.schedule(0, () -> log.add("ran"));
        assertThatIllegalArgumentException().isThrownBy(own::run).withMessageContaining("pool");
        assertThat(log).isEmpty();
    }

    /** The end of the time waits for them too, but not for ever. */
    private static void joined(Collection<Thread> threads) throws InterruptedException {
        for (Thread thread : threads) {
            thread.join(TimeUnit.MINUTES.toMillis(5));
        }
        assertThat(threads).noneMatch(Thread::isAlive);
    }

    // ---- waits by other means

    private static final long LOOK_NANOS = 1_000_000;

    @Test
    void threadThatWaitsWhereNoTimePassesIsToldInPlaceOfAHang() {
        Baton baton = new Baton(null, LOOK_NANOS);
        CompletableFuture<String> never = new CompletableFuture<>();
        baton.schedule(0, never::join);
        assertThatThrownBy(() -> baton.await(Seat.Wait.DIRECTING, Long.MAX_VALUE, baton))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("'virtual-time-1'", "call run()")
                .cause()
                .satisfies(where -> assertThat(where.getStackTrace())
                        .anySatisfy(frame -> assertThat(frame.getMethodName()).isEqualTo("join")));
        assertThatThrownBy(() -> baton.await(Seat.Wait.DIRECTING, 1, baton))
                .as("looked at again")
                .isInstanceOf(IllegalStateException.class);
        assertThat(baton.left()).isZero();
        never.complete("at last");
        baton.close();
    }

    @Test
    void poolThatHasNoThreadLeftIsToldInPlaceOfAHang() {
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try {
            Baton baton = new Baton(null, LOOK_NANOS);
            baton.pool(pool);
            baton.schedule(0, () -> baton.await(Seat.Wait.PARKED, FOR_EVER, baton));
            baton.schedule(0, () -> log.add("ran"));
            assertThatIllegalStateException()
                    .isThrownBy(() -> baton.await(Seat.Wait.DIRECTING, FOR_EVER, baton))
                    .withMessageContaining("its pool has no thread for its next task");
            assertThat(log).isEmpty();
            baton.close();
        } finally {
            pool.shutdown();
        }
    }

    @Test
    void threadThatIsBusyIsWaitedFor() {
        Baton baton = new Baton(null, LOOK_NANOS);
        AtomicInteger spins = new AtomicInteger();
        baton.schedule(0, () -> {
            while (spins.get() < 3_000_000) {
                spins.incrementAndGet();
                Thread.onSpinWait();
            }
        });
        assertThat(baton.await(Seat.Wait.DIRECTING, 1, baton)).isEqualTo(Seat.Turn.GO);
        assertThat(spins).hasValue(3_000_000);
        baton.close();
    }
}
