/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast.Property;
import dev.holdfast.internal.OwnFallbacks;
import dev.holdfast.micrometer.MicrometerObserver;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.CallObserver.Observed;
import dev.holdfast.timeout.TimeoutPolicy;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** While a reload waits for foreign code, nobody else waits for the reload; and what happens then. */
class ReloadLocksTest {
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final List<Property> properties =
            new ArrayList<>(List.of(timeout("inventory", "1s"), timeout("prices", "1s")));
    /** Called when the properties are read. */
    private final AtomicReference<@Nullable Runnable> reading = new AtomicReference<>();

    private static Property timeout(String pipeline, String value) {
        return new Property(List.of("pipelines", pipeline, "timeout"), value, "test", 0, 0);
    }

    private Holdfast load(CallObserver... observers) {
        Holdfast.Builder builder = Holdfast.builder();
        for (CallObserver observer : observers) {
            builder.observer(observer);
        }
        return builder.observer(new MicrometerObserver(registry)).load("test", () -> {
            Runnable hook = reading.getAndSet(null);
            if (hook != null) {
                hook.run();
            }
            return List.of(List.copyOf(properties));
        });
    }

    /** On a thread of its own, which nobody waits for at the end. */
    private static <T> CompletableFuture<T> spawn(Callable<T> action, AtomicReference<@Nullable Thread> on) {
        CompletableFuture<T> end = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                end.complete(action.call());
            } catch (Throwable thrown) {
                end.completeExceptionally(thrown);
            }
        });
        thread.setDaemon(true);
        on.set(thread);
        thread.start();
        return end;
    }

    private static <T> CompletableFuture<T> spawn(Callable<T> action) {
        return spawn(action, new AtomicReference<>());
    }

    /** The time is for a deadlock alone. */
    private static <T> T get(CompletableFuture<T> future) {
        try {
            return future.get(1, TimeUnit.MINUTES);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static Duration timeout(Pipeline pipeline) {
        return pipeline.policy(TimeoutPolicy.class).limit();
    }

    @Test
    void aFirstKeyDoesNotWaitForAReloadThatReads() {
        try (Holdfast holdfast = load()) {
            properties.set(0, timeout("inventory", "2s"));
            // As if the function wanted a lock that the other thread holds.
            reading.set(() -> assertThat(get(spawn(() -> holdfast.pipeline("inventory", "first")))
                            .name())
                    .isEqualTo("inventory/first"));
            assertThat(holdfast.reload()).containsExactly("inventory");
            assertThat(timeout(holdfast.pipeline("inventory", "first"))).isEqualTo(Duration.ofSeconds(2));
        }
    }

    @Test
    void anObserverOfAFirstKeyDoesNotWaitForAReloadThatWaitsForThatKey() {
        AtomicReference<@Nullable Holdfast> loaded = new AtomicReference<>();
        AtomicReference<@Nullable CompletableFuture<List<String>>> reload = new AtomicReference<>();
        CallObserver observer = new CallObserver() {
            @Override
            public void opened(Observed pipeline) {
                Holdfast holdfast = loaded.get();
                if (holdfast != null && pipeline.name().equals("inventory/a")) {
                    AtomicReference<@Nullable Thread> thread = new AtomicReference<>();
                    CompletableFuture<List<String>> end = spawn(holdfast::reload, thread);
                    reload.set(end);
                    Thread reloading = thread.get();
                    while (reloading != null && !end.isDone() && reloading.getState() != Thread.State.WAITING) {
                        Thread.onSpinWait();
                    }
                    assertThat(holdfast.pipeline("prices", "b").name()).isEqualTo("prices/b");
                }
            }
        };
        Holdfast holdfast = load(observer);
        // Makes the instances of the pipeline, if they are made later than the pipeline.
        Pipeline unused = holdfast.pipeline("inventory", "z");
        loaded.set(holdfast);
        properties.set(0, timeout("inventory", "2s"));
        Pipeline a = get(spawn(() -> holdfast.pipeline("inventory", "a")));
        assertThat(get(Objects.requireNonNull(reload.get()))).containsExactly("inventory");
        assertThat(timeout(a)).isEqualTo(Duration.ofSeconds(2));
        holdfast.close();
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void closeAndFirstKeysDoNotWaitForAFileThatHangs() {
        CountDownLatch hangs = new CountDownLatch(1);
        CountDownLatch ends = new CountDownLatch(1);
        Holdfast holdfast = load();
        properties.set(0, timeout("inventory", "2s"));
        reading.set(() -> {
            hangs.countDown();
            assertThat(await(ends)).isTrue();
        });
        CompletableFuture<List<String>> reload = spawn(holdfast::reload);
        assertThat(await(hangs)).isTrue();
        Pipeline first = get(spawn(() -> holdfast.pipeline("inventory", "first")));
        assertThat(get(spawn(() -> {
                    holdfast.close();
                    return true;
                })))
                .isTrue();
        ends.countDown();
        assertThatThrownBy(() -> reload.get(1, TimeUnit.MINUTES))
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThat(timeout(holdfast.pipeline("inventory"))).isEqualTo(Duration.ofSeconds(1));
        assertThat(timeout(first)).isEqualTo(Duration.ofSeconds(1));
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void aChangeByHandWaitsForAReloadThatHasAskedThePoliciesAndChangesWhatTheReloadHasMade() {
        AtomicReference<@Nullable Pipeline> known = new AtomicReference<>();
        AtomicReference<@Nullable CompletableFuture<Boolean>> byHand = new AtomicReference<>();
        Holdfast holdfast = load(new CallObserver() {
            @Override
            public void opened(Observed pipeline) {
                Pipeline inventory = known.get();
                if (inventory != null) {
                    AtomicReference<@Nullable Thread> thread = new AtomicReference<>();
                    CompletableFuture<Boolean> end = spawn(
                            () -> {
                                inventory.shadow("timeout");
                                return true;
                            },
                            thread);
                    byHand.set(end);
                    Thread changing = thread.get();
                    while (changing != null && !end.isDone() && changing.getState() != Thread.State.WAITING) {
                        Thread.onSpinWait();
                    }
                }
            }
        });
        Pipeline inventory = holdfast.pipeline("inventory");
        known.set(inventory);
        properties.set(0, timeout("inventory", "2s"));
        properties.add(timeout("orders", "1s"));
        assertThat(holdfast.reload()).containsExactly("inventory", "orders");
        assertThat(get(Objects.requireNonNull(byHand.get()))).isTrue();
        assertThat(inventory.policies()).singleElement().isInstanceOf(ShadowPolicy.class);
        assertThat(timeout(inventory)).isEqualTo(Duration.ofSeconds(2));
        holdfast.close();
    }

    @Test
    void closeAndFirstKeysDoNotWaitWhileInstancesChange() {
        CountDownLatch hangs = new CountDownLatch(1);
        CountDownLatch ends = new CountDownLatch(1);
        Holdfast holdfast = load(new CallObserver() {
            @Override
            public void replaced(Observed pipeline) {
                if (pipeline.name().equals("inventory/a") && hangs.getCount() > 0) {
                    hangs.countDown();
                    assertThat(await(ends)).isTrue();
                }
            }
        });
        Pipeline a = holdfast.pipeline("inventory", "a");
        properties.set(0, timeout("inventory", "2s"));
        CompletableFuture<List<String>> reload = spawn(holdfast::reload);
        assertThat(await(hangs)).isTrue();
        Pipeline first = get(spawn(() -> holdfast.pipeline("inventory", "first")));
        assertThat(timeout(first)).isEqualTo(Duration.ofSeconds(2));
        assertThat(get(spawn(holdfast::pipelines))).contains(a, first);
        assertThat(get(spawn(() -> {
                    holdfast.close();
                    return true;
                })))
                .isTrue();
        assertThat(reload).isNotDone();
        ends.countDown();
        assertThatThrownBy(() -> reload.get(1, TimeUnit.MINUTES))
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThat(List.of(holdfast.pipeline("inventory"), a, first)).allSatisfy(pipeline -> {
            assertThatExceptionOfType(CallRejectedException.class).isThrownBy(() -> pipeline.call(() -> "a"));
        });
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void closeDoesNotWaitForAFirstKeyWhichIsThenClosed() {
        CountDownLatch hangs = new CountDownLatch(1);
        CountDownLatch ends = new CountDownLatch(1);
        Holdfast holdfast = load(new CallObserver() {
            @Override
            public void opened(Observed pipeline) {
                if (pipeline.name().startsWith("inventory/")) {
                    hangs.countDown();
                    assertThat(await(ends)).isTrue();
                }
            }
        });
        CompletableFuture<Pipeline> made = spawn(() -> holdfast.pipeline("inventory", "a"));
        assertThat(await(hangs)).isTrue();
        assertThat(get(spawn(() -> {
                    holdfast.close();
                    return true;
                })))
                .isTrue();
        assertThat(made).isNotDone();
        ends.countDown();
        Pipeline a = get(made);
        assertThatExceptionOfType(CallRejectedException.class).isThrownBy(() -> a.call(() -> "a"));
        assertThat(registry.getMeters()).isEmpty();
    }

    private static boolean await(CountDownLatch latch) {
        try {
            return latch.await(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aReloadDuringWhichItIsClosedClosesWhatItMade() {
        AtomicReference<@Nullable Holdfast> loaded = new AtomicReference<>();
        AtomicReference<@Nullable Observed> made = new AtomicReference<>();
        List<Boolean> told = new ArrayList<>();
        CallObserver observer = new CallObserver() {
            @Override
            public void opened(Observed pipeline) {
                Holdfast holdfast = loaded.get();
                if (holdfast != null) {
                    made.set(pipeline);
                    holdfast.close();
                }
            }

            @Override
            public void configurationRead(Object configuration, boolean applied, String message) {
                told.add(applied);
            }
        };
        Holdfast holdfast = load(observer);
        loaded.set(holdfast);
        properties.add(timeout("orders", "1s"));
        assertThatIllegalStateException().isThrownBy(holdfast::reload).withMessageContaining("closed");
        assertThat(made.get())
                .isInstanceOfSatisfying(
                        Pipeline.class,
                        orders -> assertThatExceptionOfType(CallRejectedException.class)
                                .isThrownBy(() -> orders.call(() -> "a")));
        assertThat(registry.getMeters()).isEmpty();
        assertThat(told).isEmpty();
    }

    @Test
    void whatForeignCodeThrowsIsToldWhateverItIs() {
        List<String> told = new ArrayList<>();
        CallObserver observer = new CallObserver() {
            @Override
            public void configurationRead(Object configuration, boolean applied, String message) {
                told.add(applied + " " + message);
            }
        };
        try (Holdfast holdfast = load(observer)) {
            reading.set(() -> {
                throw new IllegalStateException("no context");
            });
            assertThatIllegalStateException().isThrownBy(holdfast::reload).withMessage("no context");
            reading.set(() -> {
                throw new NoClassDefFoundError("some/Bean");
            });
            assertThatExceptionOfType(NoClassDefFoundError.class).isThrownBy(holdfast::reload);
            assertThat(told).containsExactly("false no context", "false some/Bean");
            assertThat(registry.get("holdfast.reloads")
                            .tag("result", "refused")
                            .counter()
                            .count())
                    .isEqualTo(2);
        }
    }

    @Test
    void anObserverThatClosesWhenAReloadIsToldLeavesNoMeter() {
        AtomicReference<@Nullable Holdfast> loaded = new AtomicReference<>();
        Holdfast holdfast = load(new CallObserver() {
            @Override
            public void configurationRead(Object configuration, boolean applied, String message) {
                Holdfast known = loaded.get();
                if (known != null) {
                    known.close();
                }
            }
        });
        loaded.set(holdfast);
        assertThat(holdfast.reload()).isEmpty();
        assertThat(registry.getMeters()).isEmpty();
    }

    /** Of a method in Spring that has a fallback of its own. */
    @Test
    void aChangeThatOneInstanceRefusesChangesNothing() {
        Property retry = new Property(List.of("pipelines", "inventory", "timeout"), "2s", "test", 0, 0);
        Property fallback =
                new Property(List.of("pipelines", "prices", "fallback", "only-of-operations"), "true", "test", 7, 3);
        properties.add(fallback);
        try (Holdfast holdfast = load()) {
            Pipeline inventory = holdfast.pipeline("inventory");
            Pipeline a = holdfast.pipeline("inventory", "a");
            Pipeline b = holdfast.pipeline("prices", "b");
            OwnFallbacks.keep(b, () -> true);
            List<List<?>> before = List.of(
                    inventory.policies(),
                    a.policies(),
                    holdfast.pipeline("prices").policies(),
                    b.policies());
            properties.set(0, retry);
            properties.remove(fallback);
            assertThatExceptionOfType(ConfigException.class)
                    .isThrownBy(holdfast::reload)
                    .withMessageContaining("fallback of their own");
            assertThat(List.<List<?>>of(
                            inventory.policies(),
                            a.policies(),
                            holdfast.pipeline("prices").policies(),
                            b.policies()))
                    .isEqualTo(before);
            properties.add(fallback);
            assertThat(holdfast.reload()).containsExactly("inventory");
            assertThat(timeout(a)).isEqualTo(Duration.ofSeconds(2));
        }
    }
}
