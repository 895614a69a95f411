/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.junit.jupiter.api.Test;

/** The client has one place for what it writes to the wire log, and for what tells it that a request was left out. */
class WireLogTest {
    private final Logger wire = Logger.getLogger("org.apache.hc.client5.http.wire");
    private final List<LogRecord> records = new CopyOnWriteArrayList<>();
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord logged) {
            records.add(logged);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @Test
    void aWireLogThatIsAtDebugWhenTheClientIsBuiltIsWritten() throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        server.start();
        wire.setUseParentHandlers(false);
        wire.addHandler(handler);
        wire.setLevel(Level.FINE);
        try (Pipeline pipeline = Pipeline.of("shop", RetryPolicy.ofDefaults());
                CloseableHttpAsyncClient client = HoldfastAsyncExec.of(Pipelines.one(pipeline))
                        .addTo(HttpAsyncClients.custom())
                        .build()) {
            client.start();
            String uri = "http://127.0.0.1:" + server.getAddress().getPort() + "/";
            assertThat(client.execute(SimpleRequestBuilder.get(uri).build(), null)
                            .get()
                            .getCode())
                    .isEqualTo(204);
        } finally {
            wire.setLevel(null);
            wire.removeHandler(handler);
            wire.setUseParentHandlers(true);
            server.stop(0);
        }
        assertThat(records).extracting(LogRecord::getMessage).anyMatch(line -> line.contains("GET / HTTP/1.1"));
    }
}
