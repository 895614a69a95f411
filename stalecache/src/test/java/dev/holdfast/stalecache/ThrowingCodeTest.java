/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Call;
import dev.holdfast.Operation;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Perishable;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.RecordedMeters;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Keys, values and functions of the user's that throw. */
class ThrowingCodeTest {
    private static final Duration LONG = Duration.ofMillis(100);
    private static final Work ILL = Work.error(new IOException("ill"));

    /** What is thrown. */
    private static final class Boom extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    // ---- values and functions

    private enum Thrower {
        PERISHABLE {
            @Override
            void prepare(StaleCacheSettings.Builder settings, Boom boom) {}

            @Override
            Object value(Boom boom) {
                return (Perishable) () -> {
                    throw boom;
                };
            }
        },
        FUNCTION {
            @Override
            void prepare(StaleCacheSettings.Builder settings, Boom boom) {
                settings.freshness(value -> {
                    if (value.equals("bad")) {
                        throw boom;
                    }
                    return null;
                });
            }
        },
        WEIGHER {
            @Override
            void prepare(StaleCacheSettings.Builder settings, Boom boom) {
                settings.maxWeight(100).weigher(value -> {
                    if (value.equals("bad")) {
                        throw boom;
                    }
                    return 1;
                });
            }
        };

        abstract void prepare(StaleCacheSettings.Builder settings, Boom boom);

        Object value(Boom boom) {
            return "bad";
        }
    }

    private static void each(Consumer<Thrower> test) {
        for (Thrower thrower : Thrower.values()) {
            test.accept(thrower);
        }
    }

