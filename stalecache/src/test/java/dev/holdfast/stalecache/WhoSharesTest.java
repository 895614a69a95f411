/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CheckedFunction;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Calls share an answer only if it is right for all of them. */
@Logs("key-without-idempotence")
class WhoSharesTest {
    private static final String KEY = "a";

    private final VirtualTime time = new VirtualTime();
    private final StaleCachePolicy policy = StaleCachePolicy.of(b -> b.fresh(Duration.ofMinutes(1)));
    private final AtomicInteger asked = new AtomicInteger();
    private final ThreadLocal<String> user = new ThreadLocal<>();
    private Pipeline pipeline;

    @BeforeEach
    void open() {
        pipeline = Pipeline.builder("inventory").policies(policy).time(time).build();
    }

    @AfterEach
    void close() {
        pipeline.close();
        time.close();
    }

    private Object stock(String key) {
        return key + " " + asked.incrementAndGet();
    }

    private String helloOf(Object greeting) {
        return greeting + " " + user.get();
    }

    // ---- types

    @Test
    void operationsOfOneNameAndTwoTypesNeverMeet() {
        CheckedFunction<String, Integer, RuntimeException> age =
                pipeline.<Integer>operation("user").decorate(key -> 42);
        CheckedFunction<String, String, RuntimeException> name =
                pipeline.<String>operation("user").decorate(key -> "Ada");
        for (int i = 0; i < 2; i++) {
            int years = age.apply(KEY);
            String called = name.apply(KEY);
            assertThat(years).isEqualTo(42);
            assertThat(called).isEqualTo("Ada");
        }
    }

    @Test
    void functionsThatWereDecoratedBeforeShareOnlyIfThePipelineInsideIsTheSame() {
        Pipeline europe = Pipeline.builder("client").time(time).build();
        Pipeline america = Pipeline.builder("client").time(time).build();
        CheckedFunction<String, Integer, RuntimeException> here = pipeline.<Integer>operation("stock")
                .decorate(europe.<Integer>operation("stock").decorate(key -> 42));
        CheckedFunction<String, String, RuntimeException> there = pipeline.<String>operation("stock")
                .decorate(america.<String>operation("stock").decorate(key -> "many"));
        int few = here.apply(KEY);
        assertThat(few).isEqualTo(42);
        assertThat(there.apply(KEY)).isEqualTo("many");
        Function<String, CompletableFuture<Integer>> later = pipeline.<Integer>operation("late")
                .decorateAsync(
                        europe.<Integer>operation("late").decorateAsync(key -> CompletableFuture.completedFuture(42)));
        Function<String, CompletableFuture<String>> latest = pipeline.<String>operation("late")
                .decorateAsync(america.<String>operation("late")
                        .decorateAsync(key -> CompletableFuture.completedFuture("many")));
        assertThat(later.apply(KEY)).isCompletedWithValue(42);
        assertThat(latest.apply(KEY)).isCompletedWithValue("many");
    }

    private record Fetch<T>(T answer) implements CheckedFunction<String, T, RuntimeException> {
        @Override
        public T apply(String key) {
            return answer;
        }
    }

    /** One class, or one lambda inside the JDK, stands for two functions with two types. */
    @Test
    void functionsThatAreObjectsOfOneClassShareNothing() {
        int few = pipeline.<Integer>operation("stock").decorate(new Fetch<>(42)).apply(KEY);
        String many = pipeline.<String>operation("stock")
                .decorate(new Fetch<>("many"))
                .apply(KEY);
        assertThat(few).isEqualTo(42);
        assertThat(many).isEqualTo("many");
        Function<String, CompletableFuture<Object>> done = CompletableFuture::completedFuture;
        Function<String, CompletableFuture<Integer>> length =
                done.andThen(future -> future.thenApply(key -> key.toString().length()));
        Function<String, CompletableFuture<String>> text = done.andThen(future -> future.thenApply(Object::toString));
        CompletableFuture<Integer> one =
                pipeline.<Integer>operation("late").decorateAsync(length).apply(KEY);
        CompletableFuture<String> other =
                pipeline.<String>operation("late").decorateAsync(text).apply(KEY);
        assertThat(one).isCompletedWithValue(1);
        assertThat(other).isCompletedWithValue(KEY);
    }

    static Object many(Object key) {
        return key + " many";
    }

    static Object few(Object key) {
        return 42;
    }

    @SuppressWarnings("unchecked")
    private static CheckedFunction<String, Object, RuntimeException> proxy(String method)
            throws ReflectiveOperationException {
        MethodHandles.Lookup here = MethodHandles.lookup();
        return MethodHandleProxies.asInterfaceInstance(
                CheckedFunction.class,
                here.findStatic(WhoSharesTest.class, method, MethodType.methodType(Object.class, Object.class)));
    }

