/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Classifier;
import dev.holdfast.Reason;
import dev.holdfast.Verdict;
import dev.holdfast.springboot.other.Elsewhere;
import dev.holdfast.testlogs.Logs;
import io.github.resilience4j.bulkhead.BulkheadFullException;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.ratelimiter.RequestNotPermitted;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.aopalliance.intercept.MethodInterceptor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.aop.Pointcut;
import org.springframework.aop.framework.AbstractAdvisingBeanPostProcessor;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.annotation.AnnotationMatchingPointcut;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.http.HttpEntity;
import org.springframework.http.ResponseEntity;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.AsyncAnnotationBeanPostProcessor;
import org.springframework.web.context.request.async.DeferredResult;
import org.springframework.web.context.request.async.WebAsyncTask;
import org.springframework.web.servlet.mvc.method.annotation.ResponseBodyEmitter;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What methods with {@link Protected} return, and who calls them. */
class ProtectedResultsTest {
    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
            .withPropertyValues(
                    "holdfast.pipelines.inventory.retry.max-attempts=3",
                    "holdfast.pipelines.inventory.retry.backoff.initial=1ms",
                    "holdfast.pipelines.inventory.retry.budget.enabled=false",
                    "holdfast.pipelines.inventory.fallback.only-of-operations=true");

    private void refuses(Class<?> type, String message) {
        runner.withBean(type)
                .run(context -> assertThat(context.getStartupFailure()).hasStackTraceContaining(message));
    }

    abstract static class Any<T> {
        private final AtomicInteger calls = new AtomicInteger();

        public int calls() {
            return calls.get();
        }

        @Protected("inventory")
        public T load() {
            calls.incrementAndGet();
            return failed(new IllegalStateException("by intent"));
        }

        abstract T failed(RuntimeException error);
    }

    static class OfMono extends Any<Mono<String>> {
        @Override
        Mono<String> failed(RuntimeException error) {
            return Mono.error(error);
        }
    }

    static class OfFuture extends Any<CompletableFuture<String>> {
        @Override
        CompletableFuture<String> failed(RuntimeException error) {
            return CompletableFuture.failedFuture(error);
        }
    }

    static class OfStream extends Any<Stream<String>> {
        @Override
        Stream<String> failed(RuntimeException error) {
            return Stream.empty();
        }
    }

    @Test
    void aTypeVariableStandsForWhatTheClassOfTheBeanSays() {
        runner.withBean(OfMono.class).withBean(OfFuture.class).run(context -> {
            OfMono mono = context.getBean(OfMono.class);
            assertThatThrownBy(() -> mono.load().block()).isInstanceOf(IllegalStateException.class);
            assertThat(mono.calls()).isEqualTo(3);
            OfFuture future = context.getBean(OfFuture.class);
            assertThatThrownBy(() -> future.load().join()).hasCauseInstanceOf(IllegalStateException.class);
            assertThat(future.calls()).isEqualTo(3);
        });
    }

    static class OfCallable {
        @Protected("inventory")
        public Callable<String> stock() {
            return () -> "later";
        }
    }

    @Test
    void whatIsDoneAfterTheMethodIsRefused() {
        refuses(OfCallable.class, "returns Callable; expected a value");
        refuses(OfStream.class, "returns Stream; expected a value");
    }

    static class OfObject {
        @Protected("inventory")
        public Object stock(boolean later) {
            return later ? CompletableFuture.completedFuture("later") : "now";
        }
    }

    @Test
    @Logs("OfObject.stock.*returned a CompletableFuture, whose work no policy sees")
    void aStageThatNoTypeDeclaresIsWarnedOf() {
        runner.withBean(OfObject.class).run(context -> {
            OfObject bean = context.getBean(OfObject.class);
            assertThat(bean.stock(false)).isEqualTo("now");
            assertThat(bean.stock(true)).isInstanceOf(CompletableFuture.class);
            assertThat(bean.stock(true)).isInstanceOf(CompletableFuture.class);
        });
    }

    static class OfAnonymous {
        @Protected("inventory")
        public Object stock() {
            return new Callable<String>() {
                @Override
                public String call() {
                    return "later";
                }
            };
        }
    }

    @Test
    @Logs("OfAnonymous.stock.*returned a dev.holdfast.springboot.ProtectedResultsTest\\$OfAnonymous\\$1, whose work")
    void aResultOfAnAnonymousClassIsWarnedOf() {
        runner.withBean(OfAnonymous.class)
                .run(context ->
                        assertThat(context.getBean(OfAnonymous.class).stock()).isInstanceOf(Callable.class));
    }

