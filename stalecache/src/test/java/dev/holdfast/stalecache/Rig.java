/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.Call;
import dev.holdfast.CheckedFunction;
import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.Verdict;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** A pipeline {@code inventory} on virtual time with an operation {@code stock}, called in one of the two ways. */
final class Rig implements AutoCloseable {
    final VirtualTime time;
    final List<Outcome> refreshes = new CopyOnWriteArrayList<>();
    final List<Source> sources = new CopyOnWriteArrayList<>();
    final Pipeline pipeline;
    private final Way way;
    final Operation<Object> stock;
    private final Map<String, LongSupplier> counters = new HashMap<>();
    /** What the decorated function asks, for a key of which nothing else is said. */
    volatile Work work = Work.value("none");

    final Map<String, Work> works = new ConcurrentHashMap<>();

    private final CheckedFunction<String, Object, Exception> decorated;
    private final Function<String, CompletableFuture<Object>> decoratedAsync;

    Rig(Way way, Policy... outermostFirst) {
        this(new VirtualTime(), way, outermostFirst);
    }

    Rig(VirtualTime time, Way way, Policy... outermostFirst) {
        this.time = time;
        this.way = way;
        Classifier classifier = (value, error) -> {
            if (error instanceof IllegalArgumentException) {
                return Verdict.IGNORED;
            }
            if ("busy".equals(value)) {
                return Verdict.PUSHBACK;
            }
            return error != null || "failure".equals(value) ? Verdict.FAILURE : Verdict.SUCCESS;
        };
        pipeline = Pipeline.builder("inventory")
                .policies(outermostFirst)
                .time(time)
                .classifier(classifier)
                .observer(new CallObserver() {
                    @Override
                    public void backgroundSettled(
                            String name, @Nullable String operation, Outcome outcome, long nanos) {
                        refreshes.add(outcome);
                    }

                    @Override
                    public void callSettled(
                            String name,
                            @Nullable String operation,
                            Outcome outcome,
                            Source source,
                            int attempts,
                            long nanos) {
                        sources.add(source);
                    }
                })
                .build();
        pipeline.meters(new Counters(counters));
        stock = pipeline.operation("stock");
        decorated = stock.decorate(key -> works.getOrDefault(key, work).blocking(time));
        decoratedAsync =
                stock.decorateAsync(key -> works.getOrDefault(key, work).async(time));
    }

    Call<Object> call(String key) {
        return stock.key(key);
    }

    Way.Started start(Call<Object> call, Work asked) {
        Way.Started started = way.start(time, call, asked);
        time.advance(Duration.ZERO);
        return started;
    }

    Way.Started start(String key, Work asked) {
        return start(call(key), asked);
    }

    CompletableFuture<Reply<Object>> run(String key, Work asked) {
        CompletableFuture<Reply<Object>> reply =
                way.start(time, call(key), asked).reply();
        time.run();
        return reply;
    }

    /** One call from its start to its end, whatever that is. */
    void load(String key, Work asked) {
        CompletableFuture<?> unused = run(key, asked);
    }

    /** Calls the decorated function, which may be run again in the background. */
    CompletableFuture<Object> startRepeatable(String key) {
        CompletableFuture<Object> result =
                way == Way.CALL ? time.spawn(() -> decorated.apply(key)) : decoratedAsync.apply(key);
        time.advance(Duration.ZERO);
        return result;
    }

    static Throwable errorOf(CompletableFuture<?> reply) {
        if (!reply.isDone()) {
            throw new AssertionError("still running");
        }
        Throwable error = catchThrowable(reply::join);
        if (error == null) {
            throw new AssertionError("ended well, with " + reply.join());
        }
        Throwable cause = error.getCause();
        return error instanceof CompletionException && cause != null ? cause : error;
    }

    /** The counters that are not zero: {@code miss 3}. */
    List<String> requests() {
        return nonZero("stalecache.requests ");
    }

    List<String> refreshCounts() {
        return nonZero("stalecache.refreshes ");
    }

    private List<String> nonZero(String prefix) {
        List<String> found = new ArrayList<>();
        counters.forEach((name, total) -> {
            if (name.startsWith(prefix) && total.getAsLong() != 0) {
                found.add(name.substring(prefix.length()) + " " + total.getAsLong());
            }
        });
        return found;
    }

    @Override
    public void close() {
        pipeline.close();
        time.close();
    }

    private record Counters(Map<String, LongSupplier> counters) implements Meters {
        @Override
        public void gauge(String name, String description, DoubleSupplier value) {
            counters.put(name, () -> (long) value.getAsDouble());
        }

        @Override
        public void gauge(String name, String description, String tag, String tagValue, DoubleSupplier value) {
            gauge(name + " " + tagValue, description, value);
        }

        @Override
        public void counter(String name, String description, LongSupplier total) {
            counters.put(name, total);
        }

        @Override
        public void counter(String name, String description, String tag, String tagValue, LongSupplier total) {
            counters.put(name + " " + tagValue, total);
        }
    }
}
