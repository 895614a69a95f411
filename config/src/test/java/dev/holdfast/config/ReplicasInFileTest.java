/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.throttling.ThrottlePolicy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The number of processes in a file: a number, or the name of one that changes. */
class ReplicasInFileTest {
    private final AtomicInteger live = new AtomicInteger(40);

    @TempDir
    Path directory;

    private Holdfast load(String sections) throws Exception {
        Path file = Files.writeString(
                directory.resolve("holdfast.yaml"), "pipelines:\n  inventory: { " + sections + " }\n");
        return Holdfast.builder()
                .bind("processes", IntSupplier.class, live::get)
                .bind("word", "no number")
                .load(file);
    }

    private static ThrottlePolicy throttle(Holdfast holdfast) {
        return (ThrottlePolicy) holdfast.pipeline("inventory").policies().get(0);
    }

    @Test
    void aNumberIsTheNumber() throws Exception {
        try (Holdfast holdfast = load("throttle: { limit: 200, replicas: 40 }, bulkhead: { replicas: 300 }")) {
            assertThat(throttle(holdfast).settings().replicas()).isEqualTo(40);
            BulkheadPolicy bulkhead =
                    (BulkheadPolicy) holdfast.pipeline("inventory").policies().get(1);
            assertThat(bulkhead.limit()).isEqualTo(3);
        }
    }

    @Test
    void aNameIsTheLiveNumber() throws Exception {
        try (Holdfast holdfast = load("throttle: { limit: 200, replicas: processes }")) {
            assertThat(throttle(holdfast).settings().replicas()).isEqualTo(40);
            live.set(7);
            assertThat(throttle(holdfast).settings().replicas()).isEqualTo(7);
        }
    }

    @Test
    void aBudgetHasTheOption() throws Exception {
        try (Holdfast holdfast = load("retry: { budget: { replicas: processes } }")) {
            assertThat(holdfast.pipeline("inventory").policies()).hasSize(1);
        }
    }

    @Test
    void whatIsNeitherIsToldWhereItStands() {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load("throttle: { replicas: 0 }, bulkhead: { replicas: 10_001 }"))
                .withMessageContaining("throttle.replicas: is 0; expected 1 to 10,000")
                .withMessageContaining("bulkhead.replicas: is 10_001; expected 1 to 10,000");
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load("throttle: { replicas: word }, bulkhead: { replicas: proceses }"))
                .withMessageContaining("a whole number, or the name of an IntSupplier that code binds")
                .withMessageContaining("processes");
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load("throttle: { replicas: 1.5 }"))
                .withMessageContaining("throttle.replicas: is 1.5");
    }
}
