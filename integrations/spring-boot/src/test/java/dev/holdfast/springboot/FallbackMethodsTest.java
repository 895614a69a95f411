/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.holdfast.Pipeline;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A bean that is made while its pipeline gets other policies, as a lazy one during a reload. */
class FallbackMethodsTest {
    @SuppressWarnings({"UnusedMethod", "unused"}) // found by reflection
    private static final class Stock {
        String find() {
            return "live";
        }

        String none() {
            return "none";
        }
    }

    /** Something is done while it is put into a pipeline. */
    private static Policy binding(Runnable meanwhile) {
        return new Policy("other", 0) {
            @Override
            public void bind(String pipeline, TimeSource time) {
                meanwhile.run();
            }
        };
    }

    private static @Nullable Object methods(Pipeline pipeline) {
        try {
            Method find = Stock.class.getDeclaredMethod("find");
            return FallbackMethods.of(find, Stock.class, "none", pipeline);
        } catch (NoSuchMethodException impossible) {
            throw new AssertionError(impossible);
        }
    }

    @Test
    void aFallbackIsRefusedWhileAReloadTakesItsPolicyAway() {
        try (Pipeline pipeline = Pipeline.of("p", FallbackPolicy.ofOperations())) {
            pipeline.replace(binding(() -> assertThatIllegalArgumentException()
                    .isThrownBy(() -> methods(pipeline))
                    .withMessageContaining("'p' has no fallback policy")
                    .withMessageEndingWith("if the pipeline has an order, name fallback in it, too")));
            assertThat(pipeline.policies()).extracting(Policy::name).containsExactly("other");
            pipeline.replace(FallbackPolicy.ofOperations());
            assertThat(methods(pipeline)).isNotNull();
            assertThatIllegalArgumentException().isThrownBy(pipeline::replace);
        }
    }

    @Test
    void aReloadThatFailsToTakeThePolicyAwayLeavesItForFallbacks() {
        try (Pipeline pipeline = Pipeline.of("p", FallbackPolicy.ofOperations())) {
            assertThatIllegalStateException()
                    .isThrownBy(() -> pipeline.replace(binding(() -> {
                        throw new IllegalStateException("not here");
                    })));
            assertThat(methods(pipeline)).isNotNull();
            assertThatIllegalArgumentException().isThrownBy(pipeline::replace);
        }
    }

    @Test
    void aReloadThatKeepsThePolicyDoesNotKeepBeansFromBeingMade() {
        try (Pipeline pipeline = Pipeline.of("p", FallbackPolicy.ofOperations())) {
            pipeline.replace(
                    FallbackPolicy.ofOperations(),
                    binding(() -> assertThat(methods(pipeline)).isNotNull()));
            assertThatIllegalArgumentException().isThrownBy(pipeline::replace);
        }
    }
}
