/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.hedge;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.Attempt;
import dev.holdfast.Call;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The call's own attempt has failed, and the limit around the hedge ends another one. The call waits until the same instant as that
 * attempt, so each order of the two is tried.
 */
class HedgeEndedByALimitTest {
    private static final int SEEDS = 20;

    enum Limit {
        POLICY,
        OF_THE_CALL,
        AROUND,
        OF_AN_OUTER_PIPELINE
    }

    /** One call: its first attempt ends after 60 ms, the next hangs, and its limit is 150 ms. */
    private static final class Run implements AutoCloseable {
        final VirtualTime time;
        final Way way;
        final Limit limit;
        final HedgePolicy hedge = HedgePolicy.of(h -> h.delay(ofMillis(20)));
        final AtomicInteger attempts = new AtomicInteger();
        final List<String> discarded = new ArrayList<>();
        boolean bad;
        private final List<Pipeline> pipelines = new ArrayList<>();

        Run(int seed, Way way, Limit limit) {
            time = VirtualTime.seeded(seed);
            this.way = way;
            this.limit = limit;
        }

        private Pipeline pipeline(String name, List<Policy> policies) {
            Pipeline made = Pipeline.builder(name)
                    .policies(policies)
                    .classifier((value, error) ->
                            error != null || Objects.equals(value, "bad") ? Verdict.FAILURE : Verdict.SUCCESS)
                    .time(time)
                    .build();
            pipelines.add(made);
            return made;
        }

        Throwable end(Policy... inside) {
            List<Policy> policies = new ArrayList<>();
            if (limit == Limit.POLICY) {
                policies.add(DeadlinePolicy.of(ofMillis(150)));
            }
            policies.add(hedge);
            policies.addAll(List.of(inside));
            Call<String> usual = pipeline("p", policies)
                    .<String>operation("x", o -> o.discard(discarded::add))
                    .unkeyed();
            Call<String> call = limit == Limit.OF_THE_CALL ? usual.deadline(ofMillis(150)) : usual;
            CompletableFuture<String> answer = limit == Limit.OF_AN_OUTER_PIPELINE
                    ? inside(pipeline("outer", List.of(TimeoutPolicy.of(ofMillis(150)))), call)
                    : limit == Limit.AROUND ? around(call) : run(call);
            time.run();
            return Objects.requireNonNull(catchThrowable(answer::join).getCause());
        }

        private CompletableFuture<String> run(Call<String> call) {
            return way == Way.CALL ? time.spawn(() -> call.call(this::act)) : call.callAsync(this::start);
        }

        private CompletableFuture<String> inside(Pipeline outer, Call<String> call) {
            return way == Way.CALL
                    ? time.spawn(() -> outer.call(() -> call.call(this::act)))
                    : outer.callAsync(() -> call.callAsync(this::start));
        }

        private CompletableFuture<String> around(Call<String> call) {
            Callable<CompletableFuture<String>> begin = () -> call.callAsync(this::start);
            try {
                return way == Way.CALL
                        ? time.spawn(() -> Deadline.within(time, ofMillis(150), () -> call.call(this::act)))
                        : Deadline.within(time, ofMillis(150), begin::call);
            } catch (Exception thrown) {
                throw new AssertionError(thrown);
            }
        }

        private String act(Attempt attempt) throws Exception {
            boolean first = attempts.incrementAndGet() == 1;
            time.sleep(ofMillis(first ? 60 : 9_000));
            return ofTheFirst();
        }

        private String ofTheFirst() throws IOException {
            if (bad) {
                return "bad";
            }
            throw new IOException("own");
        }

        private CompletableFuture<String> start(Attempt attempt) {
            CompletableFuture<String> stage = new CompletableFuture<>();
            if (attempts.incrementAndGet() == 1) {
                time.schedule(60_000_000, () -> {
                    try {
                        stage.complete(ofTheFirst());
                    } catch (IOException own) {
                        stage.completeExceptionally(own);
                    }
                });
            }
            return stage;
        }

        @Override
        public void close() {
            pipelines.forEach(Pipeline::close);
            time.close();
        }
    }

    @ParameterizedTest
    @EnumSource(Limit.class)
    void itsTimeoutIsTheLastFailureAndSoTheOutcome(Limit limit) {
        for (int seed = 0; seed < SEEDS; seed++) {
            for (Way way : Way.values()) {
                try (Run run = new Run(seed, way, limit)) {
                    assertThat(run.end())
                            .as(way + ", seed " + seed)
                            .isInstanceOfSatisfying(CallTimeoutException.class, timeout -> {
                                if (limit != Limit.OF_AN_OUTER_PIPELINE) {
                                    assertThat(timeout.elapsed()).isEqualTo(ofMillis(130));
                                    assertThat(timeout.history())
                                            .extracting(Attempt.End::outcome)
                                            .containsExactly(Outcome.FAILURE, Outcome.TIMEOUT);
                                }
                            });
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Limit.class)
    @Logs("hedge-outside-retry")
    void soItIsIfTheCallsOwnAttemptIsInThePauseOfARetryUntilThen(Limit limit) {
        RetrySettings noJitter = RetrySettings.of(
                r -> r.interval(n -> 90_000_000L - 1).budget(b -> {}).maxAttempts(3));
        for (int seed = 0; seed < SEEDS; seed++) {
            for (Way way : Way.values()) {
                try (Run run = new Run(seed, way, limit)) {
                    assertThat(run.end(RetryPolicy.of(noJitter)))
                            .as(way + ", seed " + seed)
                            .isInstanceOf(CallTimeoutException.class);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Limit.class)
    void valueOfTheAttemptThatHadFailedIsDiscardedAndTheBudgetPaysTheSame(Limit limit) {
        for (int seed = 0; seed < SEEDS; seed++) {
            for (Way way : Way.values()) {
                try (Run run = new Run(seed, way, limit)) {
                    run.bad = true;
                    assertThat(run.end()).as(way + ", seed " + seed).isInstanceOf(CallTimeoutException.class);
                    assertThat(run.discarded).as(way + ", seed " + seed).containsExactly("bad");
                    // One for the hedge, and one for the failure if the attempt had half of a policy's limit.
                    assertThat(run.hedge.budget().orElseThrow().tokens())
                            .as(way + ", seed " + seed)
                            .isEqualTo(limit == Limit.POLICY ? 8 : 9, within(1e-9));
                }
            }
        }
    }
}
