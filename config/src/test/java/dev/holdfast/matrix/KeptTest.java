/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.matrix.Cell.Way;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A call that has ended keeps neither its action nor, once that is closed, its pipeline: not by its future, nor by its thread. */
@ThreadKind.Each
class KeptTest {
    /** Held, since a logger that nobody holds forgets its level. */
    private static final Logger WARNINGS = Logger.getLogger("dev.holdfast");

    private enum End {
        VALUE,
        FAILURE,
        LIMIT,
        GIVEN_UP
    }

    /** What was called, and what may no longer be reached although {@code future} and the thread still can. */
    private record Kept(
            String cell,
            @Nullable CompletableFuture<?> future,
            WeakReference<Request> request,
            WeakReference<Pipeline> pipeline) {}

    /** What an action has captured. */
    private static final class Request {
        private final byte[] body = new byte[1_000];

        Object answer(End end) throws Exception {
            switch (end) {
                case FAILURE -> throw new IOException("ill");
                case LIMIT, GIVEN_UP -> new CountDownLatch(1).await();
                default -> {}
            }
            return "v" + body.length;
        }

        CompletionStage<Object> answerLater(End end) {
            return switch (end) {
                case FAILURE -> CompletableFuture.failedFuture(new IOException("ill"));
                case LIMIT, GIVEN_UP -> new CompletableFuture<>();
                default -> CompletableFuture.completedFuture("v" + body.length);
            };
        }
    }

    private static final class Fallbacks implements Stage {
        @Override
        public Object now() {
            return "fb";
        }

        @Override
        public CompletionStage<?> begin(@Nullable Throwable error) {
            return CompletableFuture.completedFuture("fs");
        }
    }

    @BeforeAll
    static void quiet() {
        WARNINGS.setLevel(java.util.logging.Level.OFF);
    }

    @AfterAll
    static void loud() {
        WARNINGS.setLevel(null);
    }

    @Test
    void whatIsDoneLetsGo() {
        List<Kept> all = new ArrayList<>();
        for (Way way : Way.values()) {
            for (End end : End.values()) {
                for (Layer layer : Layer.values()) {
                    all.add(play(way, end, List.of(layer)));
                }
                all.add(play(way, end, List.of()));
                all.add(play(way, end, Layer.STANDARD));
            }
        }
        List<String> there = stillThere(all);
        System.out.printf("matrix, kept, %s threads: %d calls%n", ThreadKind.current(), all.size());
        assertThat(there.subList(0, Math.min(there.size(), 20)))
                .as("%d of %d calls left something behind", there.size(), all.size())
                .isEmpty();
    }

    private static Kept play(Way way, End end, List<Layer> layers) {
        List<Policy> policies = layers.stream()
                .map(layer -> layer.make(20, Trouble.NONE, new Fallbacks()))
                .toList();
        Pipeline pipeline = Pipeline.builder("kept").policies(policies).build();
        Request request = new Request();
        CompletableFuture<?> future = null;
        if (way == Way.ASYNC) {
            future = pipeline.operation("op").key("k").deadline(ofMillis(5)).callAsync(at -> request.answerLater(end));
            if (end == End.GIVEN_UP) {
                future.cancel(true);
            }
            awaitEnd(future);
        } else {
            block(pipeline, request, end);
        }
        pipeline.close();
        return new Kept(
                way + " " + layers + " " + end, future, new WeakReference<>(request), new WeakReference<>(pipeline));
    }

    private static void block(Pipeline pipeline, Request request, End end) {
        if (end == End.GIVEN_UP) {
            Thread.currentThread().interrupt();
        }
        try {
            pipeline.operation("op").key("k").deadline(ofMillis(5)).call(at -> request.answer(end));
        } catch (Exception ended) {
            // However it ended.
        }
        Thread.interrupted();
    }

    private static void awaitEnd(CompletableFuture<?> future) {
        try {
            future.get(5, TimeUnit.MINUTES);
        } catch (Exception ended) {
            assertThat(future).isDone();
        }
    }

    /** Asks the collector until everything is gone, or it plainly does not go. */
    private static List<String> stillThere(List<Kept> all) {
        List<String> there = new ArrayList<>();
        for (long start = System.nanoTime(); System.nanoTime() - start < TimeUnit.MINUTES.toNanos(5); ) {
            System.gc();
            there.clear();
            for (Kept kept : all) {
                if (kept.request().get() != null) {
                    there.add(kept.cell() + ": its action");
                }
                if (kept.pipeline().get() != null) {
                    there.add(kept.cell() + ": its pipeline");
                }
            }
            if (there.isEmpty()) {
                break;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
        return there;
    }
}
