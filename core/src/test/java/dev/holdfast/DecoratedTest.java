/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Operation.Decorated;
import dev.holdfast.Operation.DecoratedAsync;
import dev.holdfast.Operation.InterruptiblyDecorated;
import dev.holdfast.Reply.Source;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Decorated functions: with a reply in place of the bare answer, and told of their attempt. */
@Logs("a decorated function of 'p' was not run")
class DecoratedTest {
    private final VirtualTime time = new VirtualTime();
    private final List<String> seen = new ArrayList<>();
    private String user = "ann";

    @AfterEach
    void close() {
        time.close();
    }

    private Operation<String> operation() {
        return Pipeline.builder("p")
                .policies(
                        DeadlinePolicy.of(Duration.ofSeconds(9)),
                        RetryPolicy.of(
                                r -> r.maxAttempts(3).maxBackoff(Duration.ZERO).initialBackoff(Duration.ZERO)))
                .time(time)
                .build()
                .operation("get");
    }

    private String thirdTime(String key, Attempt attempt) throws IOException {
        seen.add(key + attempt.number() + " " + attempt.remaining().toSeconds());
        if (attempt.number() < 3) {
            throw new IOException("not yet");
        }
        return key + " for " + user;
    }

    private CompletionStage<String> thirdTimeAsync(String key, Attempt attempt) {
        try {
            return CompletableFuture.completedFuture(thirdTime(key, attempt));
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private void sawThreeAttempts() {
        assertThat(seen).containsExactly("k1 9", "k2 9", "k3 9");
        seen.clear();
    }

    @Test
    void functionIsToldItsAttempt() throws Exception {
        Decorated<String, String, IOException> get = operation().decorateWithAttempt(this::thirdTime);
        assertThat(get.apply("k")).isEqualTo("k for ann");
        sawThreeAttempts();
        DecoratedAsync<String, String> getAsync = operation().decorateAsyncWithAttempt(this::thirdTimeAsync);
        assertThat(getAsync.apply("k")).isCompletedWithValue("k for ann");
        sawThreeAttempts();
    }

    @Test
    void replySaysWhereTheAnswerCameFrom() throws Exception {
        Reply<String> reply = operation()
                .<String, IOException>decorateWithAttempt(this::thirdTime)
                .reply("k");
        assertThat(reply.value()).isEqualTo("k for ann");
        assertThat(reply.source()).isEqualTo(Source.LIVE);
        assertThat(reply.attempts()).isEqualTo(3);
        assertThat(reply.history()).hasSize(3);
        Reply<String> async = operation()
                .<String>decorateAsync(key -> CompletableFuture.completedFuture(key))
                .reply("k")
                .join();
        assertThat(async.value()).isEqualTo("k");
        assertThat(async.attempts()).isEqualTo(1);
    }

    private String interruptible(String key) throws IOException, InterruptedException {
        if (key.isEmpty()) {
            throw new InterruptedException("by the client");
        }
        return answered(key);
    }

    private String answered(String key) throws IOException {
        if (key.equals("down")) {
            throw new IOException("down");
        }
        return key + " for " + user;
    }

    @Test
    void functionThatIsInterruptedKeepsBothOfItsExceptions() throws IOException, InterruptedException {
        InterruptiblyDecorated<String, String, IOException> get =
                operation().decorateInterruptibly(this::interruptible);
        assertThat(get.apply("k")).isEqualTo("k for ann");
        assertThat(get.reply("k").source()).isEqualTo(Source.LIVE);
        assertThatThrownBy(() -> get.apply("down")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> get.reply("")).isInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isTrue();
        InterruptiblyDecorated<String, String, IOException> mine =
                operation().decorateInterruptibly(this::interruptible, () -> user);
        assertThat(mine.apply("k")).isEqualTo("k for ann");
        Reply<String> reply = operation().key("k").replyInterruptibly(attempt -> interruptible("k"));
        assertThat(reply.value()).isEqualTo("k for ann");
    }

    @Test
    void partitionGoesWithTheAttempt() throws Exception {
        Decorated<String, String, IOException> get = operation().decorateWithAttempt(this::thirdTime, () -> user);
        assertThat(get.apply("k")).isEqualTo("k for ann");
        sawThreeAttempts();
        DecoratedAsync<String, String> getAsync =
                operation().decorateAsyncWithAttempt(this::thirdTimeAsync, () -> user);
        assertThat(getAsync.reply("k").join().value()).isEqualTo("k for ann");
        sawThreeAttempts();
    }

    @Test
    void functionDoesNotRunForAnotherPartition() {
        Decorated<String, String, IOException> get = operation()
                .decorateWithAttempt(
                        (key, attempt) -> {
                            user = "bob";
                            return thirdTime(key, attempt);
                        },
                        () -> user);
        assertThatThrownBy(() -> get.reply("k")).isInstanceOf(IOException.class);
        assertThat(seen).containsExactly("k1 9");
    }

    @Test
    void partitionThatThrowsIsTheCallersProblem() {
        DecoratedAsync<String, String> getAsync = operation().decorateAsyncWithAttempt(this::thirdTimeAsync, () -> {
            throw new IllegalStateException("nobody");
        });
        assertThat(getAsync.reply("k")).isCompletedExceptionally();
        assertThatThrownBy(() -> operation()
                        .<String, IOException>decorateWithAttempt(this::thirdTime, () -> null)
                        .apply("k"))
                .isInstanceOf(NullPointerException.class);
    }
}
