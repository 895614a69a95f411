/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.testcalls.HeldMonitors;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.entity.AsyncEntityProducerWrapper;
import org.apache.hc.core5.http.nio.entity.BasicAsyncEntityProducer;
import org.junit.jupiter.api.Test;

/** One producer for several attempts. */
class BodyInTurnTest {
    /** Takes four bytes at a time. */
    private static class Channel implements DataStreamChannel {
        private final StringBuilder sent = new StringBuilder();
        private boolean ended;
        private boolean woken;

        @Override
        public void requestOutput() {
            woken = true;
        }

        @Override
        public int write(ByteBuffer bytes) {
            byte[] some = new byte[Math.min(4, bytes.remaining())];
            bytes.get(some);
            sent.append(new String(some, US_ASCII));
            return some.length;
        }

        @Override
        public void endStream() {
            ended = true;
        }

        @Override
        public void endStream(List<? extends Header> trailers) {
            ended = true;
        }
    }

    private final BasicAsyncEntityProducer producer =
            new BasicAsyncEntityProducer("0123456789".getBytes(US_ASCII), ContentType.TEXT_PLAIN);
    private final BodyInTurn.Turns turns = new BodyInTurn.Turns();
    private final BodyInTurn first = new BodyInTurn(producer, turns);
    private final BodyInTurn second = new BodyInTurn(producer, turns);
    private final Channel toFirst = new Channel();
    private final Channel toSecond = new Channel();

    private static void sendAll(BodyInTurn body, Channel channel) throws IOException {
        while (!channel.ended) {
            assertThat(body.available()).isPositive();
            body.produce(channel);
        }
    }

    @Test
    void anAttemptWaitsUntilTheOneBeforeHasSentTheBody() throws Exception {
        first.produce(toFirst);
        second.produce(toSecond);
        assertThat(second.available()).isZero();
        sendAll(first, toFirst);
        assertThat(toSecond.woken).isTrue();
        sendAll(second, toSecond);
        assertThat(toFirst.sent.toString()).isEqualTo("0123456789");
        assertThat(toSecond.sent.toString()).isEqualTo("0123456789");
    }

    @Test
    void anAttemptThatIsGivenUpSendsNothingMore() throws Exception {
        first.produce(toFirst);
        second.produce(toSecond);
        first.end(false);
        assertThatThrownBy(() -> first.produce(toFirst)).isInstanceOf(InterruptedIOException.class);
        assertThat(toSecond.woken).isTrue();
        sendAll(second, toSecond);
        assertThat(toFirst.sent.toString()).isEqualTo("0123");
        assertThat(toFirst.ended).isFalse();
        assertThat(toSecond.sent.toString()).isEqualTo("0123456789");
    }

    /** As after a redirect. */
    @Test
    void anAttemptCanSendItTwice() throws Exception {
        sendAll(first, toFirst);
        assertThat(first.isWhole()).isTrue();
        first.releaseResources();
        assertThat(first.isWhole()).as("before it is sent again").isFalse();
        Channel again = new Channel();
        sendAll(first, again);
        assertThat(again.sent.toString()).isEqualTo("0123456789");
    }

    @Test
    void whatIsAnsweredEarlyEnds() throws Exception {
        first.produce(toFirst);
        first.end(true);
        first.produce(toFirst);
        assertThat(toFirst.ended).isTrue();
        assertThat(toFirst.sent.toString()).isEqualTo("0123");
    }

    /** The producer and the client's session are somebody else's, and have locks of their own. */
    @Test
    void theProducerAndTheChannelAreUsedUnderNoMonitor() throws Exception {
        List<String> used = new ArrayList<>();
        List<String> held = new ArrayList<>();
        Consumer<String> use = what -> {
            used.add(what);
            HeldMonitors.now().forEach(monitor -> held.add(what + ": " + monitor));
        };
        AsyncEntityProducer looking = new AsyncEntityProducerWrapper(producer) {
            @Override
            public int available() {
                use.accept("available");
                return super.available();
            }

            @Override
            public void produce(DataStreamChannel channel) throws IOException {
                use.accept("produce");
                super.produce(channel);
            }

            @Override
            public void releaseResources() {
                use.accept("rewind");
                super.releaseResources();
            }
        };
        Channel channel = new Channel() {
            @Override
            public void requestOutput() {
                use.accept("requestOutput");
                super.requestOutput();
            }

            @Override
            public int write(ByteBuffer bytes) {
                use.accept("write");
                return super.write(bytes);
            }

            @Override
            public void endStream() {
                use.accept("endStream");
                super.endStream();
            }
        };
        BodyInTurn one = new BodyInTurn(looking, turns);
        BodyInTurn other = new BodyInTurn(looking, turns);
        one.produce(toFirst);
        other.produce(channel);
        one.end(false);
        sendAll(other, channel);
        assertThat(used).contains("available", "produce", "rewind", "requestOutput", "write", "endStream");
        assertThat(held).isEmpty();
    }
}
