/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.config.Holdfast.Property;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.internal.OwnFallbacks;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.throttling.GatePolicy;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A reload that is refused after it has changed pipelines changes nothing, whatever is thrown on the way there or back. */
class ReloadTakenBackTest {
    /** What the files say: a value for each path of keys. */
    private final Map<String, String> file = new TreeMap<>();
    /**
     * They get methods with a fallback of their own when the first pipeline has changed, as if a bean came meanwhile: before, the
     * reload would be refused before it changes anything.
     */
    private final List<Pipeline> meanwhile = new ArrayList<>();
    /** Told when a pipeline has other policies. */
    private final AtomicReference<CallObserver> replacing = new AtomicReference<>(new CallObserver() {});

    private List<Property> properties() {
        List<Property> all = new ArrayList<>();
        file.forEach((keys, value) ->
                all.add(new Property(List.of(("pipelines." + keys).split("\\.")), value, "test", 7, 3)));
        return all;
    }

    private Holdfast load(Holdfast.Builder builder) {
        return builder.observer(new CallObserver() {
                    @Override
                    public void replaced(Observed pipeline) {
                        meanwhile.forEach(keeps -> OwnFallbacks.keep(keeps, () -> true));
                        replacing.get().replaced(pipeline);
                    }
                })
                .load("test", this::properties);
    }

    private static Duration timeout(Pipeline pipeline) {
        return pipeline.policy(TimeoutPolicy.class).limit();
    }

    /** A policy with a value, which may throw when it is asked for its warnings. */
    private static final class Odd extends Policy {
        private final int value;

        Odd(int value) {
            super("odd", 0);
            this.value = value;
        }

