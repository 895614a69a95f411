/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A policy between two spies, in a pipeline on virtual time, with other layers around and inside as a test wants them. */
final class Bench implements AutoCloseable {
    final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    final Policy policy;
    final SpyPolicy outer = SpyPolicy.named("outer");
    final SpyPolicy spy;
    final SpyPolicy inner = SpyPolicy.named("inner");

    private final List<Policy> around = new ArrayList<>();
    private final List<Policy> inside = new ArrayList<>();
    private final List<TroublePolicy> troubles = new ArrayList<>();
    private Classifier classifier = Classifier.DEFAULT;
    private CallObserver observer = new RecordingObserver();
    private Executor executor = time.executor();
    private @Nullable Pipeline pipeline;
    private int calls;

    Bench(Policy policy) {
        this.policy = policy;
        this.spy = SpyPolicy.around(policy);
    }

    Bench around(Policy layer) {
        around.add(layer);
        return this;
    }

    Bench inside(Policy layer) {
        inside.add(layer);
        return this;
    }

    Bench around(TroublePolicy.Kind kind) {
        return around(trouble(kind));
    }

    Bench inside(TroublePolicy.Kind kind) {
        return inside(trouble(kind));
    }

    private TroublePolicy trouble(TroublePolicy.Kind kind) {
        TroublePolicy trouble = new TroublePolicy(kind);
        troubles.add(trouble);
        return trouble;
    }

    Bench classifier(Classifier value) {
        classifier = value;
        return this;
    }

    Bench observer(CallObserver value) {
        observer = value;
        return this;
    }

    Bench executor(Executor value) {
        executor = value;
        return this;
    }

    Pipeline pipeline() {
        Pipeline built = pipeline;
        if (built == null) {
            List<Policy> layers = new ArrayList<>(around);
            layers.addAll(List.of(outer, spy, inner));
            layers.addAll(inside);
            built = Pipeline.builder("contract")
                    .policies(layers)
                    .classifier(classifier)
                    .observer(observer)
                    .executor(executor)
                    .time(time)
                    .build();
            pipeline = built;
        }
        return built;
    }

    /** A call with a key of its own, so that a cache gives it no answer of another call. */
    Call<Object> call() {
        return pipeline().<Object>operation("contract").key("key " + calls++);
    }

    ScriptedAction<Object> script(Step... steps) {
        return ScriptedAction.on(time, steps);
    }

    Driver.Running start(Driver driver, ScriptedAction<Object> script) {
        return driver.start(time, call(), script);
    }

    /** Runs a call until nothing is left to happen, its late work included. */
    CompletableFuture<Reply<Object>> run(Driver driver, Step... steps) {
        CompletableFuture<Reply<Object>> reply = start(driver, script(steps)).reply();
        time.run();
        return reply;
    }

    /** Asserts that every entry of every layer is over. */
    void assertOver() {
        time.run();
        outer.assertOver();
        spy.assertOver();
        inner.assertOver();
    }

    /** Asserts that the policy lets a call through after an hour without trouble. */
    void assertUsable(Driver driver) {
        troubles.forEach(TroublePolicy::stop);
        time.advance(Duration.ofHours(1));
        CompletableFuture<Reply<Object>> reply = run(driver, Step.value("well again"));
        assertThat(reply).isCompleted();
        assertThat(reply.join().value()).isEqualTo("well again");
    }

    @Override
    public void close() {
        pipeline().close();
        time.close();
    }
}
