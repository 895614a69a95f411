/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
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
    void aWaiterThatThrowsACheckedExceptionKeepsNoOtherWaiting() {
        IOException checked = new IOException("no Java code may throw it here, other languages do");
        completion.register(() -> CompletionTest.<RuntimeException>sneak(checked));
        completion.register(() -> told.add("second"));

        assertThatThrownBy(completion::complete).isSameAs(checked);
        assertThat(told).containsExactly("second");
    }

    @SuppressWarnings("unchecked")
    private static <X extends Throwable> void sneak(Throwable thrown) throws X {
        throw (X) thrown;
    }

    @Test
    void othersKeepTheirOrderWhoeverGivesUp() {
        for (int gone = 0; gone < 4; gone++) {
            Completion one = new Completion();
            List<Completion.Waiter> waiters = new ArrayList<>();
            List<Integer> expected = new ArrayList<>(List.of(0, 1, 2, 3, 4));
            List<Integer> heard = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int number = i;
                waiters.add(() -> heard.add(number));
                one.register(waiters.get(i));
            }
            one.remove(waiters.get(gone));
            one.remove(waiters.get(gone));
            one.register(() -> heard.add(4));
            assertThat(one.waiting()).isEqualTo(4);
            one.complete();
            expected.remove(gone);
            assertThat(heard).isEqualTo(expected);
        }
    }

    @Test
    void oneThatGaveUpMayComeBack() {
        Completion.Waiter waiter = () -> told.add("back");
        completion.register(waiter);
        completion.remove(waiter);
        completion.register(waiter);
        completion.register(waiter);

        completion.complete();

        assertThat(told).containsExactly("back");
    }

    @Test
    void waiterThatThrowsKeepsNoOtherCompletionWaiting() {
        Completion other = new Completion();
        completion.register(() -> {
            throw new OutOfMemoryError("first");
        });
        other.register(() -> told.add("other"));

        assertThatThrownBy(() -> Completion.completeAll(List.of(completion, other)))
                .hasMessage("first");
        assertThat(told).containsExactly("other");
    }

    /** The thread that hands a permit over may have no memory left. */
    @Test
    void tellingAllocatesNothing() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        // The first times load classes.
        for (int i = 0; i < 100; i++) {
            List<Completion> all = List.of(crowded(), crowded());
            long before = threads.getCurrentThreadAllocatedBytes();
            Completion.completeAll(all);
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(least).isZero();
    }

    private static Completion crowded() {
        Completion crowded = new Completion();
        for (int i = 0; i < 3; i++) {
            int number = i;
            crowded.register(() -> assertNever(number));
        }
        return crowded;
    }

    private static void assertNever(int number) {
        if (number > 3) {
            throw new IllegalStateException();
        }
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
