/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CheckedFunction;
import dev.holdfast.Knobs;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.time.VirtualTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A background call is started by the decision of the layer that asks for it, whatever the other layers do; and only then. */
class ForksTest {
    private final VirtualTime time = new VirtualTime();
    private final AtomicInteger runs = new AtomicInteger();

    @AfterEach
    void close() {
        time.close();
    }

    /** Both ways into a pipeline, and both that it goes. */
    static Stream<Arguments> ways() {
        return Stream.of(Way.values()).flatMap(way -> Stream.of(Arguments.of(way, 0), Arguments.of(way, -1)));
    }

    private static void nothing(Passage passage) {}

    /** Does these things in the call itself, and nothing in a background call. */
    private static final class Layer extends Policy {
        private final Consumer<Passage> entering;
        private final Consumer<Passage> settling;
        private final Consumer<Passage> ending;
        private final AtomicInteger background = new AtomicInteger();

        Layer(String name, Consumer<Passage> entering, Consumer<Passage> settling, Consumer<Passage> ending) {
            super(name, ENTER | SUCCESS | FAILURE | ENDED);
            this.entering = entering;
            this.settling = settling;
            this.ending = ending;
        }

        private static boolean isForked(Passage passage) {
            return "fork".equals(passage.object());
        }

        @Override
        public int enter(Passage passage) {
            entering.accept(passage);
            return PROCEED;
        }

        @Override
        public int settle(Passage passage) {
            if (isForked(passage)) {
                background.incrementAndGet();
            } else {
                settling.accept(passage);
            }
            return KEEP;
        }

        @Override
        public void ended(Passage passage) {
            if (!isForked(passage)) {
                ending.accept(passage);
            }
        }
    }

    private static void fork(Passage passage) {
        passage.beside().fork("fork", Long.MAX_VALUE);
    }

    private Pipeline pipeline(int straightAfter, Policy... layers) {
        return Knobs.straightAfter(Pipeline.builder("p"), straightAfter)
                .policies(layers)
                .time(time)
                .build();
    }

    private String act() {
        return "run " + runs.incrementAndGet();
    }

    /** How it ended. All that follows from it has happened. */
    private String call(Way way, Pipeline pipeline) {
        Operation<String> operation = pipeline.operation("x");
        CompletableFuture<String> answer;
        if (way == Way.CALL) {
            CheckedFunction<String, String, RuntimeException> decorated = operation.decorate(key -> act());
            answer = time.spawn(() -> decorated.apply("key"));
        } else {
            answer = operation
                    .decorateAsync((String key) -> CompletableFuture.completedFuture(act()))
                    .apply("key");
        }
        time.run();
        return answer.handle((value, error) -> error == null ? value : "error").join();
    }

    @ParameterizedTest
    @MethodSource("ways")
    void layerFurtherInThatThrowsStopsNoBackgroundCall(Way way, int straightAfter) {
        AtomicInteger entered = new AtomicInteger();
        Layer forking = new Layer("forking", ForksTest::fork, ForksTest::nothing, ForksTest::nothing);
        Layer broken = new Layer(
                "broken",
                passage -> {
                    if (entered.incrementAndGet() == 1) {
                        throw new IllegalStateException("broken");
                    }
                },
                ForksTest::nothing,
                ForksTest::nothing);
        try (Pipeline pipeline = pipeline(straightAfter, forking, broken)) {
            assertThat(call(way, pipeline)).isEqualTo("error");
            assertThat(runs).hasValue(1);
            assertThat(forking.background).hasValue(1);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void layerThatThrowsAfterItAskedForABackgroundCallGetsNone(Way way, int straightAfter) {
        Layer broken = new Layer(
                "broken",
                passage -> {
                    fork(passage);
                    throw new IllegalStateException("broken");
                },
                ForksTest::nothing,
                ForksTest::nothing);
        try (Pipeline pipeline = pipeline(
                straightAfter,
                new Layer("outer", ForksTest::nothing, ForksTest::nothing, ForksTest::nothing),
                broken)) {
            assertThat(call(way, pipeline)).isEqualTo("error");
            assertThat(runs).hasValue(0);
            assertThat(broken.background).hasValue(0);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void layerThatThrowsOnTheWayUpAfterItAskedForABackgroundCallGetsNone(Way way, int straightAfter) {
        Layer broken = new Layer(
                "broken",
                ForksTest::nothing,
                passage -> {
                    fork(passage);
                    throw new IllegalStateException("broken");
                },
                ForksTest::nothing);
        try (Pipeline pipeline = pipeline(
                straightAfter,
                new Layer("outer", ForksTest::nothing, ForksTest::nothing, ForksTest::nothing),
                broken)) {
            assertThat(call(way, pipeline)).isEqualTo("error");
            assertThat(runs).hasValue(1);
            assertThat(broken.background).hasValue(0);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void backgroundCallThatIsAskedForTooLateIsNotStartedByTheNextCallOfTheThread(Way way, int straightAfter) {
        AtomicInteger ended = new AtomicInteger();
        Layer late = new Layer("late", ForksTest::nothing, ForksTest::nothing, passage -> {
            if (ended.incrementAndGet() == 1) {
                fork(passage);
            }
        });
        try (Pipeline pipeline = pipeline(straightAfter, late)) {
            if (way == Way.CALL) {
                CheckedFunction<String, String, RuntimeException> decorated =
                        pipeline.<String>operation("x").decorate(key -> act());
                CompletableFuture<String> second = time.spawn(() -> {
                    decorated.apply("key");
                    return decorated.apply("key");
                });
                time.run();
                assertThat(second).isCompletedWithValue("run 2");
            } else {
                assertThat(call(way, pipeline)).isEqualTo("run 1");
                assertThat(call(way, pipeline)).isEqualTo("run 2");
            }
            assertThat(runs).hasValue(2);
            assertThat(late.background).hasValue(0);
        }
    }

    /** The executor runs tasks on the thread that hands them in. */
    @Test
    void interruptThatABackgroundCallFindsOnItsCallersThreadStaysSet() {
        List<Boolean> interrupted = new ArrayList<>();
        Pipeline pipeline = Pipeline.builder("p")
                .policies(new Layer("forks", ForksTest::fork, ForksTest::nothing, ForksTest::nothing))
                .time(time)
                .backgroundExecutor(Runnable::run)
                .build();
        Operation<String> operation = pipeline.operation("x");
        CheckedFunction<String, String, InterruptedException> decorated = operation.decorate(key -> {
            if (runs.incrementAndGet() == 1) {
                throw new InterruptedException("from outside");
            }
            interrupted.add(Thread.interrupted());
            return "answer";
        });
        CompletableFuture<String> answer = time.spawn(() -> decorated.apply("key"));
        time.run();
        assertThat(answer).isCompletedWithValue("answer");
        assertThat(interrupted).containsExactly(true);
    }
}
