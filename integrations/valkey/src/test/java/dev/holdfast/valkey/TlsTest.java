/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lettuce.core.RedisURI;
import io.lettuce.core.SslOptions;
import io.lettuce.core.SslOptions.Resource;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLServerSocket;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server with TLS whose authority the JVM does not know, and which wants a certificate of its callers. */
class TlsTest {
    private final HeldCertificate authority =
            new HeldCertificate.Builder().certificateAuthority(0).build();
    private final HeldCertificate caller =
            new HeldCertificate.Builder().signedBy(authority).build();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @TempDir
    private Path folder;

    private Server.Imitation server;
    private SSLServerSocket tls;

    @BeforeEach
    void start() throws IOException {
        server = new Server.Imitation();
        tls = listening(new HeldCertificate.Builder()
                .signedBy(authority)
                .addSubjectAlternativeName("localhost")
                .build());
    }

    @AfterEach
    void stop() throws IOException {
        tls.close();
        server.close();
        threads.shutdownNow();
    }

    private SSLServerSocket listening(HeldCertificate certificate) throws IOException {
        HandshakeCertificates own = new HandshakeCertificates.Builder()
                .heldCertificate(certificate, authority.certificate())
                .addTrustedCertificate(authority.certificate())
                .build();
        SSLServerSocket made = (SSLServerSocket)
                own.sslContext().getServerSocketFactory().createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        made.setNeedClientAuth(true);
        threads.execute(() -> {
            try {
                while (true) {
                    Socket accepted = made.accept();
                    Socket inside = new Socket(InetAddress.getLoopbackAddress(), server.port);
                    pipe(accepted, inside);
                    pipe(inside, accepted);
                }
            } catch (IOException closed) {
                // The test is over.
            }
        });
        return made;
    }

    private void pipe(Socket from, Socket to) {
        threads.execute(() -> {
            try (from;
                    to) {
                from.getInputStream().transferTo(to.getOutputStream());
            } catch (IOException ended) {
                // The other side sees it.
            }
        });
    }

    private Resource file(String name, String pem) throws IOException {
        return Resource.from(Files.writeString(folder.resolve(name), pem).toFile());
    }

    private SslOptions.Builder trusting() throws IOException {
        return SslOptions.builder().jdkSslProvider().trustManager(file("authority.pem", authority.certificatePem()));
    }

    private static RedisURI uri(SSLServerSocket of) {
        return RedisURI.create("rediss://localhost:" + of.getLocalPort());
    }

    private static long takeOne(ValkeyStore store) throws Exception {
        PermitStore permits = store.permits(SharedThrottleSettings.of(
                s -> s.key("a").limit(20).per(Duration.ofDays(1)).burst(20).replicas(1)));
        CompletableFuture<Long> answer = new CompletableFuture<>();
        permits.take(1, new PermitStore.Answer() {
            @Override
            public void taken(long taken, long nanosUntilNext) {
                answer.complete(taken);
            }

            @Override
            public void failed(Throwable why) {
                answer.completeExceptionally(why);
            }
        });
        return answer.get();
    }

    @Test
    void anAuthorityAndACertificateOfItsOwnAreOptions() throws Exception {
        SslOptions options = trusting()
                .keyManager(
                        file("caller.pem", caller.certificatePem()),
                        file("caller.key", caller.privateKeyPkcs8Pem()),
                        new char[0])
                .build();
        try (ValkeyStore store = ValkeyStore.connect(uri(tls), options)) {
            assertThat(takeOne(store)).isEqualTo(1);
        }
    }

    @Test
    void anExpiredCertificateIsNamed() throws Exception {
        try (SSLServerSocket expired = listening(new HeldCertificate.Builder()
                        .signedBy(authority)
                        .addSubjectAlternativeName("localhost")
                        .validityInterval(0, 1_000)
                        .build());
                ValkeyStore store = ValkeyStore.connect(uri(expired), trusting().build())) {
            assertThatThrownBy(() -> takeOne(store))
                    .rootCause()
                    .hasMessageContaining("there is no connection to localhost:" + expired.getLocalPort()
                            + ": java.security.cert.CertificateExpiredException: NotAfter: ");
        }
    }

    @Test
    void optionsForAServerWithoutTlsAreRefused() throws Exception {
        SslOptions options = trusting().build();
        RedisURI plain = RedisURI.create("127.0.0.1", server.port);
        assertThatThrownBy(() -> ValkeyStore.connect(plain, options))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("options of TLS are given, but the URI of the store is redis:// and must be"
                        + " rediss://host:port");
    }

    /** The plain server takes the handshake for commands, and answers none of them in time. */
    @Test
    void aServerWithoutTlsIsNamed() throws Exception {
        server.standStill();
        try (ValkeyStore store = ValkeyStore.connect("rediss://127.0.0.1:" + server.port)) {
            assertThatThrownBy(() -> takeOne(store))
                    .rootCause()
                    .hasMessageEndingWith("(rediss:// needs a server with TLS)");
        }
    }
}
