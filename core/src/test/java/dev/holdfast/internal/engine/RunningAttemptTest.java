/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.CallContext;
import dev.holdfast.testcalls.HeldMonitors;
import dev.holdfast.time.VirtualTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RunningAttemptTest {
    /** A context is somebody else's, and may wait. */
    @Test
    void theContextOfAHookIsCapturedUnderNoMonitor() {
        List<String> seen = new ArrayList<>();
        CallContext context = () -> {
            seen.add("captured");
            seen.addAll(HeldMonitors.now());
            return () -> () -> {};
        };
        try (VirtualTime time = new VirtualTime()) {
            RunningAttempt attempt = new RunningAttempt(time, 1, false, 0, Carrier.of(List.of(context)), false);
            attempt.onCancel(() -> seen.add("cancelled"));
            attempt.cancel();
            attempt.runHooks(thrown -> seen.add("thrown"));
        }
        assertThat(seen).containsExactly("captured", "cancelled");
    }
}
