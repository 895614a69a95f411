/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Connections to a port of this machine that can be cut. */
final class CuttingProxy implements AutoCloseable {
    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final List<Socket> open = new CopyOnWriteArrayList<>();

    CuttingProxy(int port) throws IOException {
        thread(() -> {
            while (true) {
                Socket client = server.accept();
                Socket to = new Socket(InetAddress.getLoopbackAddress(), port);
                open.add(client);
                open.add(to);
                thread(() -> client.getInputStream().transferTo(to.getOutputStream()));
                thread(() -> to.getInputStream().transferTo(client.getOutputStream()));
            }
        });
    }

    private interface Transfer {
        void run() throws IOException;
    }

    private static void thread(Transfer transfer) {
        Thread thread = new Thread(() -> {
            try {
                transfer.run();
            } catch (IOException end) {
                // It was cut.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    int port() {
        return server.getLocalPort();
    }

    /** All connections of now, with a reset. */
    void cut() {
        // Not those that come meanwhile, because the first one was cut.
        for (Socket socket : open.toArray(new Socket[0])) {
            open.remove(socket);
            try {
                socket.setSoLinger(true, 0);
                socket.close();
            } catch (IOException closed) {
                // The other side was faster.
            }
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        cut();
    }
}