    static class OtherStage {
        @Protected(value = "inventory", fallback = "none")
        public CompletableFuture<String> stock() {
            return CompletableFuture.completedFuture("a");
        }

        CompletableFuture<Integer> none() {
            return CompletableFuture.completedFuture(0);
        }
    }

    @Test
    void aFallbackWithAStageOfAnotherTypeIsRefused() {
        refuses(OtherStage.class, "which does not fit");
    }

    static class Below extends Elsewhere {}

    @Test
    void aMethodThatOnlyAnotherPackageSeesIsRefused() {
        refuses(Below.class, "Elsewhere.stock(): the method is visible in dev.holdfast.springboot.other alone");
    }

    static class Chain {
        @Protected(value = "inventory", fallback = "second")
        public String first() {
            throw new IllegalStateException("first");
        }

        @Protected(value = "inventory", fallback = "third")
        public String second() {
            throw new IllegalStateException("second");
        }

        String third() {
            return "third";
        }
    }

    @Test
    @Logs("Chain.first.*its fallback second has @Protected, too")
    void aFallbackWithAPipelineOfItsOwnIsWarnedOf() {
        runner.withBean(Chain.class)
                .run(context -> assertThatThrownBy(context.getBean(Chain.class)::first)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("second"));
    }

    static class ForSomeErrors {
        @Protected(value = "inventory", fallback = "none")
        public Integer now() {
            return -1;
        }

        Integer none(UncheckedIOException error) {
            return 7;
        }

        @Protected(value = "inventory", fallback = "later")
        public CompletableFuture<Integer> later() {
            return CompletableFuture.completedFuture(-1);
        }

        CompletableFuture<Integer> later(UncheckedIOException error) {
            return CompletableFuture.completedFuture(7);
        }

        @Protected(value = "inventory", fallback = "reactive")
        public Mono<Integer> reactive() {
            return Mono.just(-1);
        }

        Mono<Integer> reactive(UncheckedIOException error) {
            return Mono.just(7);
        }
    }

    @Test
    void aValueForWhichThereIsNoFallbackIsReturned() {
        Classifier strict = (value, error) ->
                error != null || Integer.valueOf(-1).equals(value) ? Verdict.FAILURE : Verdict.SUCCESS;
        runner.withBean(ForSomeErrors.class)
                .withBean("strict", Classifier.class, () -> strict)
                .withPropertyValues("holdfast.pipelines.inventory.classifier=strict")
                .run(context -> {
                    ForSomeErrors bean = context.getBean(ForSomeErrors.class);
                    assertThat(bean.now()).isEqualTo(-1);
                    assertThat(bean.later().join()).isEqualTo(-1);
                    assertThat(bean.reactive().block()).isEqualTo(-1);
                });
    }

    static class Base {
        public String stock(String sku) {
            return sku;
        }
    }

    static class Overloaded extends Base {
        @Override
        @Protected(value = "inventory", fallback = "stock")
        public String stock(String sku) {
            throw new IllegalStateException("down");
        }

        @SuppressWarnings("unused") // by its name
        String stock(String sku, Throwable error) {
            return "any of " + sku + ": " + error.getMessage();
        }
    }

    @Test
    void aMethodOfTheSameNameIsAFallback() {
        runner.withBean(Overloaded.class)
                .run(context ->
                        assertThat(context.getBean(Overloaded.class).stock("a")).isEqualTo("any of a: down"));
    }

    /** With the types of resilience4j, which are on the class path of the breaker. */
    static class Migrated {
        @Protected(value = "limited", fallback = "none")
        public String stock() {
            throw new IllegalStateException("down");
        }

        String none(CallNotPermittedException error) {
            return "the breaker is open";
        }

        String none(BulkheadFullException error) {
            return "the bulkhead is full";
        }

        String none(RequestNotPermitted error) {
            return "too many calls";
        }

        String none(TimeoutException error) {
            return "too late";
        }
    }

    @Test
    @Logs({
        "Migrated.stock.*CallNotPermittedException, which no policy .*CallRejectedException, whose reason.. is CIRCUIT_OPEN",
        "Migrated.stock.*BulkheadFullException, which no policy .*CallRejectedException, whose reason.. is BULKHEAD_FULL",
        "Migrated.stock.*RequestNotPermitted, which no policy .*CallRejectedException, whose reason.. is THROTTLED",
        "Migrated.stock.*TimeoutException, which no policy .*expected dev.holdfast.CallTimeoutException"
    })
    void fallbacksForErrorsOfResilience4jAreWarnedOf() {
        runner.withBean(Migrated.class)
                .withPropertyValues(
                        "holdfast.pipelines.limited.timeout=1s",
                        "holdfast.pipelines.limited.fallback.only-of-operations=true")
                .run(context -> assertThatThrownBy(context.getBean(Migrated.class)::stock)
                        .isInstanceOf(IllegalStateException.class));
    }

