/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.holdfast.spi.TimeSource;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScriptedActionTest {
    private final VirtualTime time = new VirtualTime();
    private final ScriptedAction<String> action = ScriptedAction.on(time);

    @AfterEach
    void close() {
        time.close();
    }

    private CompletableFuture<String> start(boolean async) {
        return async ? action.callAsync().toCompletableFuture() : time.spawn(action::call);
    }

    private String end(boolean async) {
        long start = time.nanos();
        CompletableFuture<String> call = new CompletableFuture<>();
        try {
            call = start(async);
        } catch (Throwable thrown) {
            call.completeExceptionally(thrown);
        }
        time.run();
        String end = call.handle((value, error) -> error == null ? value : cause(error))
                .join();
        return end + " after " + Duration.ofNanos(time.nanos() - start).toMillis();
    }

    private static String cause(Throwable error) {
        Throwable cause = error.getCause() == null ? error : error.getCause();
        return String.valueOf(cause.getMessage());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsSaidAfterTimesHoldsForAllRepeats(boolean async) {
        action.fails(new IOException("reset"))
                .times(3)
                .after(ofMillis(20))
                .times(2)
                .returns("well");
        assertThat(List.of(end(async), end(async), end(async)))
                .containsExactly("reset after 20", "reset after 20", "well after 0");
    }

    /** A client of a user's. */
    private interface Client {
        String stock(String sku) throws IOException;
    }

    /** One that throws nothing checked. */
    private interface Unchecked {
        String stock(String sku);
    }

    @Test
    void itStandsBehindAnInterfaceAndThrowsWhatTheScriptSays() {
        IOException reset = new IOException("reset");
        action.fails(reset);
        Client client = action::answerTo;
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> client.stock("sku-1"))
                .isSameAs(reset);
        Unchecked unchecked = sku -> action.answerTo(sku);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> unchecked.stock("sku-2"))
                .isSameAs(reset);
        assertThat(action.calls()).extracting(ScriptedAction.Started::argument).containsExactly("sku-1", "sku-2");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void stepsAreDoneInTurnAndTheLastOneAgainAndAgain(boolean async) {
        action.fails(new IOException("reset"))
                .times(2)
                .returns("slow")
                .after(ofMillis(20))
                .fails(new IOException("late"))
                .after(ofMillis(5))
                .returns("well");
        assertThat(List.of(end(async), end(async), end(async), end(async), end(async), end(async)))
                .containsExactly(
                        "reset after 0",
                        "reset after 0",
                        "slow after 20",
                        "late after 5",
                        "well after 0",
                        "well after 0");
        assertThat(action.started()).isEqualTo(6);
        assertThat(action.running()).isZero();
    }

    @Test
    void callsAreRememberedWithArgumentAndTime() throws Exception {
        action.returns("a").after(ofMillis(10)).returns("b");
        time.advance(ofMillis(3));
        assertThat(action.callWith("sku-1")).isEqualTo("a");
        assertThat(action.callAsyncWith("sku-2")).isCompletedWithValue("b");
        assertThat(action.call()).isEqualTo("b");
        assertThat(action.calls())
                .containsExactly(
                        new ScriptedAction.Started("sku-1", ofMillis(3)),
                        new ScriptedAction.Started("sku-2", ofMillis(13)),
                        new ScriptedAction.Started(null, ofMillis(13)));
    }

    @Test
    void callsThatRunAtOnceAreCounted() {
        action.returns("x").after(ofMillis(10));
        List<CompletableFuture<String>> calls = new ArrayList<>(List.of(start(false), start(true)));
        time.advance(ofMillis(5));
        calls.add(start(true));
        time.advance(ofMillis(1));
        assertThat(action.running()).isEqualTo(3);
        time.advance(ofMillis(5));
        assertThat(action.running()).isOne();
        time.run();
        assertThat(calls).allSatisfy(call -> assertThat(call).isCompletedWithValue("x"));
        assertThat(action.running()).isZero();
        assertThat(action.mostRunning()).isEqualTo(3);
    }

    @Test
    void callIsOverBeforeWhatFollowsIt() {
        action.returns("x").after(ofMillis(10));
        List<Integer> running = new ArrayList<>();
        for (boolean cancelled : new boolean[] {false, true}) {
            CompletableFuture<String> call = start(true);
            var unused = call.whenComplete((value, error) -> running.add(action.running()));
            if (cancelled) {
                call.cancel(true);
            }
            time.run();
        }
        assertThat(running).containsExactly(0, 0);
    }

    @Test
    void hangEndsWithAnInterruptOrACancellationOnly() {
        action.hangs();
        AtomicReference<Thread> caller = new AtomicReference<>();
        CompletableFuture<String> blocking = time.spawn(() -> {
            caller.set(Thread.currentThread());
            return action.call();
        });
        CompletableFuture<String> async = action.callAsync().toCompletableFuture();
        time.advance(Duration.ofDays(1));
        assertThat(blocking).isNotDone();
        assertThat(async).isNotDone();
        time.interrupt(caller.get());
        async.cancel(true);
        time.run();
        assertThat(blocking).isCompletedExceptionally();
        assertThat(action.running()).isZero();
    }

    @Test
    void stubbornStepHeedsNobodyAndKeepsTheInterrupt() {
        action.returns("done").after(ofMillis(10)).stubbornly();
        AtomicReference<Thread> caller = new AtomicReference<>();
        Callable<String> call = () -> {
            caller.set(Thread.currentThread());
            return action.call() + " " + Thread.interrupted();
        };
        CompletableFuture<String> blocking = time.spawn(call);
        CompletableFuture<String> async = action.callAsync().toCompletableFuture();
        time.advance(ofMillis(5));
        time.interrupt(caller.get());
        assertThat(async.cancel(true)).isFalse();
        time.run();
        assertThat(blocking).isCompletedWithValue("done true");
        assertThat(async).isCompletedWithValue("done");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aStepOfMoreThan292YearsHangs(boolean async) {
        action.returns("late").after(Duration.ofSeconds(Long.MAX_VALUE)).returns("well");
        CompletableFuture<String> call = start(async);
        time.run();
        assertThat(call).isNotDone();
        assertThat(action.running()).isOne();
        assertThat(end(async)).isEqualTo("well after 0");
    }

    @Test
    void aCallThatFindsNoTimerDoesNotRun() {
        action.returns("late").after(ofMillis(20));
        time.close();
        assertThatExceptionOfType(RejectedExecutionException.class).isThrownBy(action::callAsync);
        assertThat(action.running()).isZero();
    }

    @Test
    void emptyScriptSaysWhatIsMissing() {
        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(action::call)
                .withMessage("the script of the action is empty: say what it does first");
        assertThatIllegalStateException().isThrownBy(() -> action.after(ofMillis(1)));
        assertThat(action.running()).isZero();
    }

    @Test
    void whatCannotBeIsRefused() {
        action.returns("x");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> action.times(0))
                .withMessage("times is 0 but must be at least 1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> action.after(ofMillis(-1)))
                .withMessage("after is PT-0.001S but must not be negative");
    }

    @Test
    void itWorksInRealTimeAndOffTheTimersThread() throws Exception {
        ScriptedAction<String> real = ScriptedAction.<String>on(TimeSource.system())
                .returns("blocking")
                .after(ofMillis(2))
                .returns("async")
                .after(ofMillis(2))
                .hangs();
        long start = System.nanoTime();
        assertThat(real.call()).isEqualTo("blocking");
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(ofMillis(2).toNanos());
        AtomicReference<String> thread = new AtomicReference<>();
        var async = real.callAsync().thenApply(value -> {
            thread.set(Thread.currentThread().getName());
            return value;
        });
        assertThat(async.toCompletableFuture().get()).isEqualTo("async");
        assertThat(thread.get()).isNotEqualTo("holdfast-timer");
        Thread.currentThread().interrupt();
        assertThatExceptionOfType(InterruptedException.class).isThrownBy(real::call);
    }

    @Test
    void errorOfALateAsynchronousStepIsInItsFuture() {
        action.fails(new IOException("late")).after(ofMillis(1));
        CompletableFuture<String> call = action.callAsync().toCompletableFuture();
        time.run();
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(call::get)
                .withCauseInstanceOf(IOException.class);
    }
}
