/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.config.Holdfast;
import dev.holdfast.testlogs.Logs;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Scope;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ResponseEntity;
import org.springframework.web.client.HttpClientErrorException;
import org.springframework.web.client.HttpServerErrorException;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

/** Methods with {@link Protected}. */
@Logs(
        value = {"failed calls are not repeated", "after its limit"},
        sometimes = true)
class ProtectedTest {
    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
            .withPropertyValues(
                    "holdfast.pipelines.inventory.retry.max-attempts=3",
                    "holdfast.pipelines.inventory.retry.backoff.initial=1ms",
                    "holdfast.pipelines.inventory.fallback.only-of-operations=true",
                    "holdfast.pipelines.inventory.stale-cache.fresh=1h",
                    "holdfast.pipelines.slow.timeout=50ms",
                    "holdfast.pipelines.narrow.bulkhead.max-concurrent-calls=1",
                    "holdfast.pipelines.narrow.bulkhead.max-wait=0s");

    static class Inventory {
        private final AtomicInteger calls = new AtomicInteger();
        private final CountDownLatch inside = new CountDownLatch(1);
        private final CountDownLatch end = new CountDownLatch(1);

        // A proxy has no fields.

        public AtomicInteger calls() {
            return calls;
        }

        public CountDownLatch inside() {
            return inside;
        }

        public CountDownLatch end() {
            return end;
        }

        @Protected("inventory")
        public String stock(String sku) throws IOException {
            return secondTime(sku);
        }

        private String secondTime(String answer) throws IOException {
            if (calls.incrementAndGet() % 2 == 1) {
                throw new IOException("the first time");
            }
            return answer + calls;
        }

        @Protected("inventory")
        public CompletionStage<String> stockLater(String sku) {
            try {
                return CompletableFuture.completedFuture(secondTime(sku));
            } catch (IOException e) {
                return CompletableFuture.failedFuture(e);
            }
        }

        @Protected(value = "inventory", key = "#user.length()")
        public String byLength(String user) {
            return user + calls.incrementAndGet();
        }

        @Protected(value = "inventory", key = "#name")
        public String byName(@Nullable String name) {
            return name + calls.incrementAndGet();
        }

        @Protected(value = "inventory", idempotent = false)
        public String order(String sku) throws IOException {
            return secondTime(sku);
        }

        @Protected(value = "inventory", priority = Call.Priority.SHEDDABLE, key = "null")
        public String banner() {
            return Call.Priority.current().name();
        }

        @Protected(value = "inventory", fallback = "instead")
        public String broken(String sku) throws IOException {
            throw new IOException(sku);
        }

        @Protected(value = "inventory", fallback = "instead")
        public String forbidden(String sku) {
            throw new IllegalStateException(sku);
        }

        String instead(String sku, Throwable error) {
            return "any of " + sku + ": " + error.getMessage();
        }

        @SuppressWarnings("unused") // by its name
        private String instead(String sku, IOException error) {
            return "unreadable " + error.getMessage();
        }

        @Protected(value = "inventory", fallback = "insteadLater")
        public CompletableFuture<String> brokenLater(String sku) {
            return CompletableFuture.failedFuture(new IOException(sku));
        }

        CompletableFuture<String> insteadLater(String sku) {
            return CompletableFuture.completedFuture("later " + sku);
        }

        @Protected("slow")
        public String hangs() throws InterruptedException {
            end.await();
            return "never";
        }

        @Protected("slow")
        public CompletableFuture<String> hangsLater() {
            return new CompletableFuture<>();
        }

        @Protected("narrow")
        public String alone() throws InterruptedException {
            inside.countDown();
            end.await();
            return "alone";
        }
    }

    /** Its answers must not be the other's. */
    static class Prices {
        @Protected("inventory")
        public String stock(String sku) {
            return "price of " + sku;
        }

        @Protected("inventory")
        public String byLength(String user) {
            return "price for " + user;
        }
    }

    private void with(CheckedConsumer<Inventory> test) {
        runner.withBean(Inventory.class).run(context -> test.accept(context.getBean(Inventory.class)));
    }

    private interface CheckedConsumer<T> {
        void accept(T value) throws Exception;
    }

    @Test
    void aMethodIsCalledForEachAttempt() {
        with(inventory -> assertThat(inventory.stock("a")).isEqualTo("a2"));
    }

