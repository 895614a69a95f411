/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.throttling.internal.engine.Gate.Hold;
import org.junit.jupiter.api.Test;

class GateTest {
    private static final long SECOND = 1_000_000_000;

    private final Gate first = new Gate(10 * SECOND);

    /** Calls that began before two reloads may still wait inside the first gate. */
    @Test
    void gatesOfWhichOneTookTheOthersPlaceHaveOneHold() {
        Gate second = followerOf(first, 8 * SECOND);
        Gate third = followerOf(second, 6 * SECOND);

        assertThat(first.hold(0, 2 * SECOND, null)).isTrue();
        assertThat(left(third)).isEqualTo(2 * SECOND);

        assertThat(third.hold(0, 3 * SECOND, null)).as("it was held already").isFalse();
        assertThat(left(first)).isEqualTo(3 * SECOND);
        assertThat(left(second)).isEqualTo(3 * SECOND);
        assertThat(first.hold(3 * SECOND - 1)).isNotNull();
        assertThat(third.hold(3 * SECOND)).isNull();
        assertThat(first.hold(3 * SECOND)).isNull();
        assertThat(first.last()).isSameAs(third.last());
    }

    @Test
    void theMaximumOfTheLastOneHoldsForAll() {
        first.hold(0, 9 * SECOND, null);
        Gate second = followerOf(first, 4 * SECOND);

        assertThat(left(second)).isEqualTo(4 * SECOND);
        first.hold(0, 9 * SECOND, null);
        assertThat(left(first)).isEqualTo(4 * SECOND);
    }

    @Test
    void aGateThatIsSwitchedOffOpens() {
        first.hold(0, 9 * SECOND, null);
        Gate off = followerOf(first, 0);

        assertThat(off.hold(0)).isNull();
        assertThat(first.hold(0)).isNull();
        assertThat(first.hold(0, SECOND, null)).isFalse();
        assertThat(first.hold(0)).isNull();
    }

    @Test
    void anAttemptFromBeforeTheGateClosedKeepsItClosedUntilTheMaximumAndNoLonger() {
        assertThat(first.hold(0, 2 * SECOND, null)).isTrue();
        assertThat(first.hold(SECOND, 60 * SECOND, null)).isFalse();
        assertThat(first.hold(10 * SECOND - 1)).isNotNull();
        assertThat(first.hold(10 * SECOND)).isNull();

        assertThat(first.hold(18 * SECOND, 60 * SECOND, null)).isFalse();
        assertThat(first.hold(18 * SECOND)).isNull();
    }

    @Test
    void anAttemptFromBeforeTheGateClosedMayCloseAGateThatOpenedEarlyUntilTheMaximum() {
        first.hold(0, 2 * SECOND, null);
        assertThat(first.hold(3 * SECOND)).isNull();

        assertThat(first.hold(4 * SECOND, 60 * SECOND, null)).isTrue();
        assertThat(first.hold(10 * SECOND - 1)).isNotNull();
        assertThat(first.hold(10 * SECOND)).isNull();
    }

    @Test
    void anAttemptThatBeganAfterTheGateOpenedClosesItForAnotherHold() {
        first.hold(0, 60 * SECOND, null);
        assertThat(first.hold(10 * SECOND)).isNull();
        Hold before = first.last();

        assertThat(first.hold(12 * SECOND, 60 * SECOND, before)).isTrue();
        assertThat(first.hold(13 * SECOND, 60 * SECOND, before))
                .as("another one that began before it closed again")
                .isFalse();
        assertThat(first.hold(22 * SECOND - 1)).isNotNull();
        assertThat(first.hold(22 * SECOND)).isNull();
    }

    /** It is told so after an older attempt has closed the gate again. */
    @Test
    void theMaximumCountsFromTheFirstClosingAfterTheAttemptBegan() {
        first.hold(0, 9 * SECOND, null);
        assertThat(first.hold(9 * SECOND)).isNull();
        Hold before = first.last();
        assertThat(first.hold(9 * SECOND + 1, SECOND / 2, null)).isTrue();

        assertThat(first.hold(9 * SECOND + 2, 60 * SECOND, before)).isFalse();
        assertThat(first.hold(19 * SECOND)).isNotNull();
        assertThat(first.hold(19 * SECOND + 1)).isNull();
        assertThat(first.hold(19 * SECOND + 2, SECOND, before)).isFalse();
        assertThat(first.hold(19 * SECOND + 2)).isNull();
    }

    /** A thread that had no processor tells its time late: the gate has closed and opened at later ones. */
    @Test
    void aTimeFromBeforeTheFirstClosingDoesNotMoveIt() {
        first.hold(0, SECOND, null);
        assertThat(first.hold(SECOND)).isNull();
        Hold before = first.last();
        assertThat(first.hold(2 * SECOND, SECOND, before)).isTrue();
        assertThat(first.hold(3 * SECOND)).isNull();

        assertThat(first.hold(2 * SECOND - 1, 5 * SECOND, before)).isTrue();
        assertThat(first.hold(3 * SECOND, 60 * SECOND, before)).isFalse();
        assertThat(first.hold(12 * SECOND - 1)).isNotNull().matches(hold -> hold.nanos() == 9 * SECOND);
        assertThat(first.hold(12 * SECOND)).isNull();
    }

    @Test
    void aTimeAtWhichTheGateWasClosedAnywayDoesNotCloseItAgain() {
        first.hold(0, SECOND, null);
        assertThat(first.hold(SECOND)).isNull();
        Hold over = first.last();

        assertThat(first.hold(SECOND / 2, SECOND / 2, null)).isFalse();
        assertThat(first.last()).isSameAs(over);
    }

    @Test
    void theTimeInWhichTheGateWasOpenIsNoPartOfAHold() {
        first.hold(0, SECOND, null);
        assertThat(first.hold(7 * SECOND)).isNull();
        first.hold(8 * SECOND, SECOND, null);

        assertThat(first.hold(8 * SECOND))
                .isNotNull()
                .satisfies(hold -> assertThat(hold.nanos()).isEqualTo(SECOND));
    }

    @Test
    void aReloadDoesNotMoveTheTimeFromWhichTheMaximumCounts() {
        first.hold(0, 8 * SECOND, null);
        Gate shorter = new Gate(3 * SECOND);
        shorter.takeOver(first, SECOND);
        assertThat(shorter.hold(2 * SECOND, 60 * SECOND, null)).isFalse();
        assertThat(shorter.hold(4 * SECOND - 1)).isNotNull();

        Gate longer = new Gate(20 * SECOND);
        longer.takeOver(shorter, 3 * SECOND);
        assertThat(longer.hold(3 * SECOND, 60 * SECOND, null)).isFalse();
        assertThat(longer.hold(20 * SECOND - 1)).isNotNull();
        assertThat(longer.hold(20 * SECOND)).isNull();
    }

    @Test
    void aHoldThatWasMadeLongerLastsFromTheFirstClosing() {
        first.hold(0, 9 * SECOND, null);
        first.hold(8 * SECOND, 60 * SECOND, null);

        assertThat(first.hold(8 * SECOND)).isNotNull().satisfies(hold -> {
            assertThat(hold.left(8 * SECOND)).isEqualTo(2 * SECOND);
            assertThat(hold.nanos()).isEqualTo(10 * SECOND);
        });
    }

    private static Gate followerOf(Gate previous, long most) {
        Gate gate = new Gate(most);
        gate.takeOver(previous, 0);
        return gate;
    }

    private static long left(Gate gate) {
        Hold hold = gate.hold(0);
        return hold == null ? 0 : hold.left(0);
    }
}
