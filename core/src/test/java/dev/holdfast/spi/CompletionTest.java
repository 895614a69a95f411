/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CompletionTest {
    private final Completion completion = new Completion();
    private final List<String> told = new ArrayList<>();

    @Test
    void allAreToldInTheirOrderAndOnce() {
        completion.register(() -> told.add("first"));
        completion.register(() -> told.add("second"));

        completion.complete();
        completion.complete();

        assertThat(told).containsExactly("first", "second");
        assertThat(completion.register(() -> told.add("late"))).isFalse();
    }

    @Test
    void aWaiterThatThrowsKeepsNoOtherWaiting() {
        completion.register(() -> {
            throw new StackOverflowError("first");
        });
        completion.register(() -> {
            throw new IllegalStateException("second");
        });
        completion.register(() -> told.add("third"));

        assertThatThrownBy(completion::complete)
                .isInstanceOf(StackOverflowError.class)
                .hasMessage("first");
        assertThat(told).containsExactly("third");
        assertThat(completion.isDone()).isTrue();
    }

    @Test
    void whoGaveUpIsNotTold() {
        Completion.Waiter waiter = () -> told.add("gone");
        completion.register(waiter);
        completion.remove(waiter);

        completion.complete();

        assertThat(told).isEmpty();
        assertThat(completion.waiting()).isZero();
    }
}
