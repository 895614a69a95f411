/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.keyed;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class InstancesTest {
    private final VirtualTime time = new VirtualTime();
    private final List<String> gone = new ArrayList<>();

    @AfterEach
    void close() {
        time.close();
    }

    private static Policy remembering(long nanos) {
        return new Policy("own", 0) {
            @Override
            public long remembers() {
                if (nanos < 0) {
                    throw new IllegalStateException("broken");
                }
                return nanos;
            }
        };
    }

    /** Idle after a minute; all instances have these policies. */
    private Instances<String> instances(List<Policy> policies) {
        return new Instances<>(time) {
            @Override
            protected int max() {
                return 10;
            }

            @Override
            protected long idleNanos() {
                return Duration.ofMinutes(1).toNanos();
            }

            @Override
            protected List<Policy> policies(String instance) {
                return policies;
            }

            @Override
            protected String make(String key, InUse counting) {
                return key;
            }

            @Override
            protected void letGo(String instance) {
                gone.add(instance);
            }

            @Override
            protected void close(String instance) {}
        };
    }

    @Test
    void anIdleInstanceIsKeptForAsLongAsItsPolicyRemembers() {
        String unused = instances(List.of(remembering(Duration.ofMinutes(10).toNanos())))
                .of("a");
        time.advance(Duration.ofMinutes(9));
        assertThat(gone).isEmpty();
        time.advance(Duration.ofMinutes(2));
        assertThat(gone).containsExactly("a");
    }

    @Test
    @Logs("policy 'own' cannot say what it remembers")
    void aPolicyThatThrowsKeepsNothing() {
        String unused = instances(List.of(remembering(-1))).of("a");
        time.advance(Duration.ofMinutes(2));
        assertThat(gone).containsExactly("a");
    }
}
