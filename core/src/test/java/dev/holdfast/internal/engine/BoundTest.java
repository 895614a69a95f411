/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Deadline;
import java.time.Duration;
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

    private static int length(@Nullable Bound bound) {
        int length = 0;
        for (Bound next = bound; next != null; next = next.own) {
            length++;
        }
        return length;
    }
}
