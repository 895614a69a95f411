/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Deadline;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class BoundTest {
    /** Each hop of a stream tells what holds, and binds it on the next thread. */
    @Test
    void whatGoesFromThreadToThreadDoesNotGrowWithEachHop() {
        Deadline.within(Duration.ofHours(1), () -> {
            @Nullable Bound before = Bound.current();
            for (int hop = 0; hop < 100; hop++) {
                Bound.set(Bound.current());
            }
            assertThat(length(Bound.current())).isLessThanOrEqualTo(2);
            Bound.restore(before);
            assertThat(Deadline.remaining()).isPresent();
        });
    }

    @Test
    void withoutALimitTheAttemptAndThePriorityHoldOn() {
        Bound.within(TimeSource.system(), 1_000_000_000, 2, Bound.SHEDDABLE, () -> {
            Bound.unlimited(() -> {
                assertThat(Bound.remaining()).isEqualTo(Long.MAX_VALUE);
                assertThat(Bound.attempt()).isEqualTo(2);
                assertThat(Bound.priority()).isEqualTo(Bound.SHEDDABLE);
            });
            assertThat(Bound.remaining()).isBetween(Long.MIN_VALUE, 1_000_000_000L);
            return null;
        });
        Bound.unlimited(() -> assertThat(Bound.current()).isNull());
    }

    @Test
    void withoutItsAttemptTheLimitAndThePriorityHoldOn() {
        Bound all = Bound.within(new VirtualTime(), 1_000_000_000, 2, Bound.SHEDDABLE, Bound::current);
        Objects.requireNonNull(all).withoutAttempt().run(() -> {
            assertThat(Bound.remaining()).isEqualTo(1_000_000_000);
            assertThat(Bound.attempt()).isZero();
            assertThat(Bound.priority()).isEqualTo(Bound.SHEDDABLE);
        });
    }

    private static int length(@Nullable Bound bound) {
        int length = 0;
        for (Bound next = bound; next != null; next = next.own) {
            length++;
        }
        return length;
    }
}
