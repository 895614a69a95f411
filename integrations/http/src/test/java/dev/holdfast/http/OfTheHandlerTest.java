/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import org.junit.jupiter.api.Test;

class OfTheHandlerTest {
    private final OfTheHandler ofHandler = new OfTheHandler();
    private final SentRequest sent = new SentRequest(
            HttpRequest.newBuilder(URI.create("http://localhost:1/")).build(),
            null,
            new HttpCalls<>(
                    JdkMessages.INSTANCE,
                    authority -> {
                        throw new AssertionError(authority);
                    },
                    new HttpOptions<>()));

    private IOException madeOf(RuntimeException own) {
        IOException wrapped = new IOException(own);
        assertThatThrownBy(() -> ofHandler.unwrap(wrapped, sent)).isSameAs(own);
        return wrapped;
    }

    /** A hedge that has lost may fail last. */
    @Test
    void whateverAttemptFailedLastTheCallerGetsWhatTheClientHasMadeOfItsError() {
        RuntimeException ofWinner = new IllegalStateException("of the winner");
        IOException madeOfIt = madeOf(ofWinner);
        madeOf(new IllegalStateException("of the loser"));
        assertThatThrownBy(() -> ofHandler.wrap(ofWinner)).isSameAs(madeOfIt);
        assertThatCode(() -> ofHandler.wrap(new IllegalStateException("of a policy")))
                .doesNotThrowAnyException();
    }
}
