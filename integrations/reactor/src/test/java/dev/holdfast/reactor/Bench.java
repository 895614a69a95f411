/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.reactor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Attempt;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource.Timer;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;
import reactor.test.publisher.PublisherProbe;

/** Virtual time, a bulkhead whose permits must all come back, and sources that do as they are told, an attempt each. */
abstract class Bench {
    static final Duration BACKOFF = Duration.ofMillis(100);

    final VirtualTime time = new VirtualTime();
    final BulkheadPolicy bulkhead =
            BulkheadPolicy.of(b -> b.maxConcurrentCalls(5).maxWait(Duration.ZERO));
    final List<Throwable> droppedErrors = new CopyOnWriteArrayList<>();
    final List<Object> discarded = new CopyOnWriteArrayList<>();
    /** In the order of the attempts. */
    final List<PublisherProbe<String>> probes = new ArrayList<>();

    @BeforeEach
    void hear() {
        Hooks.onErrorDropped(droppedErrors::add);
        StepVerifier.setDefaultTimeout(Duration.ofMinutes(2));
    }

    @AfterEach
    void nothingIsLeft() {
        Hooks.resetOnErrorDropped();
        StepVerifier.resetDefaultTimeout();
        time.close();
        assertThat(bulkhead.inFlight()).as("permits that are out").isZero();
        assertThat(droppedErrors).isEmpty();
    }

    Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("inventory").time(time).policies(policies).build();
    }

    <T> ReactiveCall<T> call(Policy... policies) {
        return ReactiveCall.of(pipeline(policies));
    }

    static RetryPolicy retry(int attempts) {
        return RetryPolicy.of(r -> r.maxAttempts(attempts)
                .initialBackoff(BACKOFF)
                .maxBackoff(BACKOFF)
                .jitter(Jitter.NONE));
    }

    Mono<String> after(Duration delay, String value) {
        return Mono.create(sink -> {
            Timer timer = time.schedule(delay.toNanos(), () -> sink.success(value));
            sink.onCancel(timer::cancel);
        });
    }

    /** What the attempts subscribe to, one after the other; more attempts fail the test. */
    @SafeVarargs
    @SuppressWarnings("varargs") // it is only read
    final Function<Attempt, Mono<String>> attempts(Publisher<String>... sources) {
        List<Publisher<String>> all = List.of(sources);
        return attempt -> probed(all).mono();
    }

    /** The same of several elements. */
    @SafeVarargs
    @SuppressWarnings("varargs") // it is only read
    final Function<Attempt, Flux<String>> streams(Publisher<String>... sources) {
        List<Publisher<String>> all = List.of(sources);
        return attempt -> probed(all).flux();
    }

    private PublisherProbe<String> probed(List<Publisher<String>> sources) {
        PublisherProbe<String> probe = PublisherProbe.of(sources.get(probes.size()));
        probes.add(probe);
        return probe;
    }
}
