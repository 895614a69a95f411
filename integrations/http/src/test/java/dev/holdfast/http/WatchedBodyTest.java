/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.junit.jupiter.api.Test;

class WatchedBodyTest {
    private static final List<ByteBuffer> PART = List.of();

    private final List<String> heard = new ArrayList<>();
    private final WatchedBody<String> body = new WatchedBody<>(new Hearing(), null);
    private Runnable duringPart = () -> {};
    private Runnable atTheBeginning = () -> {};

    private final Flow.Subscription source = new Flow.Subscription() {
        @Override
        public void request(long many) {}

        @Override
        public void cancel() {
            heard.add("cancel");
        }
    };

    private final class Hearing implements BodySubscriber<String> {
        @Override
        public CompletionStage<String> getBody() {
            return CompletableFuture.completedStage("12");
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            heard.add("begin");
            atTheBeginning.run();
        }

        @Override
        public void onNext(List<ByteBuffer> item) {
            heard.add("part");
            duringPart.run();
            heard.add("told");
        }

        @Override
        public void onError(Throwable error) {
            heard.add(error.getMessage());
            throw new IllegalStateException("whatever it throws");
        }

        @Override
        public void onComplete() {
            heard.add("end");
        }
    }

    private void giveUp() {
        body.giveUp(new IOException("given up"));
    }

    @Test
    void oneThatIsGivenUpIsCancelledAndHearsSo() {
        body.onSubscribe(source);
        body.onNext(PART);
        giveUp();
        giveUp();
        body.onNext(PART);
        body.onComplete();
        assertThat(heard)
                .startsWith("begin", "part", "told", "cancel", "given up")
                .doesNotContain("end");
        assertThat(heard.stream().filter("given up"::equals)).hasSize(1);
        assertThat(heard.stream().filter("part"::equals)).hasSize(1);
    }

    @Test
    void oneThatIsGivenUpBeforeItBeginsIsCancelledWhenItBegins() {
        giveUp();
        assertThat(heard).isEmpty();
        body.onSubscribe(source);
        assertThat(heard).containsExactly("cancel", "begin", "given up");
    }

    @Test
    void oneThingIsToldAtATime() {
        body.onSubscribe(source);
        duringPart = this::giveUp;
        body.onNext(PART);
        assertThat(heard).containsExactly("begin", "part", "cancel", "told", "given up");
    }

    /** A subscriber that asks for more while it is told something may be told more at once. */
    @Test
    void whatIsToldWithinIsNoEnd() {
        body.onSubscribe(source);
        duringPart = () -> {
            duringPart = () -> {};
            body.onNext(PART);
            giveUp();
            body.onNext(PART);
        };
        body.onNext(PART);
        assertThat(heard).containsExactly("begin", "part", "part", "told", "cancel", "told", "given up");
    }

    @Test
    void afterTheEndThereIsNothingToGiveUp() {
        body.onSubscribe(source);
        duringPart = body::onComplete;
        body.onNext(PART);
        assertThat(body.hasEnded()).isTrue();
        giveUp();
        assertThat(heard).containsExactly("begin", "part", "end", "told");
    }

    @Test
    void subscriberThatThrowsAtTheBeginningHasItCancelled() {
        atTheBeginning = () -> {
            throw new IllegalStateException("of the subscriber");
        };
        assertThatThrownBy(() -> body.onSubscribe(source)).hasMessage("of the subscriber");
        assertThat(heard).containsExactly("begin", "cancel");
    }

    /** It may have asked for the first part when it began, and another thread brings it. */
    @Test
    void whatAnotherThreadTellsIsNoEndEither() {
        atTheBeginning = () -> {
            duringPart = this::giveUp;
            body.onNext(PART);
            heard.add("begun");
        };
        body.onSubscribe(source);
        assertThat(heard).containsExactly("begin", "part", "cancel", "told", "begun", "given up");
    }
}
