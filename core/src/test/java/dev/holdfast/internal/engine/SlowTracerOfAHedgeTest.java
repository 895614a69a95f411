/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Knobs;
import dev.holdfast.Operation;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.micrometer.ObservationObserver;
import dev.holdfast.micrometer.ObservationObserver.AttemptObservation;
import dev.holdfast.micrometer.ObservationObserver.CallObservation;
import dev.holdfast.spi.CallContext.Scope;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.CallObserver.AttemptTrace;
import dev.holdfast.spi.CallObserver.CallTrace;
import dev.holdfast.spi.CallObserver.Tracer;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A call that has its answer does not wait for the tracer of a hedge. */
@ThreadKind.Each
class SlowTracerOfAHedgeTest {
    private final StillTime time = new StillTime();
    private final CountDownLatch firstRuns = new CountDownLatch(1);
    private final CountDownLatch firstMayEnd = new CountDownLatch(1);
    private final CountDownLatch hedgeIsTraced = new CountDownLatch(1);
    private final CountDownLatch tracerMayGoOn = new CountDownLatch(1);
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());
    private final List<Runnable> handedIn = Collections.synchronizedList(new ArrayList<>());

    private final CallTrace trace = new CallTrace() {
        @Override
        public Scope open() {
            return () -> {};
        }

        @Override
        public AttemptTrace attempt(int number, boolean hedge) {
            if (hedge) {
                hedgeIsTraced.countDown();
                await(tracerMayGoOn);
            }
            return new AttemptTrace() {
                @Override
                public Scope open() {
                    return () -> {};
                }

                @Override
                public void ended(Outcome outcome, boolean left, @Nullable Throwable error) {
                    told.add(number + " " + outcome);
                }
            };
        }

        @Override
        public void rejected(String policy, Reason reason) {}

        @Override
        public @Nullable CallTrace background() {
            return null;
        }

        @Override
        public void ended(Outcome outcome, Source source, long ageNanos, int attempts, @Nullable Throwable error) {
            told.add("call " + outcome + " of " + attempts);
        }
    };

    private final CallObserver ofTheUser = new CallObserver() {
        @Override
        public Tracer tracer(String pipeline) {
            return operation -> trace;
        }
    };

    private ObservationObserver observations() {
        ObservationRegistry registry = ObservationRegistry.create();
        registry.observationConfig().observationHandler(new ObservationHandler<Observation.Context>() {
            @Override
            public void onStart(Observation.Context context) {
                if (context instanceof AttemptObservation attempt && attempt.hedge()) {
                    hedgeIsTraced.countDown();
                    await(tracerMayGoOn);
                }
            }

            @Override
            public void onStop(Observation.Context context) {
                if (context instanceof AttemptObservation attempt) {
                    told.add(attempt.number() + " " + attempt.outcome());
                } else if (context instanceof CallObservation call) {
                    told.add("call " + call.outcome() + " of " + call.attempts());
                }
            }

            @Override
            public boolean supportsContext(Observation.Context context) {
                return true;
            }
        });
        return new ObservationObserver(registry);
    }

    private Pipeline pipeline(CallObserver observer) {
        return Knobs.watchdog(Pipeline.builder("p"), new WatchQueue(time))
                .policies(HedgePolicy.of(h -> h.delay(ofMillis(20))))
                .time(time)
                .backgroundExecutor(handedIn::add)
                .observer(observer)
                .build();
    }

    @AfterEach
    void close() {
        firstMayEnd.countDown();
        tracerMayGoOn.countDown();
    }

    /** The time is for a deadlock alone. */
    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private String first() {
        firstRuns.countDown();
        await(firstMayEnd);
        return "of the first";
    }

    /** The answer of the first attempt, on the thread that has it. */
    private CompletableFuture<String> call(Pipeline pipeline, Way way) {
        Operation<String> operation = pipeline.operation("x", o -> o.idempotent(true));
        CompletableFuture<String> answer = new CompletableFuture<>();
        if (way == Way.CALL_ASYNC) {
            CompletableFuture<String> stage = new CompletableFuture<>();
            CompletableFuture<String> called = operation.unkeyed().callAsync(attempt -> stage);
            start(() -> {
                stage.complete(first());
                answer.complete(called.join());
            });
        } else {
            start(() -> answer.complete(operation.unkeyed().call(attempt -> first())));
        }
        return answer;
    }

    private static Thread start(Runnable task) {
        Thread thread = ThreadKind.current().newThread(task);
        thread.start();
        return thread;
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callWithAnAnswerDoesNotWaitForIt(Way way) throws Exception {
        check(ofTheUser, way);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void norForAHandlerOfObservations(Way way) throws Exception {
        check(observations(), way);
    }

    private void check(CallObserver observer, Way way) throws Exception {
        Pipeline pipeline = pipeline(observer);
        CompletableFuture<String> answer = call(pipeline, way);
        await(firstRuns);
        time.pass(50_000_000);
        assertThat(handedIn).hasSize(1);
        Thread hedge = start(handedIn.get(0));
        await(hedgeIsTraced);
        firstMayEnd.countDown();
        assertThat(answer.get(30, TimeUnit.SECONDS)).isEqualTo("of the first");
        assertThat(told).containsExactly("1 SUCCESS", "call SUCCESS of 1");
        tracerMayGoOn.countDown();
        hedge.join();
        assertThat(told).containsExactly("1 SUCCESS", "call SUCCESS of 1", "2 CANCELLED");
        assertThat(pipeline.snapshot().policies().get(0).numbers())
                .containsEntry("hedge.started", 0L)
                .containsEntry("hedge.refused", 1L);
        pipeline.close();
    }
}
