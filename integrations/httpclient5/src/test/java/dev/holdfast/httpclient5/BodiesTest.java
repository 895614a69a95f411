/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.spi.InvalidSettingsException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.InputStreamEntity;
import org.apache.hc.core5.http.message.BasicClassicHttpResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What of a body belongs to its attempt. */
class BodiesTest {
    private static final String TEXT = "0123456789";

    private final ByteArrayInputStream bytes = new ByteArrayInputStream(TEXT.getBytes(UTF_8));

    private ClassicHttpResponse response(long length, String type) {
        ClassicHttpResponse response = new BasicClassicHttpResponse(200);
        response.setEntity(new InputStreamEntity(bytes, length, ContentType.parse(type)));
        return response;
    }

    @ParameterizedTest
    @CsvSource({"0, 10", "9, 10", "10, 0", "11, 0"})
    void aKnownLengthIsReadWholeOrNotAtAll(int most, int left) throws IOException {
        ClassicHttpResponse response = response(10, "text/plain");
        Bodies.read(response, most, new Exchange(new OwnRetries(BodiesTest.class), null));
        assertThat(bytes.available()).isEqualTo(left);
        assertThat(new String(EntityUtils.toByteArray(response.getEntity()), UTF_8))
                .isEqualTo(TEXT);
    }

    @ParameterizedTest
    @CsvSource({"0, 10", "1, 8", "9, 0", "10, 0", "11, 0"})
    void ofAnUnknownLengthThePrefixIsReadAndTheRestFollows(int most, int left) throws IOException {
        ClassicHttpResponse response = response(-1, "text/plain");
        Bodies.read(response, most, new Exchange(new OwnRetries(BodiesTest.class), null));
        assertThat(bytes.available()).isEqualTo(left);
        HttpEntity entity = response.getEntity();
        assertThat(entity.isRepeatable()).isEqualTo(most >= 10);
        assertThat(new String(EntityUtils.toByteArray(entity), UTF_8)).isEqualTo(TEXT);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "text/event-stream",
                "Text/Event-Stream; charset=utf-8",
                "application/x-ndjson",
                "application/grpc+proto",
                "multipart/mixed; boundary=x",
                "audio/mpeg",
                "video/mp4"
            })
    void aStreamIsNotRead(String type) throws IOException {
        Bodies.read(response(-1, type), 100, new Exchange(new OwnRetries(BodiesTest.class), null));
        assertThat(bytes.available()).isEqualTo(10);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 67_108_865})
    void aBoundOutOfRangeIsRefused(int bound) {
        try (Pipeline pipeline = Pipeline.standard("shop")) {
            HoldfastExec exec = HoldfastExec.of(Pipelines.one(pipeline));
            assertThatThrownBy(() -> exec.readBodiesUpTo(bound))
                    .isInstanceOf(InvalidSettingsException.class)
                    .hasMessageContaining("readBodiesUpTo")
                    .hasMessageContaining("0 to 67,108,864");
        }
    }

    @Test
    void whatIsThrownAwayIsCancelledIfItsBodyWasNotRead() throws IOException {
        Exchange unread = new Exchange(new OwnRetries(BodiesTest.class), null);
        ClassicHttpResponse response = response(-1, "text/plain");
        Bodies.read(response, 9, unread);
        Bodies.discard(response);
        assertThat(unread.isCancelled()).isTrue();

        Exchange whole = new Exchange(new OwnRetries(BodiesTest.class), null);
        ClassicHttpResponse other = response(0, "text/plain");
        Bodies.read(other, 9, whole);
        Bodies.discard(other);
        assertThat(whole.isCancelled()).isFalse();
    }

    @Test
    void aResponseWithoutABodyStaysAsItIs() throws IOException {
        ClassicHttpResponse response = new BasicClassicHttpResponse(204);
        Bodies.read(response, 100, new Exchange(new OwnRetries(BodiesTest.class), null));
        assertThat(response.getEntity()).isNull();
    }
}
