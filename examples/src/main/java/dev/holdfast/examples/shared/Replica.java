/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.shared;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.valkey.SharedThrottlePolicy;
import dev.holdfast.valkey.SharedThrottleSettings;
import dev.holdfast.valkey.ValkeyStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One of several processes that share a throttle: makes a thousand calls a second, one half blocking and the other asynchronous,
 * and writes when it began and when each call started that was let through. Ends with 1 if a call failed or hung.
 */
public final class Replica implements AutoCloseable {
    private static final long CALLS_A_SECOND = 1_000;
    /** Longer than a call may wait, and than any pause of the machine. */
    private static final Duration HANGS_AFTER = Duration.ofSeconds(30);

    private final Pipeline pipeline;
    private final SharedThrottlePolicy throttle;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Queue<Long> starts = new ConcurrentLinkedQueue<>();
    private final long begin = now();
    private final LongAdder rejected = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final AtomicLong longestNanos = new AtomicLong();

    private Replica(String name, ValkeyStore store, SharedThrottleSettings settings) {
        throttle = SharedThrottlePolicy.of(store, settings);
        CallObserver changes = new CallObserver() {
            @Override
            public void stateChanged(String pipelineName, String policy, String from, String to, String cause) {
                System.out.printf("  %s: %s is %s: %s%n", pipelineName, policy, to, cause);
            }
        };
        pipeline = Pipeline.builder(name).policies(throttle).observer(changes).build();
    }

    /** Arguments: the name of the process, the URI of the server, the key of the limit, seconds, and the file of the starts. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Path file = Path.of(args[4]);
        boolean well;
        try (ValkeyStore store = ValkeyStore.connect(args[1]);
                Replica replica = new Replica(args[0], store, Judge.settings(args[2]))) {
            well = replica.run(Duration.ofSeconds(Long.parseLong(args[3])), file);
        }
        System.exit(well ? 0 : 1);
    }

    private boolean run(Duration time, Path file) throws IOException, InterruptedException {
        List<CompletableFuture<?>> calls = new ArrayList<>();
        long origin = System.nanoTime();
        long number = time.toSeconds() * CALLS_A_SECOND;
        for (long i = 0; i < number; i++) {
            long due = origin + i * 1_000_000_000 / CALLS_A_SECOND;
            for (long early = due - System.nanoTime(); early > 0; early = due - System.nanoTime()) {
                LockSupport.parkNanos(early);
            }
            calls.add(i % 2 == 0 ? async() : CompletableFuture.runAsync(this::blocking, threads));
        }
        int hung = hung(calls);
        Files.write(
                file,
                Stream.concat(Stream.of(begin), starts.stream())
                        .map(String::valueOf)
                        .toList());
        System.out.printf(
                "  %s: %,d calls, %,d started (%,d of them without the store), %,d rejected, %,d failed, %,d hung; the longest took %,d ms; the store was asked %,d times%n",
                pipeline.name(),
                number,
                starts.size(),
                throttle.withoutStore(),
                rejected.sum(),
                failed.sum(),
                hung,
                TimeUnit.NANOSECONDS.toMillis(longestNanos.get()),
                pipeline.snapshot()
                        .numbers()
                        .getOrDefault("throttle.store.asked", 0.0)
                        .longValue());
        return failed.sum() == 0 && hung == 0;
    }

    private static int hung(List<CompletableFuture<?>> calls) throws InterruptedException {
        try {
            CompletableFuture.allOf(calls.toArray(new CompletableFuture<?>[0]))
                    .handle((none, error) -> null)
                    .get(HANGS_AFTER.toSeconds(), TimeUnit.SECONDS);
            return 0;
        } catch (TimeoutException hang) {
            return (int) calls.stream().filter(call -> !call.isDone()).count();
        } catch (ExecutionException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private CompletableFuture<?> async() {
        long began = System.nanoTime();
        return pipeline.callAsync(() -> CompletableFuture.completedFuture(start()))
                .whenComplete((value, error) -> end(error, began));
    }

    private void blocking() {
        long began = System.nanoTime();
        @Nullable Throwable error = null;
        try {
            pipeline.call(this::start);
        } catch (RuntimeException thrown) {
            error = thrown;
        }
        end(error, began);
    }

    private boolean start() {
        return starts.add(now());
    }

    private static long now() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    }

    private void end(@Nullable Throwable error, long began) {
        longestNanos.accumulateAndGet(System.nanoTime() - began, Math::max);
        Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        if (cause instanceof CallRejectedException rejection && rejection.reason() == Reason.THROTTLED) {
            rejected.increment();
        } else if (cause != null) {
            failed.increment();
            System.out.println("  a call failed: " + cause);
        }
    }

    @Override
    public void close() {
        pipeline.close();
        threads.shutdownNow();
    }
}
