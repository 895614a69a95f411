/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.keyed;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class InstancesTest {
    private final VirtualTime time = new VirtualTime();
    private final List<String> gone = new ArrayList<>();
    private int made;

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

    /** Called while an instance goes. */
    private Runnable goes = () -> {};
    /** Called when it has gone. */
    private Runnable retires = () -> {};

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
                return key + " " + ++made;
            }

            @Override
            protected void letGo(String instance) {
                gone.add(instance);
                goes.run();
            }

            @Override
            protected void retire(String instance) {
                retires.run();
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
        assertThat(gone).containsExactly("a 1");
    }

    @Test
    void anInstanceThatSomebodyAsksForWhileALookDecidesStays() {
        AtomicReference<@Nullable Instances<String>> asked = new AtomicReference<>();
        AtomicReference<@Nullable String> got = new AtomicReference<>();
        Policy policy = new Policy("own", 0) {
            @Override
            public long remembers() {
                Instances<String> instances = asked.getAndSet(null);
                if (instances != null) {
                    got.set(instances.of("a"));
                }
                return 0;
            }
        };
        Instances<String> instances = instances(List.of(policy));
        assertThat(instances.of("a")).isEqualTo("a 1");
        time.advance(Duration.ofSeconds(75));
        // The next look is the one that would let it go.
        asked.set(instances);
        time.advance(Duration.ofSeconds(15));
        assertThat(got).hasValue("a 1");
        assertThat(gone).isEmpty();
        assertThat(instances.of("a")).isEqualTo("a 1");
    }

    @Test
    void whoAsksForAnInstanceWhileItGoesGetsAnother() {
        Instances<String> instances = instances(List.of());
        CompletableFuture<String> got = new CompletableFuture<>();
        goes = () -> {
            Thread asking = new Thread(() -> got.complete(instances.of("a")));
            asking.start();
            while (!got.isDone() && asking.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
        };
        assertThat(instances.of("a")).isEqualTo("a 1");
        time.advance(Duration.ofSeconds(90));
        assertThat(gone).containsExactly("a 1");
        assertThat(got.join()).isEqualTo("a 2");
        assertThat(instances.of("a")).isEqualTo("a 2");
    }

    @Test
    void anObserverThatAsksForAnInstanceWhileItGoesGetsAnother() {
        Instances<String> instances = instances(List.of());
        List<String> got = new ArrayList<>();
        goes = () -> got.add(instances.of("a"));
        assertThat(instances.of("a")).isEqualTo("a 1");
        time.advance(Duration.ofSeconds(90));
        assertThat(got).containsExactly("a 2");
        assertThat(instances.of("a")).isEqualTo("a 2");
        assertThat(instances.all()).containsExactly("a 2");
    }

    @Test
    @Logs("policy 'own' cannot say what it remembers")
    void aPolicyThatThrowsKeepsNothing() {
        String unused = instances(List.of(remembering(-1))).of("a");
        time.advance(Duration.ofMinutes(2));
        assertThat(gone).containsExactly("a 1");
    }

    /** As Kotlin's code may. */
    private static <X extends Throwable> int sneaky(Throwable thrown) throws X {
        @SuppressWarnings("unchecked")
        X unchecked = (X) thrown;
        throw unchecked;
    }

    @Test
    @Logs("policy 'own' cannot say what it remembers")
    void aPolicyThatThrowsACheckedExceptionKeepsNothing() {
        Policy kotlins = new Policy("own", 0) {
            @Override
            public long remembers() {
                return InstancesTest.<RuntimeException>sneaky(new IOException("no state store"));
            }
        };
        String unused = instances(List.of(kotlins)).of("a");
        time.advance(Duration.ofMinutes(2));
        assertThat(gone).containsExactly("a 1");
    }

    /** What an observer waits for that needs a lock of this thread. */
    private static void waitForAFirstCall(Instances<String> instances, String key) {
        CompletableFuture<String> got = new CompletableFuture<>();
        Thread asking = new Thread(() -> got.complete(instances.of(key)));
        asking.setDaemon(true);
        asking.start();
        assertThat(got).succeedsWithin(Duration.ofMinutes(1));
    }

    @Test
    void anObserverThatIsToldOfOneThatHasGoneMayWaitForAFirstCall() {
        Instances<String> instances = instances(List.of());
        retires = () -> {
            waitForAFirstCall(instances, "a");
            waitForAFirstCall(instances, "b");
        };
        assertThat(instances.of("a")).isEqualTo("a 1");
        time.advance(Duration.ofSeconds(90));
        assertThat(gone).containsExactly("a 1");
        assertThat(instances.all()).containsExactlyInAnyOrder("a 2", "b 3");
    }

    @Test
    void aPolicyThatIsAskedWhatItRemembersMayWaitForAFirstCall() {
        AtomicReference<@Nullable Instances<String>> asked = new AtomicReference<>();
        Policy policy = new Policy("own", 0) {
            @Override
            public long remembers() {
                Instances<String> instances = asked.getAndSet(null);
                if (instances != null) {
                    waitForAFirstCall(instances, "b");
                }
                return 0;
            }
        };
        Instances<String> instances = instances(List.of(policy));
        assertThat(instances.of("a")).isEqualTo("a 1");
        asked.set(instances);
        time.advance(Duration.ofSeconds(90));
        assertThat(asked).hasNullValue();
        assertThat(gone).containsExactly("a 1");
        assertThat(instances.all()).containsExactly("b 2");
    }
}
