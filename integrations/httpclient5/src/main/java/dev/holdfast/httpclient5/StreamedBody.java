/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.Deadline;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.hc.client5.http.async.AsyncExecCallback;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.nio.AsyncDataConsumer;
import org.apache.hc.core5.http.nio.entity.DiscardingEntityConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What comes of a body after its attempt. It waits until there is a caller to tell, who hears of all in its order, from one thread
 * at a time, and of the end once. No lock is held while the caller's code runs.
 */
final class StreamedBody {
    /** Something to tell the caller. */
    interface Signal {
        void tell(AsyncDataConsumer consumer) throws HttpException, IOException;
    }

    private final Runnable abort;
    private final Deque<Signal> signals = new ArrayDeque<>();

    /** Whether a thread tells the caller, or there is none yet. Guarded by this, as the signals and the end. */
    private boolean busy = true;

    private boolean over;

    /** Written before the first signal is told, and handed on with {@link #busy}. */
    private @Nullable AsyncDataConsumer consumer;

    private @Nullable AsyncExecCallback caller;

    /** What the caller had where it was told of the response. */
    private Deadline.@Nullable Binding bound;

    /**
     * Of an exchange.
     *
     * @param abort gives it up
     * @param read what was read of the body in the attempt
     */
    StreamedBody(Runnable abort, byte[] read) {
        this.abort = abort;
        signals.add(consumer -> consumer.consume(ByteBuffer.wrap(read)));
    }

    // ---- from the client

    void tell(Signal signal) {
        tell(signal, () -> signal);
    }

    /** The bytes are copied only if they have to wait: the client uses the buffer again. */
    void consume(ByteBuffer bytes) {
        tell(consumer -> consumer.consume(bytes), () -> {
            ByteBuffer copy = ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
            return consumer -> consumer.consume(copy);
        });
        bytes.position(bytes.limit());
    }

    void end(Consumer<AsyncExecCallback> how) {
        tell(unused -> {
            close();
            how.accept(Objects.requireNonNull(caller));
        });
    }

    private void tell(Signal now, Supplier<Signal> later) {
        synchronized (this) {
            if (over) {
                return;
            }
            if (busy) {
                signals.add(later.get());
                return;
            }
            busy = true;
        }
        tellAll(now);
    }

    private void tellAll(@Nullable Signal first) {
        // Not with what holds in the attempt, which the client's thread has: that is over for the caller.
        AttemptBinding.with(bound, () -> tellEach(first));
    }

    private void tellEach(@Nullable Signal first) {
        for (Signal next = first == null ? poll() : first; next != null; next = poll()) {
            try {
                next.tell(Objects.requireNonNull(consumer));
            } catch (Throwable e) {
                if (close()) {
                    abort.run();
                    Objects.requireNonNull(caller).failed(Errors.toCaller(e, false));
                }
            }
        }
    }

    private synchronized @Nullable Signal poll() {
        Signal next = signals.poll();
        busy = next != null;
        return next;
    }

    // ---- for the caller

    void deliver(HttpResponse response, @Nullable EntityDetails details, AsyncExecCallback to)
            throws HttpException, IOException {
        caller = to;
        bound = Deadline.Binding.current();
        try {
            AsyncDataConsumer given = to.handleResponse(response, details);
            consumer = given == null || details == null ? new DiscardingEntityConsumer<>() : given;
        } catch (Throwable e) {
            discard();
            throw e;
        }
        tellAll(null);
    }

    /** Gives up the rest: nobody gets it. */
    void discard() {
        close();
        abort.run();
    }

    /** False: it was over. */
    private synchronized boolean close() {
        boolean first = !over;
        over = true;
        signals.clear();
        return first;
    }
}
