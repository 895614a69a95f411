/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ScriptedServer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.client.AbstractClientHttpRequest;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.web.client.HttpServerErrorException;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;

/** Where the interceptor stands in the chain, and what it makes of a response. */
class HoldfastInterceptorTest {
    private static final String URL = "http://shop.example/stock";

    private final List<AutoCloseable> open = new ArrayList<>();
    private final List<String> seen = new CopyOnWriteArrayList<>();
    private final List<Answer> answers = new CopyOnWriteArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    private HoldfastInterceptor holdfast(Policy... policies) {
        Pipeline pipeline = Pipeline.of("shop", policies);
        open.add(pipeline);
        return HoldfastInterceptor.of(Pipelines.one(pipeline));
    }

    private static RetryPolicy retry() {
        return RetryPolicy.of(
                r -> r.maxAttempts(3).initialBackoff(Duration.ofMillis(1)).budgetEnabled(false));
    }

    /** An answer that knows whether it was closed. */
    private static final class Answer implements ClientHttpResponse {
        private final int status;
        private final HttpHeaders headers = new HttpHeaders();
        private final InputStream body;
        private boolean closed;

        Answer(int status, String text) {
            this(status, new ByteArrayInputStream(text.getBytes(UTF_8)));
        }

        Answer(int status, InputStream body) {
            this.status = status;
            this.body = body;
        }

        @Override
        public HttpStatusCode getStatusCode() {
            return HttpStatusCode.valueOf(status);
        }

        @Override
        public String getStatusText() {
            return "X";
        }

        @Override
        public HttpHeaders getHeaders() {
            return headers;
        }