    /** Newer JVMs make one hidden class for an interface, whatever its objects call. */
    @Test
    void functionsThatTheJdkHasMadeOfMethodHandlesShareNothing() throws Exception {
        Object first =
                pipeline.<Object>operation("stock").decorate(proxy("few")).apply(KEY);
        Object second =
                pipeline.<Object>operation("stock").decorate(proxy("many")).apply(KEY);
        assertThat(first).isEqualTo(42);
        assertThat(second).isEqualTo(KEY + " many");
    }

    @Test
    void pipelinesOfOneNameThatShareACacheShareNoValue() {
        try (Pipeline other =
                Pipeline.builder("inventory").policies(policy).time(time).build()) {
            List<Object> answers = new ArrayList<>();
            for (Pipeline each : List.of(pipeline, other, pipeline, other)) {
                answers.add(each.operation("stock", o -> o.type(Object.class))
                        .key(KEY)
                        .call(attempt -> stock(KEY)));
            }
            assertThat(answers).containsExactly("a 1", "a 2", "a 1", "a 2");
        }
    }

    @Test
    void norDoTheirFlights() {
        CompletableFuture<Integer> age =
                time.spawn(() -> pipeline.<Integer>operation("user").key(KEY).call(attempt -> {
                    time.sleep(Duration.ofMillis(10));
                    return 42;
                }));
        CompletableFuture<String> name =
                time.spawn(() -> pipeline.<String>operation("user").key(KEY).call(attempt -> "Ada"));
        time.run();
        assertThat(age).isCompletedWithValue(42);
        assertThat(name).isCompletedWithValue("Ada");
    }