    @ParameterizedTest
    @EnumSource
    void leaderAndFollowersFailWithWhatIsThrownAndTheOldValueStays(Way way) {
        each(thrower -> {
            Boom boom = new Boom();
            StaleCachePolicy policy = StaleCachePolicy.of(c -> {
                c.staleIfSlow(Duration.ZERO);
                thrower.prepare(c, boom);
            });
            Balance balance = new Balance();
            try (Rig rig = new Rig(way, policy, balance)) {
                rig.load("a", Work.value("old"));
                Object bad = thrower.value(boom);
                Work work = Work.value(bad).taking(LONG);
                List<Running<Reply<Object>>> calls = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    calls.add(rig.start("a", work));
                }
                rig.time.run();
                assertThat(calls)
                        .as("%s", thrower)
                        .allSatisfy(call -> assertThat(call.error()).isSameAs(boom));
                assertThat(work.asked()).isOne();
                assertThat(rig.discarded).containsExactly(bad);
                assertThat(policy.underWay()).isZero();
                assertThat(balance.open).hasValue(0);
                assertThat(rig.run("a", ILL).join().value()).isEqualTo("old");
                assertThat(rig.run("a", Work.value("new")).join().value()).isEqualTo("new");
                assertThat(rig.requests()).containsExactlyInAnyOrder("miss 3", "joined 3", "stale_on_error 1");
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void aStackThatOverflowsThereIsTheLeadersOwn(Way way) {
        AtomicInteger asked = new AtomicInteger();
        StaleCachePolicy policy = StaleCachePolicy.of(c -> c.freshness(value -> {
            if (asked.getAndIncrement() == 0) {
                throw new StackOverflowError("made up");
            }
            return null;
        }));
        try (Rig rig = new Rig(way, policy)) {
            Running<Reply<Object>> leader = rig.start("a", Work.value("one").taking(LONG));
            Running<Reply<Object>> follower = rig.start("a", Work.value("two").taking(LONG));
            rig.time.run();
            assertThat(leader.error()).isInstanceOf(StackOverflowError.class);
            assertThat(follower.result()).isCompleted();
        }
    }

    /** Of code inside the cache that throws when the attempt has failed. */
    private enum Inside {
        POLICY {
            @Override
            Policy policy(Boom boom) {
                return new Policy("own", Policy.FAILURE) {
                    @Override
                    public int settle(Passage passage) {
                        throw boom;
                    }
                };
            }
        },
        POLICY_THAT_SAYS_SO {
            @Override
            Policy policy(Boom boom) {
                return new Policy("own", Policy.FAILURE) {
                    @Override
                    public int settle(Passage passage) {
                        return passage.fail(boom);
                    }
                };
            }
        };

        abstract Policy policy(Boom boom);
    }

    @ParameterizedTest
    @EnumSource
    void whatThrowsInsideTheCacheIsNoAnswerAndTheOldValueStays(Way way) {
        for (Inside inside : Inside.values()) {
            Boom boom = new Boom();
            StaleCachePolicy policy = StaleCachePolicy.ofDefaults();
            try (Rig rig = new Rig(way, policy, inside.policy(boom))) {
                rig.load("a", Work.value("old"));
                assertThat(Running.errorOf(rig.run("a", ILL))).as("%s", inside).isSameAs(boom);
                assertThat(policy.size()).as("%s", inside).isOne();
            }
        }
    }

    /** It was asked because the dependency has failed, and that is what an old value is for. */
    @ParameterizedTest
    @EnumSource
    @Logs("fallback-inside-stale-cache")
    void afterAFallbackThatThrowsTheOldValueIsTheAnswer(Way way) {
        Boom boom = new Boom();
        for (Policy fallback : List.of(
                FallbackPolicy.of(error -> {
                    throw boom;
                }),
                FallbackPolicy.ofAsync(error -> CompletableFuture.failedFuture(boom)))) {
            try (Rig rig = new Rig(way, StaleCachePolicy.ofDefaults(), fallback)) {
                rig.load("a", Work.value("old"));
                Reply<?> reply = rig.run("a", ILL).join();
                assertThat(reply.value()).isEqualTo("old");
                assertThat(reply.source()).isEqualTo(Source.STALE_ON_ERROR);
                assertThat(Running.errorOf(rig.run("b", ILL))).isSameAs(boom);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void refreshThatThrowsBacksOffAndTheOldValueStaysTheAnswer(Way way) {
        each(thrower -> {
            Boom boom = new Boom();
            StaleCachePolicy policy = StaleCachePolicy.of(c -> {
                c.fresh(LONG).staleWhileRevalidate(Duration.ofMinutes(1));
                thrower.prepare(c, boom);
            });
            try (Rig rig = new Rig(way, policy)) {
                rig.work = Work.value("old");
                CompletableFuture<?> unused = rig.startRepeatable("a");
                rig.time.advance(LONG);
                Work bad = Work.value(thrower.value(boom));
                rig.work = bad;
                for (int i = 0; i < 3; i++) {
                    assertThat(rig.startRepeatable("a").join())
                            .as("%s", thrower)
                            .isEqualTo("old");
                }
                assertThat(bad.asked()).isOne();
                assertThat(rig.refreshes).containsExactly(Outcome.IGNORED);
                assertThat(rig.refreshCounts()).containsExactly("ignored 1");
                assertThat(rig.requests()).containsExactlyInAnyOrder("miss 1", "stale_revalidating 3");
                assertThat(policy.underWay()).isZero();
                rig.time.advance(Duration.ofSeconds(1));
                rig.work = Work.value("new");
                assertThat(rig.startRepeatable("a").join()).isEqualTo("old");
                rig.time.run();
                assertThat(rig.startRepeatable("a").join()).isEqualTo("new");
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void callsThatWaitForARefreshThatThrowsFailWithIt(Way way) {
        Boom boom = new Boom();
        StaleCachePolicy policy = StaleCachePolicy.of(
                c -> c.fresh(LONG).staleWhileRevalidate(LONG).staleIfError(Duration.ZERO));
        try (Rig rig = new Rig(way, policy)) {
            rig.work = Work.value("old");
            CompletableFuture<?> unused = rig.startRepeatable("a");
            rig.time.advance(LONG);
            rig.work = Work.value(Thrower.PERISHABLE.value(boom)).taking(LONG.multipliedBy(2));
            assertThat(rig.startRepeatable("a").join()).isEqualTo("old");
            rig.time.advance(LONG);
            Running<Reply<Object>> follower = rig.start("a", Work.value("never"));
            rig.time.run();
            assertThat(follower.error()).isSameAs(boom);
            assertThat(policy.underWay()).isZero();
        }
    }

    // ---- keys

    /** Throws once, when it is asked for the n-th time. */
    private static final class Bomb {
        private final AtomicInteger left = new AtomicInteger();

        void explodeAt(int tick) {
            left.set(tick);
        }

        void tick() {
            if (left.get() > 0 && left.decrementAndGet() == 0) {
                throw new Boom();
            }
        }
    }

    /** All have the same hash code, so that each look for one compares it with others. */
    private record Key(int id, Bomb inEquals, Bomb inHashCode) {
        @Override
        public boolean equals(Object other) {
            inEquals.tick();
            return other instanceof Key key && key.id == id;
        }

        @Override
        public int hashCode() {
            inHashCode.tick();
            return 7;
        }
    }

    /** Counts the entries, and those that are not over. */
    private static final class Balance extends Policy {
        final AtomicInteger entered = new AtomicInteger();
        final AtomicInteger open = new AtomicInteger();

        Balance() {
            super("balance", ENTER | ENDED);
        }

        @Override
        public int enter(Passage passage) {
            entered.incrementAndGet();
            open.incrementAndGet();
            return PROCEED;
        }

        @Override
        public void ended(Passage passage) {
            open.decrementAndGet();
        }
    }

    private enum Where {
        EQUALS,
        HASH_CODE
    }

    /** One play with an explosion at one place. */
    private static final class Play implements AutoCloseable {
        /** Its threads come from a pool: there are hundreds of plays. */
        private final VirtualTime time = ThreadKind.current().on(new VirtualTime());

        private final Way way;
        private final Bomb inEquals = new Bomb();
        private final Bomb inHashCode = new Bomb();
        private final Balance asked = new Balance();
        private final Balance balance = new Balance();
        private final RecordedMeters meters = new RecordedMeters();
        private final StaleCachePolicy policy = StaleCachePolicy.of(c -> c.fresh(LONG)
                .staleWhileRevalidate(Duration.ofHours(1))
                .refreshAhead(0.5)
                .freshIfIgnored(LONG)
                .staleIfSlow(Duration.ofMillis(150)));
        private final Operation<Object> stock = Pipeline.builder("inventory")
                .policies(asked, policy, balance)
                .time(time)
                .build()
                .operation("stock");
        private volatile Work work = Work.value("old");
        private final Operation.Decorated<Key, Object, Exception> blocking =
                stock.decorate((Key key) -> work.blocking(time));
        private final Operation.DecoratedAsync<Key, Object> async = stock.decorateAsync((Key key) -> work.async(time));
        private final List<CompletableFuture<?>> calls = new ArrayList<>();

        Play(Way way) {
            this.way = way;
            policy.meters(meters);
        }

        void ask(int id, Work asked) {
            calls.add(began(() -> asked.start(way, time, stock.key(key(id))).result()));
        }

        /** As {@link #ask}, with the decorated function. */
        void askAgain(int id) {
            calls.add(began(() -> way == Way.CALL ? time.spawn(() -> blocking.apply(key(id))) : async.apply(key(id))));
        }

        CompletableFuture<?> last() {
            return calls.get(calls.size() - 1);
        }

        private Key key(int id) {
            return new Key(id, inEquals, inHashCode);
        }

        /** A key is asked for its hash code before there is a call. */
        private CompletableFuture<?> began(Callable<CompletableFuture<?>> start) {
            CompletableFuture<?> begun;
            try {
                begun = start.call();
            } catch (Exception thrown) {
                begun = CompletableFuture.failedFuture(thrown);
            }
            time.advance(Duration.ZERO);
            return begun;
        }

        /** Returns whether it came to the explosion. */
        boolean run(Where where, int tick) {
            for (int id = 0; id < 3; id++) {
                askAgain(id);
            }
            time.run();
            (where == Where.EQUALS ? inEquals : inHashCode).explodeAt(tick);
            // Loads with followers; one that is slow, with an old value; refreshes of each kind; values that are gone
            // or own.
            for (int id = 3; id < 6; id++) {
                for (int i = 0; i < 3; i++) {
                    ask(id, Work.reading(() -> Page.own("own")).taking(LONG));
                }
            }
            time.advance(LONG.dividedBy(2));
            work = Work.value("new").taking(LONG.multipliedBy(3));
            askAgain(0);
            time.advance(LONG.dividedBy(2));
            for (int i = 0; i < 3; i++) {
                askAgain(1);
                ask(2, Work.value("slow").taking(LONG.multipliedBy(3)));
            }
            time.run();
            policy.invalidate("other");
            ask(1, Work.error(new IOException("ill")));
            time.run();
            boolean exploded = (where == Where.EQUALS ? inEquals : inHashCode).left.get() == 0;
            inEquals.explodeAt(0);
            inHashCode.explodeAt(0);
            return exploded;
        }

        void assertWhole() {
            assertThat(calls).allSatisfy(call -> assertThat(call).isDone());
            assertThat(calls)
                    .filteredOn(CompletableFuture::isCompletedExceptionally)
                    .allSatisfy(
                            call -> assertThat(Running.errorOf(call)).isInstanceOfAny(Boom.class, IOException.class));
            assertThat(policy.waiting()).isZero();
            assertThat(balance.open).hasValue(0);
            // Longer than any backoff: all keys can be loaded and refreshed again.
            time.advance(Duration.ofMinutes(2));
            work = Work.value("newest");
            for (int id = 0; id < 6; id++) {
                askAgain(id);
                assertThat(last()).isCompleted();
                time.run();
                askAgain(id);
                assertThat(last().join()).isEqualTo("newest");
            }
            assertThat(policy.underWay()).isZero();
            assertThat(meters.values().entrySet().stream()
                            .filter(meter -> meter.getKey().startsWith("stalecache.requests"))
                            .mapToLong(meter -> meter.getValue().longValue())
                            .sum())
                    .as("each call is counted once")
                    .isEqualTo(asked.entered.get());
        }

        @Override
        public void close() {
            time.close();
        }
    }

    private static void explodeEverywhere(Way way, Where where) {
        boolean exploded = true;
        int tick = 0;
        while (exploded) {
            tick++;
            try (Play play = new Play(way)) {
                exploded = play.run(where, tick);
                play.assertWhole();
            } catch (AssertionError failed) {
                throw new AssertionError("explosion number " + tick, failed);
            }
        }
        assertThat(tick).isGreaterThan(20);
    }

    @ParameterizedTest
    @EnumSource
    @Logs(value = "stale-cache in 'inventory' threw", sometimes = true)
    void equalsThatThrowsAnywhereLeavesTheCacheWhole(Way way) {
        explodeEverywhere(way, Where.EQUALS);
    }

    @ParameterizedTest
    @EnumSource
    @Logs(value = "stale-cache in 'inventory' threw", sometimes = true)
    void hashCodeThatThrowsAnywhereLeavesTheCacheWhole(Way way) {
        explodeEverywhere(way, Where.HASH_CODE);
    }

    @ParameterizedTest
    @EnumSource
    void equalsThatThrowsIsTheErrorOfItsCall(Way way) {
        try (Play play = new Play(way)) {
            play.ask(1, Work.value("one"));
            play.time.run();
            play.inEquals.explodeAt(1);
            play.ask(2, Work.value("two"));
            play.time.run();
            assertThat(Running.errorOf(play.calls.get(1))).isInstanceOf(Boom.class);
            play.ask(2, Work.value("two"));
            play.time.run();
            assertThat(play.calls.get(2)).isCompleted();
        }
    }

    @ParameterizedTest
    @EnumSource
    void equalsOfAPartitionThatThrowsIsTheErrorOfItsCall(Way way) {
        try (Play play = new Play(way)) {
            Call<Object> call = play.stock.key("a").partition(play.key(1));
            Call<Object> other = play.stock.key("a").partition(play.key(2));
            Running<Reply<Object>> first = Work.value("one").start(way, play.time, call);
            play.time.run();
            play.inEquals.explodeAt(1);
            Running<Reply<Object>> second = Work.value("two").start(way, play.time, other);
            play.time.run();
            assertThat(first.result()).isCompleted();
            assertThat(second.error()).isInstanceOf(Boom.class);
            Running<Reply<Object>> third = Work.value("two").start(way, play.time, other);
            play.time.run();
            assertThat(third.result().join().value()).isEqualTo("two");
        }
    }

    @ParameterizedTest
    @EnumSource
    void hashCodeThatThrowsIsThrownWhereTheKeyIsGiven(Way way) {
        try (Play play = new Play(way)) {
            play.inHashCode.explodeAt(1);
            assertThatThrownBy(() -> play.stock.key(play.key(1))).isInstanceOf(Boom.class);
            play.inHashCode.explodeAt(1);
            play.askAgain(1);
            play.time.run();
            assertThat(Running.errorOf(play.last())).isInstanceOf(Boom.class);
        }
    }
}
