/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Authenticator;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.http.HttpClient;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.client.HttpProxy;
import org.eclipse.jetty.client.HttpResponseException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.JettyClientHttpRequestFactory;
import org.springframework.http.client.reactive.JdkClientHttpConnector;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.WebClientRequestException;

/** What clients throw where the answer was whole and says no. Each attempt would get the same. */
class RefusedLoginTest {
    /** The first request, and three with the password. */
    private static final int JDK_SENDS = 5;

    private static final int MOST = 3;

    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final AtomicInteger requests = new AtomicInteger();
    private final Pipeline pipeline =
            Pipeline.of("logins", RetryPolicy.of(r -> r.maxAttempts(MOST).budgetEnabled(false)));
    private final org.eclipse.jetty.client.HttpClient jetty = new org.eclipse.jetty.client.HttpClient();

    RefusedLoginTest() throws IOException {}

    @AfterEach
    void close() throws Exception {
        jetty.stop();
        pipeline.close();
        server.close();
    }

    /** Gives each request this answer. */
    private void answers(String head) {
        Thread thread = new Thread(() -> {
            try {
                while (true) {
                    answer(head);
                }
            } catch (IOException closed) {
                // The test is over.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private void answer(String head) throws IOException {
        try (Socket connection = server.accept()) {
            BufferedReader lines = new BufferedReader(new InputStreamReader(connection.getInputStream(), ISO_8859_1));
            String line = lines.readLine();
            while (line != null && !line.isEmpty()) {
                line = lines.readLine();
            }
            requests.incrementAndGet();
            String whole = "HTTP/1.1 " + head + "\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno";
            connection.getOutputStream().write(whole.getBytes(ISO_8859_1));
        }
    }

    private String url() {
        return "http://127.0.0.1:" + server.getLocalPort() + "/a";
    }

    private static HttpClient.Builder withPassword() {
        return HttpClient.newBuilder().authenticator(new Authenticator() {
            @Override
            protected PasswordAuthentication getPasswordAuthentication() {
                return new PasswordAuthentication("ann", "wrong".toCharArray());
            }
        });
    }

    private RestClient rest(ClientHttpRequestFactory factory) {
        return RestClient.builder()
                .requestFactory(factory)
                .requestInterceptor(HoldfastInterceptor.of(Pipelines.one(pipeline)))
                .build();
    }

    private RestClient overJetty() {
        return rest(new JettyClientHttpRequestFactory(jetty));
    }

    private static void throwsAt(RestClient client, String url) {
        assertThatThrownBy(() -> client.get().uri(url).retrieve().toBodilessEntity())
                .isInstanceOfAny(ResourceAccessException.class, HttpResponseException.class);
    }

    @Test
    void restClientOverTheJdksSendsAWrongPasswordInOneAttempt() {
        answers("401 No\r\nWWW-Authenticate: Basic realm=\"a\"");
        throwsAt(rest(new JdkClientHttpRequestFactory(withPassword().build())), url());
        assertThat(requests).hasValue(JDK_SENDS);
    }

    @Test
    void webClientOverTheJdksSendsAWrongPasswordInOneAttempt() {
        answers("401 No\r\nWWW-Authenticate: Basic realm=\"a\"");
        WebClient client = WebClient.builder()
                .clientConnector(new JdkClientHttpConnector(withPassword().build()))
                .filter(HoldfastFilter.of(Pipelines.one(pipeline)))
                .build();
        assertThatThrownBy(() ->
                        client.get().uri(url()).retrieve().toBodilessEntity().block())
                .isInstanceOf(WebClientRequestException.class);
        assertThat(requests).hasValue(JDK_SENDS);
    }

    @Test
    void aProxyGetsAWrongPasswordInOneAttempt() {
        answers("407 No\r\nProxy-Authenticate: Basic realm=\"a\"");
        HttpClient client = withPassword()
                .proxy(ProxySelector.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getLocalPort())))
                .build();
        throwsAt(rest(new JdkClientHttpRequestFactory(client)), "http://stock.invalid/a");
        assertThat(requests).hasValue(JDK_SENDS);
    }

    /** Jetty throws if no scheme is named. */
    @ParameterizedTest
    @ValueSource(ints = {401, 407})
    void aChallengeThatNamesNothingIsIgnoredWithJetty(int status) {
        answers(status + " No");
        throwsAt(overJetty(), url());
        assertThat(requests).hasValue(1);
    }

    /** As the answers themselves are. */
    @ParameterizedTest
    @CsvSource({"403,1", "407,1", "429," + MOST, "502," + MOST, "503," + MOST})
    void aRefusedTunnelOfJettyMeansWhatItsStatusSays(int status, int attempts) {
        answers(status + " No");
        jetty.getProxyConfiguration().addProxy(new HttpProxy("127.0.0.1", server.getLocalPort()));
        throwsAt(overJetty(), "https://stock.invalid/a");
        assertThat(requests).hasValue(attempts);
    }
}