    @Test
    void operationThatIsMadeForEachCallSharesWithItself() {
        List<Object> answers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            answers.add(pipeline.operation("stock").key(KEY).call(attempt -> stock(KEY)));
        }
        assertThat(answers).containsExactly("a 1", "a 1", "a 1");
    }

    @Test
    void functionThatIsDecoratedTwiceSharesWithItself() {
        CheckedFunction<String, Object, RuntimeException> client = this::stock;
        assertThat(pipeline.operation("stock").decorate(client).apply(KEY)).isEqualTo("a 1");
        assertThat(pipeline.operation("stock").decorate(client).apply(KEY)).isEqualTo("a 1");
    }

    @Test
    void oneOperationSharesWhateverItRuns() {
        Operation<Object> stock = pipeline.operation("stock");
        Function<String, CompletableFuture<Object>> later =
                stock.decorateAsync(key -> CompletableFuture.completedFuture(stock(key)));
        assertThat(stock.decorate(this::stock).apply(KEY)).isEqualTo("a 1");
        assertThat(later.apply(KEY)).isCompletedWithValue("a 1");
        assertThat(stock.key(KEY).call(attempt -> stock(KEY))).isEqualTo("a 1");
    }

    @Test
    void operationsOfOneNameAndOneTypeShareWhereverTheyAreMade() {
        Operation<Object> here = pipeline.operation("stock", o -> o.type(Object.class));
        Operation<Object> there = pipeline.operation("stock", o -> o.type(Object.class));
        Operation<Object> other = pipeline.operation("price", o -> o.type(Object.class));
        assertThat(here.decorate(this::stock).apply(KEY)).isEqualTo("a 1");
        assertThat(there.decorate((String key) -> stock(key)).apply(KEY)).isEqualTo("a 1");
        assertThat(other.decorate(this::stock).apply(KEY)).isEqualTo("a 2");
    }

    // ---- users

    @Test
    void decoratedFunctionWithAPartitionGivesNobodyTheAnswerOfAnother() throws Exception {
        CheckedFunction<String, String, RuntimeException> hello =
                pipeline.<String>operation("hello").decorate(this::helloOf, user::get);
        Function<String, CompletableFuture<String>> later = pipeline.<String>operation("hello")
                .decorateAsync(key -> CompletableFuture.completedFuture(helloOf(key)), user::get);
        for (String who : List.of("Ada", "Grace", "Ada")) {
            user.set(who);
            assertThat(hello.apply("Hello")).isEqualTo("Hello " + who);
            assertThat(later.apply("Hello")).isCompletedWithValue("Hello " + who);
        }
        assertThat(policy.size()).isEqualTo(4);
    }

    @Test
    void partitionThatIsNotThereIsAnErrorAndNoSharedPlace() {
        CheckedFunction<String, String, RuntimeException> hello =
                pipeline.<String>operation("hello").decorate(this::helloOf, user::get);
        Function<String, CompletableFuture<String>> later = pipeline.<String>operation("hello")
                .decorateAsync(key -> CompletableFuture.completedFuture(helloOf(key)), user::get);
        assertThatThrownBy(() -> hello.apply("Hello"))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("the partition of a call through");
        assertThat(Running.errorOf(later.apply("Hello"))).hasMessageContaining("the partition of a call through");
    }

    // ---- what may not be done twice

    @Test
    void callsThatAreNotIdempotentAreNeitherJoinedNorAnsweredFromMemory() {
        AtomicInteger charged = new AtomicInteger();
        Operation<String> pay = pipeline.operation("pay", o -> o.idempotent(false));
        List<CompletableFuture<String>> all = new ArrayList<>();
        for (int amount : new int[] {10, 20, 30}) {
            all.add(time.spawn(() -> pay.key("account").call(attempt -> {
                time.sleep(Duration.ofMillis(10));
                charged.addAndGet(amount);
                return "charged " + amount;
            })));
            all.add(pay.key("account").callAsync(attempt -> {
                charged.addAndGet(amount);
                return CompletableFuture.completedFuture("charged " + amount);
            }));
        }
        time.run();
        assertThat(charged).hasValue(120);
        assertThat(all)
                .extracting(CompletableFuture::join)
                .containsExactly("charged 10", "charged 10", "charged 20", "charged 20", "charged 30", "charged 30");
        assertThatThrownBy(() -> pay.key("account").call(attempt -> {
                    throw new IllegalStateException("declined");
                }))
                .hasMessage("declined");
        assertThat(policy.size()).isZero();
        assertThat(pipeline.warnings())
                .singleElement()
                .asString()
                .startsWith("key-without-idempotence: calls of 'pay'");
    }

    @Test
    void oneCallThatIsNotIdempotentPassesByToo() {
        Operation<Object> stock = pipeline.operation("stock");
        assertThat(stock.key(KEY).call(attempt -> stock(KEY))).isEqualTo("a 1");
        assertThat(stock.key(KEY).idempotent(false).call(attempt -> stock(KEY))).isEqualTo("a 2");
        assertThat(stock.key(KEY).call(attempt -> stock(KEY))).isEqualTo("a 1");
    }

    // ---- what is to be forgotten

    @Test
    void whatIsInvalidatedIsAskedForAgainAndNothingElse() {
        CheckedFunction<String, Object, RuntimeException> lookup =
                pipeline.operation("stock").decorate(this::stock);
        CheckedFunction<String, Object, RuntimeException> mine =
                pipeline.operation("mine").decorate(this::stock, () -> "tenant");
        lookup.apply("a");
        lookup.apply("b");
        mine.apply("a");
        policy.invalidate("a");
        assertThat(lookup.apply("b")).isEqualTo("b 2");
        assertThat(lookup.apply("a")).isEqualTo("a 4");
        assertThat(mine.apply("a")).isEqualTo("a 5");
    }

    @Test
    void loadThatWasUnderWayIsDeliveredButNeitherJoinedNorKept() {
        Operation<Object> stock = pipeline.operation("stock");
        CompletableFuture<Object> before = time.spawn(() -> stock.key(KEY).call(attempt -> {
            Object read = stock(KEY);
            time.sleep(Duration.ofMillis(10));
            return read;
        }));
        time.advance(Duration.ZERO);
        policy.invalidate(KEY);
        CompletableFuture<Object> after = time.spawn(() -> stock.key(KEY).call(attempt -> {
            Object read = stock(KEY);
            time.sleep(Duration.ofMillis(20));
            return read;
        }));
        time.run();
        assertThat(before).isCompletedWithValue("a 1");
        assertThat(after).isCompletedWithValue("a 2");
        assertThat(stock.key(KEY).call(attempt -> stock(KEY))).isEqualTo("a 2");
        assertThat(policy.underWay()).isZero();
    }

    @Test
    void clearForgetsWhatIsUnderWayToo() {
        Operation<Object> stock = pipeline.operation("stock");
        CompletableFuture<Object> before = time.spawn(() -> stock.key(KEY).call(attempt -> {
            time.sleep(Duration.ofMillis(10));
            return "old";
        }));
        time.advance(Duration.ZERO);
        policy.clear();
        time.run();
        assertThat(before).isCompletedWithValue("old");
        assertThat(policy.size()).isZero();
    }

    @Test
    void deadValuesGoAlsoWithoutACall() {
        CheckedFunction<Integer, byte[], RuntimeException> lookup =
                pipeline.<byte[]>operation("picture").decorate(key -> new byte[100]);
        for (int i = 0; i < 1_000; i++) {
            lookup.apply(i);
        }
        assertThat(policy.size()).isEqualTo(1_000);
        time.advance(Duration.ofMinutes(12));
        assertThat(policy.size()).isZero();
    }
}
