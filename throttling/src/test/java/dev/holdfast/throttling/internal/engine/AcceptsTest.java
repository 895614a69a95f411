/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AcceptsTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long WINDOW = 30 * SECOND;

    private final Accepts accepts = new Accepts(WINDOW);

    @Test
    void nothingIsRejectedOfNothing() {
        assertThat(accepts.share(2, 1)).isZero();
        accepts.moveOn(5);
        assertThat(accepts.requests()).isZero();
        assertThat(accepts.share(2, 1)).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -WINDOW, Long.MAX_VALUE - WINDOW / 2, Long.MIN_VALUE, 12_345_678_901L})
    void theWindowMovesOnWhereverTheClockBeganAndWhenItWrapsAround(long origin) {
        for (int second = 0; second < 90; second++) {
            accepts.accepted(origin + second * SECOND);
            assertThat(accepts.requests()).isEqualTo(Math.min(second + 1, 30));
        }
        accepts.moveOn(origin + 90 * SECOND + WINDOW);
        assertThat(accepts.requests()).isZero();
    }

    @Test
    void theShareIsWhatIsAboveSoManyTimesTheAccepts() {
        for (int i = 0; i < 10; i++) {
            accepts.accepted(0);
            accepts.refused(0);
            accepts.refused(0);
        }

        assertThat(accepts.requests()).isEqualTo(30);
        assertThat(accepts.accepts()).isEqualTo(10);
        assertThat(accepts.share(2, 1)).isEqualTo(10 / 31.0, within(1e-12));
        assertThat(accepts.share(3, 1)).isZero();
        assertThat(accepts.share(4, 1)).isNegative();
        assertThat(accepts.share(2, 20)).isEqualTo(10 / 50.0, within(1e-12));
    }

    @Test
    void lessImportantRequestsThatWereNotSentCountForTheirLikeAlone() {
        for (int i = 0; i < 10; i++) {
            accepts.accepted(0);
            accepts.refused(0);
            accepts.refusedLate(0);
            accepts.refusedLate(0);
        }

        assertThat(accepts.requests()).isEqualTo(20);
        assertThat(accepts.share(1.5, 1)).isEqualTo(5 / 21.0, within(1e-12));
        assertThat(accepts.lateShare(1.5, 1)).isEqualTo(25 / 41.0, within(1e-12));
        accepts.moveOn(WINDOW / 2);
        assertThat(accepts.lateShare(1.5, 1)).isEqualTo(25 / 41.0, within(1e-12));
        accepts.moveOn(2 * WINDOW);
        assertThat(accepts.lateShare(1.5, 1)).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -7, 0, 123_456_789, Long.MAX_VALUE - 40 * SECOND})
    void theFirstTimeMayBeAny(long first) {
        accepts.refused(first);
        accepts.accepted(first + SECOND);

        assertThat(accepts.requests()).isEqualTo(2);
        accepts.moveOn(first + 40 * SECOND);
        assertThat(accepts.requests()).isZero();
    }

    @Test
    void aTimeBeforeTheLastOneCountsInTheLastSlice() {
        accepts.refused(100 * SECOND);
        accepts.refused(99 * SECOND);
        accepts.refused(10 * SECOND);

        assertThat(accepts.requests()).isEqualTo(3);
    }

    /** Each note is in the window for at least 29 s and less than 30 s more than its slice. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void countsWhatIsInTheWindow(long seed) {
        Random random = new Random(seed);
        Deque<Long> notes = new ArrayDeque<>();
        long now = random.nextLong() >> 2;
        for (int i = 0; i < 3_000; i++) {
            now += (long) (random.nextDouble() * (random.nextInt(50) == 0 ? 40 * SECOND : SECOND / 2));
            accepts.accepted(now);
            notes.add(Math.floorDiv(now, SECOND));
            long slice = Math.floorDiv(now, SECOND);
            while (notes.peek() <= slice - 30) {
                notes.remove();
            }
            assertThat(accepts.requests()).isEqualTo(notes.size());
            assertThat(accepts.accepts()).isEqualTo(notes.size());
        }
    }

    @Test
    void noNoteOfSeveralThreadsIsLostInASlice() throws Exception {
        int threads = 4;
        int each = 20_000;
        CountDownLatch start = new CountDownLatch(1);
        Thread[] all = new Thread[threads];
        for (int t = 0; t < threads; t++) {
            boolean accepted = t % 2 == 0;
            all[t] = new Thread(() -> {
                try {
                    start.await();
                } catch (InterruptedException stopped) {
                    return;
                }
                for (int i = 0; i < each; i++) {
                    long now = i * WINDOW / 2 / each;
                    if (accepted) {
                        accepts.accepted(now);
                    } else {
                        accepts.refused(now);
                    }
                }
            });
            all[t].start();
        }
        start.countDown();
        for (Thread thread : all) {
            thread.join();
        }

        accepts.moveOn(WINDOW / 2 + SECOND); // the sum of all slices
        assertThat(accepts.accepts()).isEqualTo((long) threads / 2 * each);
        assertThat(accepts.requests()).isEqualTo((long) threads * each);
    }
}