        @Override
        public InputStream getBody() {
            return body;
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    /** Answers with these statuses, the last one again and again. */
    private ClientHttpRequestFactory server(int... statuses) {
        AtomicInteger turn = new AtomicInteger();
        return answering(() -> {
            int status = statuses[Math.min(turn.getAndIncrement(), statuses.length - 1)];
            return new Answer(status, "text");
        });
    }

    private ClientHttpRequestFactory answering(Supplier<Answer> answers) {
        return (uri, method) -> new Asked(method, uri, answers);
    }

    private final class Asked extends AbstractClientHttpRequest {
        private final HttpMethod method;
        private final URI uri;
        private final Supplier<Answer> answers;
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();

        Asked(HttpMethod method, URI uri, Supplier<Answer> answers) {
            this.method = method;
            this.uri = uri;
            this.answers = answers;
        }

        @Override
        public HttpMethod getMethod() {
            return method;
        }

        @Override
        public URI getURI() {
            return uri;
        }

        @Override
        protected OutputStream getBodyInternal(HttpHeaders headers) {
            return body;
        }

        @Override
        protected ClientHttpResponse executeInternal(HttpHeaders headers) {
            seen.add("sent " + headers.getFirst("Holdfast-Attempt") + body.toString(UTF_8));
            return answers.get();
        }
    }

    private Asked get() {
        return new Asked(HttpMethod.GET, URI.create(URL), () -> new Answer(200, ""));
    }

    private ClientHttpRequestInterceptor noting(String name) {
        return (request, body, execution) -> {
            seen.add(name);
            request.getHeaders().add("X-Seen", name);
            seen.add(name + request.getHeaders().get("X-Seen"));
            return execution.execute(request, body);
        };
    }

    /** A response to HEAD may say anything of the body that it has not. */
    @Test
    void aLengthThatIsNoNumberIsNotKnown() {
        RestClient client = RestClient.builder()
                .requestFactory(answering(() -> {
                    Answer answer = new Answer(200, "");
                    answer.headers.set("Content-Length", "abc");
                    return answer;
                }))
                .requestInterceptor(holdfast(retry()))
                .build();
        assertThat(client.head().uri(URL).retrieve().toBodilessEntity().getStatusCode())
                .isEqualTo(HttpStatusCode.valueOf(200));
        assertThat(seen).hasSize(1);
    }

    // ---- in the chain

    @Test
    void interceptorsBeforeItRunOnceAndThoseAfterItInEachAttempt() {
        RestClient client = RestClient.builder()
                .requestFactory(server(500, 200))
                .requestInterceptor(noting("a"))
                .requestInterceptor(holdfast(retry()))
                .requestInterceptor(noting("b"))
                .requestInterceptor(noting("c"))
                .build();
        assertThat(client.put().uri(URL).body("!").retrieve().body(String.class))
                .isEqualTo("text");
        assertThat(seen)
                .containsExactly(
                        "a",
                        "a[a]",
                        "b",
                        "b[a, b]",
                        "c",
                        "c[a, b, c]",
                        "sent 1!",
                        "b",
                        "b[a, b]",
                        "c",
                        "c[a, b, c]",
                        "sent 2!");
    }

    @Test
    void restTemplateTakesItToo() {
        RestTemplate template = new RestTemplate(server(500, 503, 200));
        template.getInterceptors().add(holdfast(retry()));
        template.getInterceptors().add(noting("b"));
        assertThat(template.getForObject(URL, String.class)).isEqualTo("text");
        assertThat(seen).containsExactly("b", "b[b]", "sent 1", "b", "b[b]", "sent 2", "b", "b[b]", "sent 3");
    }

    @Test
    void restTemplatesErrorHandlerSeesTheLastResponse() {
        RestTemplate template = new RestTemplate(server(500, 500, 502));
        template.getInterceptors().add(holdfast(retry()));
        assertThatThrownBy(() -> template.getForObject(URL, String.class))
                .isInstanceOfSatisfying(HttpServerErrorException.class, e -> {
                    assertThat(e.getStatusCode()).isEqualTo(HttpStatus.BAD_GATEWAY);
                    assertThat(e.getResponseBodyAsString()).isEqualTo("text");
                });
    }

    @Test
    void restTemplateSeesARejectionAsAnIOException() {
        HoldfastInterceptor holdfast = holdfast(retry());
        RestTemplate template = new RestTemplate(server(200));
        template.getInterceptors().add(holdfast);
        open.forEach(each -> assertThat(each).isInstanceOf(Pipeline.class).satisfies(p -> ((Pipeline) p).close()));
        assertThatThrownBy(() -> template.getForObject(URL, String.class))
                .isInstanceOf(ResourceAccessException.class)
                .cause()
                .isInstanceOf(IOException.class)
                .hasCauseInstanceOf(CallRejectedException.class);
        assertThat(seen).isEmpty();
    }

    @Test
    void aStatusHandlerSeesTheLastResponse() {
        RestClient client = RestClient.builder()
                .requestFactory(server(500, 500, 502))
                .requestInterceptor(holdfast(retry()))
                .build();
        assertThatThrownBy(() -> client.get().uri(URL).retrieve().body(String.class))
                .isInstanceOfSatisfying(HttpServerErrorException.class, e -> {
                    assertThat(e.getStatusCode()).isEqualTo(HttpStatus.BAD_GATEWAY);
                    assertThat(e.getResponseBodyAsString()).isEqualTo("text");
                });
    }

    /** Both attempts go down the chain, at the same time. */
    @Test
    void aHedgeRunsTheRestOfTheChainToo() {
        CountDownLatch both = new CountDownLatch(2);
        RestClient client = RestClient.builder()
                .requestFactory(server(200))
                .requestInterceptor(holdfast(HedgePolicy.of(h -> h.delay(Duration.ofMillis(1)))))
                .requestInterceptor((request, body, execution) -> {
                    both.countDown();
                    try {
                        both.await();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                    return execution.execute(request, body);
                })
                .requestInterceptor(noting("b"))
                .build();
        assertThat(client.get().uri(URL).retrieve().body(String.class)).isEqualTo("text");
        assertThat(both.getCount()).isZero();
        assertThat(seen).contains("b", "b[b]");
    }

    // ---- what the attributes say

    @ParameterizedTest
    @CsvSource({"POST, true, 3", "POST, false, 1", "PUT, false, 3"})
    void anAttributeSaysThatAPostMayBeDoneTwice(String method, boolean idempotent, int sent) {
        RestClient client = RestClient.builder()
                .requestFactory(server(500))
                .requestInterceptor(holdfast(retry()))
                .build();
        client.method(HttpMethod.valueOf(method))
                .uri(URL)
                .attribute(CallAttributes.IDEMPOTENT, idempotent)
                .body("!")
                .exchange((request, response) -> response.getStatusCode());
        assertThat(seen).hasSize(sent);
    }

    // ---- bodies

    private Answer got(int most, Answer answer) throws IOException {
        ClientHttpResponse response =
                holdfast(retry()).readBodiesUpTo(most).intercept(get(), new byte[0], (request, body) -> answer);
        int left = answer.body.available();
        assertThat(new String(response.getBody().readAllBytes(), UTF_8)).isEqualTo("0123456789");
        assertThat(answer.body.available()).isZero();
        seen.add("" + left);
        return answer;
    }

    @ParameterizedTest
    @CsvSource({"0, 10", "9, 10", "10, 0", "11, 0"})
    void aKnownLengthIsReadWholeOrNotAtAll(int most, String left) throws IOException {
        Answer answer = new Answer(200, "0123456789");
        answer.headers.setContentLength(10);
        got(most, answer);
        assertThat(seen).containsExactly(left);
    }

    @ParameterizedTest
    @CsvSource({"0, 10", "1, 8", "9, 0", "10, 0"})
    void ofAnUnknownLengthThePrefixIsReadAndTheRestFollows(int most, String left) throws IOException {
        got(most, new Answer(200, "0123456789"));
        assertThat(seen).containsExactly(left);
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/event-stream", "application/x-ndjson", "multipart/mixed; boundary=x", "video/mp4"})
    void aStreamIsNotRead(String type) throws IOException {
        Answer answer = new Answer(200, "0123456789");
        answer.headers.set("Content-Type", type);
        got(100, answer);
        assertThat(seen).containsExactly("10");
    }

    @Test
    void responsesOfFailedAttemptsAreClosedAndTheLastOneIsTheCallers() throws IOException {
        AtomicInteger turn = new AtomicInteger();
        ClientHttpResponse response = holdfast(retry()).intercept(get(), new byte[0], (request, body) -> {
            Answer answer = new Answer(turn.incrementAndGet() < 3 ? 500 : 200, "text");
            answers.add(answer);
            return answer;
        });
        assertThat(answers).extracting(answer -> answer.closed).containsExactly(true, true, false);
        response.close();
        assertThat(answers.get(2).closed).isTrue();
    }

    /** Reactor Netty's body refuses to be closed until another thread has subscribed to it. */
    @Test
    void aBodyThatCannotBeClosedYetIsClosedAMomentLater() throws IOException {
        AtomicInteger closes = new AtomicInteger();
        InputStream early = new ByteArrayInputStream(new byte[300 << 10]) {
            @Override
            public void close() {
                if (closes.incrementAndGet() < 3) {
                    throw new IllegalStateException("Subscriber must be subscribed to use InputStream");
                }
            }
        };
        ClientHttpResponse response = holdfast(retry()).intercept(get(), new byte[0], (request, body) -> {
            Answer answer = answers.isEmpty() ? new Answer(500, early) : new Answer(200, "text");
            answers.add(answer);
            return answer;
        });
        assertThat(response.getBody().readAllBytes()).hasSize(4);
        assertThat(closes).hasValue(3);
        assertThat(answers).extracting(answer -> answer.closed).containsExactly(true, false);
    }

    /** Nobody else knows of it: its connection would be lost. */
    @Test
    void aResponseWhoseStatusIsRefusedIsClosedAndAnAttemptThatFailed() throws IOException {
        AtomicBoolean bodyClosed = new AtomicBoolean();
        InputStream text = new ByteArrayInputStream(new byte[10]) {
            @Override
            public void close() {
                bodyClosed.set(true);
            }
        };
        ClientHttpResponse response = holdfast(retry()).intercept(get(), new byte[0], (request, body) -> {
            Answer answer = answers.isEmpty() ? new Answer(0, text) : new Answer(200, "text");
            answers.add(answer);
            return answer;
        });
        assertThat(response.getStatusCode().value()).isEqualTo(200);
        assertThat(answers).extracting(answer -> answer.closed).containsExactly(true, false);
        assertThat(bodyClosed).as("not read to its end").isTrue();
    }

    /** A body that cannot be read is an attempt that failed. */
    @Test
    void aResponseWhoseBodyBreaksOffIsClosed() throws IOException {
        InputStream broken = InputStream.nullInputStream();
        broken.close();
        ClientHttpResponse response = holdfast(retry()).intercept(get(), new byte[0], (request, body) -> {
            Answer answer = answers.isEmpty() ? new Answer(200, broken) : new Answer(200, "text");
            answers.add(answer);
            return answer;
        });
        assertThat(response.getBody().readAllBytes()).hasSize(4);
        assertThat(answers).extracting(answer -> answer.closed).containsExactly(true, false);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 67_108_865})
    void aBoundOutOfRangeIsRefused(int bound) {
        assertThatThrownBy(() -> holdfast(retry()).readBodiesUpTo(bound))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining("readBodiesUpTo")
                .hasMessageContaining("0 to 67,108,864");
        assertThatThrownBy(() -> {
                    try (Pipeline pipeline = Pipeline.of("x", retry())) {
                        HoldfastFilter.of(Pipelines.one(pipeline)).readBodiesUpTo(bound);
                    }
                })
                .isInstanceOf(InvalidSettingsException.class);
    }

    /** Spring's own factory does not tell of them, and its response has them. */
    @Test
    void redirectsOfTheJdksClientAreSeenWithoutRequestFactories() {
        try (ScriptedServer server = ScriptedServer.start()) {
            server.answers(303, "").with("Location", "/y");
            server.answers(429, "").with("Retry-After", "0");
            RestClient client = RestClient.builder()
                    .requestFactory(new JdkClientHttpRequestFactory(java.net.http.HttpClient.newBuilder()
                            .followRedirects(java.net.http.HttpClient.Redirect.NORMAL)
                            .build()))
                    .requestInterceptor(holdfast(retry()))
                    .build();
            assertThatThrownBy(() -> client.post()
                            .uri(server.uri("/x"))
                            .body("x")
                            .retrieve()
                            .toBodilessEntity())
                    .hasMessageContaining("429");
            assertThat(server.requests()).hasSize(2);
        }
    }

    /** What the factory tells the pipeline inside, the one around it hears, too. */
    @Test
    void aPostIsRepeatedByThePipelineAroundAnotherIfItWasNotSent() {
        for (boolean tells : new boolean[] {true, false}) {
            AtomicInteger connects = new AtomicInteger();
            ClientHttpRequestFactory refusing = (uri, method) -> {
                connects.incrementAndGet();
                return new JdkClientHttpRequestFactory().createRequest(URI.create("http://127.0.0.1:1"), method);
            };
            RestClient client = RestClient.builder()
                    .requestFactory(tells ? RequestFactories.noting(refusing) : refusing)
                    .requestInterceptor(holdfast(retry()))
                    .requestInterceptor(holdfast())
                    .build();
            assertThatThrownBy(() -> client.post().uri(URL).body("x").retrieve().toBodilessEntity())
                    .isInstanceOf(ResourceAccessException.class);
            assertThat(connects).as("the factory tells: " + tells).hasValue(tells ? 3 : 1);
        }
    }

    @Test
    void aPostThatThePipelineInsideRejectsIsRepeatedByTheOneAroundIt() {
        Pipeline closed = Pipeline.of("closed");
        closed.close();
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(3)
                .initialBackoff(Duration.ofMillis(1))
                .budgetEnabled(false)
                .retryRejections(true));
        RestClient client = RestClient.builder()
                .requestFactory(server(200))
                .requestInterceptor(holdfast(retry))
                .requestInterceptor((request, body, execution) -> {
                    seen.add("attempt");
                    return execution.execute(request, body);
                })
                .requestInterceptor(HoldfastInterceptor.of(Pipelines.one(closed)))
                .build();
        assertThatThrownBy(() -> client.post().uri(URL).body("x").retrieve().toBodilessEntity())
                .hasRootCauseInstanceOf(CallRejectedException.class);
        assertThat(seen).hasSize(3);
    }
}
