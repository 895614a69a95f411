/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Knobs;
import dev.holdfast.Pipeline;
import dev.holdfast.contract.Around;
import dev.holdfast.spi.CallContext.Snapshot;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** There is no memory in the middle of a call, or on a thread that works for it. */
class NoMemoryToGoOnTest {
    private static final Snapshot NO_ROOM = () -> {
        throw new OutOfMemoryError("made up");
    };

    private final VirtualTime time = new VirtualTime();
    private final AtomicInteger held = new AtomicInteger();
    /** From now on nobody can read the clock. */
    private volatile boolean full;

    private final TimeSource readable = new Around(time) {
        @Override
        public long nanos() {
            failIfFull();
            return super.nanos();
        }
    };

    private void failIfFull() {
        if (full) {
            throw new OutOfMemoryError("made up");
        }
    }

    @AfterEach
    void close() {
        time.close();
    }

    /** Holds a permit until the work has ended. */
    private final class Holding extends Policy {
        private final Consumer<CallState> entering;
        private final Consumer<CallState> settling;
        private final int threads;

        Holding(Consumer<CallState> entering, Consumer<CallState> settling, int threads) {
            super("holding", ENTER | SUCCESS | FAILURE | ENDED);
            this.entering = entering;
            this.settling = settling;
            this.threads = threads;
        }

        @Override
        public int dedicatedThreads() {
            return threads;
        }

        @Override
        public int enter(Passage passage) {
            held.incrementAndGet();
            entering.accept((CallState) passage);
            return PROCEED;
        }

        @Override
        public int settle(Passage passage) {
            settling.accept((CallState) passage);
            return KEEP;
        }

        @Override
        public void ended(Passage passage) {
            held.decrementAndGet();
        }
    }

    private static final class Full extends ArrayList<Work> {
        @Override
        public Iterator<Work> iterator() {
            throw new OutOfMemoryError("made up");
        }
    }

    private Pipeline pipeline(Policy... policies) {
        // By layers: a straight way knows already that no work goes on.
        return Knobs.straightAfter(Pipeline.builder("p"), -1)
                .policies(policies)
                .time(readable)
                .build();
    }

    private CompletableFuture<String> call(Way way, Policy... policies) {
        Pipeline pipeline = pipeline(policies);
        CompletableFuture<String> answer = way == Way.CALL
                ? time.spawn(() -> pipeline.call(() -> "answer"))
                : pipeline.callAsync(() -> CompletableFuture.completedFuture("answer"));
        time.run();
        return answer;
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("the end of work that goes on could not be waited for")
    void layerWhoseEndCannotBePutOffEndsAtOnce(Way way) {
        CompletableFuture<String> answer = call(way, new Holding(call -> {}, call -> call.unfinished = new Full(), 0));
        assertThat(answer).isCompletedWithValue("answer");
        assertThat(held).hasValue(0);
    }

    /** Its context cannot be put back there. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void callWhoseWorkFindsNoMemoryOnItsThreadEndsAllTheSame(Way way) {
        CompletableFuture<String> answer = call(way, new Holding(call -> call.context = NO_ROOM, call -> {}, 1));
        assertThat(answer).isDone();
        assertThat(held).hasValue(0);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void placeInAQueueIsGivenBackIfThereIsNoMemoryAtTheEndOfTheWait(Way way) {
        Policy queue = new Policy("queue", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                held.incrementAndGet();
                full = true;
                return passage.await(new Completion(), 1_000_000);
            }

            @Override
            public void abandon(Passage passage) {
                held.decrementAndGet();
            }
        };
        assertThat(call(way, queue)).isCompletedExceptionally();
        assertThat(held).hasValue(0);
    }

    @Test
    @Logs("a call in the background could not start")
    void layerIsLeftAlsoIfThereIsNoMemoryForTheCallThatItAskedFor() {
        Pipeline pipeline = pipeline(new Holding(
                call -> {},
                call -> {
                    full = true;
                    call.fork("key", 1_000_000);
                },
                0));
        CompletableFuture<String> answer = time.spawn(() -> pipeline.<String>operation("x")
                .decorate((String key) -> "answer")
                .apply("key"));
        time.run();
        assertThat(answer).isCompletedWithValue("answer");
        assertThat(held).hasValue(0);
    }

    /** For each of the two inner layers once, and so also while the call breaks off. */
    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("lease of leased(-too)? in 'p' threw; told once")
    void outerLayerIsLeftHoweverOftenThereIsNoMemoryForInnerOnes(Way way) {
        Work goesOn = new Work() {};
        Holding outer = new Holding(call -> {}, call -> {}, 0);
        Policy leased = new Policy("leased", Policy.ENTER | Policy.ENDED) {
            @Override
            public int enter(Passage passage) {
                ((CallState) passage).unfinished = new ArrayList<>(List.of(goesOn));
                full = true;
                return PROCEED;
            }

            @Override
            public long lease() {
                failIfFull();
                return Long.MAX_VALUE;
            }
        };
        Policy other = new Policy("leased-too", Policy.ENDED) {
            @Override
            public long lease() {
                return leased.lease();
            }
        };
        assertThat(call(way, outer, other, leased)).isCompletedExceptionally();
        full = false;
        Work.tell(goesOn.end());
        assertThat(held).hasValue(0);
    }

    /** The thread of the call waits for the landing, however long. */
    @Test
    void strikeLandsAlsoIfItsLeasesCannotBegin() {
        CallState call = new CallState(1, false, null); // without an engine: nothing works
        call.expectLanding();
        call.open(call.nextNumber(), true);
        call.strike(call.numberUnderWay(), CallWord.BY_LIMIT);
        assertThat(call.hasLanded()).isTrue();
    }

    @Test
    void taskRunsAlsoIfItsContextCannotBePutBack() {
        AtomicInteger ran = new AtomicInteger();
        Carrier.within(NO_ROOM, ran::incrementAndGet);
        assertThat(ran).hasValue(1);
    }

    @Test
    @Logs("a call could not go on")
    void callThatCannotGoOnDoesNotKeepTheOthersFromIt() {
        List<String> went = new ArrayList<>();
        Ambient here = Ambient.get();
        here.addLater(() -> {
            throw new OutOfMemoryError("made up");
        });
        here.addLater(() -> went.add("second"));
        here.runLater();
        assertThat(went).containsExactly("second");
    }

    /** Two threads begin calls inside it: its own, and that of a hedge. */
    @Test
    void callThatMayBeHedgedKnowsFromTheStartWhatTheCallsInsideReportTo() {
        List<Inside> found = new ArrayList<>();
        Policy hedging = new Policy("hedging", Policy.ENTER | Policy.HEDGE) {
            @Override
            public int enter(Passage passage) {
                passage.beside().hedgeAfter(1_000_000);
                found.add(((CallState) passage).inside);
                return PROCEED;
            }
        };
        Pipeline pipeline = Pipeline.builder("p").policies(hedging).time(time).build();
        CompletableFuture<String> answer = time.spawn(
                () -> pipeline.<String>operation("x", o -> o.idempotent(true).discard(lost -> {}))
                        .unkeyed()
                        .call(attempt -> "answer"));
        time.run();
        assertThat(answer).isCompletedWithValue("answer");
        assertThat(found).doesNotContainNull().hasSize(1);
    }
}
