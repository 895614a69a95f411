/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.micrometer.MicrometerObserver;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

@Logs(value = "pipeline 'stock': ", sometimes = true)
class MetricsTest {
    @Test
    void countWhatTheCustomersSaw() throws Exception {
        // Patient customers: what the pipeline answered then always reached them.
        Load load = new Load(60, 5, Duration.ofSeconds(30));
        try (MetricsPage page = new MetricsPage();
                VirtualContest contest = new VirtualContest(
                        Timeline.incident(Timeline.SHORTEST), load, new MicrometerObserver(page.registry()))) {
            contest.open();
            String before = get(page.uri()).body();
            contest.play();
            String after = get(page.uri()).body();

            Tally seen = contest.holdfast.answers().sentBetween(0, Long.MAX_VALUE);
            assertThat(calls(after, MetricsTest::isLive) - calls(before, MetricsTest::isLive))
                    .isEqualTo(seen.live());
            assertThat(calls(after, MetricsTest::isStale) - calls(before, MetricsTest::isStale))
                    .isEqualTo(seen.stale())
                    .isPositive();
            assertThat(calls(after, line -> true) - calls(before, line -> true)).isEqualTo(seen.requests());
            // What was refused while the service was gone, was an attempt and reached nobody.
            assertThat(attempts(after) - attempts(before))
                    .isGreaterThan(contest.holdfast.calls().between(0, Long.MAX_VALUE));
        }
    }

    @Test
    void areAtTheirOwnPathOnly() throws Exception {
        try (MetricsPage page = new MetricsPage()) {
            page.registry().counter("parcels").increment(3);
            assertThat(get(page.uri()).body()).contains("parcels_total 3.0");
            assertThat(get(page.uri().resolve("/")).statusCode()).isEqualTo(404);
        }
    }

    private static boolean isLive(String line) {
        return line.contains("outcome=\"success\"") && line.contains("source=\"live\"");
    }

    private static boolean isStale(String line) {
        return line.contains("outcome=\"success\"") && !line.contains("source=\"live\"");
    }

    private static long calls(String text, Predicate<String> which) {
        return sum(text, "holdfast_calls_seconds_count{", which);
    }

    private static long attempts(String text) {
        return sum(text, "holdfast_attempts_seconds_count{", line -> true);
    }

    private static long sum(String text, String meter, Predicate<String> which) {
        return text.lines()
                .filter(line -> line.startsWith(meter))
                .filter(which)
                .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    private static HttpResponse<String> get(URI uri) throws IOException, InterruptedException {
        return HttpClient.newHttpClient().send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
    }
}
