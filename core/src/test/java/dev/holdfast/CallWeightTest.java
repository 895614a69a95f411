/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the user says of a call's weight, as policies see it. */
class CallWeightTest {
    private final VirtualTime time = new VirtualTime();
    private final List<Integer> seen = new ArrayList<>();

    @AfterEach
    void close() {
        time.close();
    }

    private Policy note() {
        return new Policy("note", Policy.ENTER | Policy.SUCCESS | Policy.FAILURE) {
            @Override
            public int enter(Passage passage) {
                seen.add(passage.weight());
                return PROCEED;
            }

            @Override
            public int settle(Passage passage) {
                seen.add(passage.weight());
                return KEEP;
            }
        };
    }

    private CompletableFuture<String> begin(Way way, Call<String> call, Duration work) {
        if (way == Way.CALL) {
            return time.spawn(() -> call.call(attempt -> {
                time.sleep(work);
                return "done";
            }));
        }
        return call.callAsync(attempt -> {
            CompletableFuture<String> end = new CompletableFuture<>();
            time.schedule(work.toNanos(), () -> end.complete("done"));
            return end;
        });
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("p").policies(policies).time(time).build();
    }

    @Test
    void isOneIfTheUserSaysNothing() throws Exception {
        Pipeline pipeline = pipeline(note());

        pipeline.call(() -> "a");
        pipeline.<String>operation("get").key("k").call(attempt -> "a");
        pipeline.<String>operation("get").decorate((String key) -> "a").apply("k");

        assertThat(seen).hasSize(6).containsOnly(1);
    }

    @Test
    void isKeptByTheOtherOptionsOfACall() throws Exception {
        Operation<String> export = pipeline(note()).operation("export");
        Duration limit = Duration.ofSeconds(1);

        export.unkeyed().weight(10).deadline(limit).key("k").partition("ann").call(attempt -> "a");
        export.key("k")
                .weight(10)
                .idempotent(true)
                .unkeyed()
                .sentOnce()
                .discard(value -> {})
                .call(attempt -> "a");
        export.unkeyed().deadline(limit).discard(value -> {}).weight(10).call(attempt -> "a");
        export.unkeyed().weight(10).run(attempt -> {});

        assertThat(seen).hasSize(8).containsOnly(10);
    }

    @Test
    void weighingKeepsWhatWasSaidBefore() throws Exception {
        List<String> lost = new ArrayList<>();
        Call<String> call = pipeline(RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(Duration.ZERO)))
                .<String>operation(
                        "export",
                        o -> o.classifier((value, error) -> "late".equals(value) ? Verdict.FAILURE : Verdict.SUCCESS))
                .unkeyed()
                .discard(lost::add)
                .weight(10);

        String answer = call.call(attempt -> attempt.number() == 1 ? "late" : "good");

        assertThat(answer).isEqualTo("good");
        assertThat(lost).containsExactly("late");
    }

    @Test
    void theOperationSaysItForItsCallsAndFunctions() throws Exception {
        Operation<String> export = pipeline(note()).operation("export", o -> o.weight(7));

        export.unkeyed().call(attempt -> "a");
        export.decorate((String key) -> "a").apply("k");
        assertThat(seen).hasSize(4).containsOnly(7);
        seen.clear();

        export.unkeyed().weight(2).call(attempt -> "a");
        assertThat(seen).containsExactly(2, 2);
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 1_000_001, Integer.MAX_VALUE})
    void outOfRangeIsRefusedAndNamed(int weight) {
        Pipeline pipeline = pipeline();
        Call<Object> call = pipeline.operation("export").unkeyed();
        String message = String.format(Locale.ROOT, "weight is %,d but must be 1 to 1,000,000", weight);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> call.weight(weight))
                .withMessage(message);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> pipeline.operation("export", o -> o.weight(weight)))
                .withMessage(message);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1_000_000})
    void bothEndsOfTheRangeAreAllowed(int weight) throws Exception {
        pipeline(note()).operation("export").unkeyed().weight(weight).call(attempt -> "a");

        assertThat(seen).containsExactly(weight, weight);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void eachAttemptWeighsTheSame(Way way) {
        Policy refuse = new Policy("refuse", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                return passage.reject(Reason.OTHER, -1, "no");
            }
        };
        Pipeline pipeline = pipeline(
                RetryPolicy.of(r -> r.maxAttempts(3).retryRejections(true)), ShadowPolicy.of(note()), note(), refuse);

        CompletableFuture<String> call =
                begin(way, pipeline.<String>operation("export").unkeyed().weight(3), Duration.ZERO);
        time.run();

        assertThat(call).isCompletedExceptionally();
        assertThat(seen).hasSize(12).containsOnly(3);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHedgeWeighsTheSame(Way way) {
        Pipeline pipeline = pipeline(HedgePolicy.of(h -> h.delay(Duration.ofMillis(10))), note());

        CompletableFuture<String> call =
                begin(way, pipeline.<String>operation("export").unkeyed().weight(3), Duration.ofMillis(50));
        time.run();

        assertThat(call).isCompletedWithValue("done");
        assertThat(seen).hasSizeGreaterThanOrEqualTo(3).containsOnly(3);
    }
}
