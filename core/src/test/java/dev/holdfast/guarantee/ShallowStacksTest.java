/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.guarantee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.CheckedFunction;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Probe;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Guarantee 5: between the call and the user's own code a stack trace shows at most three frames of Holdfast. */
@ThreadKind.Each
class ShallowStacksTest {
    private final Lab lab = new Lab();
    private final List<Policy> layers = new ArrayList<>();

    @AfterEach
    void close() {
        lab.close();
    }

    private Pipeline pipeline() {
        return Pipeline.builder("stack").policies(layers).time(lab.time).build();
    }

    private static String fail() throws IOException {
        throw new IOException("from the user's code");
    }

    private static boolean isOurs(StackTraceElement frame) {
        return frame.getClassName().startsWith("dev.holdfast.") && !isUsers(frame);
    }

    private static boolean isUsers(StackTraceElement frame) {
        return frame.getClassName().startsWith(ShallowStacksTest.class.getName());
    }

    /** The frames of Holdfast between the user's code that calls and the user's code that is called. */
    private static List<StackTraceElement> between(Throwable thrown) {
        List<StackTraceElement> frames = new ArrayList<>();
        boolean ours = false;
        for (StackTraceElement frame : thrown.getStackTrace()) {
            if (isOurs(frame)) {
                ours = true;
                frames.add(frame);
            } else if (ours && isUsers(frame)) {
                return frames;
            }
        }
        return frames;
    }

    private static void assertShallow(Throwable thrown, Class<?> entrance) {
        List<StackTraceElement> frames = between(thrown);
        assertThat(frames)
                .as(() -> "frames of " + List.of(thrown.getStackTrace()))
                .isNotEmpty();
        StackTraceElement call = frames.get(frames.size() - 1);
        assertThat(call.getClassName()).startsWith(entrance.getName());
        // The entrance itself is what the user wrote.
        assertThat(frames.subList(0, frames.size() - 1)).hasSizeLessThanOrEqualTo(3);
    }

    @Test
    void failingCallShowsAtMostThreeFrames() {
        assertShallow(catchThrowable(() -> pipeline().call(ShallowStacksTest::fail)), Pipeline.class);
    }

    @Test
    void manyPoliciesAddNoFrame() {
        for (int i = 0; i < 60; i++) {
            layers.add(lab.probe("layer " + i));
        }
        assertShallow(catchThrowable(() -> pipeline().call(ShallowStacksTest::fail)), Pipeline.class);
    }

    @Test
    void lastOfManyRetriesShowsAtMostThreeFrames() {
        layers.add(DeadlinePolicy.of(Duration.ofMinutes(1)));
        layers.add(RetryPolicy.of(r -> r.maxAttempts(50)));
        layers.add(TimeoutPolicy.of(Duration.ofSeconds(1)));
        assertShallow(catchThrowable(() -> pipeline().call(ShallowStacksTest::fail)), Pipeline.class);
    }

    @Test
    void waitOnTheWayInAddsNoFrame() {
        Probe waiting = lab.probe("waiting").entering(passage -> Decision.pause(10));
        layers.add(waiting);
        assertShallow(catchThrowable(() -> pipeline().call(ShallowStacksTest::fail)), Pipeline.class);
    }

    @Test
    void fallbackFunctionThatThrowsShowsFewFrames() {
        layers.add(FallbackPolicy.of(error -> {
            throw new IllegalStateException("fallback");
        }));
        Throwable thrown = catchThrowable(() -> pipeline().call(ShallowStacksTest::fail));
        assertThat(thrown).hasMessage("fallback");
        assertThat(between(thrown)).hasSizeLessThanOrEqualTo(8);
    }

    @Test
    void callOfAnOperationShowsAtMostThreeFrames() {
        Operation<String> operation = pipeline().operation("stock");
        assertShallow(catchThrowable(() -> operation.key("sku-1").call(attempt -> fail())), dev.holdfast.Call.class);
        assertShallow(catchThrowable(() -> operation.unkeyed().reply(attempt -> fail())), dev.holdfast.Call.class);
    }

    @Test
    void decoratedFunctionShowsAtMostThreeFrames() {
        CheckedFunction<String, String, IOException> stock =
                pipeline().<String>operation("stock").decorate(sku -> fail());
        assertShallow(catchThrowable(() -> stock.apply("sku-1")), Operation.class);
    }

    @Test
    void asynchronousActionThatThrowsShowsFewFrames() {
        CompletableFuture<String> failed = pipeline().callAsync(() -> {
            throw new IllegalStateException("at once");
        });
        Throwable thrown = catchThrowable(failed::join);
        assertThat(thrown).isInstanceOf(CompletionException.class).cause().hasMessage("at once");
        assertThat(between(thrown.getCause())).hasSizeLessThanOrEqualTo(7);
    }

    @Test
    void usersExceptionIsThrownAsItIs() {
        IOException own = new IOException("own");
        layers.add(RetryPolicy.of(r -> r.maxAttempts(3)));
        Throwable thrown = catchThrowable(() -> pipeline().call(() -> {
            throw own;
        }));
        assertThat(thrown).isSameAs(own).hasNoCause();
        assertThat(thrown.getSuppressed()).isEmpty();
    }
}
