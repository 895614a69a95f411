/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Knobs;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The straight way is the long way, only shorter: whatever policies do, the same happens in the same order. */
@Logs("ended of whim-[0-9] in '.*' threw; told once")
class StraightWayTest {
    private static final int NEVER = -1;
    private static final int CALLS = 200;

    /** Usually says nothing; now and then anything that a policy may say. */
    private static final class Whim extends Policy {
        private final int layer;
        private final Random random;
        private final List<String> log;

        Whim(int layer, int hears, Random random, List<String> log) {
            super("whim-" + layer, hears);
            this.layer = layer;
            this.random = random;
            this.log = log;
        }

        private int whim(String method, Passage passage) {
            log.add(layer + "." + method + " slot " + passage.slot() + " object " + passage.object() + " at "
                    + passage.now() + " remaining " + passage.remaining() + " attempts " + passage.attempts());
            return random.nextInt(60);
        }

        @Override
        public int enter(Passage passage) {
            int whim = whim("enter", passage);
            boolean expired = passage.expired();
            passage.slot(passage.slot() + layer + 1);
            if (whim < 3) {
                passage.object("object of " + layer);
            }
            return switch (whim) {
                case 3 -> passage.reject(Reason.THROTTLED, 5, "a whim");
                case 4 -> passage.answer("fresh", Source.FRESH, 7);
                case 5 -> passage.pause(whim * 100L);
                case 6, 7 -> expired ? PROCEED : passage.await(new Completion(), 300);
                case 8 -> throw new IllegalStateException("enter of " + layer);
                case 9, 10 -> {
                    passage.limit(1_000 + 10L * layer);
                    yield PROCEED;
                }
                default -> PROCEED;
            };
        }

        @Override
        public int settle(Passage passage) {
            int whim = whim("settle " + passage.outcome() + " " + passage.value(), passage);
            return switch (whim) {
                case 0, 1 -> passage.attempts() < 4 ? passage.retry(whim * 50L) : KEEP;
                case 2 -> passage.answer("settled", Source.FALLBACK, 0);
                case 3 -> passage.fail(new IOException("a whim of " + layer));
                case 4 -> passage.expired() ? KEEP : passage.await(new Completion(), 200);
                case 5 -> throw new IllegalStateException("settle of " + layer);
                case 6 -> passage.answerFrom(error -> "from " + error);
                default -> KEEP;
            };
        }

        @Override
        public void ended(Passage passage) {
            if (whim("ended", passage) == 0) {
                throw new IllegalStateException("ended of " + layer);
            }
        }

        @Override
        public void abandon(Passage passage) {
            whim("abandon", passage);
        }

        @Override
        public int stillAdmits(Passage passage) {
            return whim("stillAdmits", passage) == 0 ? passage.reject(Reason.THROTTLED, -1, "no more") : PROCEED;
        }
    }

    private static List<String> run(long seed, int straightAfter, boolean blocking) throws Exception {
        List<String> log = new ArrayList<>();
        Random random = new Random(seed);
        List<Policy> layers = new ArrayList<>();
        int[] all = {Policy.ENTER, Policy.SUCCESS, Policy.FAILURE, Policy.ENDED, Policy.STILL_ADMITS};
        for (int i = random.nextInt(7); i >= 0; i--) {
            int hears = 0;
            for (int one : all) {
                hears |= random.nextInt(4) == 0 ? 0 : one;
            }
            layers.add(new Whim(layers.size(), hears, random, log));
        }
        try (VirtualTime time = VirtualTime.seeded(seed);
                Pipeline pipeline = Knobs.straightAfter(Pipeline.builder("whims"), straightAfter)
                        .policies(layers)
                        .time(time)
                        .executor(time.executor())
                        .build()) {
            for (int i = 0; i < CALLS; i++) {
                CompletableFuture<Object> end = blocking
                        ? time.spawn(() -> pipeline.call(() -> action(random)))
                        : pipeline.callAsync(() -> stage(random));
                time.run();
                assertThat(end).as("seed %d call %d", seed, i).isDone();
                log.add("ended with "
                        + end.handle((value, error) -> value + ", " + error).join());
            }
        }
        return log;
    }

    private static Object action(Random random) {
        int whim = random.nextInt(20);
        if (whim == 0) {
            throw new IllegalArgumentException("action");
        }
        return "value " + whim;
    }

    private static CompletionStage<Object> stage(Random random) {
        return CompletableFuture.completedFuture(action(random));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void sameSeedGivesTheSameLogOnBothWays(boolean blocking) throws Exception {
        for (long seed = 1; seed <= 30; seed++) {
            assertThat(run(seed, 0, blocking)).as("seed %d", seed).isEqualTo(run(seed, NEVER, blocking));
            assertThat(run(seed, CALLS / 2, blocking)).as("seed %d, late", seed).isEqualTo(run(seed, NEVER, blocking));
        }
    }

    @Test
    void isTakenOnceThePipelineIsInUse() throws Exception {
        List<String> straight = new ArrayList<>();
        Policy tracing = new Policy("tracing", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                StackWalker.getInstance(StackWalker.Option.SHOW_HIDDEN_FRAMES).forEach(frame -> {
                    if (frame.getClassName().contains("StraightLayer")) {
                        straight.add(frame.getMethodName());
                    }
                });
                return PROCEED;
            }
        };
        try (Pipeline pipeline = Knobs.straightAfter(Pipeline.builder("used"), 10)
                .policies(tracing)
                .build()) {
            for (int i = 0; i < 10; i++) {
                pipeline.call(() -> "value");
            }
            assertThat(straight).isEmpty();
            pipeline.call(() -> "value");
            pipeline.call(() -> "value");
            assertThat(straight).containsExactly("enter", "enter");
        }
    }
}