    /** The one is the method's own, beside the other there is one for what Holdfast throws, and the third has no limit. */
    static class Mixed {
        @Protected(value = "limited", fallback = "none")
        public String late() throws TimeoutException {
            throw new TimeoutException("its own");
        }

        String none(TimeoutException error) {
            return "too late";
        }

        @Protected(value = "limited", fallback = "full")
        public String stock() {
            throw new CallRejectedException(Reason.BULKHEAD_FULL, "other", "bulkhead", "full", -1, null);
        }

        String full(BulkheadFullException error) {
            return "full, as resilience4j says";
        }

        String full(CallRejectedException error) {
            return "full";
        }

        @Protected(value = "unlimited", fallback = "none")
        public String unlimited() {
            return "live";
        }
    }

    @Test
    void fallbacksForErrorsThatMayComeAreNotWarnedOf() {
        runner.withBean(Mixed.class)
                .withPropertyValues(
                        "holdfast.pipelines.limited.timeout=1s",
                        "holdfast.pipelines.limited.fallback.only-of-operations=true",
                        "holdfast.pipelines.unlimited.fallback.only-of-operations=true")
                .run(context -> {
                    Mixed mixed = context.getBean(Mixed.class);
                    assertThat(mixed.late()).isEqualTo("too late");
                    assertThat(mixed.stock()).isEqualTo("full");
                    assertThat(mixed.unlimited()).isEqualTo("live");
                });
    }

    static class Sender {
        private final AtomicInteger calls = new AtomicInteger();
        private final CompletableFuture<Integer> done = new CompletableFuture<>();

        public CompletableFuture<Integer> done() {
            return done;
        }

        @Async
        @Protected("inventory")
        public void send() {
            if (calls.incrementAndGet() < 3) {
                throw new IllegalStateException("by intent");
            }
            done.complete(calls.get());
        }

        @Async
        @Protected("inventory")
        public CompletableFuture<@Nullable String> ask() {
            return calls.incrementAndGet() < 3
                    ? CompletableFuture.failedFuture(new IllegalStateException("by intent"))
                    : CompletableFuture.completedFuture(Thread.currentThread().getName());
        }
    }

