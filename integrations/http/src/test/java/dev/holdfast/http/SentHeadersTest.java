/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpHeaders;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SentHeadersTest {
    private final HttpHeaders own = HttpHeaders.of(
            Map.of("Accept", List.of("text/plain", "text/html"), "holdfast-attempt", List.of("7")),
            (name, value) -> true);

    @Test
    void theHeadersOfTheCallReplaceTheRequestsOwn() {
        SentHeaders all = new SentHeaders(own);
        all.set("Holdfast-Attempt", "2");
        all.set("Holdfast-Timeout-Ms", "400");
        all.set("grpc-timeout", "400m");
        all.set("Holdfast-Priority", "critical");

        Map<String, List<String>> expected = Map.of(
                "Accept", List.of("text/plain", "text/html"),
                "Holdfast-Attempt", List.of("2"),
                "Holdfast-Timeout-Ms", List.of("400"),
                "grpc-timeout", List.of("400m"),
                "Holdfast-Priority", List.of("critical"));
        assertThat(all.headers().map()).isEqualTo(expected);
        // Another version of Java may ask a map in another way.
        assertThat(Map.copyOf(all)).isEqualTo(expected);
    }

    @Test
    void withoutHeadersOfTheCallTheyAreTheRequestsOwn() {
        assertThat(new SentHeaders(own).headers()).isSameAs(own);
    }
}
