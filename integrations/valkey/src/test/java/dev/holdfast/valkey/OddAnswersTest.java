/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.RedisURI;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A proxy in place of the server, or another service, that answers each question with something else than two numbers. */
class OddAnswersTest {
    private final ServerSocket server;
    private final Connector connector;

    OddAnswersTest() throws IOException {
        server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        connector = new Connector(
                RedisURI.create("redis://127.0.0.1:" + server.getLocalPort()), Duration.ofMinutes(1), null);
    }

    @AfterEach
    void close() throws Exception {
        connector.close(link -> {}).get(1, TimeUnit.MINUTES);
        server.close();
    }

    /** Reads commands, each of so many words as its first line says, and answers. */
    private void answering(UnaryOperator<String> answers) {
        Thread thread = new Thread(() -> {
            try (Socket socket = server.accept()) {
                BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), US_ASCII));
                for (String words = in.readLine(); words != null; words = in.readLine()) {
                    in.readLine();
                    String answer = answers.apply(in.readLine());
                    for (int i = 1; i < Integer.parseInt(words.substring(1)); i++) {
                        skip(in, Integer.parseInt(in.readLine().substring(1)) + 2);
                    }
                    socket.getOutputStream().write(answer.getBytes(US_ASCII));
                    socket.getOutputStream().flush();
                }
            } catch (IOException closed) {
                // The client has closed it.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private static void skip(BufferedReader in, int characters) throws IOException {
        for (int i = 0; i < characters; i++) {
            in.read();
        }
    }

    private static UnaryOperator<String> toEval(String answer) {
        return command ->
                "HELLO".equals(command) ? "-ERR unknown command\r\n" : "EVAL".equals(command) ? answer : "+OK\r\n";
    }

    private Throwable failure() throws Exception {
        SharedThrottleSettings settings =
                SharedThrottleSettings.of(s -> s.key("partner").limit(100));
        CompletableFuture<Throwable> failed = new CompletableFuture<>();
        new Bucket(connector, "partner".getBytes(US_ASCII), settings).take(1, new PermitStore.Answer() {
            @Override
            public void taken(long permits, long nanosUntilNext) {
                failed.complete(new AssertionError("took " + permits));
            }

            @Override
            public void failed(Throwable why) {
                failed.complete(why);
            }
        });
        return failed.get(1, TimeUnit.MINUTES);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"+OK\r\n", "$-1\r\n", "*0\r\n", "*1\r\n:1\r\n", "*2\r\n:1\r\n$-1\r\n", "*2\r\n$1\r\n1\r\n:5\r\n"
            })
    void anAnswerThatIsNoneIsAFailureAtOnce(String odd) throws Exception {
        answering(toEval(odd));
        assertThat(failure()).hasMessage("the answer is none of a store: expected two numbers");
    }

    /** Netty's own text is the name of a class. */
    @Test
    void aConnectionThatIsClosedIsToldInWords() {
        assertThat(connector.why(new CompletionException(new ClosedChannelException())))
                .hasMessage("the connection was closed");
    }

    @Test
    void whatAnswersTheHandshakeInAnotherWayIsNoServer() throws Exception {
        answering(command -> "+OK\r\n");
        assertThat(failure()).hasMessageEndingWith(": what answers at the connection is no Valkey or Redis");
    }
}
