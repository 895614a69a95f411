/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.holdfast.Pipeline;
import dev.holdfast.http.HeadTest.Asked;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** A function of an application may know no pipeline for an authority. */
@SuppressWarnings("NullAway") // what an application may do
class NoPipelineTest {
    private static final URI SHOP = URI.create("http://shop.example/x");
    private static final Pipelines NONE = new Pipelines() {
        @Override
        public Pipeline of(String authority) {
            return null;
        }

        @Override
        public String toString() {
            return "of nobody";
        }
    };

    @Test
    void aFunctionThatGivesNoPipelineIsNamedInTheError() {
        HttpCalls<Asked, Integer> calls = new HttpCalls<>(new HeadTest.Messages(), NONE, new HttpOptions<>());
        isNamed(() -> calls.call(new Asked("GET", SHOP)));
        isNamed(() -> calls.pipeline(new Asked("GET", SHOP)));
        isNamed(() -> calls.operation(new Asked("GET", URI.create("http://other.example/")), SHOP));
    }

    @Test
    void soItIsWithAClient() {
        HttpClient client = HoldfastHttpClient.around(HttpClient.newHttpClient(), NONE);
        HttpRequest request = HttpRequest.newBuilder(SHOP).build();
        isNamed(() -> client.send(request, BodyHandlers.discarding()));
        isNamed(() -> client.sendAsync(request, BodyHandlers.discarding()));
    }

    private static void isNamed(ThrowingCallable asked) {
        assertThatIllegalStateException()
                .isThrownBy(asked)
                .withMessage("the Pipelines of nobody gave no pipeline for http://shop.example:80");
    }
}
