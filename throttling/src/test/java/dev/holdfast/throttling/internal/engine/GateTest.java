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

        assertThat(first.hold(0, 2 * SECOND)).isTrue();
        assertThat(left(third)).isEqualTo(2 * SECOND);

        assertThat(third.hold(0, 3 * SECOND)).as("it was held already").isFalse();
        assertThat(left(first)).isEqualTo(3 * SECOND);
        assertThat(left(second)).isEqualTo(3 * SECOND);
        assertThat(first.isOpen()).isFalse();
        assertThat(third.hold(3 * SECOND)).isNull();
        assertThat(first.isOpen()).isTrue();
    }

    @Test
    void theMaximumOfTheLastOneHoldsForAll() {
        first.hold(0, 9 * SECOND);
        Gate second = followerOf(first, 4 * SECOND);

        assertThat(left(second)).isEqualTo(4 * SECOND);
        first.hold(0, 9 * SECOND);
        assertThat(left(first)).isEqualTo(4 * SECOND);
    }

    @Test
    void aGateThatIsSwitchedOffOpens() {
        first.hold(0, 9 * SECOND);
        Gate off = followerOf(first, 0);

        assertThat(off.isOpen()).isTrue();
        assertThat(first.isOpen()).isTrue();
        assertThat(first.hold(0, SECOND)).isFalse();
        assertThat(first.isOpen()).isTrue();
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