    @Test
    void soIsOneWithAStage() {
        with(inventory -> assertThat(
                        inventory.stockLater("a").toCompletableFuture().get(1, TimeUnit.MINUTES))
                .isEqualTo("a2"));
    }

    @Test
    void oneThatIsNotIdempotentIsCalledOnceAndThrowsWhatItThrew() {
        with(inventory -> {
            assertThatThrownBy(() -> inventory.order("a"))
                    .isInstanceOf(IOException.class)
                    .hasMessage("the first time");
            assertThat(inventory.calls()).hasValue(1);
        });
    }

    @Test
    void aPriorityIsThatOfTheCallsAndOfWhatIsInside() {
        with(inventory -> {
            assertThat(inventory.banner()).isEqualTo("SHEDDABLE");
            assertThat(Call.Priority.CRITICAL.around(inventory::banner)).isEqualTo("SHEDDABLE");
        });
    }

    @Test
    void argumentsAreTheKeyOfTheStaleCache() {
        with(inventory -> {
            assertThat(inventory.stock("a")).isEqualTo("a2");
            assertThat(inventory.stock("a")).isEqualTo("a2");
            assertThat(inventory.stock("b")).isEqualTo("b4");
        });
    }

    @Test
    void theKeyMayBeAnExpression() {
        with(inventory -> {
            assertThat(inventory.byLength("ann")).isEqualTo("ann1");
            assertThat(inventory.byLength("bob")).isEqualTo("ann1");
            assertThat(inventory.byLength("eve and bob")).isEqualTo("eve and bob2");
        });
    }

    @Test
    void methodsOfOneNameInTwoBeansShareNoAnswer() {
        runner.withBean(Inventory.class).withBean(Prices.class).run(context -> {
            assertThat(context.getBean(Inventory.class).stock("a")).isEqualTo("a2");
            assertThat(context.getBean(Prices.class).stock("a")).isEqualTo("price of a");
        });
    }

    @Test
    void theFallbackForTheNearestErrorAnswers() {
        with(inventory -> {
            assertThat(inventory.broken("a")).isEqualTo("unreadable a");
            assertThat(inventory.forbidden("a")).isEqualTo("any of a: a");
            assertThat(inventory.brokenLater("a").get(1, TimeUnit.MINUTES)).isEqualTo("later a");
        });
    }

    @Test
    void aTimeoutStrikes() {
        with(inventory -> {
            assertThatThrownBy(inventory::hangs).isInstanceOf(CallTimeoutException.class);
            assertThatThrownBy(() -> inventory.hangsLater().join())
                    .isInstanceOf(CompletionException.class)
                    .hasCauseInstanceOf(CallTimeoutException.class);
        });
    }

