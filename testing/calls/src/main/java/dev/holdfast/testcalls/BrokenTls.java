/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testcalls;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;

/** A server with which TLS never comes to stand: it reads what a client begins with, and breaks the connection. */
public final class BrokenTls implements AutoCloseable {
    /** How it ends a connection. */
    public enum End {
        /** With a reset. */
        RESET,
        /** As at the end of a stream. */
        CLOSED
    }

    private final ServerSocket listening;
    private final End end;

    /** Starts it. */
    public BrokenTls(End end) {
        this.end = end;
        try {
            listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread thread = new Thread(this::serve, "broken-tls");
        thread.setDaemon(true);
        thread.start();
    }

    /** Its address. */
    public URI uri() {
        return URI.create("https://127.0.0.1:" + listening.getLocalPort() + "/");
    }

    private void serve() {
        byte[] hello = new byte[16_384];
        while (!listening.isClosed()) {
            try (Socket socket = listening.accept()) {
                var unused = socket.getInputStream().read(hello);
                if (end == End.RESET) {
                    socket.setSoLinger(true, 0);
                }
            } catch (IOException gone) {
                // Either side has closed it.
            }
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}
