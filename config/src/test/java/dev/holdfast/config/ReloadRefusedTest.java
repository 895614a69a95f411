/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.config.Holdfast.Property;
import dev.holdfast.internal.Named;
import dev.holdfast.internal.OwnFallbacks;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.throttling.GatePolicy;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A reload that the last pipeline refuses has changed nothing of the others, whatever refuses it. */
class ReloadRefusedTest {
    /** What the files say: a value for each path of keys. */
    private final Map<String, String> file = new TreeMap<>();

    private boolean isShared;
    /** Told when a pipeline has other policies. */
    private final AtomicReference<CallObserver> replacing = new AtomicReference<>(new CallObserver() {});

    @AfterEach
    void noOtherTestHasThis() {
        Odd.first = () -> {};
    }

    private List<Property> properties() {
        List<Property> all = new ArrayList<>();
        file.forEach((keys, value) -> all.add(new Property(List.of(keys.split("\\.")), value, "test", 7, 3)));
        return all;
    }

    private Holdfast load(Holdfast.Builder builder) {
        return builder.observer(new CallObserver() {
                    @Override
                    public void replaced(Observed pipeline) {
                        replacing.get().replaced(pipeline);
                    }
                })
                .load("test", () -> List.of(properties()));
    }

    /** Where code of a policy is asked before a pipeline gets it. */
    private enum Where {
        WARNINGS,
        BIND,
        BESIDE,
        TIMING
    }

    /** A policy with a value. One with a negative value throws. */
    private static final class Odd extends Policy {
        private static Where where = Where.WARNINGS;
        private static Supplier<Throwable> what = () -> new IllegalStateException("odd");
        private static Runnable first = () -> {};

        private final int value;

        Odd(int value) {
            super("odd", 0);
            this.value = value;
        }

        private void asked(Where now) {
            if (value < 0 && now == where) {
                first.run();
                throw Odd.<RuntimeException>as(what.get());
            }
        }

        /** As a language without checked exceptions throws them. */
        @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
        private static <T extends Throwable> T as(Throwable thrown) throws T {
            throw (T) thrown;
        }

        @Override
        public List<String> warnings() {
            asked(Where.WARNINGS);
            return List.of();
        }

        @Override
        public void bind(String pipeline, TimeSource time) {
            asked(Where.BIND);
        }

        @Override
        public void beside(String pipeline, List<Policy> policies) {
            asked(Where.BESIDE);
        }

        @Override
        public Timing timing() {
            asked(Where.TIMING);
            return Timing.EVERY;
        }
    }

    private static PolicyFactory<SampleFactory.Builder> odd() {
        SampleFactory sample =
                new SampleFactory("odd", 1, Optional.of("value")).option("value", "value", Integer.class);
        return new PolicyFactory<>() {
            @Override
            public String key() {
                return sample.key();
            }

            @Override
            public SampleFactory.Builder builder() {
                return sample.builder();
            }

            @Override
            public List<Option<SampleFactory.Builder, ?>> options() {
                return sample.options();
            }

            @Override
            public Policy create(SampleFactory.Builder builder) {
                return new Odd(builder.value("value", Integer.class).orElseThrow());
            }

            @Override
            public Optional<String> shorthand() {
                return sample.shorthand();
            }

            @Override
            public int position() {
                return sample.position();
            }
        };
    }

    private Holdfast loadOdd(Holdfast.Builder builder) {
        List<PolicyFactory<?>> factories = new ArrayList<>(List.of(odd()));
        ServiceLoader.load(PolicyFactory.class).forEach(factories::add);
        return load(builder.factories(new Factories(factories)));
    }

    /** Which would wait for ever if a refused reload had kept a lock. */
    private static List<String> byAnotherThread(Supplier<List<String>> task) throws Exception {
        return CompletableFuture.supplyAsync(task, run -> new Thread(run).start())
                .get(1, TimeUnit.MINUTES);
    }

    private static Stream<Arguments> oddPolicies() {
        return Stream.of(Where.values())
                .flatMap(where -> Stream.of(
                                new IllegalStateException("odd"),
                                new IllegalArgumentException("odd"),
                                new NoClassDefFoundError("odd"),
                                new IOException("odd"))
                        .flatMap(
                                what -> Stream.of("", "key", "shared").map(which -> Arguments.of(where, what, which))));
    }

