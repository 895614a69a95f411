/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class CurveTest {
    private static final Timeline TIMELINE = Timeline.incident(Duration.ofSeconds(40));
    private static final long TEN_MILLIS = TimeUnit.MILLISECONDS.toNanos(10);

    @Test
    void aSteadyRateIsFlatFromTheStartOfTheRunToItsEnd() {
        Curve curve = new Curve(TIMELINE, (from, to) -> events(from, to));
        assertThat(curve.perSecond()).containsOnly(100.0);
        assertThat(curve.seconds()).startsWith(0).endsWith(40).isSorted();
        assertThat(curve.highest()).isEqualTo(100);
    }

    @Test
    void aFaultShowsNeitherBeforeItBeginsNorAfterItsEnd() {
        Phase slow = TIMELINE.faults().get(0);
        Curve curve = new Curve(
                TIMELINE, (from, to) -> events(Math.max(from, slow.startNanos()), Math.min(to, slow.endNanos())));
        for (int i = 0; i < curve.seconds().length; i++) {
            double at = curve.seconds()[i];
            double rate = curve.perSecond()[i];
            if (at > 4 && at < 9) {
                assertThat(rate).as("at %s s", at).isEqualTo(100);
            } else if (at < 4 || at > 9) {
                assertThat(rate).as("at %s s", at).isZero();
            }
        }
    }

    @Test
    void anEdgeOfAPhaseHasOneValueOfEachSide() {
        Phase slow = TIMELINE.faults().get(0);
        Curve curve = new Curve(TIMELINE, (from, to) -> from >= slow.startNanos() ? events(from, to) : 0);
        int edge = indexOf(curve, 4);
        assertThat(curve.seconds()[edge + 1]).isEqualTo(4);
        assertThat(curve.perSecond()[edge]).isZero();
        assertThat(curve.perSecond()[edge + 1]).isEqualTo(100);
    }

    private static int indexOf(Curve curve, double second) {
        for (int i = 0; i < curve.seconds().length; i++) {
            if (curve.seconds()[i] == second) {
                return i;
            }
        }
        throw new AssertionError("no value at " + second);
    }

    /** One event each 10 ms. */
    private static long events(long from, long to) {
        return LongStream.iterate(
                        (from + TEN_MILLIS - 1) / TEN_MILLIS * TEN_MILLIS, at -> at < to, at -> at + TEN_MILLIS)
                .count();
    }
}