    /** Where its post-processor is registered first, and where it is registered last. */
    @Test
    void thePipelineIsInsideOfAsync() {
        for (int order : new int[] {Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            runner.withBean(AsyncAnnotationBeanPostProcessor.class, () -> {
                        AsyncAnnotationBeanPostProcessor async = new AsyncAnnotationBeanPostProcessor();
                        async.setOrder(order);
                        return async;
                    })
                    .withBean("one", Sender.class)
                    .withBean("two", Sender.class)
                    .run(context -> {
                        Sender one = context.getBean("one", Sender.class);
                        one.send();
                        assertThat(one.done().get(1, TimeUnit.MINUTES)).isEqualTo(3);
                        assertThat(context.getBean("two", Sender.class).ask().get(1, TimeUnit.MINUTES))
                                .isNotEqualTo(Thread.currentThread().getName());
                    });
        }
    }

    /** As those of {@code @KafkaListener} and {@code @RabbitListener}: last, and the application's before a starter's. */
    static final class Listeners implements BeanPostProcessor, Ordered {
        private @Nullable OfFuture noted;

        @Override
        public int getOrder() {
            return LOWEST_PRECEDENCE;
        }

        @Override
        public Object postProcessAfterInitialization(Object bean, String name) {
            if (bean instanceof OfFuture found) {
                noted = found;
            }
            return bean;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class WithListeners {
        @Bean
        static Listeners listeners() {
            return new Listeners();
        }
    }

    @Test
    void aListenerThatIsNotedAtTheEndHasItsPipeline() {
        // The application's own come first.
        new ApplicationContextRunner()
                .withUserConfiguration(WithListeners.class)
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues(
                        "holdfast.pipelines.inventory.retry.max-attempts=3",
                        "holdfast.pipelines.inventory.retry.backoff.initial=1ms")
                .withBean(OfFuture.class)
                .run(context -> {
                    OfFuture noted = Objects.requireNonNull(context.getBean(Listeners.class).noted, "noted");
                    assertThatThrownBy(() -> noted.load().join()).hasCauseInstanceOf(IllegalStateException.class);
                    assertThat(noted.calls()).isEqualTo(3);
                });
    }

    /** As Spring Framework 7 does for {@code @Retryable} and {@code @ConcurrencyLimit}. */
    static final class OtherAdvice extends AbstractAdvisingBeanPostProcessor {
        private static final long serialVersionUID = 1L;
        private final AtomicInteger calls = new AtomicInteger();

        OtherAdvice(int order) {
            setOrder(order);
            setBeforeExistingAdvisors(true);
            Pointcut protectedMethods = new AnnotationMatchingPointcut(null, Protected.class, true);
            advisor = new DefaultPointcutAdvisor(protectedMethods, (MethodInterceptor) invocation -> {
                calls.incrementAndGet();
                return invocation.proceed();
            });
        }
    }

    /** Each attempt is a whole one. */
    @Test
    void thePipelineIsOutsideOfOtherAdvice() {
        for (int order : new int[] {Integer.MIN_VALUE, 0, Integer.MAX_VALUE - 10, Integer.MAX_VALUE - 1}) {
            runner.withBean(OtherAdvice.class, () -> new OtherAdvice(order))
                    .withBean(OfFuture.class)
                    .run(context -> {
                        OfFuture bean = context.getBean(OfFuture.class);
                        AtomicInteger advised = context.getBean(OtherAdvice.class).calls;
                        advised.set(0);
                        assertThatThrownBy(() -> bean.load().join()).hasCauseInstanceOf(IllegalStateException.class);
                        assertThat(advised).as("order %s", order).hasValue(3);
                    });
        }
    }

    static class WrongKeys {
        @Protected(value = "inventory", key = "#sku.length()")
        public String now(@Nullable String sku) {
            return "now";
        }

        @Protected(value = "inventory", key = "#sku.length()")
        public CompletableFuture<String> later(@Nullable String sku) {
            return CompletableFuture.completedFuture("later");
        }

        @Protected(value = "inventory", key = "#sku.length()")
        public Mono<String> reactive(@Nullable String sku) {
            return Mono.just("reactive");
        }

        @Protected(value = "inventory", key = "#sku.length()")
        public Flux<String> many(@Nullable String sku) {
            return Flux.just("many");
        }
    }

    @Test
    void aKeyThatFailsEndsTheCallAsTheMethodEndsIt() {
        String message = "the key '#sku.length()' failed";
        runner.withBean(WrongKeys.class).run(context -> {
            WrongKeys bean = context.getBean(WrongKeys.class);
            assertThatThrownBy(() -> bean.now(null)).hasMessageContaining(message);
            CompletableFuture<String> later = bean.later(null);
            assertThatThrownBy(later::join).cause().hasMessageContaining(message);
            Mono<String> reactive = bean.reactive(null);
            assertThatThrownBy(reactive::block).hasMessageContaining(message);
            Flux<String> many = bean.many(null);
            assertThatThrownBy(many::blockLast).hasMessageContaining(message);
        });
    }

    // ---- work that comes later

    /** What has the results of {@code T}. */
    interface OfLater<T> {
        DeferredResult<String> deferred();

        WebAsyncTask<String> task();

        ResponseBodyEmitter emitter();

        StreamingResponseBody body();

        ResponseEntity<StreamingResponseBody> bodyWithHeaders();

        HttpEntity<Mono<String>> mono();

        HttpEntity<T> ofTheBean();

        Optional<CompletableFuture<String>> perhaps();

        Supplier<String> supplier();

        Iterator<String> iterator();
    }

    interface OfStages extends OfLater<CompletableFuture<String>> {}

    /** As Spring Data's. */
    interface Page extends Iterable<String>, Supplier<Stream<String>> {}

    interface OfNow {
        Page page();

        ResponseEntity<Page> pageWithHeaders();

        ResponseEntity<String> response();

        ResponseEntity<?> anything();

        Optional<List<String>> perhaps();

        List<String> list();
    }

    @Test
    void aResultWhoseWorkComesLaterIsRefused() {
        for (Method method : OfLater.class.getDeclaredMethods()) {
            assertThatThrownBy(() -> Way.of(method, OfStages.class))
                    .as(method.getName())
                    .hasMessageMatching("returns \\w+( with \\w+)?; expected a value, .*");
        }
        for (Method method : OfNow.class.getDeclaredMethods()) {
            assertThat(Way.of(method, OfNow.class)).as(method.getName()).isInstanceOf(Way.Blocking.class);
        }
    }
}
