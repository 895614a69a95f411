/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.contract.Around;
import dev.holdfast.spi.TimeSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One interrupt flag for all calls of a thread, and for whoever interrupts it from outside: whose it is. */
class CallerTest {
    private final Caller caller = new Caller(Thread.currentThread());
    private int interrupts;
    private final TimeSource time = new Around(TimeSource.system()) {
        @Override
        public void interrupt(Thread thread) {
            interrupts++;
            super.interrupt(thread);
        }
    };

    @AfterEach
    void clear() {
        Thread.interrupted();
    }

    private static boolean flag() {
        return Thread.currentThread().isInterrupted();
    }

    /** As the thread does it when it has found the flag. */
    private void ended(boolean interruptedOutside) {
        caller.ended(Thread.interrupted() ? 1 : 0, interruptedOutside);
    }

    @Test
    void callThatIsStruckTakesItsFlagWithIt() {
        assertThat(caller.interrupt(time)).isTrue();
        ended(false);
        assertThat(flag()).isFalse();
    }

    @Test
    void flagFromOutsideBeforeTheStrikeStays() {
        Thread.currentThread().interrupt();
        boolean ours = caller.interrupt(time);
        assertThat(ours).isFalse();
        assertThat(interrupts).isZero();
        ended(!ours);
        assertThat(flag()).isTrue();
    }

    @Test
    void flagFromOutsideAfterTheStrikeStays() {
        caller.interrupt(time);
        // It is found set twice: ours, and then another one.
        Thread.interrupted();
        caller.ended(2, false);
        assertThat(flag()).isTrue();
    }

    @Test
    void threadIsInterruptedOnceForTwoCallsThatAreStruckOneInTheOther() {
        assertThat(caller.interrupt(time)).isTrue();
        assertThat(caller.interrupt(time)).isTrue();
        assertThat(interrupts).isOne();
    }

    @Test
    void innerOneOfTwoStruckCallsPassesTheFlagOnAndTheOuterOneTakesIt() {
        caller.interrupt(time);
        caller.interrupt(time);
        ended(false);
        assertThat(flag()).isTrue();
        ended(false);
        assertThat(flag()).isFalse();
    }

    @Test
    void strikeOfTheOuterCallWhileTheInnerOneEndsIsNotTakenForOneFromOutside() {
        caller.interrupt(time);
        Thread.interrupted();
        caller.interrupt(time);
        Thread.interrupted();
        assertThat(interrupts).isEqualTo(2);
        caller.ended(2, false);
        assertThat(flag()).as("for the outer one").isTrue();
        ended(false);
        assertThat(flag()).isFalse();
    }

    @Test
    void strikeThatWasOnItsWayWhenTheFlagWasPassedOnIsNotTakenForOneFromOutside() {
        caller.interrupt(time);
        TimeSource slow = new Around(time) {
            @Override
            public boolean isInterrupted(Thread thread) {
                return false;
            }

            @Override
            public void interrupt(Thread thread) {
                // Only now does the inner call end, and passes the flag on; the outer one has found that one.
                CallerTest.this.ended(false);
                assertThat(Thread.interrupted()).isTrue();
                super.interrupt(thread);
            }
        };
        caller.interrupt(slow);
        Thread.interrupted();
        caller.ended(2, false);
        assertThat(flag()).isFalse();
    }

    @Test
    void flagFromOutsideBesideOneThatWasPassedOnStays() {
        caller.interrupt(time);
        caller.interrupt(time);
        ended(false);
        Thread.interrupted();
        caller.ended(3, false);
        assertThat(flag()).isTrue();
    }

    @Test
    void callAfterOneThatPassedItsFlagOnBeginsAnew() {
        caller.interrupt(time);
        caller.interrupt(time);
        ended(false);
        ended(false);
        caller.interrupt(time);
        Thread.interrupted();
        caller.ended(2, false);
        assertThat(flag()).isTrue();
    }

    @Test
    void flagFromOutsideStaysHoweverManyCallsAreStruckAfterIt() {
        Thread.currentThread().interrupt();
        boolean innersOutside = !caller.interrupt(time);
        boolean middlesOutside = !caller.interrupt(time);
        boolean outersOutside = !caller.interrupt(time);
        assertThat(interrupts).isZero();
        ended(innersOutside);
        ended(middlesOutside);
        ended(outersOutside);
        assertThat(flag()).isTrue();
    }

    @Test
    void flagFromOutsideIsForgottenWithTheLastCallThatWasStruck() {
        flagFromOutsideStaysHoweverManyCallsAreStruckAfterIt();
        Thread.interrupted();
        caller.interrupt(time);
        ended(false);
        assertThat(flag()).isFalse();
    }
}
