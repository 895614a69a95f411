/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BoundedBodyTest {
    private final List<String> events = new ArrayList<>();
    private final Reader reader = new Reader();
    private final BoundedBody body = new BoundedBody(() -> reader, 3);
    private long asked;

    /** Asks for nothing by itself. */
    private final class Reader implements BodySubscriber<String> {
        private final CompletableFuture<String> whole = new CompletableFuture<>();
        private Flow.@Nullable Subscription source;
        private Runnable meanwhile = () -> {};

        void request(long many) {
            Objects.requireNonNull(source).request(many);
        }

        @Override
        public CompletionStage<String> getBody() {
            return whole;
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            source = subscription;
        }

        @Override
        public void onNext(List<ByteBuffer> item) {
            item.forEach(part -> events.add(StandardCharsets.UTF_8.decode(part).toString()));
            meanwhile.run();
        }

        @Override
        public void onError(Throwable error) {
            events.add("error " + error.getClass().getSimpleName());
        }

        @Override
        public void onComplete() {
            events.add("end");
            whole.complete("whole");
        }
    }

    private void subscribe() {
        body.onSubscribe(new Flow.Subscription() {
            @Override
            public void request(long n) {
                asked += n;
            }

            @Override
            public void cancel() {
                events.add("cancel");
            }
        });
    }

    private void next(String text) {
        body.onNext(List.of(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8))));
    }

    @Test
    void aShortBodyIsReadIntoMemory() {
        subscribe();
        next("a");
        next("bc");
        body.onComplete();

        BoundedBody.Bytes bytes =
                (BoundedBody.Bytes) body.getBody().toCompletableFuture().join();
        assertThat(bytes.all()).asString(StandardCharsets.UTF_8).isEqualTo("abc");
        assertThat(asked).isEqualTo(3);
    }

    /** Reactive Streams, rule 3.9. */
    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void readerOfAKeptBodyThatAsksForLessThanOnePartHearsAnError(long many) {
        BoundedBody.Bytes bytes = new BoundedBody.Bytes(new byte[] {'a'});
        var unused = bytes.readBy(info -> reader, HandedThroughTest.INFO);
        reader.request(many);
        reader.request(1);
        assertThat(events).containsExactly("error IllegalArgumentException");

        events.clear();
        unused = bytes.readBy(info -> reader, HandedThroughTest.INFO);
        reader.meanwhile = () -> reader.request(many);
        reader.request(1);
        assertThat(events)
                .as("after the part that it is told now")
                .containsExactly("a", "error IllegalArgumentException");
    }

    @Test
    void theRestOfALongBodyComesAsItIsAskedFor() {
        subscribe();
        next("abcd");
        assertThat(events).isEmpty();
        reader.request(2);
        assertThat(asked).as("the first one, and one of the two").isEqualTo(2);
        next("e");
        body.onComplete();

        assertThat(events).containsExactly("abcd", "e", "end");
        assertThat(body.getBody().toCompletableFuture().join()).isEqualTo("whole");
    }

    /** The client needs no request to tell the end. */
    @Test
    void theEndOfALongBodyWaitsForWhatWasReadBefore() {
        subscribe();
        next("abcd");
        body.onComplete();
        assertThat(events).isEmpty();
        reader.request(1);

        assertThat(events).containsExactly("abcd", "end");
    }

    /** Otherwise the client's thread would tell it more while this one is still in the first call. */
    @Test
    void whatAReaderAsksForWhileItIsToldIsAskedForAfterwards() {
        subscribe();
        next("abcd");
        reader.meanwhile = () -> {
            reader.request(1);
            reader.request(2);
            events.add("asked for " + asked);
        };
        reader.request(1);

        assertThat(events).containsExactly("abcd", "asked for 1");
        assertThat(asked).isEqualTo(4);
    }

    @Test
    void anErrorWaitsUntilTheReaderHasBeenToldWhatWasReadBefore() {
        subscribe();
        next("abcd");
        reader.meanwhile = () -> {
            body.onError(new IllegalStateException());
            events.add("told");
        };
        reader.request(2);

        assertThat(events).containsExactly("abcd", "told", "error IllegalStateException");
        assertThat(asked).as("nothing more").isEqualTo(1);
    }

    @Test
    void nothingFollowsAnError() {
        subscribe();
        next("abcd");
        body.onError(new IllegalStateException());
        reader.request(1);

        assertThat(events).containsExactly("error IllegalStateException");
    }

    @Test
    void anErrorIsToldAtOnce() {
        subscribe();
        next("abcd");
        body.onError(new IllegalStateException());

        assertThat(events).containsExactly("error IllegalStateException");
    }
}