        @Override
        public List<String> warnings() {
            if (value < 0) {
                throw new IllegalStateException("no warnings of " + value);
            }
            return List.of();
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

    @Test
    void aPolicyThatThrowsWhenItIsAskedForItsWarningsTakesTheWholeReloadBack() {
        file.put("a.odd", "1");
        file.put("b.odd", "1");
        try (Holdfast holdfast = load(Holdfast.builder().factories(new Factories(List.of(odd()))))) {
            List<Pipeline> all = List.of(
                    holdfast.pipeline("a"),
                    holdfast.pipeline("b"),
                    holdfast.pipeline("a", "key"),
                    holdfast.pipeline("b", "key"));
            List<List<Policy>> before = all.stream().map(Pipeline::policies).toList();
            file.put("a.odd", "2");
            file.put("b.odd", "-2");
            assertThatIllegalStateException().isThrownBy(holdfast::reload).withMessage("no warnings of -2");
            assertThat(all.stream().map(Pipeline::policies)).isEqualTo(before);
            file.put("b.odd", "2");
            assertThat(holdfast.reload()).containsExactly("a", "b");
            assertThat(all)
                    .allSatisfy(pipeline ->
                            assertThat(pipeline.policy(Odd.class).value).isEqualTo(2));
        }
    }

    /** Files of which the last pipeline refuses the next version, since an instance of it keeps its fallback. */
    private Holdfast refusing() {
        for (String name : List.of("a", "b", "c")) {
            file.put(name + ".timeout", "1s");
        }
        file.put("z.fallback.only-of-operations", "true");
        Holdfast holdfast = load(Holdfast.builder());
        meanwhile.add(holdfast.pipeline("z", "key"));
        return holdfast;
    }

    private void write(String timeout, boolean withFallback) {
        for (String name : List.of("a", "b", "c")) {
            file.put(name + ".timeout", timeout);
        }
        for (String name : List.of("a", "b")) {
            if (withFallback) {
                file.put(name + ".fallback.only-of-operations", "true");
            } else {
                file.remove(name + ".fallback.only-of-operations");
            }
        }
    }

    @Test
    void whatCannotBeTakenBackKeepsNothingElse() {
        try (Holdfast holdfast = refusing()) {
            Pipeline kept = holdfast.pipeline("a");
            Pipeline keptOfKey = holdfast.pipeline("b", "kept");
            List<Pipeline> others = List.of(
                    holdfast.pipeline("b"),
                    holdfast.pipeline("c"),
                    holdfast.pipeline("b", "1"),
                    holdfast.pipeline("b", "2"),
                    holdfast.pipeline("c", "3"));
            // As if a method of a bean with a fallback of its own came meanwhile.
            replacing.set(new CallObserver() {
                @Override
                public void replaced(Observed pipeline) {
                    if (pipeline.policies().stream().anyMatch(FallbackPolicy.class::isInstance)
                            && List.of("a", "b/kept").contains(pipeline.name())) {
                        OwnFallbacks.keep(pipeline, () -> true);
                    }
                }
            });
            write("2s", true);
            @Nullable String fallback = file.remove("z.fallback.only-of-operations");
            file.put("z.timeout", "2s");
            assertThatExceptionOfType(ConfigException.class)
                    .isThrownBy(holdfast::reload)
                    .withMessageContaining("pipeline 'z/key'")
                    .satisfies(refused -> assertThat(refused.getSuppressed())
                            .hasSize(2)
                            .allSatisfy(notBack -> assertThat(notBack).hasMessageContaining("fallback of their own")));
            assertThat(others)
                    .allSatisfy(pipeline -> assertThat(timeout(pipeline)).isEqualTo(Duration.ofSeconds(1)));
            assertThat(List.of(kept, keptOfKey))
                    .allSatisfy(pipeline -> assertThat(timeout(pipeline)).isEqualTo(Duration.ofSeconds(2)));
            file.put("z.fallback.only-of-operations", String.valueOf(fallback));
            write("1s", false);
            assertThatExceptionOfType(ConfigException.class)
                    .as("the files before cannot hold any more")
                    .isThrownBy(holdfast::reload)
                    .withMessageContaining("pipeline 'a'");
            write("1s", true);
            assertThat(holdfast.reload()).contains("a", "b");
            assertThat(List.of(kept, keptOfKey))
                    .allSatisfy(pipeline -> assertThat(timeout(pipeline)).isEqualTo(Duration.ofSeconds(1)));
        }
    }

    @Test
    void aReloadThatIsRefusedLeavesWhatWasDoneByHand() {
        try (Holdfast holdfast = refusing()) {
            List<Pipeline> byHand = List.of(holdfast.pipeline("a"), holdfast.pipeline("a", "key"));
            byHand.forEach(pipeline -> pipeline.shadow("timeout"));
            write("2s", false);
            file.remove("z.fallback.only-of-operations");
            file.put("z.timeout", "2s");
            assertThatExceptionOfType(ConfigException.class).isThrownBy(holdfast::reload);
            assertThat(byHand)
                    .allSatisfy(pipeline -> assertThat(pipeline.policies())
                            .last()
                            .isInstanceOf(ShadowPolicy.class)
                            .satisfies(policy -> assertThat(((TimeoutPolicy) ShadowPolicy.inside(policy)).limit())
                                    .isEqualTo(Duration.ofSeconds(1))));
        }
    }

    @Test
    void whatCouldNotBeTakenBackIsMendedByTheFirstReloadThatIsNotRefused() {
        String fallbackOfA = "a.fallback.only-of-operations";
        String fallbackOfZ = "z.fallback.only-of-operations";
        file.put("a.timeout", "1s");
        file.put("z.timeout", "1s");
        file.put(fallbackOfZ, "true");
        try (Holdfast holdfast = load(Holdfast.builder())) {
            meanwhile.add(holdfast.pipeline("z"));
            replacing.set(new CallObserver() {
                @Override
                public void replaced(Observed pipeline) {
                    if (pipeline.policies().stream().anyMatch(FallbackPolicy.class::isInstance)) {
                        OwnFallbacks.keep(pipeline, () -> true);
                    }
                }
            });
            file.put("a.timeout", "2s");
            file.put(fallbackOfA, "true");
            file.remove(fallbackOfZ);
            assertThatExceptionOfType(ConfigException.class)
                    .isThrownBy(holdfast::reload)
                    .satisfies(refused ->
                            assertThat(refused.getSuppressed()).as("of 'a'").hasSize(1));
            file.put("a.timeout", "1s");
            file.remove(fallbackOfA);
            assertThatExceptionOfType(ConfigException.class)
                    .as("'a' cannot be without its fallback now, nor can 'z'")
                    .isThrownBy(holdfast::reload)
                    .withMessageContainingAll("pipeline 'a'", "pipeline 'z'");
            file.put(fallbackOfZ, "true");
            assertThatExceptionOfType(ConfigException.class)
                    .as("the files that were loaded are not what 'a' has")
                    .isThrownBy(holdfast::reload)
                    .withMessageContaining("pipeline 'a'");
            file.put(fallbackOfA, "true");
            assertThat(holdfast.reload()).containsExactly("a");
            assertThat(timeout(holdfast.pipeline("a"))).isEqualTo(Duration.ofSeconds(1));
        }
    }

    @Test
    void aReloadThatAnInstanceRefusesLeavesWhatWasDoneByHandInTheOthers() {
        file.put("a.timeout", "1s");
        file.put("a.fallback.only-of-operations", "true");
        try (Holdfast holdfast = load(Holdfast.builder())) {
            List<Pipeline> instances = IntStream.range(0, 10)
                    .mapToObj(key -> holdfast.pipeline("a", "key" + key))
                    .toList();
            Classifier byHand = (value, error) -> Verdict.FAILURE;
            instances.forEach(pipeline -> pipeline.replaceClassifier(byHand));
            meanwhile.add(instances.get(4));
            file.remove("a.fallback.only-of-operations");
            assertThatExceptionOfType(ConfigException.class).isThrownBy(holdfast::reload);
            assertThat(instances).extracting(Pipeline::classifier).containsOnly(byHand);
        }
    }

    @Test
    void aReloadThatIsRefusedForAFallbackOfAMethodLeavesWhatATakeOverWouldLose() throws Exception {
        bounded("1h", "50", "50");
        file.put("z.fallback.only-of-operations", "true");
        file.put("z.timeout", "1s");
        for (String key : List.of("", "key")) {
            try (Holdfast holdfast = load(Holdfast.builder())) {
                used(holdfast.pipeline("a"));
                OwnFallbacks.keep(key.isEmpty() ? holdfast.pipeline("z") : holdfast.pipeline("z", key), () -> true);
                bounded("1ms", "1", "60");
                file.remove("z.fallback.only-of-operations");
                assertRefused(holdfast, "fallback of their own");
                bounded("1h", "50", "50");
                file.put("z.fallback.only-of-operations", "true");
            }
        }
    }

    private void bounded(String maxHold, String burst, String permits) {
        file.put("a.gate.max-hold", maxHold);
        file.put("a.throttle.limit", "100");
        file.put("a.throttle.per", "1h");
        file.put("a.throttle.burst", burst);
        file.put("a.bulkhead.max-concurrent-calls", permits);
    }

    private static void used(Pipeline a) throws Exception {
        a.policy(BulkheadPolicy.class).resize(7);
        a.replaceClassifier((value, error) -> Verdict.pushback(Duration.ofMinutes(30)));
        assertThat(a.call(() -> "busy")).isEqualTo("busy");
    }

    @Test
    void aReloadWithPoliciesThatCanNeverWorkTogetherLeavesWhatATakeOverWouldLose() throws Exception {
        bounded("1h", "50", "50");
        file.put("b.timeout", "1s");
        try (Holdfast holdfast = load(Holdfast.builder())) {
            used(holdfast.pipeline("a"));
            bounded("1ms", "1", "60");
            Map<String, String> good = Map.copyOf(file);
            neverWorks("b.bulkhead.dedicated-threads", "true", "bulkhead");
            assertRefused(holdfast, "pipeline 'b' has two policies with dedicated threads");
            file.keySet().retainAll(good.keySet());
            neverWorks("b.hedge.delay", "1s", "hedge");
            assertRefused(holdfast, "pipeline 'b' has 2 policies that hedge");
        }
    }

    /** Pipeline {@code b} has two of a kind of which there can be only one. */
    private void neverWorks(String option, String value, String kind) {
        file.put(option, value);
        file.put("b.order.[0]", kind);
        file.put("b.order.[1]", "timeout");
        file.put("b.order.[2]", kind);
    }

    private static void assertRefused(Holdfast holdfast, String why) {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(holdfast::reload)
                .withMessageContaining(why);
        Pipeline a = holdfast.pipeline("a");
        assertThat(a.policy(GatePolicy.class).held()).isGreaterThan(Duration.ofMinutes(1));
        assertThat(a.policy(ThrottlePolicy.class).available()).isEqualTo(49);
        assertThat(a.policy(BulkheadPolicy.class).limit()).isEqualTo(7);
    }

    @Test
    void theIdleTimeBeforeAReloadThatIsRefusedHoldsForAnInstanceThatIsMadeMeanwhile() {
        file.put("a.keys.idle", "1m");
        file.put("a.timeout", "1s");
        file.put("b.timeout", "1s");
        file.put("z.timeout", "1s");
        file.put("z.fallback.only-of-operations", "true");
        try (VirtualTime time = new VirtualTime();
                Holdfast holdfast = load(Holdfast.builder().time(time))) {
            meanwhile.add(holdfast.pipeline("z"));
            replacing.set(new CallObserver() {
                @Override
                public void replaced(Observed pipeline) {
                    if (pipeline.name().equals("b")) {
                        Pipeline unused = holdfast.pipeline("a", "meanwhile");
                    }
                }
            });
            file.put("a.keys.idle", "1d");
            file.put("b.timeout", "2s");
            file.remove("z.fallback.only-of-operations");
            assertThatExceptionOfType(ConfigException.class).isThrownBy(holdfast::reload);
            assertThat(holdfast.instances("a")).hasSize(1);
            time.advance(Duration.ofMinutes(2));
            assertThat(holdfast.instances("a")).isEmpty();
        }
    }
}
