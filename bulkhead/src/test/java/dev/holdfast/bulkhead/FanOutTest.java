/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A few keys or tenants are ill, and the others are well: those are called. */
class FanOutTest {
    private static final int CALLS = 40;
    private static final int WELL_ROUNDS = 10;
    private static final int LOOKED_AT = 20;
    private static final int ROUNDS = 60;
    private static final Duration BETWEEN = Duration.ofSeconds(10);
    private static final Duration TIMEOUT = Duration.ofSeconds(1);

    private final VirtualTime time = new VirtualTime();
    private final CallHeaders headers = CallHeaders.of(h -> h.time(time));
    private final Random random = new Random(1);

    /** Who tries a call again. */
    private enum Again {
        THE_PIPELINE,
        AN_OUTER_PIPELINE,
        ANOTHER_SERVICE,
        A_HEDGE
    }

    /** As in a page that asks for forty things: the calls that hang are tried again when all others are over. */
    @ParameterizedTest
    @CsvSource({
        "1, 0, THE_PIPELINE",
        "1, 20, THE_PIPELINE",
        "1, 39, THE_PIPELINE",
        "4, 0, THE_PIPELINE",
        "4, 18, THE_PIPELINE",
        "1, 0, AN_OUTER_PIPELINE",
        "1, 20, AN_OUTER_PIPELINE",
        "1, 39, AN_OUTER_PIPELINE",
        "4, 18, AN_OUTER_PIPELINE",
        "1, 0, ANOTHER_SERVICE",
        "1, 39, ANOTHER_SERVICE",
        "4, 0, A_HEDGE",
        "4, 18, A_HEDGE"
    })
    void aCallThatHangsIsOneLossHoweverOftenItIsTried(int ill, int first, Again again) {
        int asked = 0;
        AtomicInteger answered = new AtomicInteger();
        try (time;
                Pipeline outer = pipeline(RetryPolicy.ofDefaults());
                Pipeline pipeline = again == Again.THE_PIPELINE
                        ? pipeline()
                        : again == Again.A_HEDGE
                                ? pipeline(
                                        HedgePolicy.of(h ->
                                                h.delay(Duration.ofMillis(100)).budgetEnabled(false)),
                                        BulkheadPolicy.ofDefaults(),
                                        TimeoutPolicy.of(TIMEOUT))
                                : pipeline(BulkheadPolicy.ofDefaults(), TimeoutPolicy.of(TIMEOUT))) {
            for (int round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < CALLS; i++) {
                    boolean hangs = round >= WELL_ROUNDS && i >= first && i < first + ill;
                    Supplier<CompletableFuture<Integer>> work = () -> hangs ? new CompletableFuture<>() : served();
                    CompletableFuture<Integer> call = switch (again) {
                        case THE_PIPELINE, A_HEDGE -> pipeline.callAsync(work);
                        case AN_OUTER_PIPELINE -> outer.callAsync(() -> pipeline.callAsync(work));
                        case ANOTHER_SERVICE -> thrice(1, () -> pipeline.callAsync(work));
                    };
                    if (round >= LOOKED_AT && !hangs) {
                        asked++;
                        count(call, answered);
                    }
                }
                time.advance(BETWEEN);
            }
        }
        assertThat(answered.get()).isGreaterThan(asked * 97 / 100);
    }

    /** One tenant is over its quota, and is told so within a millisecond. */
    @ParameterizedTest
    @ValueSource(doubles = {0.3, 0.4})
    void aShareThatIsTurnedAwayAtOnceCostsTheOthersNothing(double share) {
        int asked = 0;
        AtomicInteger answered = new AtomicInteger();
        try (time;
                Pipeline pipeline = pipeline()) {
            for (int i = 0; i < 40_000; i++) {
                boolean busy = i >= 4_000 && random.nextDouble() < share;
                CompletableFuture<Integer> call = pipeline.callAsync(() -> busy ? after(1_000_000, 429) : served());
                if (i >= 8_000 && !busy) {
                    asked++;
                    count(call, answered);
                }
                time.advance(Duration.ofMillis(5));
            }
            time.run();
        }
        assertThat(answered.get()).isGreaterThan(asked * 99 / 100);
    }

    /** Reads are quick, and reports take two seconds, which is late for a read and usual for a report. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aSharedBulkheadKnowsTheLongestLimitOfItsPipelines(boolean readsFirst) {
        BulkheadPolicy shared = BulkheadPolicy.ofDefaults();
        Duration quick = Duration.ofMillis(100);
        Duration slow = Duration.ofSeconds(10);
        AtomicInteger answered = new AtomicInteger();
        try (time;
                Pipeline first = named("first", shared, TimeoutPolicy.of(readsFirst ? quick : slow));
                Pipeline second = named("second", shared, TimeoutPolicy.of(readsFirst ? slow : quick))) {
            for (int i = 0; i < 6_000; i++) {
                CompletableFuture<Integer> unused =
                        (readsFirst ? first : second).callAsync(() -> after(10_000_000, 200));
                time.advance(Duration.ofMillis(10));
            }
            for (int i = 0; i < 300; i++) {
                count((readsFirst ? second : first).callAsync(() -> after(2_000_000_000, 200)), answered);
                time.advance(Duration.ofSeconds(1).dividedBy(3));
            }
            time.run();
        }
        assertThat(answered).hasValue(300);
    }

    /** It sees one end of each call, whose attempts are all inside: a call that is lost there is news. */
    @Test
    @Logs("bulkhead-outside-retry")
    void aBulkheadAroundTheRetryHeedsEachCall() {
        BulkheadPolicy bulkhead = BulkheadPolicy.ofDefaults();
        try (time;
                Pipeline pipeline = pipeline(bulkhead, RetryPolicy.ofDefaults(), TimeoutPolicy.of(TIMEOUT))) {
            for (int i = 0; i < 100; i++) {
                CompletableFuture<Integer> unused = pipeline.callAsync(CompletableFuture::new);
                time.advance(Duration.ofMillis(100));
            }
            assertThat(bulkhead.limit()).isLessThan(2);
        }
    }

    /** As a service that calls this one, and says which attempt it is. */
    private CompletableFuture<Integer> thrice(int attempt, Supplier<CompletableFuture<Integer>> request) {
        return headers.receive(name -> name.equals("Holdfast-Attempt") ? String.valueOf(attempt) : null, request::get)
                .exceptionallyCompose(
                        error -> attempt == 3 ? CompletableFuture.failedFuture(error) : thrice(attempt + 1, request));
    }

    private Pipeline pipeline() {
        return pipeline(RetryPolicy.ofDefaults(), BulkheadPolicy.ofDefaults(), TimeoutPolicy.of(TIMEOUT));
    }

    private Pipeline pipeline(Policy... policies) {
        return named("inventory", policies);
    }

    private Pipeline named(String name, Policy... policies) {
        return Pipeline.builder(name)
                .policies(policies)
                .classifier((value, error) -> error != null
                        ? Verdict.FAILURE
                        : Integer.valueOf(429).equals(value) ? Verdict.PUSHBACK : Verdict.SUCCESS)
                .time(time)
                .build();
    }

    private CompletableFuture<Integer> served() {
        return after((25 + random.nextInt(50)) * 1_000_000L, 200);
    }

    private CompletableFuture<Integer> after(long nanos, int status) {
        CompletableFuture<Integer> answer = new CompletableFuture<>();
        time.schedule(nanos, () -> answer.complete(status));
        return answer;
    }

    private static void count(CompletableFuture<Integer> call, AtomicInteger answered) {
        var unused = call.whenComplete((value, error) -> answered.addAndGet(error == null && value == 200 ? 1 : 0));
    }
}
