/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.holdfast.Pipeline;
import dev.holdfast.testcalls.HeldMonitors;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** How the pipelines of services are made. {@link UnaryCallTest} has their calls. */
class PipelinePerServiceTest {
    @Test
    void aTemplateRunsUnderNoMonitor() {
        List<String> seen = new ArrayList<>();
        try (PipelinePerService services = PipelinePerService.of("shops", b -> {
            seen.add("made");
            seen.addAll(HeldMonitors.now());
            return b;
        })) {
            services.of("a", Shop.GET);
            services.of("a", Shop.GET);
        }
        assertThat(seen).containsExactly("made");
    }

    @Test
    void aTemplateThatThrowsLeavesNothingBehind() {
        AtomicInteger asked = new AtomicInteger();
        try (PipelinePerService services = PipelinePerService.of("shops", b -> {
            if (asked.getAndIncrement() == 0) {
                throw new IllegalStateException("not yet");
            }
            return b;
        })) {
            assertThatIllegalStateException().isThrownBy(() -> services.of("a", Shop.GET));
            assertThat(services.pipelines()).isEmpty();
            assertThat(services.of("a", Shop.GET)).isSameAs(services.of("a", Shop.GET));
        }
        assertThat(asked).hasValue(2);
    }

    @Test
    void twoThreadsMakeOnePipeline() {
        AtomicInteger asked = new AtomicInteger();
        CountDownLatch making = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        // The common pool may have one thread only.
        Executor eachOnItsOwn = task -> new Thread(task).start();
        try (PipelinePerService services = PipelinePerService.of("shops", b -> {
            asked.incrementAndGet();
            making.countDown();
            Shop.await(goOn);
            return b;
        })) {
            CompletableFuture<Pipeline> first =
                    CompletableFuture.supplyAsync(() -> services.of("a", Shop.GET), eachOnItsOwn);
            Shop.await(making);
            CompletableFuture<Pipeline> second = CompletableFuture.supplyAsync(
                    () -> {
                        goOn.countDown();
                        return services.of("a", Shop.GET);
                    },
                    eachOnItsOwn);
            assertThat(Shop.within(second)).isSameAs(Shop.within(first));
        }
        assertThat(asked).hasValue(1);
    }

    @Test
    void pipelinesOfTwoServicesAreMadeBesideEachOther() {
        CountDownLatch making = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Executor eachOnItsOwn = task -> new Thread(task).start();
        AtomicInteger asked = new AtomicInteger();
        try (PipelinePerService services = PipelinePerService.of("shops", b -> {
            if (asked.getAndIncrement() == 0) {
                making.countDown();
                Shop.await(goOn);
            }
            return b;
        })) {
            CompletableFuture<Pipeline> slow =
                    CompletableFuture.supplyAsync(() -> services.of("slow", Shop.GET), eachOnItsOwn);
            Shop.await(making);
            CompletableFuture<Pipeline> other =
                    CompletableFuture.supplyAsync(() -> services.of("b", Shop.GET), eachOnItsOwn);
            try {
                assertThat(Shop.within(other).name()).isEqualTo("shops/b/shop.Stock");
                assertThat(slow).isNotDone();
            } finally {
                goOn.countDown();
            }
            assertThat(Shop.within(slow).name()).isEqualTo("shops/slow/shop.Stock");
        }
    }

    @Test
    void longNamesAreBoundedAndDiffer() {
        String authority = "a".repeat(1_000);
        try (PipelinePerService services = PipelinePerService.standard("shops")) {
            assertThat(services.of(authority + "1", Shop.GET).name())
                    .hasSize("shops/".length() + 201)
                    .isNotEqualTo(services.of(authority + "2", Shop.GET).name());
        }
    }
}