    @Test
    void aFullBulkheadRejects() {
        with(inventory -> {
            CompletableFuture<String> first = CompletableFuture.supplyAsync(() -> {
                try {
                    return inventory.alone();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThat(inventory.inside().await(1, TimeUnit.MINUTES)).isTrue();
            assertThatThrownBy(inventory::alone).isInstanceOf(CallRejectedException.class);
            inventory.end().countDown();
            assertThat(first.get(1, TimeUnit.MINUTES)).isEqualTo("alone");
        });
    }

    // ---- whose answers they are

    static class OfTenant {
        private final String tenant;

        OfTenant(String tenant) {
            this.tenant = tenant;
        }

        @Protected(value = "inventory", key = "#sku")
        public String stock(String sku) {
            return sku + " of " + tenant;
        }

        @Protected("inventory")
        public String any(String... skus) {
            return String.join("+", skus) + System.nanoTime();
        }

        @Protected(value = "inventory", key = "#p0")
        public String keyed(int[] skus, String user) {
            return Arrays.toString(skus) + " for " + user;
        }
    }

    static class OfTenants {
        private static final AtomicInteger MADE = new AtomicInteger();

        @Bean
        OfTenant red() {
            return new OfTenant("red");
        }

        @Bean
        OfTenant blue() {
            return new OfTenant("blue");
        }

        @Bean
        @Scope("prototype")
        OfTenant each() {
            return new OfTenant("number " + MADE.incrementAndGet());
        }
    }

    @Test
    @Logs("bean 'each' is no singleton")
    void beansOfOneClassShareNoAnswer() {
        runner.withUserConfiguration(OfTenants.class).run(context -> {
            OfTenant red = context.getBean("red", OfTenant.class);
            OfTenant blue = context.getBean("blue", OfTenant.class);
            assertThat(red.stock("a")).isEqualTo("a of red");
            assertThat(blue.stock("a")).isEqualTo("a of blue");
            OfTenant first = context.getBean("each", OfTenant.class);
            OfTenant second = context.getBean("each", OfTenant.class);
            assertThat(first.stock("a")).isNotEqualTo(second.stock("a"));
        });
    }

    @Test
    @Logs("bean 'each' is no singleton")
    void arraysAreKeysByWhatIsInThem() {
        runner.withUserConfiguration(OfTenants.class).run(context -> {
            context.getBean("each");
            OfTenant red = context.getBean("red", OfTenant.class);
            assertThat(red.any("a", "b")).isEqualTo(red.any("a", "b")).isNotEqualTo(red.any("b", "a"));
            assertThat(red.keyed(new int[] {1, 2}, "ann")).isEqualTo("[1, 2] for ann");
            assertThat(red.keyed(new int[] {1, 2}, "bob")).isEqualTo("[1, 2] for ann");
            assertThat(red.keyed(new int[] {2, 1}, "bob")).isEqualTo("[2, 1] for bob");
        });
    }

    // ---- what clients of Spring throw

    static class Remote {
        private final List<Integer> statuses = new ArrayList<>();

        public List<Integer> statuses() {
            return statuses;
        }

        @Protected("remote")
        public String get(int status) {
            statuses.add(status);
            throw HttpClientErrorException.create(
                    HttpStatusCode.valueOf(status), "by intent", new HttpHeaders(), new byte[0], null);
        }

        @Protected("remote")
        public String wrapped(int status) {
            statuses.add(status);
            throw new IllegalStateException(HttpServerErrorException.create(
                    HttpStatusCode.valueOf(status), "by intent", new HttpHeaders(), new byte[0], null));
        }
    }

    @Test
    void aResponseThatIsThrownMeansWhatHttpSaysOfIt() {
        runner.withBean(Remote.class)
                .withPropertyValues(
                        "holdfast.pipelines.remote.retry.max-attempts=2",
                        "holdfast.pipelines.remote.retry.backoff.initial=1ms",
                        "holdfast.pipelines.remote.retry.budget.enabled=false",
                        "holdfast.pipelines.remote.classifier.failures[0]=418")
                .run(context -> {
                    Remote remote = context.getBean(Remote.class);
                    for (int status : new int[] {404, 408, 418}) {
                        assertThatThrownBy(() -> remote.get(status)).isInstanceOf(HttpClientErrorException.class);
                    }
                    assertThatThrownBy(() -> remote.wrapped(500)).isInstanceOf(IllegalStateException.class);
                    assertThat(remote.statuses()).containsExactly(404, 408, 408, 418, 418, 500, 500);
                });
    }

    /** Such as the lists that {@code migrate} writes: a class says nothing of the time. */
    @ParameterizedTest
    @ValueSource(strings = {"failures", "pushbacks"})
    void aListedExceptionWithAStatusOfPushbackIsAPushbackForItsTime(String list) {
        try (Holdfast holdfast = Holdfast.builder()
                .load("lists", new ByteArrayInputStream("""
                        pipelines:
                          remote:
                            retry:
                            classifier:
                              %s: [org.springframework.web.client.HttpServerErrorException]
                        """.formatted(list).getBytes(StandardCharsets.UTF_8)))) {
            Classifier thrown = ThrownResponses.of(holdfast.pipeline("remote"));
            HttpHeaders later = new HttpHeaders();
            later.set("Retry-After", "7");
            assertThat(thrown.classify(null, error(503, later)).retryAfterNanos())
                    .isEqualTo(TimeUnit.SECONDS.toNanos(7));
            assertThat(thrown.classify(null, error(503, later)).outcome()).isEqualTo(Outcome.PUSHBACK);
            Outcome said = list.equals("failures") ? Outcome.FAILURE : Outcome.PUSHBACK;
            assertThat(thrown.classify(null, error(500, new HttpHeaders())).outcome())
                    .isEqualTo(said);
        }
    }

    private static HttpServerErrorException error(int status, HttpHeaders headers) {
        return HttpServerErrorException.create(HttpStatusCode.valueOf(status), "by intent", headers, new byte[0], null);
    }

    // ---- mistakes

    private void refuses(Class<?> type, String... parts) {
        runner.withBean(type).run(context -> {
            StringBuilder all = new StringBuilder();
            for (Throwable cause = context.getStartupFailure(); cause != null; cause = cause.getCause()) {
                all.append(cause.getMessage()).append('\n');
            }
            assertThat(all).as(type.getSimpleName()).contains(parts);
        });
    }

    static class NoSuchPipeline {
        @Protected("inventroy")
        public String stock(String sku) {
            return sku;
        }
    }

    static class NoSuchFallback {
        @Protected(value = "inventory", fallback = "unknown")
        public String stock(String sku) {
            return sku;
        }
    }

    static class WrongFallback {
        @Protected(value = "inventory", fallback = "unknown")
        public String stock(String sku) {
            return sku;
        }

        Integer unknown(String sku) {
            return sku.length();
        }
    }

    static class NobodyAsks {
        @Protected(value = "slow", fallback = "unknown")
        public String stock(String sku) {
            return sku;
        }

        String unknown(String sku) {
            return sku;
        }
    }

    static class NoExpression {
        @Protected(value = "inventory", key = "#sku..")
        public String stock(String sku) {
            return sku;
        }
    }

    static class NoSuchName {
        @Protected(value = "inventory", key = "#sku + #shop")
        public String stock(String sku) {
            return sku;
        }
    }

    static class NoSuchNumber {
        @Protected(value = "inventory", key = "#p1")
        public String stock(String sku) {
            return sku;
        }
    }

    static class NameWithoutParameters {
        @Protected(value = "inventory", key = "#nope == null ? 1 : 2")
        public String stock() {
            return "";
        }
    }

    static class NumberWithoutParameters {
        @Protected(value = "inventory", key = "#p0")
        public String stock() {
            return "";
        }
    }

    static class OfABean {
        @Protected(value = "inventory", key = "@tenants.current() + #sku")
        public String stock(String sku) {
            return sku;
        }
    }

    static class OfAFunction {
        @Protected(value = "inventory", key = "#lower(#sku)")
        public String stock(String sku) {
            return sku;
        }
    }

    static class ForgottenSign {
        @Protected(value = "inventory", key = "sku")
        public String stock(String sku) {
            return sku;
        }
    }

    static class AsOfSpringsCache {
        @Protected(value = "inventory", key = "'of ' + #root.args[0]")
        public String stock(String sku) {
            return sku;
        }
    }

    static class MethodAsOfSpringsCache {
        @Protected(value = "inventory", key = "#root?.getArgs()")
        public String stock(String sku) {
            return sku;
        }
    }

    static class OfItself {
        public final String country = "de";
        public final Map<String, String> more = Map.of("args", "1");

        public String getTenant() {
            return "ann";
        }

        public String shop(String sku) {
            return "shop of " + sku;
        }

        @Protected(
                value = "inventory",
                key = "#root.tenant + #root.country + #root.shop(#sku) + #root.more['args'] + #root.hashCode() + #root")
        public String stock(String sku) {
            return sku;
        }
    }

    @Test
    void theKeyMayHaveWhatTheBeanHas() {
        runner.withBean(OfItself.class)
                .run(context ->
                        assertThat(context.getBean(OfItself.class).stock("a")).isEqualTo("a"));
    }

    static class ThrowingFallback {
        @Protected(value = "inventory", fallback = "instead")
        public String stock(String sku) {
            return sku;
        }

        String instead(String sku) throws IOException {
            throw new IOException(sku);
        }
    }

    static class ItsOwnFallback {
        @Protected(value = "inventory", fallback = "stock")
        public String stock(String sku) {
            return sku;
        }
    }

    static class Placeholder {
        @Protected("${which:inventory}")
        public String stock(String sku) {
            return sku;
        }
    }

    static class PlainFuture {
        @Protected("inventory")
        public Future<String> stock(String sku) {
            return CompletableFuture.completedFuture(sku);
        }
    }

    static class Hidden {
        @Protected("inventory")
        private String stock(String sku) {
            return sku;
        }

        public String any() {
            return stock("a");
        }
    }

    static class Last {
        @Protected("inventory")
        public final String stock(String sku) {
            return sku;
        }
    }

    static class TwoPriorities {
        @Protected(
                value = "inventory",
                priority = {Call.Priority.CRITICAL, Call.Priority.DEFAULT})
        public String stock(String sku) {
            return sku;
        }
    }

    static class Emitting {
        @Protected("inventory")
        public ResponseEntity<SseEmitter> stock(String sku) {
            return ResponseEntity.ok(new SseEmitter());
        }
    }

    @Test
    void mistakesEndTheStart() {
        refuses(TwoPriorities.class, "TwoPriorities.stock", "priority: has [CRITICAL, DEFAULT]; expected one");
        refuses(NoSuchPipeline.class, "NoSuchPipeline.stock", "did you mean 'inventory'?");
        refuses(NoSuchFallback.class, "fallback", "has no method unknown", "String unknown(String, Throwable)");
        refuses(WrongFallback.class, "does not fit", "String unknown(String, Throwable)");
        refuses(NobodyAsks.class, "fallback", "'slow'", "only-of-operations: true");
        refuses(NoExpression.class, "key", "#sku..");
        refuses(NoSuchName.class, "has #shop; expected one of [sku]");
        refuses(NoSuchNumber.class, "has #p1; expected one of [sku]; the method has 1 argument, from #p0");
        refuses(NameWithoutParameters.class, "has #nope, and the method has no parameters\n");
        refuses(NumberWithoutParameters.class, "has #p0, and the method has no parameters\n");
        refuses(OfABean.class, "has @tenants, and knows neither beans nor functions");
        refuses(OfAFunction.class, "has #lower(#sku), and knows neither beans nor functions");
        refuses(ForgottenSign.class, "did you mean #sku?");
        refuses(
                AsOfSpringsCache.class,
                "has args of #root, which is the bean",
                "AsOfSpringsCache has none; expected an argument, by its name or as #p0 or #a0");
        refuses(MethodAsOfSpringsCache.class, "has getArgs() of #root, which is the bean");
        refuses(ThrowingFallback.class, "throws IOException, which the method does not declare");
        refuses(ItsOwnFallback.class, "fallback", "the method itself");
        refuses(PlainFuture.class, "returns Future", "a CompletionStage");
        refuses(Emitting.class, "returns ResponseEntity with SseEmitter", "a CompletionStage");
        refuses(Hidden.class, "private");
        refuses(Last.class, "final");
    }

    /** An application whose profile is not active must not run unprotected. */
    @Test
    void withoutAnyPipelineAProtectedMethodEndsTheStart() {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withBean(Inventory.class)
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("no property below holdfast.pipelines"));
    }

    @Test
    void theNameMayBeAPlaceholder() {
        runner.withBean(Placeholder.class)
                .run(context -> assertThat(context.getBean(Placeholder.class).stock("a"))
                        .isEqualTo("a"));
        runner.withBean(Placeholder.class)
                .withPropertyValues("which=nothing")
                .run(context ->
                        assertThat(context.getStartupFailure()).hasStackTraceContaining("no pipeline 'nothing'"));
    }

    @Test
    void aCallWhoseKeyIsNullHasNone() {
        with(inventory -> {
            assertThat(inventory.byName(null)).isEqualTo("null1");
            assertThat(inventory.byName(null)).isEqualTo("null2");
            assertThat(inventory.byName("a")).isEqualTo("a3");
            assertThat(inventory.byName("a")).isEqualTo("a3");
        });
    }

    // ---- calls from inside

    static class Talkative {
        @Protected("inventory")
        public String stock(String sku) {
            return sku;
        }

        public String order(String sku) {
            return stock(sku);
        }

        public List<String> orders(List<String> skus) {
            List<String> all = new ArrayList<>();
            skus.forEach(sku -> all.add(stock(sku)));
            return all;
        }

        public List<String> references(List<String> skus) {
            return skus.stream().map(this::stock).toList();
        }

        public String throughItsProxy(Talkative self) {
            return self.stock("a");
        }
    }

    @Test
    @Logs("from inside the bean: no proxy sees this call")
    void aCallFromInsideIsWarnedOf() throws Exception {
        assertThat(OwnCalls.in(Talkative.class, List.of(Talkative.class.getMethod("stock", String.class))))
                .containsExactly("order calls stock", "orders calls stock", "references calls stock");
        runner.withBean(Talkative.class)
                .run(context ->
                        assertThat(context.getBean(Talkative.class).order("a")).isEqualTo("a"));
    }

    interface Counting {
        @Protected("inventory")
        String count(String sku);

        default String twice(String sku) {
            return count(sku);
        }

        default String thrice(String sku) {
            return count(sku);
        }

        default String ofAnother(Counting other) {
            return other.count("a");
        }
    }

    abstract static class Template<T> {
        @Protected("inventory")
        public abstract String made(T from);

        @Protected("inventory")
        public String kept(T from) {
            return String.valueOf(from);
        }

        public String template(T from) {
            return made(from);
        }

        public String later(T from) {
            Supplier<String> made = () -> kept(from);
            return made.get();
        }

        public String atLast(T from) {
            Supplier<String> kept = () -> kept(from);
            return kept.get();
        }
    }

    static class OfTemplate extends Template<Integer> implements Counting {
        @Override
        public String made(Integer from) {
            return "made " + from;
        }

        @Override
        public String kept(Integer from) {
            return super.kept(from);
        }

        @Override
        public String atLast(Integer from) {
            return "at last " + from;
        }

        @Override
        public String count(String sku) {
            return sku;
        }

        @Override
        public String thrice(String sku) {
            return sku;
        }
    }

    @Test
    @Logs("OfTemplate: Counting.twice calls count from inside the bean")
    @Logs("OfTemplate: Template.later calls kept from inside the bean")
    @Logs("OfTemplate: Template.template calls made from inside the bean")
    void soIsOneThatStandsInASuperclassOrInAnInterface() throws Exception {
        assertThat(OwnCalls.in(
                        OfTemplate.class,
                        List.of(
                                OfTemplate.class.getMethod("made", Integer.class),
                                OfTemplate.class.getMethod("kept", Integer.class),
                                OfTemplate.class.getMethod("count", String.class))))
                .containsExactly(
                        "Counting.twice calls count", "Template.later calls kept", "Template.template calls made");
        runner.withBean(OfTemplate.class)
                .run(context -> assertThat(context.getBean(OfTemplate.class).template(1))
                        .isEqualTo("made 1"));
    }

    static class Past extends Talkative {
        @Override
        public String stock(String sku) {
            Supplier<String> stock = () -> super.stock(sku);
            return stock.get();
        }

        public String past(String sku) {
            return super.stock(sku);
        }

        public String pastLater(String sku, Past other) {
            Supplier<String> stock = () -> super.stock(sku) + other.stock(sku);
            return stock.get();
        }
    }

    @Test
    void soIsOneOfSuper() throws Exception {
        assertThat(OwnCalls.in(Past.class, List.of(Past.class.getMethod("stock", String.class))))
                .contains("past calls stock", "pastLater calls stock")
                .doesNotContain("stock calls stock");
    }

    static class Shop {
        private final String url;

        Shop(String url) {
            this.url = url;
        }

        @Protected("inventory")
        public String price(String sku) {
            return sku + " from " + url;
        }
    }

    @Test
    void aBeanThatTakesTheNameOfAnotherOneGetsNoneOfItsAnswers() {
        runner.run(context -> {
            GenericApplicationContext beans = (GenericApplicationContext) context.getSourceApplicationContext();
            beans.registerBean("shop", Shop.class, () -> new Shop("old"));
            assertThat(beans.getBean(Shop.class).price("a")).isEqualTo("a from old");
            beans.removeBeanDefinition("shop");
            beans.registerBean("shop", Shop.class, () -> new Shop("new"));
            assertThat(beans.getBean(Shop.class).price("a")).isEqualTo("a from new");
        });
    }

    @Test
    void aBeanThatWasTakenAwayIsNotHeld() {
        runner.run(context -> {
            GenericApplicationContext beans = (GenericApplicationContext) context.getSourceApplicationContext();
            beans.registerBean("shop", Shop.class, () -> new Shop("here"));
            WeakReference<Object> shop = new WeakReference<>(behind(beans.getBean(Shop.class)));
            beans.removeBeanDefinition("shop");
            for (int i = 0; i < 10 && shop.get() != null; i++) {
                System.gc();
            }
            assertThat(shop.get()).isNull();
        });
    }

    private static Object behind(Shop shop) {
        assertThat(shop.price("a")).isEqualTo("a from here");
        return Objects.requireNonNull(AopProxyUtils.getSingletonTarget(shop), "target");
    }
}
