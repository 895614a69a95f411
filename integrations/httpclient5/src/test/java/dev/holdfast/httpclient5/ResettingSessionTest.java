/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.command.CommandSupport;
import org.apache.hc.core5.http.nio.command.RequestExecutionCommand;
import org.apache.hc.core5.http.protocol.HttpCoreContext;
import org.apache.hc.core5.http2.nio.AsyncPingHandler;
import org.apache.hc.core5.http2.nio.command.PingCommand;
import org.apache.hc.core5.reactor.Command;
import org.apache.hc.core5.reactor.IOEventHandler;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** When streams are reset, without a network. */
class ResettingSessionTest {
    private final Queue<Command> commands = new ArrayDeque<>();
    private final Client client = new Client();
    private IOEventHandler handler = client;

    /** The session below, which has one queue and one handler. */
    private final IOSession raw = stub(IOSession.class, (method, arguments) -> {
        switch (method) {
            case "enqueue" -> commands.add((Command) arguments[0]);
            case "poll" -> {
                return commands.poll();
            }
            case "upgrade" -> handler = (IOEventHandler) arguments[0];
            default -> {}
        }
        return null;
    });

    private ResettingSession session = ResettingSession.ofHttp2(raw);

    private interface Answers {
        @Nullable
        Object to(String method, Object[] arguments);
    }

    private static <T> T stub(Class<T> type, Answers answers) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> answers.to(method.getName(), arguments)));
    }

    /** As Apache's: takes commands when it may write, unless its streams are at the maximum. */
    private final class Client implements IOEventHandler {
        final List<Runnable> cancels = new ArrayList<>();
        final Queue<AsyncPingHandler> pings = new ArrayDeque<>();
        final List<Integer> resets = new ArrayList<>();
        int maxStreams = 100;

        @Override
        public void outputReady(IOSession to) {
            while (cancels.size() - resets.size() < maxStreams) {
                Command next = session.poll();
                if (next == null) {
                    return;
                }
                if (next instanceof PingCommand ping) {
                    assertThat(ping.getHandler().getData().remaining()).isEqualTo(8);
                    pings.add(ping.getHandler());
                } else {
                    CancellableDependency user = ((RequestExecutionCommand) next).getCancellableDependency();
                    user.setDependency(() -> true);
                    cancels.add(user::cancel);
                }
            }
        }

        @Override
        public void inputReady(IOSession from, @Nullable ByteBuffer bytes) {
            if (bytes != null && bytes.remaining() == 9) {
                resets.add(bytes.getInt(5));
            }
        }

        @Override
        public void connected(IOSession to) {}

        @Override
        public void timeout(IOSession of, Timeout timeout) {}

        @Override
        public void exception(IOSession of, Exception cause) {}

        @Override
        public void disconnected(IOSession from) {}
    }

    private void request() {
        AsyncClientExchangeHandler exchange = stub(AsyncClientExchangeHandler.class, (method, arguments) -> null);
        session.enqueue(new RequestExecutionCommand(exchange, HttpCoreContext.create()), Command.Priority.NORMAL);
    }

    private void requests(int count) throws Exception {
        for (int i = 0; i < count; i++) {
            request();
        }
        write();
    }

    private void write() throws Exception {
        handler.outputReady(session);
    }

    private void read() throws Exception {
        handler.inputReady(session, null);
    }

    @Test
    void aStreamIsResetWhenAPingThatWasWrittenLaterIsAnswered() throws Exception {
        session.upgrade(client);
        requests(3);
        client.cancels.get(0).run();
        write();
        client.cancels.get(1).run();
        write();
        read();
        assertThat(client.pings).hasSize(1);
        assertThat(client.resets).isEmpty();

        client.pings.remove().consumeResponse(ByteBuffer.allocate(8));
        read();
        assertThat(client.resets).containsExactly(1);
        write();
        client.pings.remove().consumeResponse(ByteBuffer.allocate(8));
        read();
        assertThat(client.resets).containsExactly(1, 3);
        write();
        assertThat(client.pings).isEmpty();
    }

    @Test
    void theOldestStreamIsResetAtOnceIfNoPingIsTaken() throws Exception {
        client.maxStreams = 3;
        session.upgrade(client);
        requests(3);
        client.cancels.get(1).run();
        client.cancels.get(0).run();
        client.cancels.get(2).run();
        write();
        assertThat(client.resets).containsExactly(3);
        write();
        client.pings.remove().consumeResponse(ByteBuffer.allocate(8));
        read();
        assertThat(client.resets).containsExactly(3, 1, 5);
    }

    @Test
    void noStreamIsResetWithoutAPingWhileOneIsUnderWay() throws Exception {
        client.maxStreams = 2;
        session.upgrade(client);
        requests(1);
        client.cancels.get(0).run();
        write();
        requests(1);
        client.cancels.get(1).run();
        write();
        assertThat(client.pings).hasSize(1);
        assertThat(client.resets).isEmpty();
    }

    @Test
    void aConnectionThatIsClosingResetsWithoutAPing() throws Exception {
        session.upgrade(client);
        requests(1);
        client.cancels.get(0).run();
        CommandSupport.cancelCommands(session);
        write();
        assertThat(client.resets).containsExactly(1);
    }

    @Test
    void bytesThatTheSecondSessionDecryptsForTheHandlerOfTheFirstCountForTheSecond() throws Exception {
        ByteBuffer settings = ByteBuffer.allocate(15).putInt(6 << 8 | 4).rewind();
        session.upgrade(new Client()); // that of the preface
        session = ResettingSession.ofHttp2(raw); // of TLS
        handler.inputReady(session, settings.slice(0, 11));
        session.upgrade(client);
        requests(1);
        client.cancels.get(0).run();
        write();
        client.pings.remove().consumeResponse(ByteBuffer.allocate(8));
        write();
        assertThat(client.resets).isEmpty();

        handler.inputReady(session, settings.slice(11, 4));
        assertThat(client.resets).containsExactly(1);
    }
}
