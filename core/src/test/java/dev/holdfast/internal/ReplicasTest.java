/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testlogs.Logs;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;

class ReplicasTest {
    private int processes = 40;

    private int processes() {
        if (processes < 0) {
            throw new NoClassDefFoundError("whoever knows");
        }
        return processes;
    }

    @Test
    @Logs("the last one holds")
    void theLastNumberOfAFunctionThatFailsHoldsAlsoForThePoliciesOfAReload() {
        IntSupplier live = this::processes; // as a file has one, for all reloads
        assertThat(Replicas.of(live).getAsInt()).isEqualTo(40);
        processes = -1;
        assertThat(Replicas.of(live).getAsInt()).isEqualTo(40);
        processes = 30;
        assertThat(Replicas.of(live).getAsInt()).isEqualTo(30);
        assertThat(Replicas.of(() -> 7).getAsInt()).isEqualTo(7);
    }
}