    @ParameterizedTest(name = "{0} {1} {2}")
    @MethodSource("oddPolicies")
    void aPolicyOfTheLastPipelineThatThrowsLeavesWhatATakeOverWouldLose(Where where, Throwable what, String which)
            throws Exception {
        isShared = which.equals("shared");
        String odd = which.equals("shared") ? "shared.odd.odd" : "pipelines.z.odd";
        if (which.equals("shared")) {
            file.put("pipelines.z.odd.use", "odd");
        }
        file.put(odd, "1");
        bounded("1h", "50", "50");
        Odd.where = where;
        Odd.what = () -> what;
        try (Holdfast holdfast = loadOdd(Holdfast.builder())) {
            Pipeline a = which.equals("key") ? holdfast.pipeline("a", "key") : holdfast.pipeline("a");
            used(a);
            List<Policy> before = a.policies();
            bounded("1ms", "2", "60");
            file.put(odd, "-1");
            assertThatThrownBy(holdfast::reload)
                    .isInstanceOf(what instanceof IllegalArgumentException ? ConfigException.class : what.getClass())
                    .hasMessageContaining("odd")
                    .hasNoSuppressedExceptions();
            assertThat(a.policies()).isEqualTo(before);
            assertUsed(a);
            file.put(odd, "2");
            assertThat(byAnotherThread(holdfast::reload)).containsExactly("a", "z");
            assertThat(holdfast.pipeline("z").policy(Odd.class).value).isEqualTo(2);
            assertThat(a.policy(ThrottlePolicy.class).available()).isLessThanOrEqualTo(2);
        }
    }

    /** A restart would not find it. */
    @Test
    @Logs("these pipelines are no longer in the configuration, and go on as before: unnamed")
    void aPipelineThatSomethingNamesIsKept() {
        file.put("pipelines.a.timeout", "1s");
        file.put("pipelines.z.timeout", "1s");
        file.put("pipelines.unnamed.timeout", "1s");
        try (Holdfast holdfast = load(Holdfast.builder())) {
            Named.keep(holdfast.pipeline("z"), "the application names it");
            file.put("pipelines.a.timeout", "2s");
            file.remove("pipelines.z.timeout");
            for (int i = 0; i < 2; i++) {
                assertThatExceptionOfType(ConfigException.class)
                        .isThrownBy(holdfast::reload)
                        .withMessage("test pipelines.z: pipeline 'z': the application names it; keep it");
            }
            assertThat(holdfast.pipeline("a").policy(TimeoutPolicy.class).limit())
                    .isEqualTo(Duration.ofSeconds(1));
            file.put("pipelines.z.timeout", "1s");
            file.remove("pipelines.unnamed.timeout");
            assertThat(holdfast.reload()).containsExactly("a");
        }
    }

    @Test
    void aReloadThatIsRefusedLeavesWhatWasDoneByHand() {
        file.put("pipelines.a.timeout", "1s");
        file.put("pipelines.z.fallback.only-of-operations", "true");
        try (Holdfast holdfast = load(Holdfast.builder())) {
            List<Pipeline> byHand = List.of(holdfast.pipeline("a"), holdfast.pipeline("a", "key"));
            byHand.forEach(pipeline -> pipeline.shadow("timeout"));
            OwnFallbacks.keep(holdfast.pipeline("z", "key"), () -> true);
            file.put("pipelines.a.timeout", "2s");
            file.remove("pipelines.z.fallback.only-of-operations");
            file.put("pipelines.z.timeout", "2s");
            assertThatExceptionOfType(ConfigException.class)
                    .isThrownBy(holdfast::reload)
                    .withMessageContaining("pipeline 'z/key'");
            assertThat(byHand)
                    .allSatisfy(pipeline -> assertThat(pipeline.policies())
                            .last()
                            .isInstanceOf(ShadowPolicy.class)
                            .satisfies(policy -> assertThat(((TimeoutPolicy) ShadowPolicy.inside(policy)).limit())
                                    .isEqualTo(Duration.ofSeconds(1))));
        }
    }

    @Test
    void aMethodWithAFallbackThatComesWhileAReloadTakesItsPolicyAwayIsRefused() {
        file.put("pipelines.a.timeout", "1s");
        file.put("pipelines.z.timeout", "1s");
        file.put("pipelines.z.fallback.only-of-operations", "true");
        try (Holdfast holdfast = load(Holdfast.builder())) {
            List<Pipeline> all = List.of(holdfast.pipeline("z"), holdfast.pipeline("z", "key"));
            List<Boolean> kept = new ArrayList<>();
            replacing.set(new CallObserver() {
                @Override
                public void replaced(Observed pipeline) {
                    if (pipeline.name().equals("a")) {
                        all.forEach(one -> kept.add(OwnFallbacks.keep(one, () -> true)));
                    }
                }
            });
            file.put("pipelines.a.timeout", "2s");
            file.remove("pipelines.z.fallback.only-of-operations");
            assertThat(holdfast.reload()).containsExactly("a", "z");
            assertThat(kept).containsExactly(false, false);
            assertThat(all).allSatisfy(one -> assertThat(one.policies()).hasSize(one == all.get(0) ? 1 : 2));
        }
    }

    @Test
    void aReloadThatAnInstanceRefusesLeavesWhatWasDoneByHandInTheOthers() {
        file.put("pipelines.a.timeout", "1s");
        file.put("pipelines.a.fallback.only-of-operations", "true");
        try (Holdfast holdfast = load(Holdfast.builder())) {
            List<Pipeline> instances = IntStream.range(0, 10)
                    .mapToObj(key -> holdfast.pipeline("a", "key" + key))
                    .toList();
            Classifier byHand = (value, error) -> Verdict.FAILURE;
            instances.forEach(pipeline -> pipeline.replaceClassifier(byHand));
            OwnFallbacks.keep(instances.get(4), () -> true);
            file.remove("pipelines.a.fallback.only-of-operations");
            assertThatExceptionOfType(ConfigException.class).isThrownBy(holdfast::reload);
            assertThat(instances).extracting(Pipeline::classifier).containsOnly(byHand);
        }
    }

