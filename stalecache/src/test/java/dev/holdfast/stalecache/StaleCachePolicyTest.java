/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Logs("fallback-inside-stale-cache")
class StaleCachePolicyTest {
    private static final Duration LONG = Duration.ofMillis(100);
    private static final Work ILL = Work.error(new IOException("ill"));

    private final StaleCachePolicy policy = StaleCachePolicy.ofDefaults();
    private final StaleCachePolicy fresh = StaleCachePolicy.of(b -> b.fresh(Duration.ofSeconds(5)));

    private static Object value(CompletableFuture<Reply<Object>> reply) {
        assertThat(reply).isCompleted();
        return reply.join().value();
    }

    private static void assertStaleOnError(CompletableFuture<Reply<Object>> reply, Object value, Duration age) {
        assertThat(value(reply)).isEqualTo(value);
        assertThat(reply.join().source()).isEqualTo(Source.STALE_ON_ERROR);
        assertThat(reply.join().age()).isEqualTo(age);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void withTheDefaultsEveryCallGoesToTheDependency(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            assertThat(value(rig.run("a", Work.value(1)))).isEqualTo(1);
            assertThat(value(rig.run("a", Work.value(2)))).isEqualTo(2);
            assertThat(rig.requests()).containsExactly("miss 2");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void freshValueIsTheAnswerUntilItIsOld(Way way) {
        try (Rig rig = new Rig(way, fresh)) {
            rig.load("a", Work.value(1));
            rig.time.advance(Duration.ofSeconds(5).minusNanos(1));
            Work second = Work.value(2);
            Reply<Object> reply = rig.run("a", second).join();
            assertThat(reply.value()).isEqualTo(1);
            assertThat(reply.source()).isEqualTo(Source.FRESH);
            assertThat(reply.age()).isEqualTo(Duration.ofSeconds(5).minusNanos(1));
            assertThat(reply.attempts()).isZero();
            rig.time.advance(Duration.ofNanos(1));
            assertThat(value(rig.run("a", second))).isEqualTo(2);
            assertThat(second.asked()).isOne();
            assertThat(rig.requests()).containsExactlyInAnyOrder("fresh 1", "miss 2");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void keysOperationsAndPartitionsNeverMeet(Way way) {
        try (Rig rig = new Rig(way, fresh)) {
            rig.load("a", Work.value("stock a"));
            assertThat(value(rig.run("b", Work.value("stock b")))).isEqualTo("stock b");
            assertThat(value(rig.start(rig.pipeline.<Object>operation("price").key("a"), Work.value("price a"))
                            .result()))
                    .isEqualTo("price a");
            assertThat(value(rig.start(rig.call("a").partition("tenant"), Work.value("tenant's a"))
                            .result()))
                    .isEqualTo("tenant's a");
            assertThat(value(rig.run("a", ILL))).isEqualTo("stock a");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callWithoutKeyPassesByAndIsCounted(Way way) {
        try (Rig rig = new Rig(way, fresh)) {
            for (int i = 0; i < 2; i++) {
                assertThat(value(rig.start(
                                        rig.pipeline.<Object>operation("stock").unkeyed(), Work.value(i))
                                .result()))
                        .isEqualTo(i);
            }
            assertThat(rig.requests()).containsExactly("no_key 2");
            assertThat(fresh.size()).isZero();
        }
    }

    // ---- stale if error

    @ParameterizedTest
    @EnumSource(Way.class)
    void failureIsAnsweredWithTheLastGoodValue(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", Work.value(1));
            rig.time.advance(Duration.ofMinutes(10).minusNanos(1));
            assertStaleOnError(rig.run("a", ILL), 1, Duration.ofMinutes(10).minusNanos(1));
            rig.time.advance(Duration.ofNanos(1));
            assertThat(Running.errorOf(rig.run("a", ILL))).hasMessage("ill");
            assertThat(rig.requests()).containsExactlyInAnyOrder("stale_on_error 1", "miss 2");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void pushbackTimeoutRejectionAndFailingValueAreAnsweredSoToo(Way way) {
        Gate gate = new Gate();
        try (Rig rig = new Rig(way, policy, gate, TimeoutPolicy.of(Duration.ofMillis(10)))) {
            rig.load("a", Work.value(1));
            assertStaleOnError(rig.run("a", Work.value("busy")), 1, Duration.ZERO);
            assertStaleOnError(rig.run("a", Work.value("failure")), 1, Duration.ZERO);
            assertStaleOnError(rig.start("a", Work.error(new IOException())).result(), 1, Duration.ZERO);
            Running<Reply<Object>> late = rig.start("a", Work.value(2).taking(Duration.ofMillis(11)));
            rig.time.advance(Duration.ofMillis(10));
            assertStaleOnError(late.result(), 1, Duration.ofMillis(10));
            gate.closed = true;
            assertStaleOnError(rig.start("a", Work.value(2)).result(), 1, Duration.ofMillis(10));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void deadlineIsAnsweredWithTheLastGoodValue(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", Work.value(1));
            Running<Reply<Object>> late =
                    rig.start(rig.call("a").deadline(LONG), Work.value(2).taking(LONG.plusMillis(1)));
            rig.time.advance(LONG);
            assertStaleOnError(late.result(), 1, LONG);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callersOwnFaultAndCancellationAreNot(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", Work.value(1));
            assertThat(Running.errorOf(rig.run("a", Work.error(new IllegalArgumentException("404")))))
                    .hasMessage("404");
            Running<Reply<Object>> started = rig.start("a", Work.value(2).taking(LONG));
            started.giveUp().run();
            rig.time.run();
            assertThat(started.result()).isCompletedExceptionally();
            assertThat(rig.requests()).containsExactly("miss 3");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void onlySuccessIsStored(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", ILL);
            rig.load("a", Work.value("failure"));
            rig.load("a", Work.value("busy"));
            assertThat(policy.size()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void nullIsDeliveredAndTakesTheOldValueAway(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", Work.value(1));
            CompletableFuture<Reply<Object>> nothing = rig.run("a", Work.value(null));
            assertThat(nothing).isCompleted();
            assertThat(nothing.join().value()).isNull();
            assertThat(Running.errorOf(rig.run("a", ILL))).hasMessage("ill");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void fallbackIsNeverStoredWhereverItStands(Way way) {
        try (Rig rig = new Rig(way, policy, FallbackPolicy.value("made up"))) {
            assertThat(value(rig.run("a", ILL))).isEqualTo("made up");
            assertThat(policy.size()).isZero();
        }
        StaleCachePolicy inside = StaleCachePolicy.ofDefaults();
        try (Rig rig = new Rig(way, FallbackPolicy.value("made up"), inside)) {
            assertThat(value(rig.run("a", ILL))).isEqualTo("made up");
            assertThat(inside.size()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void clearForgetsTheValues(Way way) {
        try (Rig rig = new Rig(way, fresh)) {
            rig.load("a", Work.value(1));
            fresh.clear();
            assertThat(value(rig.run("a", Work.value(2)))).isEqualTo(2);
        }
    }

    // ---- pipelines that share a cache

    @ParameterizedTest
    @EnumSource(Way.class)
    void pipelinesThatShareAPolicyShareNoValue(Way way) {
        try (Rig rig = new Rig(way, fresh);
                Pipeline other =
                        Pipeline.builder("other").policies(fresh).time(rig.time).build()) {
            rig.load("a", Work.value("inventory's"));
            for (String expected : new String[] {"other's", "other's"}) {
                assertThat(value(rig.start(other.<Object>operation("stock").key("a"), Work.value("other's"))
                                .result()))
                        .isEqualTo(expected);
            }
            assertThat(value(rig.run("a", ILL))).isEqualTo("inventory's");
            assertThat(rig.requests()).containsExactlyInAnyOrder("fresh 2", "miss 2");
        }
    }

    @Test
    void pipelinesWithDifferentTimesCannotShareACache() {
        try (VirtualTime one = new VirtualTime();
                VirtualTime other = new VirtualTime()) {
            policy.bind("p", one);
            policy.bind("p", one);
            assertThatThrownBy(() -> policy.bind("p", other))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("another TimeSource");
        }
    }

    /** A layer further in that turns calls away. */
    static final class Gate extends Policy {
        volatile boolean closed;

        Gate() {
            super("gate", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            return closed ? passage.reject(Reason.OTHER, -1, "the gate is closed") : PROCEED;
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void rejectionWithoutAnOldValueIsDelivered(Way way) {
        Gate gate = new Gate();
        gate.closed = true;
        try (Rig rig = new Rig(way, policy, gate)) {
            assertThat(Running.errorOf(rig.run("a", ILL))).isInstanceOf(CallRejectedException.class);
            assertThat(policy.underWay()).isZero();
        }
    }
}
