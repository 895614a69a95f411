/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Deadline;
import dev.holdfast.testlogs.Logs;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.openjdk.jmh.infra.Blackhole;

/** That every library does the same work for a scenario: else the figures compare nothing. */
@Logs({
    "retry-inside-circuit-breaker",
    "circuit-breaker-inside-bulkhead",
    "bulkhead-outside-retry",
    "throttle-outside-retry",
    "circuit-breaker-inside-throttle",
    "retry-waits-without-deadline"
})
class ScenarioTest {
    private static final int CALLS = 1_000;

    static Stream<Arguments> everyLibraryOfEachScenario() {
        return Arrays.stream(Scenario.values())
                .flatMap(scenario -> scenario.libraries().stream().map(library -> Arguments.of(scenario, library)));
    }

    @ParameterizedTest
    @MethodSource("everyLibraryOfEachScenario")
    void everyLibraryAnswersEveryCallWithAsManyAttempts(Scenario scenario, Library library) throws Exception {
        Counting caller = new Counting();
        caller.failsEvery(scenario.failsEvery());
        try (Guard guard = library.guard(scenario, blackhole())) {
            Callable<?> call = guard.around(caller);
            for (int i = 0; i < CALLS; i++) {
                assertAnswered(scenario, call.call());
            }
        }
        assertThat(caller.attempts).isEqualTo(expectedAttempts(scenario));
    }

    @ParameterizedTest
    @EnumSource(names = {"SIX", "LIMITS", "INHERITED", "NESTED"})
    void callThatIsSaidToBeLimitedIsLimited(Scenario scenario) throws Exception {
        assertThat(limitedAttempts(scenario, Library.HOLDFAST)).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(names = {"LIMITS", "INHERITED", "NESTED"})
    void controlWithoutLimitsHasNone(Scenario scenario) throws Exception {
        assertThat(limitedAttempts(scenario, Library.UNLIMITED)).isEqualTo(0);
    }

    private static int limitedAttempts(Scenario scenario, Library library) throws Exception {
        Counting caller = new Counting();
        try (Guard guard = library.guard(scenario, blackhole())) {
            guard.around(caller).call();
        }
        return caller.limited;
    }

    private static void assertAnswered(Scenario scenario, Object result) {
        if (scenario.work() == Work.OPEN_BREAKER) {
            assertThat(result).isInstanceOf(RuntimeException.class).isNotInstanceOf(Caller.Failed.class);
        } else if (result instanceof CompletionStage<?> stage) {
            assertThat(stage.toCompletableFuture()).isCompletedWithValueMatching("answer"::equals);
        } else {
            assertThat(result).isEqualTo("answer");
        }
    }

    /** An open breaker lets nothing through; a failed attempt is followed by one that succeeds. */
    private static int expectedAttempts(Scenario scenario) {
        return switch (scenario) {
            case OPEN_BREAKER -> 0;
            case FOUR_FAILING_1 -> CALLS + (CALLS - 1) / 100;
            case FOUR_FAILING_10 -> CALLS + (CALLS - 1) / 10;
            default -> CALLS;
        };
    }

    @Test
    void libraryThatHasNoPartInAScenarioIsAnError() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Library.GUAVA.guard(Scenario.FOUR, blackhole()))
                .withMessage("GUAVA has no part in FOUR");
    }

    @Test
    void callThatAnOpenBreakerLetsThroughEndsTheRun() {
        Guard none = caller -> caller::answer;

        Callable<?> call = new OpenBreaker(none).around(new Caller());

        assertThatThrownBy(call::call)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the open breaker let a call through");
    }

    private static Blackhole blackhole() {
        return new Blackhole(
                "Today's password is swordfish. I understand instantiating Blackholes directly is dangerous.");
    }

    private static final class Counting extends Caller {
        private int attempts;
        private int limited;

        @Override
        String answer() {
            attempts++;
            limited += Deadline.remaining().isPresent() ? 1 : 0;
            return super.answer();
        }

        @Override
        CompletionStage<String> stage() {
            attempts++;
            return super.stage();
        }
    }
}
