/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

@Logs("further keys share one")
class PipelinePerAuthorityTest {
    private final VirtualTime time = new VirtualTime();

    private PipelinePerAuthority of(int max) {
        return PipelinePerAuthority.of("shops", p -> p.time(time).max(max).idle(Duration.ofMinutes(10)));
    }

    @Test
    void eachHasTheStandardPipelineUnderItsName() {
        try (PipelinePerAuthority shops = of(10)) {
            Pipeline a = shops.of("https://a.example:443");
            assertThat(a).isSameAs(shops.of("https://a.example:443")).isNotSameAs(shops.of("https://b.example:443"));
            assertThat(a.name()).isEqualTo("shops/https://a.example:443");
            assertThat(a.policies())
                    .extracting(Policy::name)
                    .containsExactly("deadline", "keyed", "retry", "circuit-breaker", "bulkhead", "timeout");
            assertThat(a.warnings()).isEmpty();
        }
    }

    @Test
    void anIllHostOpensItsOwnBreakerOnly() {
        try (PipelinePerAuthority shops = of(10)) {
            Pipeline ill = shops.of("https://ill.example:443");
            for (int i = 0; i < 500; i++) {
                assertThatThrownBy(() -> ill.call(() -> {
                            throw new IllegalStateException("broken");
                        }))
                        .isInstanceOf(RuntimeException.class);
            }
            assertThatThrownBy(() -> ill.call(() -> "12"))
                    .isInstanceOfSatisfying(
                            CallRejectedException.class,
                            rejection -> assertThat(rejection.reason()).isEqualTo(Reason.CIRCUIT_OPEN));
            Pipeline well = shops.of("https://well.example:443");
            assertThat(well.call(() -> "12")).isEqualTo("12");
            assertThat(well.policy(CircuitBreakerPolicy.class)).isNotSameAs(ill.policy(CircuitBreakerPolicy.class));
        }
    }

    @Test
    void aHundredThousandAuthoritiesHaveAThousandPipelinesAndOneMore() {
        try (PipelinePerAuthority shops = PipelinePerAuthority.of(
                "shops", p -> p.time(time).template(b -> b.policies(RetryPolicy.ofDefaults())))) {
            Set<Pipeline> all = new HashSet<>();
            for (int i = 0; i < 100_000; i++) {
                all.add(shops.of("http://host-" + i + ":80"));
            }
            assertThat(all).hasSize(1_001).hasSameElementsAs(shops.pipelines());
            assertThat(shops.of("http://host-99999:80").name()).isEqualTo("shops/other");
        }
    }

    @Test
    void oneThatNobodyUsesGoesAndOneWithACallStays() {
        try (PipelinePerAuthority shops = PipelinePerAuthority.of(
                "shops", p -> p.time(time).template(b -> b.policies(RetryPolicy.ofDefaults())))) {
            shops.of("http://idle:80");
            Pipeline busy = shops.of("http://busy:80");
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> call = busy.callAsync(() -> work);
            time.advance(Duration.ofHours(1));
            assertThat(shops.pipelines()).containsExactly(busy);
            work.complete("12");
            assertThat(call).isCompletedWithValue("12");
            time.advance(Duration.ofHours(1));
            assertThat(shops.pipelines()).isEmpty();
            assertThat(shops.of("http://busy:80")).isNotSameAs(busy);
            assertThat(busy.call(() -> "still usable")).isEqualTo("still usable");
        }
    }

    @Test
    void closedPipelinesRejectAlsoThoseThatAreMadeLater() {
        PipelinePerAuthority shops = of(10);
        Pipeline before = shops.of("http://a:80");
        shops.close();
        for (Pipeline pipeline : List.of(before, shops.of("http://b:80"))) {
            assertThatThrownBy(() -> pipeline.call(() -> "12")).isInstanceOf(CallRejectedException.class);
        }
    }

    @Test
    void onesThatHaveGoneAreClosedWithTheOthers() {
        PipelinePerAuthority shops = of(10);
        Pipeline gone = shops.of("http://a:80");
        time.advance(Duration.ofHours(1));
        assertThat(shops.pipelines()).isEmpty();
        shops.close();
        assertThatThrownBy(() -> gone.call(() -> "12")).isInstanceOf(CallRejectedException.class);
    }

    @Test
    void aValueOutOfRangeIsNamed() {
        assertThatThrownBy(() -> PipelinePerAuthority.of("shops", p -> p.max(0).idle(Duration.ofMillis(5))))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining("max")
                .hasMessageContaining("idle");
    }

    @Test
    void longNamesAreBoundedAndDiffer() {
        String authority = "https://" + "a".repeat(1_000);
        try (PipelinePerAuthority shops = of(10)) {
            assertThat(shops.of(authority + "1").name())
                    .hasSize("shops/".length() + 101)
                    .isNotEqualTo(shops.of(authority + "2").name());
        }
    }

    /** Each template asks the other's for the authority that it makes, when both are called. */
    @Test
    void twoTemplatesThatAskForEachOthersPipelinesFail() {
        CountDownLatch begun = new CountDownLatch(2);
        AtomicBoolean isApart = new AtomicBoolean();
        List<PipelinePerAuthority> both = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            int other = 1 - i;
            UnaryOperator<Pipeline.Builder> asking = builder -> {
                if (!isApart.get()) {
                    begun.countDown();
                    try {
                        begun.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                    Pipeline unused = both.get(other).of("https://" + other + ":443");
                }
                return builder;
            };
            both.add(PipelinePerAuthority.of("shops", p -> p.time(time).template(asking)));
        }
        List<CompletableFuture<Pipeline>> asked = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            String authority = "https://" + i + ":443";
            PipelinePerAuthority own = both.get(i);
            CompletableFuture<Pipeline> made = new CompletableFuture<>();
            Thread thread = new Thread(() -> {
                try {
                    made.complete(own.of(authority));
                } catch (Throwable e) {
                    made.completeExceptionally(e);
                }
            });
            thread.setDaemon(true);
            thread.start();
            asked.add(made);
        }
        for (CompletableFuture<Pipeline> one : asked) {
            assertThat(one)
                    .failsWithin(Duration.ofMinutes(1))
                    .withThrowableThat()
                    .withCauseInstanceOf(IllegalStateException.class)
                    .withMessageContaining("'shops/https://0:443'")
                    .withMessageContaining("'shops/https://1:443'");
        }
        isApart.set(true);
        for (int i = 0; i < 2; i++) {
            try (PipelinePerAuthority own = both.get(i)) {
                assertThat(own.of("https://" + i + ":443").name()).isEqualTo("shops/https://" + i + ":443");
            }
        }
    }
}
