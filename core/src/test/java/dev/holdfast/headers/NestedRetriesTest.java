/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.headers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Three services that each retry a call up to four times, over real HTTP, and a dependency below them that is down. */
class NestedRetriesTest {

    private static int callsAtTheBottom(
            @Nullable CallHeaders headers, Consumer<RetrySettings.Builder> settings, int... mostOfEachCall)
            throws IOException {
        try (Pipeline top = pipeline("top", settings);
                Pipeline middle = pipeline("middle", settings);
                Pipeline low = pipeline("low", settings);
                Hop bottom = new Hop(headers, () -> {
                    throw new IOException("down");
                });
                Hop lowHop = new Hop(headers, () -> low.call(bottom::get));
                Hop middleHop = new Hop(headers, () -> middle.call(lowHop::get))) {
            for (int most : mostOfEachCall) {
                bottom.requests.set(0);
                assertThatThrownBy(() -> top.call(middleHop::get)).hasMessageStartingWith("503");
                assertThat(bottom.requests.get()).isBetween(1, most);
            }
            return bottom.requests.get();
        }
    }

    private static Pipeline pipeline(String name, Consumer<RetrySettings.Builder> settings) {
        return Pipeline.of(name, RetryPolicy.of(r -> {
            r.maxAttempts(4);
            settings.accept(r);
        }));
    }

    @Test
    void withNothingCarriedOverAndNoBudgetTheyMultiply() throws Exception {
        Consumer<RetrySettings.Builder> naive = r -> r.budgetEnabled(false).initialBackoff(Duration.ofMillis(1));
        assertThat(callsAtTheBottom(null, naive, 64)).isEqualTo(64);
    }

    @Test
    void withTheDefaultsThereAreTenCallsAtTheBottom() throws Exception {
        assertThat(callsAtTheBottom(CallHeaders.ofDefaults(), r -> {}, 10)).isEqualTo(10);
    }

    @Test
    void withDrainedBudgetsThereAreFewerStill() throws Exception {
        // After the first call, each layer has at most the one retry that time alone grants.
        callsAtTheBottom(CallHeaders.ofDefaults(), r -> r.initialBackoff(Duration.ofMillis(1)), 10, 4, 4, 4);
        int last = callsAtTheBottom(
                CallHeaders.ofDefaults(),
                r -> r.initialBackoff(Duration.ofMillis(1)).budget(b -> b.minRetriesPerMinute(0)),
                10,
                1,
                1);
        assertThat(last).isEqualTo(1);
    }
}
