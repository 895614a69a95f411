/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import com.github.fppt.jedismock.RedisServer;
import com.github.fppt.jedismock.operations.server.MockExecutor;
import com.github.fppt.jedismock.server.Response;
import com.github.fppt.jedismock.server.ServiceOptions;
import java.io.File;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A server that speaks the protocol, on loopback: one that runs in this process, and the real one, if it is installed. */
abstract class Server implements AutoCloseable {
    /** Which one. */
    enum Kind {
        IMITATION,
        REAL
    }

    final int port;

    private Server(int port) {
        this.port = port;
    }

    /** Both, or only the imitation: then this says what is left out. */
    static List<Kind> kinds() {
        List<Kind> kinds = new ArrayList<>(List.of(Kind.IMITATION));
        if (program().isPresent()) {
            kinds.add(Kind.REAL);
        } else {
            System.out.println(
                    "valkey-server is not installed: left out are the tests of holdfast-valkey with a real server,"
                            + " which examples/valkey makes");
        }
        return kinds;
    }

    static Server start(Kind kind) throws IOException {
        return start(kind, freePort());
    }

    static Server start(Kind kind, int port) throws IOException {
        return kind == Kind.IMITATION ? new Imitation(port) : new Real(port);
    }

    /** Below those that the system gives away by itself, so that hardly anybody gets it between here and the start. */
    private static int freePort() throws IOException {
        for (int port = 20_000 + ThreadLocalRandom.current().nextInt(10_000); ; port++) {
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (BindException taken) {
                // The next one.
            }
        }
    }

    private static Optional<File> program() {
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.of(path.split(Pattern.quote(File.pathSeparator), -1))
                .map(folder -> new File(folder, "valkey-server"))
                .filter(File::canExecute)
                .findFirst();
    }

    @Override
    public abstract void close() throws IOException;

    /** It can also stand still. */
    static final class Imitation extends Server {
        private final RedisServer server;
        private final Set<Object> connections = ConcurrentHashMap.newKeySet();
        private volatile Set<Object> refused = Set.of();
        private volatile boolean refusesReplicas;
        private volatile boolean refusesLogins;
        private volatile CountDownLatch goesOn = new CountDownLatch(0);

        Imitation() throws IOException {
            this(freePort());
        }

        private Imitation(int port) throws IOException {
            super(port);
            server = RedisServer.newRedisServer(port, InetAddress.getLoopbackAddress());
            server.setOptions(ServiceOptions.withInterceptor((state, command, parameters) -> {
                try {
                    goesOn.await();
                } catch (InterruptedException stopped) {
                    Thread.currentThread().interrupt();
                }
                connections.add(state.owner());
                if (refusesLogins && Set.of("HELLO", "AUTH").contains(command.toUpperCase(Locale.ROOT))) {
                    return Response.error("WRONGPASS invalid username-password pair or user is disabled.");
                }
                if (refusesReplicas && parameters.toString().contains("replicas")) {
                    return Response.error("NOPERM No permissions to access a key");
                }
                return refused.contains(state.owner())
                        ? Response.error("ERR no more commands on this connection")
                        : MockExecutor.proceed(state, command, parameters);
            }));
            server.start();
        }

        /** Answers the connections that there are with errors from now on, and leaves them open. */
        void refusePresentConnections() {
            refused = Set.copyOf(connections);
        }

        /** As if its password were another one. */
        void refuseLogins() {
            refusesLogins = true;
        }

        /** As an ACL that does not know their keys. */
        void refuseReplicas() {
            refusesReplicas = true;
        }

        /** Takes commands, and answers none before {@link #goOn}. */
        void standStill() {
            goesOn = new CountDownLatch(1);
        }

        void goOn() {
            goesOn.countDown();
        }

        @Override
        public void close() throws IOException {
            goOn();
            server.stop();
        }
    }

    private static final class Real extends Server {
        private final Process process;

        Real(int port) throws IOException {
            super(port);
            process = new ProcessBuilder(
                            program().orElseThrow().getPath(),
                            "--bind",
                            "127.0.0.1",
                            "--port",
                            String.valueOf(port),
                            "--save",
                            "",
                            "--appendonly",
                            "no")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            while (!listens()) {
                if (!process.isAlive()) {
                    throw new IOException("valkey-server has ended with " + process.exitValue());
                }
                Thread.onSpinWait();
            }
        }

        private boolean listens() {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return socket.isConnected();
            } catch (IOException notYet) {
                return false;
            }
        }

        @Override
        public void close() {
            process.destroyForcibly().onExit().join();
        }
    }
}
