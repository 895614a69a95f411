/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings;
import dev.holdfast.spi.Perishable;
import dev.holdfast.spi.Perishable.Freshness;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Values that say themselves for how long they are good. */
class OwnTimesTest {
    private static final Work ILL = Work.error(new IOException("ill"));
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Duration TICK = Duration.ofNanos(1);

    private final StaleCachePolicy policy = StaleCachePolicy.of(c ->
            c.fresh(Duration.ofSeconds(5)).staleIfError(Duration.ofSeconds(10)).staleIfSlow(Duration.ZERO));

    private static Reply<Object> ask(Rig rig, Work work) {
        CompletableFuture<Reply<Object>> reply = rig.run("a", work);
        assertThat(reply).isCompleted();
        return reply.join();
    }

    private static Source source(Rig rig, Work work) {
        return ask(rig, work).source();
    }

    @ParameterizedTest
    @EnumSource
    void valueIsFreshForItsOwnTime(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            ask(rig, Work.value(Page.fresh("old", MINUTE)));
            rig.time.advance(MINUTE.minus(TICK));
            assertThat(source(rig, ILL)).isEqualTo(Source.FRESH);
            rig.time.advance(TICK);
            assertThat(ask(rig, Work.value("new")).value()).isEqualTo("new");
            // This one has said nothing.
            rig.time.advance(Duration.ofSeconds(5));
            assertThat(ask(rig, Work.value("newest")).value()).isEqualTo("newest");
        }
    }

    @ParameterizedTest
    @EnumSource
    void valueMayBeShorterFreshThanTheSettingsSay(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            ask(rig, Work.value(Page.fresh("old", SECOND)));
            rig.time.advance(SECOND);
            assertThat(ask(rig, Work.value("new")).value()).isEqualTo("new");
        }
    }

    @ParameterizedTest
    @EnumSource
    void otherTimesAreThoseOfTheSettingsAfterTheOwnFreshTime(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            ask(rig, Work.value(Page.fresh("old", MINUTE)));
            rig.time.advance(MINUTE.plusSeconds(10).minus(TICK));
            assertThat(source(rig, ILL)).isEqualTo(Source.STALE_ON_ERROR);
            rig.time.advance(TICK);
            assertThat(rig.run("a", ILL)).isCompletedExceptionally();
            assertThat(policy.size()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void valueSaysForHowLongItStandsInForErrors(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            ask(rig, Work.value(Page.of("never", f -> f.staleIfError(Duration.ZERO))));
            rig.time.advance(Duration.ofSeconds(5));
            assertThat(rig.run("a", ILL)).isCompletedExceptionally();

            ask(rig, Work.value(Page.of("long", f -> f.staleIfError(MINUTE))));
            rig.time.advance(MINUTE);
            assertThat(source(rig, ILL)).isEqualTo(Source.STALE_ON_ERROR);
        }
    }

    @ParameterizedTest
    @EnumSource
    void valueSaysForHowLongItIsTheAnswerWhileItIsRefreshed(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.work = Work.value(Page.of("old", f -> f.staleWhileRevalidate(MINUTE)));
            CompletableFuture<?> unused = rig.startRepeatable("a");
            rig.time.advance(Duration.ofSeconds(5).plus(MINUTE).minus(TICK));
            rig.work = Work.value("new").taking(SECOND);
            assertThat(rig.startRepeatable("a").join()).hasToString("old");
            assertThat(rig.sources).last().isEqualTo(Source.STALE_REVALIDATING);
            rig.time.run();
            assertThat(rig.refreshes).hasSize(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void valueIsAsOldAsItSays(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            ask(rig, Work.value(Page.of("old", f -> f.fresh(MINUTE).age(Duration.ofSeconds(50)))));
            rig.time.advance(Duration.ofSeconds(10).minus(TICK));
            Reply<Object> reply = ask(rig, ILL);
            assertThat(reply.source()).isEqualTo(Source.FRESH);
            assertThat(reply.age()).isEqualTo(MINUTE.minus(TICK));
            rig.time.advance(TICK);
            assertThat(source(rig, ILL)).isEqualTo(Source.STALE_ON_ERROR);
        }
    }

    /** Grows old on its way, as a response of HTTP. */
    private record Travelling(Duration fresh) implements Perishable {
        @Override
        public Freshness freshness() {
            return freshness(Duration.ZERO);
        }

        @Override
        public Freshness freshness(Duration took) {
            return Freshness.usual().fresh(fresh).age(took);
        }
    }

    @ParameterizedTest
    @EnumSource
    void valueMayGrowOldOnItsWay(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            ask(rig, Work.value(new Travelling(MINUTE)).taking(Duration.ofSeconds(3)));
            assertThat(ask(rig, ILL).age()).isEqualTo(Duration.ofSeconds(3));
            rig.time.advance(Duration.ofSeconds(57).minus(TICK));
            assertThat(source(rig, ILL)).isEqualTo(Source.FRESH);
            rig.time.advance(TICK);
            assertThat(source(rig, ILL)).isEqualTo(Source.STALE_ON_ERROR);
            ask(rig, Work.value(new Travelling(SECOND)).taking(SECOND));
            assertThat(source(rig, ILL)).isEqualTo(Source.STALE_ON_ERROR);
        }
    }

    /** Neither earlier attempts nor waits are its way. */
    @ParameterizedTest
    @EnumSource
    void onlyTheAttemptThatBringsItIsItsWay(Way way) {
        RetryPolicy retry = RetryPolicy.of(
                r -> r.maxAttempts(2).initialBackoff(MINUTE).maxBackoff(MINUTE).jitter(RetrySettings.Jitter.NONE));
        try (Rig rig = new Rig(way, policy, retry)) {
            AtomicInteger asked = new AtomicInteger();
            Work work = Work.reading(() -> asked.incrementAndGet() == 1 ? "failure" : new Travelling(MINUTE))
                    .taking(SECOND);
            ask(rig, work);
            assertThat(asked).hasValue(2);
            assertThat(ask(rig, ILL).age()).isEqualTo(SECOND);
        }
    }

    /** The first attempt fails while the hedge is on its way. */
    @ParameterizedTest
    @EnumSource
    void valueOfAHedgeHasTheWayOfTheHedge(Way way) {
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(SECOND).budgetEnabled(false));
        try (Rig rig = new Rig(way, policy, hedge)) {
            Work first = Work.error(new IOException("ill")).taking(Duration.ofSeconds(2));
            Work second = Work.value(new Travelling(MINUTE)).taking(Duration.ofSeconds(10));
            Call<Object> call = rig.call("a");
            AtomicInteger asked = new AtomicInteger();
            Supplier<Work> next = () -> asked.incrementAndGet() == 1 ? first : second;
            Running<Reply<Object>> running = way == Way.CALL
                    ? Running.blocking(
                            rig.time, () -> call.reply(attempt -> next.get().blocking(rig.time)))
                    : Running.async(call.replyAsync(attempt -> next.get().async(rig.time)));
            rig.time.run();
            assertThat(running.result()).isCompleted();
            assertThat(asked).hasValue(2);
            assertThat(ask(rig, ILL).age()).isEqualTo(Duration.ofSeconds(10));
        }
    }

    /** The first attempt still runs. */
    @ParameterizedTest
    @EnumSource
    void valueOfAHedgeThatOvertakesHasTheWayOfTheHedge(Way way) {
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(MINUTE).budgetEnabled(false));
        try (Rig rig = new Rig(way, policy, hedge)) {
            Work first = Work.value("late").taking(MINUTE.multipliedBy(2));
            Work second = Work.value(new Travelling(MINUTE)).taking(SECOND);
            Call<Object> call = rig.call("a");
            AtomicInteger asked = new AtomicInteger();
            Supplier<Work> next = () -> asked.incrementAndGet() == 1 ? first : second;
            Running<Reply<Object>> running = way == Way.CALL
                    ? Running.blocking(
                            rig.time, () -> call.reply(attempt -> next.get().blocking(rig.time)))
                    : Running.async(call.replyAsync(attempt -> next.get().async(rig.time)));
            rig.time.advance(MINUTE.plus(SECOND));
            assertThat(running.result()).isCompleted();
            assertThat(ask(rig, ILL).age()).isEqualTo(SECOND);
        }
    }

    @ParameterizedTest
    @EnumSource
    void valueThatIsTooOldWhenItComesTakesTheOldOneAway(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            ask(rig, Work.value("old"));
            rig.time.advance(Duration.ofSeconds(5));
            assertThat(ask(rig, Work.value(Page.of("older", f -> f.age(MINUTE))))
                            .value())
                    .hasToString("older");
            assertThat(policy.size()).isZero();
            assertThat(rig.run("a", ILL)).isCompletedExceptionally();
        }
    }

    @ParameterizedTest
    @EnumSource
    void valueThatMayNotBeKeptIsDeliveredAndTakesTheOldOneAway(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            ask(rig, Work.value("old"));
            rig.time.advance(Duration.ofSeconds(5));
            Work work = Work.value(Page.of("once", Freshness::notKept)).taking(SECOND);
            Running<Reply<Object>> leader = rig.start("a", work);
            Running<Reply<Object>> follower = rig.start("a", work);
            rig.time.run();
            assertThat(leader.result().join().value()).hasToString("once");
            assertThat(follower.result().join().value())
                    .isSameAs(leader.result().join().value());
            assertThat(work.asked()).isOne();
            assertThat(policy.size()).isZero();
            assertThat(rig.run("a", ILL)).isCompletedExceptionally();
        }
    }

    @ParameterizedTest
    @EnumSource
    void functionSpeaksForValuesThatCannot(Way way) {
        StaleCachePolicy byFunction = StaleCachePolicy.of(c -> c.staleIfError(Duration.ZERO)
                .freshness(value -> "minute".equals(value) ? Freshness.usual().fresh(MINUTE) : null));
        try (Rig rig = new Rig(way, byFunction)) {
            ask(rig, Work.value("minute"));
            rig.time.advance(MINUTE.minus(TICK));
            assertThat(source(rig, ILL)).isEqualTo(Source.FRESH);
            rig.time.advance(TICK);
            // The function says nothing, and the value does.
            ask(rig, Work.value(Page.fresh("second", SECOND)));
            assertThat(source(rig, ILL)).isEqualTo(Source.FRESH);
            rig.time.advance(SECOND);
            // Nobody says anything.
            ask(rig, Work.value("never"));
            assertThat(byFunction.size()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void functionOverrulesTheValue(Way way) {
        StaleCachePolicy byFunction =
                StaleCachePolicy.of(c -> c.freshness(value -> Freshness.usual().fresh(SECOND)));
        try (Rig rig = new Rig(way, byFunction)) {
            ask(rig, Work.value(Page.fresh("old", MINUTE)));
            rig.time.advance(SECOND);
            assertThat(ask(rig, Work.value("new")).value()).isEqualTo("new");
        }
    }

    @ParameterizedTest
    @EnumSource
    void ownTimesOutliveNewSettingsAndTheOthersAreTheirs(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("own", Work.value(Page.fresh("own", MINUTE)));
            rig.load("usual", Work.value("usual"));
            rig.load("ignored", Work.value(Page.fresh("gone", MINUTE)));
            StaleCachePolicy next =
                    StaleCachePolicy.of(c -> c.fresh(Duration.ofHours(1)).staleIfError(MINUTE));
            rig.pipeline.replace(next);
            assertThat(next.size()).isEqualTo(2);
            rig.time.advance(MINUTE);
            assertThat(rig.run("own", ILL).join().source()).isEqualTo(Source.STALE_ON_ERROR);
            assertThat(rig.run("usual", ILL).join().source()).isEqualTo(Source.FRESH);
            rig.time.advance(MINUTE);
            assertThat(rig.run("own", ILL)).isCompletedExceptionally();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatIsInDoubtTakesThePlaceOfAnErrorOnly(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            Page old = Page.fresh("old", MINUTE);
            ask(rig, Work.value(old));
            assertThat(source(rig, ILL)).isEqualTo(Source.FRESH);
            old.doubt();
            assertThat(source(rig, ILL)).isEqualTo(Source.STALE_ON_ERROR);
            assertThat(ask(rig, Work.value("new")).value()).isEqualTo("new");
            assertThat(source(rig, ILL)).isEqualTo(Source.FRESH);
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatIsOfAnotherKeyIsTheAnswerAndLeavesTheOldValue(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            ask(rig, Work.value("old"));
            rig.time.advance(Duration.ofSeconds(5));
            for (String text : List.of("gone", "moved")) {
                Page other = Page.of(text, Freshness::ofAnother);
                assertThat(ask(rig, Work.value(other)).value()).isSameAs(other);
                assertThat(ask(rig, ILL).value()).isEqualTo("old");
            }
        }
    }
}
