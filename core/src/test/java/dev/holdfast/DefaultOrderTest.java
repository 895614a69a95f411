/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

@Logs("the standard pipeline is: first ")
class DefaultOrderTest {

    private static class Factory implements PolicyFactory<Object> {
        private final String key;
        private final int position;
        private final String makes;

        Factory(String key, int position, String makes) {
            this.key = key;
            this.position = position;
            this.makes = makes;
        }

        @Override
        public String key() {
            return key;
        }

        @Override
        public Object builder() {
            return new Object();
        }

        @Override
        public List<Option<Object, ?>> options() {
            return List.of();
        }

        @Override
        public Policy create(Object builder) {
            return new Policy(makes, 0) {};
        }

        @Override
        public int position() {
            return position;
        }

        @Override
        public Optional<Policy> standard() {
            return Optional.of(create(builder()));
        }
    }

    private static final class Intruder extends Factory {
        Intruder(String key, String makes) {
            super(key, 1, makes);
        }
    }

    private static Factory factory(String key, int position) {
        return new Factory(key, position, key);
    }

    private static Policy policy(String name) {
        return new Policy(name, 0) {};
    }

    // ---- what is on the class path

    @Test
    void twoFactoriesOfOneNameAreRefused() {
        assertThatIllegalStateException()
                .isThrownBy(() -> new DefaultOrder(List.of(factory("retry", 400), new Intruder("retry", "retry"))))
                .withMessage("two policies on the class path claim the name retry: " + Intruder.class.getName()
                        + " and " + Factory.class.getName());
    }

    @Test
    void factoryThatMakesAPolicyOfAnotherNameIsRefused() {
        DefaultOrder order = new DefaultOrder(List.of(factory("retry", 400), new Intruder("metrics", "retry")));
        assertThatIllegalStateException()
                .isThrownBy(order::standard)
                .withMessage(Intruder.class.getName() + " has the key metrics, but made a policy named retry");
    }

    @Test
    void placesAreTheSameWhateverTheOrderOfTheClassPath() {
        List<PolicyFactory<?>> factories = List.of(factory("b", 5), factory("a", 5), factory("first", 1));
        assertThat(new DefaultOrder(factories).standard())
                .extracting(Policy::name)
                .containsExactly("first", "a", "b");
    }

    @Test
    void resultIsLoggedOnce() {
        List<String> logged = new ArrayList<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord log) {
                if (log.getLevel().equals(Level.INFO)) {
                    logged.add(new java.util.logging.SimpleFormatter().formatMessage(log));
                }
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger logger = Logger.getLogger("dev.holdfast");
        logger.addHandler(handler);
        logger.setUseParentHandlers(false);
        try {
            DefaultOrder order = new DefaultOrder(List.of(factory("one", 1), factory("two", 2)));
            order.standard();
            order.standard();
        } finally {
            logger.setUseParentHandlers(true);
            logger.removeHandler(handler);
        }
        String made = " (" + Factory.class.getName() + ")";
        assertThat(logged).containsExactly("the standard pipeline is: one" + made + " > two" + made + " > call");
    }

    // ---- the builder

    private static Pipeline.Builder standard() {
        return Pipeline.builder("p").standard();
    }

    @Test
    void policyStandsAtItsPlaceInTheDefaultOrder() {
        assertThat(standard().with(FallbackPolicy.value("x")).build())
                .hasToString("p: deadline > fallback > retry > timeout > call");
        assertThat(Pipeline.builder("p")
                        .with(TimeoutPolicy.of(Duration.ofSeconds(1)))
                        .with(RetryPolicy.ofDefaults())
                        .build())
                .hasToString("p: retry > timeout > call");
    }

    @Test
    void policyTakesThePlaceOfTheOneOfItsKind() {
        TimeoutPolicy mine = TimeoutPolicy.of(Duration.ofMillis(7));
        Pipeline pipeline = standard().with(mine).build();
        assertThat(pipeline).hasToString("p: deadline > retry > timeout > call");
        assertThat(pipeline.policies()).contains(mine);
        assertThat(Pipeline.builder("p")
                        .policies(policy("own"), TimeoutPolicy.of(Duration.ofSeconds(1)), policy("other"))
                        .with(mine)
                        .build())
                .hasToString("p: own > timeout > other > call");
    }

    @Test
    void policyWithoutAPlaceOrWithSeveralOfItsKindIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> standard().with(policy("gate")))
                .withMessage("the default order has no place for gate, since no factory on the class path has this"
                        + " name; use policies()");
        TimeoutPolicy timeout = TimeoutPolicy.of(Duration.ofSeconds(1));
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> Pipeline.builder("p").policies(timeout, timeout).with(timeout))
                .withMessage("there are 2 policies of the kind timeout in [timeout > timeout], and which one to replace"
                        + " is not known; use policies()");
    }

    @Test
    void policyIsLeftOut() {
        assertThat(standard().without("retry").build()).hasToString("p: deadline > timeout > call");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> standard().without("rettry"))
                .withMessage("there is no policy of the kind rettry in [deadline > retry > timeout]");
    }

    @Test
    void whatWasPutInIsNotLostBehindItsBack() {
        Policy retry = RetryPolicy.ofDefaults();
        List<Supplier<Pipeline.Builder>> twice = List.of(
                () -> Pipeline.builder("p").with(retry).standard(),
                () -> Pipeline.builder("p").with(retry).policies(retry),
                () -> Pipeline.builder("p").policies(retry).standard(),
                () -> Pipeline.builder("p").standard().policies(retry),
                () -> Pipeline.builder("p").policies(retry).policies(List.of()));
        for (Supplier<Pipeline.Builder> builder : twice) {
            assertThatIllegalStateException()
                    .isThrownBy(builder::get)
                    .withMessage("pipeline 'p': policies() or standard() comes once, and before with() and without();"
                            + " nothing is replaced");
        }
    }
}
