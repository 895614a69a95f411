/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static dev.holdfast.testing.HoldfastAssertions.assertThat;
import static dev.holdfast.testing.HoldfastAssertions.assertThatCall;
import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@Logs({"retry-inside-circuit-breaker", "two-circuit-breakers"})
class HoldfastAssertionsTest {
    private final VirtualTime time = new VirtualTime();
    private final ScriptedAction<String> action = ScriptedAction.on(time);

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("stock").policies(policies).time(time).build();
    }

    private Reply<String> reply(Policy... policies) throws Exception {
        return pipeline(policies).<String>operation("x").unkeyed().reply(attempt -> action.call());
    }

    private static void fails(ThrowingCallable assertion, String message) {
        assertThatExceptionOfType(AssertionError.class).isThrownBy(assertion).withMessage(message);
    }

    /** Answers as a cache would, with an answer of that source. */
    private static Policy answering(Source source) {
        return new Policy("cache", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                return passage.answer("old", source, Duration.ofSeconds(5).toNanos());
            }
        };
    }

    /** Has a state and one call in flight, as its meters say. */
    private static Policy held(double inFlight) {
        return held(inFlight, "half_open");
    }

    private static Policy held(double inFlight, String state) {
        return new Policy("circuit-breaker", 0) {
            @Override
            public void meters(Meters meters) {
                meters.gauge("pool.in.flight", "", () -> inFlight);
                meters.gauge("pool.waiting", "", () -> 2 * inFlight);
                for (String known : List.of("half_open", "closed")) {
                    meters.gauge("circuitbreaker.state", "", "state", known, () -> known.equals(state) ? 1 : 0);
                }
                meters.counter("pool.rejected", "", () -> 7);
                meters.counter("pool.ends", "", "kind", "odd", () -> 7);
            }
        };
    }

    @Test
    void liveReplyHasItsValueSourceAndAttempts() throws Exception {
        action.fails(new IOException("reset")).returns("well").after(ofMillis(3));
        Reply<String> reply = reply(RetryPolicy.of(r -> r.jitter(Jitter.NONE)));
        assertThat(reply).isLive().hasSource(Source.LIVE).hasValue("well").hasAttempts(2);
        fails(
                () -> assertThat(reply).hasValue("ill"),
                "Expected the answer <ill> but was <well>, which is LIVE of age" + " PT0S after 2 attempts");
        fails(
                () -> assertThat(reply).isStale(),
                "Expected a stale answer but the answer <well> is LIVE of age PT0S after" + " 2 attempts");
        fails(
                () -> assertThat(reply).hasAttempts(1),
                "Expected 1 attempts but there were 2: [#1 FAILURE after 0 ms, #2 SUCCESS after 3 ms]");
    }

    @Test
    void staleReplyIsStaleAndNotLive() throws Exception {
        assertThat(reply(answering(Source.STALE_ON_ERROR))).isStale().hasAttempts(0);
        assertThat(reply(answering(Source.STALE_REVALIDATING))).isStale();
        Reply<String> fresh = reply(answering(Source.FRESH));
        fails(
                () -> assertThat(fresh).isStale(),
                "Expected a stale answer but the answer <old> is FRESH of age PT5S after 0" + " attempts");
        fails(
                () -> assertThat(fresh).isLive(),
                "Expected LIVE but the answer <old> is FRESH of age PT5S after 0 attempts");
    }

    @Test
    void orderIsNamedOutermostFirst() {
        Pipeline pipeline = pipeline(RetryPolicy.ofDefaults(), TimeoutPolicy.of(ofMillis(5)));
        assertThat(pipeline).hasOrder("retry", "timeout");
        fails(
                () -> assertThat(pipeline).hasOrder("timeout", "retry"),
                String.format("Expected the order of 'stock' to be%n  timeout > retry%nbut it is%n  retry > timeout"));
    }

    @Test
    void pipelineIsIdleIfNothingIsInFlightOrWaiting() {
        assertThat(pipeline(held(0), RetryPolicy.ofDefaults())).isIdle();
        fails(
                () -> assertThat(pipeline(held(1), held(0))).isIdle(),
                "Expected 'stock' to be idle, but pool.in.flight is 1, pool.waiting is 2");
    }

    @Test
    void stateIsThatOfItsGauge() {
        Pipeline pipeline = pipeline(held(0));
        assertThat(pipeline).hasState("circuit-breaker", "half_open").hasState("circuit-breaker", "half-open");
        fails(
                () -> assertThat(pipeline).hasState("circuit-breaker", "closed"),
                "Expected the circuit-breaker of 'stock' to be closed, but it is [half_open]");
        fails(
                () -> assertThat(pipeline).hasState("bulkhead", "open"),
                "Expected the bulkhead of 'stock' to be open, but no policy of that name tells its state");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> assertThat(pipeline).hasState("circuit-breaker", "opne"))
                .withMessage("the circuit-breaker of 'stock' has no state 'opne'; it has [closed, half_open]");
    }

    @Test
    void secondPolicyOfAKindIsSeen() {
        fails(
                () -> assertThat(pipeline(held(0), held(1))).isIdle(),
                "Expected 'stock' to be idle, but pool.in.flight.2 is 1, pool.waiting.2 is 2");
        assertThat(pipeline(held(0), held(0, "closed")))
                .hasState("circuit-breaker", "half-open")
                .hasState("circuit-breaker", "closed");
        fails(
                () -> assertThat(pipeline(held(0), held(0))).hasState("circuit-breaker", "closed"),
                "Expected the circuit-breaker of 'stock' to be closed, but it is [half_open, half_open]");
    }

    @Test
    void policyInShadowHasItsStateUnderItsName() {
        Pipeline pipeline = pipeline(held(0), ShadowPolicy.of(held(0, "closed")));
        assertThat(pipeline).hasState("circuit-breaker-shadow", "closed").hasState("circuit-breaker", "half-open");
        fails(
                () -> assertThat(pipeline).hasState("circuit-breaker", "closed"),
                "Expected the circuit-breaker of 'stock' to be closed, but it is [half_open]");
    }

    @Test
    @SuppressWarnings("NullAway") // which is the mistake
    void missingArgumentIsNamed() {
        Pipeline pipeline = pipeline(held(0));
        assertThatNullPointerException()
                .isThrownBy(() -> assertThat(pipeline).hasState(null, "open"))
                .withMessage("policy");
        assertThatNullPointerException()
                .isThrownBy(() -> assertThat(pipeline).hasState("bulkhead", null))
                .withMessage("expected");
        action.returns("x");
        assertThatNullPointerException().isThrownBy(() -> action.after(null)).withMessage("duration");
    }

    @Test
    @SuppressWarnings("FutureReturnValueIgnored") // the assertion gets it
    void futureThatACallReturnsIsLookedInto() {
        Pipeline closed = pipeline();
        closed.close();
        assertThatCall(() -> closed.callAsync(action::callAsync)).wasRejectedBy("pipeline", Reason.CLOSED);
        action.returns("late").after(ofMillis(5));
        Pipeline open = pipeline();
        fails(
                () -> assertThatCall(() -> open.callAsync(action::callAsync)).hasTimedOutBy("timeout"),
                "Expected the call to time out by timeout, but it has not ended (on virtual time, run() or advance()"
                        + " comes first)");
    }

    @Test
    void rejectionHasItsPolicyAndReason() {
        action.returns("never");
        Pipeline closed = pipeline();
        closed.close();
        assertThatCall(() -> closed.call(action::call)).wasRejectedBy("pipeline", Reason.CLOSED);
        CompletableFuture<String> async = closed.callAsync(action::callAsync);
        assertThatCall(async).wasRejectedBy("pipeline", Reason.CLOSED);
        fails(
                () -> assertThatCall(async).wasRejectedBy("bulkhead", Reason.BULKHEAD_FULL),
                "Expected the call to be rejected by bulkhead: BULKHEAD_FULL, but it was rejected by pipeline: CLOSED"
                        + " (pipeline 'stock' is closed)");
        fails(
                () -> assertThatCall(async).hasTimedOutBy("timeout"),
                "Expected the call to time out by timeout, but it was rejected by pipeline: CLOSED (pipeline 'stock' is"
                        + " closed)");
    }

    @Test
    void callThatEndedOtherwiseIsDescribed() {
        action.returns("well").after(ofMillis(5)).fails(new IOException("reset"));
        Pipeline pipeline = pipeline();
        CompletableFuture<String> well = pipeline.callAsync(action::callAsync);
        String expected = "Expected the call to be rejected by bulkhead: BULKHEAD_FULL, but ";
        fails(
                () -> assertThatCall(well).wasRejectedBy("bulkhead", Reason.BULKHEAD_FULL),
                expected + "it has not ended (on virtual time, run() or advance() comes first)");
        time.run();
        fails(
                () -> assertThatCall(well).wasRejectedBy("bulkhead", Reason.BULKHEAD_FULL),
                expected + "it ended well, with <well>");
        fails(
                () -> assertThatCall(() -> pipeline.call(action::call)).wasRejectedBy("bulkhead", Reason.BULKHEAD_FULL),
                expected + "it failed with java.io.IOException: reset");
        fails(
                () -> assertThatCall(() -> {}).wasRejectedBy("bulkhead", Reason.BULKHEAD_FULL),
                expected + "it ended well");
    }

    @Test
    void timeoutHasItsPolicyAndIsAThrowableLikeAnyOther() {
        action.returns("late").after(ofMillis(50));
        Pipeline pipeline = pipeline(TimeoutPolicy.of(ofMillis(5)));
        assertThatCall(() -> pipeline.call(action::call))
                .hasTimedOutBy("timeout")
                .hasMessageContaining("5 ms");
        Pipeline fallback = pipeline(FallbackPolicy.of(error -> "else"), TimeoutPolicy.of(ofMillis(5)));
        CompletableFuture<String> async = fallback.callAsync(action::callAsync);
        time.run();
        fails(
                () -> assertThatCall(async).hasTimedOutBy("timeout"),
                "Expected the call to time out by timeout, but it ended well, with <else>");
    }

    /** As adapters of HTTP clients throw it: what the client's callers expect, with Holdfast's own as the cause. */
    @Test
    void whatAnAdapterWrapsIsTheEndOfTheCall() {
        action.returns("late").after(ofMillis(50));
        Pipeline pipeline = pipeline(TimeoutPolicy.of(ofMillis(5)));
        assertThatCall(() -> likeAnAdapter(pipeline)).hasTimedOutBy("timeout");
        pipeline.close();
        assertThatCall(() -> likeAnAdapter(pipeline)).wasRejectedBy("pipeline", Reason.CLOSED);
        fails(
                () -> assertThatCall(() -> likeAnAdapter(pipeline)).hasTimedOutBy("timeout"),
                "Expected the call to time out by timeout, but it was rejected by pipeline: CLOSED (pipeline 'stock' is"
                        + " closed)");
        Throwable ring = new IOException("a");
        ring.initCause(new IOException("b", ring));
        fails(
                () -> assertThatCall(CompletableFuture.failedFuture(ring)).hasTimedOutBy("timeout"),
                "Expected the call to time out by timeout, but it failed with java.io.IOException: a");
    }

    private void likeAnAdapter(Pipeline pipeline) throws IOException {
        try {
            pipeline.run(action::call);
        } catch (Exception e) {
            throw new IOException("of the client", e);
        }
    }
}
