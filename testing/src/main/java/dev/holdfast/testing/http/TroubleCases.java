/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing.http;

import static dev.holdfast.testing.http.WireServer.hang;
import static dev.holdfast.testing.http.WireServer.headed;
import static dev.holdfast.testing.http.WireServer.raw;
import static dev.holdfast.testing.http.WireServer.reset;
import static dev.holdfast.testing.http.WireServer.resetInBody;
import static dev.holdfast.testing.http.WireServer.stallInBody;
import static dev.holdfast.testing.http.WireServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testing.http.HttpClientUnderTest.Response;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes wrong on the way. */
abstract class TroubleCases extends RepeatCases {
    @ParameterizedTest
    @EnumSource(Way.class)
    void aGetIsRepeatedIfTheConnectionBreaks(Way way) throws Exception {
        server.on("/a", reset(), reset(), reset(), reset(), status(200, "12"));
        HttpClientUnderTest client = client(RetryPolicy.of(
                r -> r.maxAttempts(6).initialBackoff(Duration.ofMillis(1)).budget(b -> b.maxTokens(1_000))));
        assertThat(send(client, way, get("/a")).body()).isEqualTo("12");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aGetIsRepeatedIfTheConnectionBreaksInTheBody(Way way) throws Exception {
        assumeThat(readsBodiesWithinTheCall())
                .as("bodies are read within the call")
                .isTrue();
        server.on("/a", resetInBody(), status(200, "12"));
        assertThat(send(client(retry()), way, get("/a")).body()).isEqualTo("12");
        assertThat(attempts).containsExactly(Outcome.FAILURE, Outcome.SUCCESS);
    }

    static final String NO_HTTP = "SSH-2.0-OpenSSH_9.6\r\n\r\n";

    /** Clients throw anything then, and not only what is an IOException. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                NO_HTTP,
                "HTTP/1.1 2x0 X\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 -20 X\r\nContent-Length: 0\r\n\r\n"
            })
    void anAnswerThatIsNoHttpIsAFailure(String answer) throws Exception {
        isAFailure(answer);
    }

    @ParameterizedTest
    @ValueSource(strings = {"5\r\nabcde\r\nzz\r\nxx\r\n0\r\n\r\n", "-2\r\nab\r\n0\r\n\r\n"})
    void aChunkThatIsBrokenIsAFailure(String body) throws Exception {
        assumeThat(readsBodiesWithinTheCall())
                .as("bodies are read within the call")
                .isTrue();
        isAFailure("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n" + body);
    }

    /** Some clients take it as it is, others refuse it. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aStatusThatNobodyKnowsIsNoMistakeOfTheCaller(Way way) throws Exception {
        server.on("/a", raw("HTTP/1.1 000 X\r\nContent-Length: 2\r\n\r\n12"), status(200, "12"));
        assertThat(send(client(retry()), way, get("/a")).body()).isEqualTo("12");
        assertThat(attempts).doesNotContain(Outcome.IGNORED);
    }

    /** Some clients do without it, and others throw what a caller's mistake is to them. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aLengthThatIsNoNumberIsNoMistakeOfTheCaller(Way way) throws Exception {
        server.on("/a", raw("HTTP/1.1 200 X\r\nContent-Length: abc\r\n\r\n12"), status(200, "12"));
        assertThat(send(client(retry()), way, get("/a")).body()).isEqualTo("12");
        assertThat(attempts).doesNotContain(Outcome.IGNORED);
    }

    /** A client throws, or answers with the last redirect. Each attempt would send all of them again. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aCircleOfRedirectsIsNotRepeated(Way way) throws Exception {
        HttpClientUnderTest client = client(retry());
        server.on("/a", headed(302, "Location: " + server.uri("/b")))
                .on("/b", headed(302, "Location: " + server.uri("/a")));
        Throwable tooMany = catchThrowable(
                () -> assertThat(send(client, way, get("/a")).status()).isEqualTo(302));
        assertThat(attempts).containsExactly(tooMany == null ? Outcome.SUCCESS : Outcome.IGNORED);
    }

    private void isAFailure(String answer) throws Exception {
        HttpClientUnderTest client = client(retry());
        for (Way way : Way.values()) {
            server.on("/" + way, raw(answer), status(200, "12"));
            assertThat(send(client, way, get("/" + way)).body()).isEqualTo("12");
            assertThat(attempts).containsExactly(Outcome.FAILURE, Outcome.SUCCESS);
            attempts.clear();
            server.on("/" + way, raw(answer));
            assertThatThrownBy(() -> send(client, way, with("POST", "/" + way))).isNotNull();
            assertThat(sent("/" + way)).as("a POST is not repeated").isEqualTo(3);
            assertThat(attempts).containsExactly(Outcome.FAILURE);
            attempts.clear();
        }
        assertThat(refusals).hasSize(2).containsOnly(Refusal.NOT_IDEMPOTENT);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anAnswerThatDoesNotBeginIsGivenUpAndItsConnectionClosed(Way way) throws Exception {
        server.on("/a", hang(), status(200, "12"));
        assertThat(send(givingUp(retry()), way, get("/a")).body()).isEqualTo("12");
        assertThat(attempts).containsExactly(Outcome.TIMEOUT, Outcome.SUCCESS);
        assertThat(server.seesAClientGiveUp()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anAnswerThatDoesNotEndIsGivenUpAndItsConnectionClosed(Way way) throws Exception {
        assumeThat(readsBodiesWithinTheCall())
                .as("bodies are read within the call")
                .isTrue();
        server.on("/a", stallInBody(200), status(200, "12"));
        assertThat(send(givingUp(retry()), way, get("/a")).body()).isEqualTo("12");
        assertThat(attempts).containsExactly(Outcome.TIMEOUT, Outcome.SUCCESS);
        seesThatABodyIsGivenUp();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aTimeoutIsAnIOException(Way way) throws Exception {
        server.on("/a", hang());
        HttpClientUnderTest client = givingUp();
        assertThatThrownBy(() -> send(client, way, get("/a")))
                .isInstanceOf(IOException.class)
                .hasRootCauseInstanceOf(CallTimeoutException.class);
        assertThat(server.seesAClientGiveUp()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aRejectionIsAnIOException(Way way) throws Exception {
        HttpClientUnderTest client = client(retry());
        server.on("/a", status(200));
        send(client, way, get("/a"));
        used.values().forEach(Pipeline::close);
        assertThatThrownBy(() -> send(client, way, get("/a")))
                .isInstanceOf(IOException.class)
                .hasRootCauseInstanceOf(CallRejectedException.class)
                .rootCause()
                .satisfies(cause ->
                        assertThat(((CallRejectedException) cause).reason()).isEqualTo(Reason.CLOSED));
        assertThat(sent("/a")).isEqualTo(1);
    }

    /** As one that strikes within an attempt. */
    @Test
    void aDeadlineThatIsOverIsATimeout() throws Exception {
        HttpClientUnderTest client = client(retry());
        assertThatThrownBy(() -> Deadline.within(Duration.ZERO, () -> client.send(get("/a"))))
                .isInstanceOfAny(HttpTimeoutException.class, SocketTimeoutException.class)
                .hasRootCauseInstanceOf(CallRejectedException.class);
        assertThat(sent("/a")).isZero();
    }

    @Test
    void aCancelledCallClosesItsConnection() throws Exception {
        server.on("/a", hang());
        HttpClientUnderTest client = client(retry());
        HttpClientUnderTest.Exchange call = client.sendAsync(get("/a"));
        while (sent("/a") == 0) {
            Thread.onSpinWait();
        }
        call.cancel().run();
        assertThat(server.seesAClientGiveUp()).isTrue();
        assertThat(sent("/a")).isEqualTo(1);
    }

    @Test
    void anInterruptedCallEndsAndClosesItsConnection() throws Exception {
        server.on("/a", hang());
        HttpClientUnderTest client = client(retry());
        FutureTask<Response> call = new FutureTask<>(() -> client.send(get("/a")));
        Thread thread = new Thread(call);
        thread.start();
        while (sent("/a") == 0) {
            Thread.onSpinWait();
        }
        thread.interrupt();
        assertThatThrownBy(call::get)
                .cause()
                .isInstanceOfAny(InterruptedException.class, InterruptedIOException.class, IOException.class);
        assertThat(server.seesAClientGiveUp()).isTrue();
        assertThat(sent("/a")).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theLoserOfAHedgeIsCancelled(Way way) throws Exception {
        server.on("/a", hang(), status(200, "12"));
        HttpClientUnderTest client = client(HedgePolicy.of(h -> h.delay(Duration.ofMillis(20))));
        assertThat(send(client, way, get("/a")).body()).isEqualTo("12");
        assertThat(server.seesAClientGiveUp()).isTrue();
    }

    final void seesThatABodyIsGivenUp() throws InterruptedException {
        if (closesBodiesThatAreGivenUp()) {
            assertThat(server.seesAClientGiveUp()).isTrue();
        }
    }
}
