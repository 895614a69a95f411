/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ServerTimeTest {
    private static final long SECOND = 1_000_000_000;

    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - SECOND);
    private final ServerTime time = new ServerTime(nanos::get);

    /** An answer that takes so long, of a server that read its clock in the middle. */
    private void read(long server, long takes) {
        long asked = nanos.get();
        nanos.addAndGet(takes);
        time.read(asked, server);
    }

    @Test
    void theTimeIsThatOfTheServerAndGoesOnByTheProcessesOwn() {
        assertThat(time.isFresh()).isFalse();
        read(100 * SECOND, 0);
        assertThat(time.sinceEpoch()).isEqualTo(100 * SECOND);
        nanos.addAndGet(5 * SECOND);
        assertThat(time.sinceEpoch()).isEqualTo(105 * SECOND);
    }

    @Test
    void anAnswerIsUsedForASecond() {
        read(100 * SECOND, 0);
        nanos.addAndGet(SECOND - 1);
        assertThat(time.isFresh()).isTrue();
        nanos.addAndGet(1);
        assertThat(time.isFresh()).isFalse();
        read(101 * SECOND, 0);
        assertThat(time.isFresh()).isTrue();
        time.forget();
        assertThat(time.isFresh()).isFalse();
    }

    @Test
    void aSlowAnswerMovesTheTimeNoFurtherThanItProves() {
        read(100 * SECOND, 10);
        assertThat(time.sinceEpoch()).isEqualTo(100 * SECOND + 5);
        read(100 * SECOND + 15, 30);
        assertThat(time.sinceEpoch()).as("as before").isEqualTo(100 * SECOND + 35);
        read(100 * SECOND + 100, 10);
        assertThat(time.sinceEpoch()).as("was behind").isEqualTo(100 * SECOND + 100);
        read(100 * SECOND + 50, 10);
        assertThat(time.sinceEpoch()).as("was ahead").isEqualTo(100 * SECOND + 60);
    }

    @Test
    void aBucketThatIsAheadIsFollowedFromThenOn() {
        read(100 * SECOND, 0);
        time.follow(150 * SECOND);
        time.follow(150 * SECOND);
        assertThat(time.sinceEpoch()).isEqualTo(150 * SECOND);
        read(100 * SECOND, 0);
        assertThat(time.sinceEpoch()).isEqualTo(150 * SECOND);
    }

    /** Else each process that is slow at its start would move the time of all others on. */
    @Test
    void whoFollowsForItsFirstAnswerWasSlowIsNotAheadLater() {
        read(100 * SECOND, 3 * SECOND); // of a server that is at 103 s by now
        time.follow(103 * SECOND);
        read(103 * SECOND, 0);
        assertThat(time.sinceEpoch()).isEqualTo(103 * SECOND);
    }
}
