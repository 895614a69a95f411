/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.entity.AsyncEntityProducerWrapper;
import org.jspecify.annotations.Nullable;

/**
 * The body of a request as one attempt sends it. The attempts share the one producer of their caller, so they take turns: a hedge
 * waits until the attempt before it has sent the body, and begins it anew. An attempt that was given up sends nothing more.
 */
final class BodyInTurn extends AsyncEntityProducerWrapper {
    /** What the attempts of a request share; guards all of them. */
    static final class Turns {
        // Not a monitor: producers and the session wait for locks of others, and a virtual thread would keep its
        // carrier.
        private final ReentrantLock lock = new ReentrantLock();
        private final List<DataStreamChannel> waiting = new ArrayList<>();
        private @Nullable BodyInTurn sending;
        private boolean begun;

        private void next() {
            sending = null;
            waiting.forEach(DataStreamChannel::requestOutput);
            waiting.clear();
        }
    }

    private enum State {
        TO_SEND,
        ANSWERED,
        GIVEN_UP
    }

    private final AsyncEntityProducer producer;
    private final Turns turns;
    private State state = State.TO_SEND;
    private boolean whole;
    private @Nullable DataStreamChannel waiting;

    BodyInTurn(AsyncEntityProducer producer, Turns turns) {
        super(producer);
        this.producer = producer;
        this.turns = turns;
    }

    /** The attempt has ended, perhaps before all of the body was sent. */
    void end(boolean answered) {
        turns.lock.lock();
        try {
            state = answered ? State.ANSWERED : State.GIVEN_UP;
            leave();
        } finally {
            turns.lock.unlock();
        }
    }

    /** Whether this attempt has sent all of it. */
    boolean isWhole() {
        turns.lock.lock();
        try {
            return whole;
        } finally {
            turns.lock.unlock();
        }
    }

    /** Whether no attempt can send it any more. */
    boolean isUsedUp() {
        turns.lock.lock();
        try {
            return turns.begun && !producer.isRepeatable();
        } finally {
            turns.lock.unlock();
        }
    }

    private void leave() {
        if (turns.sending == this) {
            turns.next();
        }
    }

    @Override
    public int available() {
        turns.lock.lock();
        try {
            if (turns.sending == this && state == State.TO_SEND) {
                return producer.available();
            }
            // To be asked is to take the turn, or to be told that it is another one's.
            return waiting != null && turns.waiting.contains(waiting) ? 0 : 1;
        } finally {
            turns.lock.unlock();
        }
    }

    @Override
    public void produce(DataStreamChannel channel) throws IOException {
        turns.lock.lock();
        try {
            if (state == State.ANSWERED) {
                // The server has answered before it had all: as the client does without this.
                channel.endStream();
            } else if (state == State.GIVEN_UP) {
                throw new InterruptedIOException("the attempt was given up");
            } else if (turns.sending != null && turns.sending != this) {
                waiting = channel;
                turns.waiting.add(channel);
            } else {
                if (turns.sending == null) {
                    begin();
                }
                producer.produce(new Noting(channel));
            }
        } finally {
            turns.lock.unlock();
        }
    }

    private void begin() {
        turns.sending = this;
        whole = false;
        if (turns.begun) {
            // That is how Apache's clients rewind a producer.
            producer.releaseResources();
        }
        turns.begun = true;
    }

    /** The client wants to send it once more within the attempt, such as after a redirect. */
    @Override
    public void releaseResources() {
        turns.lock.lock();
        try {
            whole = false;
            leave();
        } finally {
            turns.lock.unlock();
        }
    }

    /** Of this attempt alone: there may be another one. */
    @Override
    public void failed(Exception cause) {
        end(false);
    }

    /** Notes that all was sent. */
    private final class Noting implements DataStreamChannel {
        private final DataStreamChannel channel;

        Noting(DataStreamChannel channel) {
            this.channel = channel;
        }

        @Override
        public void requestOutput() {
            channel.requestOutput();
        }

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            return channel.write(bytes);
        }

        @Override
        public void endStream() throws IOException {
            sent();
            channel.endStream();
        }

        @Override
        public void endStream(List<? extends Header> trailers) throws IOException {
            sent();
            channel.endStream(trailers);
        }

        private void sent() {
            turns.lock.lock();
            try {
                whole = true;
                leave();
            } finally {
                turns.lock.unlock();
            }
        }
    }
}
