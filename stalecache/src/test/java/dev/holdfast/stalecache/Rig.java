/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

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
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.RecordedMeters;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A pipeline {@code inventory} on virtual time with an operation {@code stock}, called in one of the two ways. */
final class Rig implements AutoCloseable {
    final VirtualTime time;
    final List<Outcome> refreshes = new CopyOnWriteArrayList<>();
    /** Of the calls, in the order in which they have ended. */
    final List<Outcome> outcomes = new CopyOnWriteArrayList<>();

    final List<Object> discarded = new CopyOnWriteArrayList<>();
    final List<Source> sources = new CopyOnWriteArrayList<>();
    final Pipeline pipeline;
    private final Way way;
    final Operation<Object> stock;
    private final RecordedMeters meters = new RecordedMeters();
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
            return switch (String.valueOf(value)) {
                case "busy" -> Verdict.PUSHBACK;
                case "gone" -> Verdict.IGNORED;
                case "failure" -> Verdict.FAILURE;
                default -> error != null ? Verdict.FAILURE : Verdict.SUCCESS;
            };
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
                        outcomes.add(outcome);
                    }
                })
                .build();
        pipeline.meters(meters);
        stock = pipeline.operation("stock", o -> o.discard(discarded::add));
        decorated = stock.decorate(key -> works.getOrDefault(key, work).blocking(time));
        decoratedAsync =
                stock.decorateAsync(key -> works.getOrDefault(key, work).async(time));
    }

    Call<Object> call(String key) {
        return stock.key(key);
    }

    Running<Reply<Object>> start(Call<Object> call, Work asked) {
        Running<Reply<Object>> started = asked.start(way, time, call);
        time.advance(Duration.ZERO);
        return started;
    }

    Running<Reply<Object>> start(String key, Work asked) {
        return start(call(key), asked);
    }

    CompletableFuture<Reply<Object>> run(String key, Work asked) {
        CompletableFuture<Reply<Object>> reply =
                asked.start(way, time, call(key)).result();
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

    /** The counters that are not zero: {@code miss 3}. */
    List<String> requests() {
        return nonZero("stalecache.requests{kind=");
    }

    List<String> refreshCounts() {
        return nonZero("stalecache.refreshes{outcome=");
    }

    private List<String> nonZero(String prefix) {
        List<String> found = new ArrayList<>();
        meters.values().forEach((name, total) -> {
            if (name.startsWith(prefix) && total != 0) {
                found.add(name.substring(prefix.length(), name.length() - 1) + " " + total.longValue());
            }
        });
        return found;
    }

    @Override
    public void close() {
        pipeline.close();
        time.close();
    }
}
