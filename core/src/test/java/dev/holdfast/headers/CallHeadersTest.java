/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.headers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CallHeadersTest {
    private final VirtualTime time = new VirtualTime();
    private final CallHeaders headers = CallHeaders.of(h -> h.time(time));

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(RetryPolicy... retry) {
        return Pipeline.builder("p").policies(retry).time(time).build();
    }

    private static Map<String, String> written(CallHeaders headers) {
        Map<String, String> map = new HashMap<>();
        headers.write(map::put);
        return map;
    }

    private static @Nullable Duration remaining() {
        return Deadline.remaining().orElse(null);
    }

    @Test
    void withoutADeadlineAndACallThereIsNothingToSay() {
        assertThat(written(headers)).isEmpty();
        assertThat(written(CallHeaders.ofDefaults())).isEmpty();
    }

    @Test
    void whatIsLeftIsWrittenInBothForms() throws Exception {
        Map<String, String> map = Deadline.within(time, Duration.ofMillis(250), () -> written(headers));
        assertThat(map).containsOnly(entry("grpc-timeout", "250000u"), entry("Holdfast-Timeout-Ms", "250"));
    }

    @Test
    void insideAnActionTheAttemptsNumberIsWritten() throws Exception {
        List<Map<String, String>> seen = new ArrayList<>();
        pipeline(RetryPolicy.ofDefaults()).call(() -> {
            seen.add(written(headers));
            if (seen.size() < 3) {
                throw new IOException();
            }
            return "ok";
        });
        assertThat(seen).containsExactly(attempt("1"), attempt("2"), attempt("3"));
    }

    private static Map<String, String> attempt(String number) {
        return Map.of("Holdfast-Attempt", number);
    }

    @Test
    void anAsynchronousActionWritesTheSame() {
        CompletableFuture<Map<String, String>> map = pipeline()
                .<Map<String, String>>operation("x")
                .unkeyed()
                .deadline(Duration.ofSeconds(1))
                .callAsync(attempt -> CompletableFuture.completedFuture(written(headers)));
        assertThat(map.join())
                .containsOnly(
                        entry("grpc-timeout", "1000000u"),
                        entry("Holdfast-Timeout-Ms", "1000"),
                        entry("Holdfast-Attempt", "1"));
    }

    @Test
    void whatCameInIsWrittenOnwards() throws Exception {
        Map<String, String> inbound = Map.of("Holdfast-Timeout-Ms", "80", "Holdfast-Attempt", "3");
        Map<String, String> onwards = headers.receive(inbound::get, () -> {
            time.sleep(Duration.ofMillis(30));
            return pipeline().call(() -> written(headers));
        });
        assertThat(onwards)
                .containsOnly(
                        entry("grpc-timeout", "50000000n"),
                        entry("Holdfast-Timeout-Ms", "50"),
                        entry("Holdfast-Attempt", "3"));
        assertThat(Deadline.remaining()).isEmpty();
        assertThat(written(headers)).isEmpty();
    }

    @Test
    void namesAreTheUsersAndAHeaderCanBeLeftOut() throws Exception {
        CallHeaders own = CallHeaders.of(
                h -> h.grpcTimeout(null).timeoutMillis("X-Left").attempt(null).time(time));
        Map<String, String> map =
                Deadline.within(time, Duration.ofSeconds(2), () -> pipeline().call(() -> written(own)));
        assertThat(map).containsOnly(entry("X-Left", "2000"));
        Map<String, String> ignored = Map.of("grpc-timeout", "1m", "Holdfast-Attempt", "2", "X-Left", "700");
        assertThat(own.receive(ignored::get, CallHeadersTest::remaining)).isEqualTo(Duration.ofMillis(700));
    }

    @ParameterizedTest
    @CsvSource({
        "5n, 5",
        "99999999n, 99999999",
        "7u, 7000",
        "8m, 8000000",
        "00000009S, 9000000000",
        "2M, 120000000000",
        "1H, 3600000000000"
    })
    void eachUnitOfGrpcIsRead(String value, long nanos) throws Exception {
        CallHeaders headers = CallHeaders.of(h -> h.minTimeout(Duration.ZERO).time(time));
        assertThat(headers.receive(Map.of("grpc-timeout", value)::get, CallHeadersTest::remaining))
                .isEqualTo(Duration.ofNanos(nanos));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "5", "m", "-5m", "+5m", "5 m", "5h", "1.5S", "123456789n", "\u0665m", "\u06f5", "5\u00b5"})
    void aTimeThatIsMalformedLimitsNothing(String value) throws Exception {
        assertThat(headers.receive(Map.of("grpc-timeout", value)::get, CallHeadersTest::remaining))
                .isNull();
        String digits = value.equals("5") ? "x" : value;
        assertThat(headers.receive(Map.of("Holdfast-Timeout-Ms", digits)::get, CallHeadersTest::remaining))
                .isNull();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void whatIsReadIsNeverMoreThanWhatWasLeftAndHardlyLess(long seed) throws Exception {
        CallHeaders grpcOnly = CallHeaders.of(h -> h.timeoutMillis(null)
                .minTimeout(Duration.ZERO)
                .maxTimeout(Duration.ofDays(365))
                .time(time));
        Random random = new Random(seed);
        for (int i = 0; i < 2_000; i++) {
            long left = 1 + (long) Math.pow(10, random.nextDouble() * 16);
            Map<String, String> map = Deadline.within(time, Duration.ofNanos(left), () -> written(grpcOnly));
            assertThat(map.get("grpc-timeout")).matches("[0-9]{1,8}[HMSmun]");
            Duration read = grpcOnly.receive(map::get, CallHeadersTest::remaining);
            assertThat(read)
                    .as("seed %s, %s ns", seed, left)
                    .isBetween(Duration.ofNanos(left - left / 100_000), Duration.ofNanos(left));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "3, 10",
        "9, 10",
        "10, 10",
        "11, 11",
        "86400000, 86400000",
        "86400001, 86400000",
        "999999999999999999, 86400000",
        "99999999999999999999999999, 86400000"
    })
    void aTimeIsBelievedBetweenTheMinimumAndTheMaximum(String millis, long believed) throws Exception {
        assertThat(headers.receive(Map.of("Holdfast-Timeout-Ms", millis)::get, CallHeadersTest::remaining))
                .isEqualTo(Duration.ofMillis(believed));
    }

    @ParameterizedTest
    @CsvSource({"1n, 50000000", "50m, 50000000", "51m, 51000000", "3S, 2000000000", "99999999H, 2000000000"})
    void theMinimumAndTheMaximumAreTheUsers(String value, long nanos) throws Exception {
        CallHeaders own = CallHeaders.of(h -> h.minTimeout(Duration.ofMillis(50))
                .maxTimeout(Duration.ofSeconds(2))
                .time(time));
        assertThat(own.receive(Map.of("grpc-timeout", value)::get, CallHeadersTest::remaining))
                .isEqualTo(Duration.ofNanos(nanos));
    }

    @Test
    void theMinimumMakesNothingLongerThatHoldsAlready() throws Exception {
        Duration left = Deadline.within(
                time,
                Duration.ofMillis(4),
                () -> headers.receive(Map.of("Holdfast-Timeout-Ms", "3")::get, CallHeadersTest::remaining));
        assertThat(left).isEqualTo(Duration.ofMillis(4));
    }

    @Test
    void withoutAHeaderThereIsNoMaximum() throws Exception {
        assertThat(headers.receive(name -> null, CallHeadersTest::remaining)).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "a:b", "a\n", "ä"})
    void aNameThatNoClientWouldSendIsRefusedAtOnce(String name) {
        String names = " but must be the name of a header: 1 to 64 letters, digits and !#$%&'*+-.^_`|~";
        assertThatThrownBy(() -> CallHeaders.of(h -> h.grpcTimeout(name)))
                .hasMessage("call headers: grpcTimeout is '" + name + "'" + names);
        assertThatThrownBy(() -> CallHeaders.of(h -> h.timeoutMillis(name)))
                .hasMessage("call headers: timeoutMillis is '" + name + "'" + names);
        assertThatThrownBy(() -> CallHeaders.of(h -> h.attempt(name)))
                .hasMessage("call headers: attempt is '" + name + "'" + names);
    }

    @Test
    void twoHeadersWithOneNameAreRefused() {
        assertThatThrownBy(() -> CallHeaders.of(h -> h.attempt("X-Call").priority("x-call")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("call headers: names is [grpc-timeout, Holdfast-Timeout-Ms, X-Call, x-call]"
                        + " but must be different from each other");
    }

    @Test
    void aMinimumAndAMaximumThatCannotBeAreRefused() {
        assertThatThrownBy(() -> CallHeaders.of(h -> h.minTimeout(Duration.ofMillis(-1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("call headers: minTimeout is -1ms but must be 0s to 1h");
        assertThatThrownBy(() -> CallHeaders.of(h -> h.maxTimeout(Duration.ofDays(366))))
                .hasMessage("call headers: maxTimeout is 366d but must be 1ms to 365d");
        assertThatThrownBy(() ->
                        CallHeaders.of(h -> h.minTimeout(Duration.ofSeconds(2)).maxTimeout(Duration.ofSeconds(1))))
                .hasMessage("call headers: minTimeout is 2s but must be at most maxTimeout, 1s");
    }

    @ParameterizedTest(name = "text {index}")
    @MethodSource("dev.holdfast.headers.Nasty#texts")
    void whatIsLongIsMalformedWhateverItIs(String text) throws Exception {
        Map<String, String> inbound =
                Map.of("grpc-timeout", text, "Holdfast-Timeout-Ms", text, "Holdfast-Attempt", text);
        Map<String, String> onwards = Nasty.quickly(() -> headers.receive(inbound::get, () -> written(headers)));
        assertThat(onwards).isEmpty();
    }

    @Test
    void ofTwoTimesTheShorterOneHolds() throws Exception {
        Map<String, String> map = Map.of("grpc-timeout", "3S", "Holdfast-Timeout-Ms", "400");
        assertThat(headers.receive(map::get, CallHeadersTest::remaining)).isEqualTo(Duration.ofMillis(400));
        Map<String, String> other = Map.of("grpc-timeout", "300m", "Holdfast-Timeout-Ms", "400");
        assertThat(headers.receive(other::get, CallHeadersTest::remaining)).isEqualTo(Duration.ofMillis(300));
    }

    @Test
    void whatCameInCanOnlyShorten() throws Exception {
        Duration left = Deadline.within(
                time,
                Duration.ofMillis(100),
                () -> headers.receive(Map.of("grpc-timeout", "10S")::get, CallHeadersTest::remaining));
        assertThat(left).isEqualTo(Duration.ofMillis(100));
        int attempt = headers.receive(
                Map.of("Holdfast-Attempt", "4")::get,
                () -> headers.receive(
                        Map.of("Holdfast-Attempt", "2")::get,
                        () -> Integer.parseInt(written(headers).get("Holdfast-Attempt"))));
        assertThat(attempt).isEqualTo(4);
    }

    @Test
    void withNoTimeLeftNothingIsBegun() {
        List<String> begun = new ArrayList<>();
        assertThatThrownBy(() -> headers.receive(Map.of("Holdfast-Timeout-Ms", "0")::get, () -> begun.add("work")))
                .isInstanceOfSatisfying(CallRejectedException.class, rejection -> {
                    assertThat(rejection.reason()).isEqualTo(Reason.DEADLINE_EXCEEDED);
                    assertThat(rejection).hasMessage("the request came in with no time left");
                });
        assertThat(begun).isEmpty();
    }

    @Test
    void aCallWhoseTimeIsOverSaysSo() throws Exception {
        Map<String, String> map = Deadline.within(time, Duration.ofMillis(5), () -> {
            time.sleep(Duration.ofMillis(9));
            return written(headers);
        });
        assertThat(map).containsOnly(entry("grpc-timeout", "1n"), entry("Holdfast-Timeout-Ms", "0"));
    }

    @ParameterizedTest
    @CsvSource({
        "1, 3",
        "2, 1",
        "1000000, 1",
        "999999999999999999, 1",
        "99999999999999999999999999, 1",
        "0, 3",
        "-2, 3",
        "two, 3",
        "'', 3"
    })
    void inAnothersRetryNothingIsRetried(String attempt, int attempts) {
        List<String> begun = new ArrayList<>();
        Pipeline p = pipeline(RetryPolicy.ofDefaults());
        assertThatThrownBy(() -> headers.receive(
                        Map.of("Holdfast-Attempt", attempt)::get,
                        () -> p.call(() -> {
                            begun.add("attempt");
                            throw new IOException();
                        })))
                .isInstanceOf(IOException.class);
        assertThat(begun).hasSize(attempts);
    }

    @Test
    void anExecutorCarriesTheAttemptOverAndLeavesNothingBehind() throws Exception {
        List<Runnable> handedIn = new ArrayList<>();
        Executor pool = Deadline.propagating(handedIn::add);
        List<Map<String, String>> seen = new ArrayList<>();
        headers.receive(Map.of("Holdfast-Attempt", "2")::get, () -> {
            pool.execute(() -> seen.add(written(headers)));
        });
        pipeline().run(() -> pool.execute(() -> seen.add(written(headers))));
        handedIn.forEach(Runnable::run);
        seen.add(written(headers));
        assertThat(seen).containsExactly(attempt("2"), attempt("1"), Map.of());
        assertThat(Deadline.remaining()).isEqualTo(Optional.empty());
    }

    // ---- the queue of the server

    /** Tasks that wait for a thread: this one. */
    private final ArrayDeque<Runnable> queue = new ArrayDeque<>();

    private final Executor pool = headers.queued(queue::add);

    private void request(String millis, List<Duration> left) {
        pool.execute(() -> receive(millis, left));
    }

    private void receive(String millis, List<Duration> left) {
        headers.receive(name -> name.equals("Holdfast-Timeout-Ms") ? millis : null, () -> {
            left.add(remaining());
        });
    }

    @Test
    void theTimeInTheQueueIsPartOfTheRequestsTime() {
        List<Duration> left = new ArrayList<>();
        request("1000", left);
        time.advance(Duration.ofMillis(300));
        queue.remove().run();

        assertThat(left).containsExactly(Duration.ofMillis(700));
    }

    @Test
    void aRequestWhoseTimeHasGoneByInTheQueueIsNotBegun() {
        List<Duration> left = new ArrayList<>();
        request("1000", left);
        time.advance(Duration.ofSeconds(1));

        assertThatThrownBy(queue.remove()::run)
                .isInstanceOfSatisfying(
                        CallRejectedException.class,
                        rejection -> assertThat(rejection.reason()).isEqualTo(Reason.DEADLINE_EXCEEDED))
                .hasMessageContaining("came in with no time left, after 1.0 s in the queue");
        assertThat(left).isEmpty();
    }

    /** A connection that is kept alive may bring several requests in one task. */
    @Test
    void theTimeInTheQueueCountsForTheFirstRequestOfATask() {
        List<Duration> left = new ArrayList<>();
        pool.execute(() -> {
            receive("1000", left);
            receive("1000", left);
        });
        time.advance(Duration.ofMillis(300));
        queue.remove().run();
        receive("1000", left);

        assertThat(left).containsExactly(Duration.ofMillis(700), Duration.ofSeconds(1), Duration.ofSeconds(1));
    }

    @Test
    void aTaskThatThrowsLeavesNoWaitToTheNextOneOfItsThread() {
        List<Duration> left = new ArrayList<>();
        pool.execute(() -> {
            throw new IllegalStateException("no request");
        });
        time.advance(Duration.ofMillis(300));
        assertThatThrownBy(queue.remove()::run).hasMessage("no request");
        receive("1000", left);

        assertThat(left).containsExactly(Duration.ofSeconds(1));
    }

    @Test
    void withoutAHeaderTheQueueSaysNothing() {
        List<Duration> left = new ArrayList<>();
        request("soon", left);
        time.advance(Duration.ofHours(1));
        queue.remove().run();

        assertThat(left).hasSize(1).containsOnlyNulls();
    }

    @Test
    void aRequestWithLessThanTheLeastTimeIsNotBegun() {
        CallHeaders careful = CallHeaders.of(h -> h.time(time).leastTimeout(Duration.ofMillis(50)));
        assertThat(careful.<String, RuntimeException>receive(name -> "50", () -> "begun"))
                .isEqualTo("begun");
        assertThatThrownBy(() -> careful.receive(name -> "49", () -> "begun"))
                .isInstanceOf(CallRejectedException.class)
                .hasMessageContaining("has 49 ms left, less than leastTimeout, 50ms");
    }

    /** Whatever has set the limit: a filter's maximum, or an outer call. */
    @Test
    void theLeastTimeHoldsForADeadlineThatIsBoundAlready() {
        CallHeaders careful = CallHeaders.of(h -> h.time(time).leastTimeout(Duration.ofMillis(50)));
        assertThatThrownBy(() -> Deadline.within(
                        time, Duration.ofMillis(49), () -> careful.receive(name -> "5000", () -> "begun")))
                .isInstanceOf(CallRejectedException.class);
        assertThatThrownBy(() -> Deadline.within(
                        time, Duration.ofMillis(49), () -> careful.receive(name -> null, () -> "begun")))
                .isInstanceOf(CallRejectedException.class);
    }

    /** From the thread of the connection to the thread of the work: both queues count. */
    @Test
    void aRequestThatIsHandedOnWaitsInBothQueues() {
        List<Duration> left = new ArrayList<>();
        pool.execute(() -> request("1000", left));
        time.advance(Duration.ofMillis(300));
        queue.remove().run();
        time.advance(Duration.ofMillis(200));
        queue.remove().run();

        assertThat(left).containsExactly(Duration.ofMillis(500));
    }

    @Test
    void aTaskInsideThatRunsAtOnceTakesNoWaitAway() {
        List<Duration> left = new ArrayList<>();
        pool.execute(() -> {
            headers.queued(Runnable::run).execute(() -> {});
            receive("1000", left);
        });
        time.advance(Duration.ofMillis(300));
        queue.remove().run();

        assertThat(left).containsExactly(Duration.ofMillis(700));
    }

    @ParameterizedTest
    @CsvSource({"-1ms, PT-0.001S", "1h, PT1H0.001S"})
    void aLeastTimeOutOfRangeIsRefusedByName(String named, Duration value) {
        assertThatThrownBy(() -> CallHeaders.of(h -> h.leastTimeout(value)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("leastTimeout")
                .hasMessageContaining("0s to 1h");
    }

    @Test
    void aLeastTimeAboveTheMaximumIsRefused() {
        assertThatThrownBy(() ->
                        CallHeaders.of(h -> h.maxTimeout(Duration.ofMillis(100)).leastTimeout(Duration.ofSeconds(1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("leastTimeout is 1s but must be at most maxTimeout, 100ms");
    }
}