    @Test
    void aReloadThatIsRefusedForAFallbackOfAMethodLeavesWhatATakeOverWouldLose() throws Exception {
        bounded("1h", "50", "50");
        file.put("pipelines.z.fallback.only-of-operations", "true");
        file.put("pipelines.z.timeout", "1s");
        for (String key : List.of("", "key")) {
            try (Holdfast holdfast = load(Holdfast.builder())) {
                used(holdfast.pipeline("a"));
                OwnFallbacks.keep(key.isEmpty() ? holdfast.pipeline("z") : holdfast.pipeline("z", key), () -> true);
                bounded("1ms", "2", "60");
                file.remove("pipelines.z.fallback.only-of-operations");
                assertRefused(holdfast, "fallback of their own");
                bounded("1h", "50", "50");
                file.put("pipelines.z.fallback.only-of-operations", "true");
            }
        }
    }

    /** Pipeline {@code a} has a gate, a throttle and a bulkhead, of its own or shared. */
    private void bounded(String maxHold, String burst, String permits) {
        file.put(isShared ? "shared.g.gate.max-hold" : "pipelines.a.gate.max-hold", maxHold);
        String throttle = isShared ? "shared.t.throttle" : "pipelines.a.throttle";
        file.put(throttle + ".limit", "100");
        file.put(throttle + ".per", "1h");
        file.put(throttle + ".burst", burst);
        String bulkhead = isShared ? "shared.b.bulkhead" : "pipelines.a.bulkhead";
        file.put(bulkhead + ".max-concurrent-calls", permits);
        if (isShared) {
            file.put("pipelines.a.gate.use", "g");
            file.put("pipelines.a.throttle.use", "t");
            file.put("pipelines.a.bulkhead.use", "b");
        }
    }

    private static void used(Pipeline a) throws Exception {
        a.policy(BulkheadPolicy.class).resize(7);
        a.replaceClassifier((value, error) -> Verdict.pushback(Duration.ofMinutes(30)));
        assertThat(a.call(() -> "busy")).isEqualTo("busy");
    }

    @Test
    void aReloadWithPoliciesThatCanNeverWorkTogetherLeavesWhatATakeOverWouldLose() throws Exception {
        bounded("1h", "50", "50");
        file.put("pipelines.b.timeout", "1s");
        try (Holdfast holdfast = load(Holdfast.builder())) {
            used(holdfast.pipeline("a"));
            bounded("1ms", "2", "60");
            Map<String, String> good = Map.copyOf(file);
            neverWorks("pipelines.b.bulkhead.dedicated-threads", "true", "bulkhead");
            assertRefused(holdfast, "pipeline 'b' has two policies with dedicated threads");
            file.keySet().retainAll(good.keySet());
            neverWorks("pipelines.b.hedge.delay", "1s", "hedge");
            assertRefused(holdfast, "pipeline 'b' has 2 policies that hedge");
        }
    }

    /** Pipeline {@code b} has two of a kind of which there can be only one. */
    private void neverWorks(String option, String value, String kind) {
        file.put(option, value);
        file.put("pipelines.b.order.[0]", kind);
        file.put("pipelines.b.order.[1]", "timeout");
        file.put("pipelines.b.order.[2]", kind);
    }

    private static void assertRefused(Holdfast holdfast, String why) {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(holdfast::reload)
                .withMessageContaining(why);
        assertUsed(holdfast.pipeline("a"));
    }

    private static void assertUsed(Pipeline a) {
        assertThat(a.policy(GatePolicy.class).held()).isGreaterThan(Duration.ofMinutes(1));
        assertThat(a.policy(ThrottlePolicy.class).available()).isEqualTo(49);
        assertThat(a.policy(BulkheadPolicy.class).limit()).isEqualTo(7);
    }

    @Test
    void theIdleTimeBeforeAReloadThatIsRefusedHoldsForAnInstanceThatIsMadeMeanwhile() {
        file.put("pipelines.a.keys.idle", "1m");
        file.put("pipelines.a.timeout", "1s");
        file.put("pipelines.z.odd", "1");
        try (VirtualTime time = new VirtualTime();
                Holdfast holdfast = loadOdd(Holdfast.builder().time(time))) {
            Odd.where = Where.WARNINGS;
            Odd.what = () -> new IllegalStateException("odd");
            Odd.first = () -> holdfast.pipeline("a", "meanwhile").warnings();
            file.put("pipelines.a.keys.idle", "1d");
            file.put("pipelines.z.odd", "-1");
            assertThatIllegalStateException()
                    .isThrownBy(holdfast::reload)
                    .withMessage("warnings() of odd threw java.lang.IllegalStateException: odd");
            assertThat(holdfast.instances("a")).hasSize(1);
            time.advance(Duration.ofMinutes(2));
            assertThat(holdfast.instances("a")).isEmpty();
        }
    }
}
