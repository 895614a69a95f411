/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.internal.Causes;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.ScriptedServer;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.text.ParseException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A handler that writes to one place of the caller's reads one body; and what a handler throws is the caller's affair. */
class BodyTargetTest {
    private enum Way {
        BLOCKING,
        ASYNCHRONOUS
    }

    private static final String PAGE = "an error page that is longer than the answer";

    @TempDir
    Path folder;

    private final ScriptedServer server = ScriptedServer.start();
    private final CircuitBreakerPolicy breaker =
            CircuitBreakerPolicy.of(c -> c.minimumNumberOfCalls(2).slidingWindowSize(2));
    private final Pipeline pipeline =
            Pipeline.of("shop", StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO)), retry(), breaker);
    private final HttpClient client = HoldfastHttpClient.around(HttpClient.newHttpClient(), Pipelines.one(pipeline));
    private final List<String> got = new ArrayList<>();

    @AfterEach
    void close() {
        pipeline.close();
        server.close();
    }

    private HttpRequest get() {
        return HttpRequest.newBuilder(server.uri("/file")).build();
    }

    private <T> HttpResponse<T> send(Way way, BodyHandler<T> handler) throws Exception {
        return way == Way.BLOCKING
                ? client.send(get(), handler)
                : client.sendAsync(get(), handler).get();
    }

    /** Asks for one line after the other. */
    private final class Lines implements Flow.Subscriber<String> {
        private Flow.@Nullable Subscription from;

        private void ask() {
            Objects.requireNonNull(from).request(1);
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            from = subscription;
            ask();
        }

        @Override
        public void onNext(String line) {
            got.add(line);
            ask();
        }

        @Override
        public void onError(Throwable error) {
            got.add("error");
        }

        @Override
        public void onComplete() {
            got.add("end");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFileHasTheBodyOfOneResponse(Way way) throws Exception {
        for (BodyHandler<Path> handler : List.of(
                BodyHandlers.ofFile(folder.resolve("a")),
                BodyHandlers.ofFile(folder.resolve("b"), StandardOpenOption.CREATE, StandardOpenOption.APPEND),
                BodyHandlers.ofFileDownload(folder, StandardOpenOption.CREATE, StandardOpenOption.WRITE))) {
            server.answers(500, PAGE)
                    .with("Content-Disposition", "attachment; filename=c")
                    .answers(200, "good");
            HttpResponse<Path> response = send(way, handler);
            assertThat(response.statusCode()).isEqualTo(500);
            assertThat(response.body()).hasContent(PAGE);
            assertThat(send(way, BodyHandlers.ofString()).body()).isEqualTo("good");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aSubscriberOrConsumerOfTheCallersHearsOneBody(Way way) throws Exception {
        for (BodyHandler<Void> handler : Stream.<BodyHandler<Void>>of(
                        BodyHandlers.ofByteArrayConsumer(bytes ->
                                got.add(bytes.map(part -> new String(part, StandardCharsets.UTF_8))
                                        .orElse("end"))),
                        BodyHandlers.fromLineSubscriber(new Lines()))
                .toList()) {
            got.clear();
            server.answers(429, "slow down").with("Retry-After", "0").answers(200, "good");
            assertThat(send(way, handler).statusCode()).isEqualTo(429);
            assertThat(got).containsExactly("slow down", "end");
            assertThat(send(way, BodyHandlers.ofString()).body()).isEqualTo("good");
        }
    }

    @ParameterizedTest
    @EnumSource
    void otherHandlersReadEachResponseAnew(Way way) throws Exception {
        server.answers(500, PAGE).answers(200, "good");
        assertThat(send(way, BodyHandlers.ofString()).body()).isEqualTo("good");
        server.answers(500, PAGE).answers(200, "a\nb");
        assertThat(send(way, BodyHandlers.ofLines()).body()).containsExactly("a", "b");
    }

    static Stream<Arguments> thrown() {
        return Stream.of(
                        new IllegalStateException("no number"),
                        new ParseException("no number", 0),
                        new NoClassDefFoundError("Number"),
                        new StackOverflowError())
                .flatMap(thrown -> Stream.of(Way.values()).map(way -> Arguments.of(way, thrown)));
    }

    @ParameterizedTest
    @MethodSource("thrown")
    void whatAHandlerThrowsIsNoFailureOfTheService(Way way, Throwable thrown) {
        BodyHandler<String> broken = info -> BodySubscribers.mapping(BodySubscribers.ofByteArray(), bytes -> {
            throw Causes.<RuntimeException>asItIs(thrown);
        });
        for (Policy[] policies : List.of(new Policy[] {retry(), breaker}, new Policy[] {
            StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO)), retry(), breaker
        })) {
            pipeline.replace(policies);
            int before = server.requests().size();
            for (int i = 1; i <= 4; i++) {
                // Not to be kept, so that the handler reads it within the attempt.
                server.answers(200, "twelve").with("Cache-Control", i % 2 == 0 ? "no-store" : "max-age=0");
                assertThatThrownBy(() -> send(way, broken))
                        .isInstanceOf(way == Way.BLOCKING ? IOException.class : ExecutionException.class)
                        .rootCause()
                        .isSameAs(thrown);
                assertThat(server.requests()).as("not repeated").hasSize(before + i);
            }
            assertThat(breaker.state()).hasToString("CLOSED");
        }
    }

    private static RetryPolicy retry() {
        return RetryPolicy.of(
                r -> r.maxAttempts(3).initialBackoff(Duration.ofMillis(1)).budgetEnabled(false));
    }

    @Test
    void aBodyFromMemoryEndsWithItsLastLine() throws Exception {
        server.answers(200, "a\nb\nc").with("Cache-Control", "max-age=60");
        for (int i = 0; i < 2; i++) {
            got.clear();
            // Not one of the JDK's own handlers, so that the cache has a part in it.
            send(Way.BLOCKING, info -> BodySubscribers.fromLineSubscriber(new Lines()));
            assertThat(got).containsExactly("a", "b", "c", "end");
        }
        assertThat(server.requests()).hasSize(1);
    }
}
