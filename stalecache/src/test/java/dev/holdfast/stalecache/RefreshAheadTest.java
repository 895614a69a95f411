/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Reply.Source;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Values that are refreshed before they are old. */
class RefreshAheadTest {
    private static final Duration TICK = Duration.ofNanos(1);
    private static final Duration LONG = Duration.ofMillis(100);

    private final StaleCachePolicy policy =
            StaleCachePolicy.of(c -> c.fresh(Duration.ofSeconds(10)).refreshAhead(0.2));

    private static Object ask(Rig rig) {
        CompletableFuture<Object> answer = rig.startRepeatable("a");
        assertThat(answer).isCompleted();
        return answer.join();
    }

    /** A value that will be in its last fifth in a nanosecond. */
    private Rig eightSecondsOld(Way way) {
        Rig rig = new Rig(way, policy);
        rig.work = Work.value("old");
        ask(rig);
        rig.time.advance(Duration.ofSeconds(8).minus(TICK));
        return rig;
    }

    @ParameterizedTest
    @EnumSource
    void valueInItsLastPartIsTheAnswerAtOnceAndIsRefreshedOnce(Way way) {
        try (Rig rig = eightSecondsOld(way)) {
            rig.work = Work.value("new").taking(LONG);
            assertThat(ask(rig)).isEqualTo("old");
            assertThat(rig.work.asked()).isZero();
            rig.time.advance(TICK);
            for (int i = 0; i < 10; i++) {
                assertThat(ask(rig)).isEqualTo("old");
                assertThat(rig.sources).last().isEqualTo(Source.FRESH);
            }
            assertThat(rig.work.asked()).isOne();
            rig.time.advance(LONG);
            assertThat(ask(rig)).isEqualTo("new");
            assertThat(rig.work.asked()).isOne();
            assertThat(rig.requests()).containsExactlyInAnyOrder("miss 1", "fresh 12");
            assertThat(rig.refreshCounts()).containsExactly("success 1");
        }
    }

    @ParameterizedTest
    @EnumSource
    void itIsOffByDefault(Way way) {
        try (Rig rig = new Rig(way, StaleCachePolicy.of(c -> c.fresh(Duration.ofSeconds(10))))) {
            rig.work = Work.value("old");
            ask(rig);
            rig.time.advance(Duration.ofSeconds(10).minus(TICK));
            ask(rig);
            rig.time.run();
            assertThat(rig.refreshes).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void callThatCannotBeRepeatedRefreshesNothing(Way way) {
        try (Rig rig = eightSecondsOld(way)) {
            rig.time.advance(TICK);
            assertThat(rig.run("a", Work.value("never")).join().value()).isEqualTo("old");
            assertThat(rig.refreshes).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void failedRefreshBacksOffAndTheValueStays(Way way) {
        try (Rig rig = eightSecondsOld(way)) {
            rig.time.advance(TICK);
            rig.work = Work.error(new IOException("ill"));
            for (int i = 0; i < 10; i++) {
                assertThat(ask(rig)).isEqualTo("old");
                rig.time.advance(LONG);
            }
            assertThat(rig.work.asked()).isOne();
            assertThat(ask(rig)).isEqualTo("old");
            assertThat(rig.work.asked()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource
    void partCountsFromWhenTheValueCame(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            // The dependency's own cache gives a value of the same age again and again.
            rig.work = Work.value(
                    Page.of("old", f -> f.fresh(Duration.ofSeconds(100)).age(Duration.ofSeconds(90))));
            ask(rig);
            rig.time.advance(Duration.ofSeconds(8).minus(TICK));
            ask(rig);
            rig.time.run();
            assertThat(rig.refreshes).isEmpty();
            rig.time.advance(TICK);
            ask(rig);
            rig.time.run();
            assertThat(rig.refreshes).hasSize(1);
            ask(rig);
            rig.time.run();
            assertThat(rig.refreshes).hasSize(1);
        }
    }
}
