/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallTimeoutException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.http.HttpStatus;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Methods with {@link Protected} that return Mono or Flux. */
class ReactiveMethodsTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
            .withBean(Inventory.class)
            .withPropertyValues(
                    "holdfast.pipelines.inventory.retry.max-attempts=3",
                    "holdfast.pipelines.inventory.retry.backoff.initial=1ms",
                    "holdfast.pipelines.inventory.fallback.only-of-operations=true",
                    "holdfast.pipelines.slow.timeout=50ms");

    static class Inventory {
        private final AtomicInteger calls = new AtomicInteger();

        public AtomicInteger calls() {
            return calls;
        }

        @Protected("inventory")
        public Mono<String> stock(String sku) {
            return calls.incrementAndGet() % 2 == 1 ? Mono.error(new IOException("first")) : Mono.just(sku + calls);
        }

        @Protected("inventory")
        public Flux<Integer> all(int count) {
            return calls.incrementAndGet() % 2 == 1 ? Flux.error(new IOException("first")) : Flux.range(0, count);
        }

        @Protected(value = "inventory", fallback = "instead")
        public Mono<String> broken(String sku) {
            throw new IllegalStateException(sku);
        }

        Mono<String> instead(String sku, Throwable error) {
            return Mono.just("instead of " + error.getMessage());
        }

        @Protected(value = "inventory", fallback = "userInstead")
        public Mono<String> refused() {
            return Mono.error(new IllegalStateException("no"));
        }

        Mono<String> userInstead() {
            return Mono.deferContextual(context -> Mono.just("instead for " + context.getOrDefault("user", "nobody")));
        }

        @Protected("inventory")
        public Mono<String> fetched() {
            WebClient client = WebClient.builder()
                    .exchangeFunction(request -> Mono.just(ClientResponse.create(HttpStatus.OK)
                            .body(
                                    calls.incrementAndGet() == 1
                                            ? Flux.error(new IOException("broke off"))
                                            : Flux.just(DefaultDataBufferFactory.sharedInstance.wrap(new byte[] {'a'})))
                            .build()))
                    .build();
            return client.get().uri("/").retrieve().bodyToMono(String.class);
        }

        @Protected("slow")
        public Mono<String> hangs() {
            return Mono.never();
        }
    }

    @Test
    void eachSubscriptionIsACallAndEachAttemptCallsTheMethod() {
        runner.run(context -> {
            Inventory inventory = context.getBean(Inventory.class);
            Mono<String> stock = inventory.stock("a");
            assertThat(inventory.calls()).hasValue(0);
            assertThat(stock.block(MINUTE)).isEqualTo("a2");
            assertThat(stock.block(MINUTE)).isEqualTo("a4");
        });
    }

    @Test
    void aFluxIsRepeatedUntilItsFirstElement() {
        runner.run(context -> assertThat(
                        context.getBean(Inventory.class).all(4).collectList().block(MINUTE))
                .containsExactly(0, 1, 2, 3));
    }

    @Test
    void aFallbackAnswers() {
        runner.run(context -> assertThat(
                        context.getBean(Inventory.class).broken("a").block(MINUTE))
                .isEqualTo("instead of a"));
    }

    @Test
    void aFallbackSeesTheContextOfTheSubscriber() {
        runner.run(context -> assertThat(context.getBean(Inventory.class)
                        .refused()
                        .contextWrite(user -> user.put("user", "ann"))
                        .block(MINUTE))
                .isEqualTo("instead for ann"));
    }

    /** Spring's exception has the status of the response, which was good. */
    @Test
    void aBodyThatBreaksOffIsAFailure() {
        runner.run(
                context -> assertThat(context.getBean(Inventory.class).fetched().block(MINUTE))
                        .isEqualTo("a"));
    }

    @Test
    void aTimeoutStrikes() {
        runner.run(context -> assertThatThrownBy(
                        () -> context.getBean(Inventory.class).hangs().block(MINUTE))
                .isInstanceOf(CallTimeoutException.class));
    }

    static class Hanging {
        private final CountDownLatch asked = new CountDownLatch(1);
        private final CountDownLatch cancelled = new CountDownLatch(1);

        public CountDownLatch asked() {
            return asked;
        }

        public CountDownLatch cancelled() {
            return cancelled;
        }

        @Protected(value = "short", fallback = "now")
        public String value() throws InterruptedException {
            cancelled.await();
            return "late";
        }

        String now() {
            return "instead";
        }

        @Protected(value = "short", fallback = "monoNow")
        public Mono<String> mono() {
            return Mono.never();
        }

        Mono<String> monoNow() {
            return Mono.just("instead").doOnCancel(cancelled::countDown);
        }

        @Protected(value = "short", fallback = "futureNow")
        public CompletableFuture<String> future() {
            return new CompletableFuture<>();
        }

        CompletableFuture<String> futureNow() {
            return CompletableFuture.completedFuture("instead");
        }

        @Protected(value = "short", fallback = "never")
        public Mono<String> hangsTwice() {
            return Mono.never();
        }

        @Protected(value = "inventory", fallback = "never")
        public Mono<String> broken() {
            return Mono.error(new IllegalStateException("no"));
        }

        Mono<String> never() {
            return Mono.<String>never()
                    .doOnSubscribe(subscribed -> asked.countDown())
                    .doOnCancel(cancelled::countDown);
        }
    }

    private final ApplicationContextRunner hanging = runner.withBean(Hanging.class)
            .withPropertyValues(
                    "holdfast.pipelines.short.deadline=50ms",
                    "holdfast.pipelines.short.fallback.only-of-operations=true");

    @Test
    void aFallbackThatAnswersAtOnceAnswersAlsoAtTheDeadline() {
        hanging.run(context -> {
            Hanging bean = context.getBean(Hanging.class);
            assertThat(bean.value()).isEqualTo("instead");
            assertThat(bean.mono().block(MINUTE)).isEqualTo("instead");
            assertThat(bean.cancelled().getCount()).as("cancelled").isOne();
            assertThat(bean.future().get(1, TimeUnit.MINUTES)).isEqualTo("instead");
        });
    }

    @Test
    void aFallbackIsCancelledWithTheSubscriber() {
        hanging.run(context -> {
            Hanging bean = context.getBean(Hanging.class);
            Disposable subscription = bean.broken().subscribe();
            assertThat(bean.asked().await(1, TimeUnit.MINUTES)).isTrue();
            subscription.dispose();
            assertThat(bean.cancelled().await(1, TimeUnit.MINUTES)).isTrue();
        });
    }

    @Test
    void aFallbackIsCancelledWhenALimitHasStruck() {
        hanging.run(context -> {
            Hanging bean = context.getBean(Hanging.class);
            assertThatThrownBy(() -> bean.hangsTwice().block(MINUTE)).isInstanceOf(CallTimeoutException.class);
            assertThat(bean.cancelled().await(1, TimeUnit.MINUTES)).isTrue();
        });
    }

    static class FluxWithFallback {
        @Protected(value = "inventory", fallback = "instead")
        public Flux<String> all() {
            return Flux.empty();
        }

        Flux<String> instead() {
            return Flux.empty();
        }
    }

    @Test
    void aFluxHasNoFallback() {
        runner.withBean(FluxWithFallback.class)
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("fallback: a Flux has none; use onErrorResume"));
    }
}
