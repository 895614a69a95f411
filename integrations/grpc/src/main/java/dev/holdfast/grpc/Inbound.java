/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.CallRejectedException;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.internal.engine.Bound;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.MethodDescriptor.MethodType;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a call came in with, as it holds in its callbacks, which come one after the other. Of a stream of requests only the
 * sender's limit is one instant: the most that is believed counts from each callback on, since the call may last for days.
 */
final class Inbound {
    private static final long MOST_DIGITS = 99_999_999;

    private final CallHeaders headers;
    private final Map<String, String> texts;
    private final MethodType type;
    private final @Nullable Deadline ofContext = Context.current().getDeadline();
    private final @Nullable Bound outside = Bound.current();

    /** Of a stream of requests: receives once more. */
    private @Nullable Runnable again;

    private @Nullable Bound bound;
    private boolean hasHandledOne;

    private Inbound(CallHeaders headers, Map<String, String> texts, MethodType type) {
        this.headers = headers;
        this.texts = texts;
        this.type = type;
    }

    /**
     * To be called where the call comes in.
     *
     * @throws CallRejectedException if no time is left
     */
    static Inbound of(CallHeaders headers, Map<String, String> texts, MethodType type) {
        Inbound inbound = new Inbound(headers, texts, type);
        if (!type.clientSendsOneMessage()) {
            // A task of a queue that never begins, so that the time since the call came is taken off the texts as a
            // wait in the queue is. That one is not counted yet, and counts here, too.
            headers.queued(task -> inbound.again = task).execute(inbound::receiveAgain);
        }
        inbound.bound = inbound.receive();
        return inbound;
    }

    private @Nullable Bound receive() {
        // The context's deadline is an instant, made before a wait in an executor's queue. So that wait is taken
        // off the texts alone: the first one that receives takes it.
        return headers.<@Nullable Bound, RuntimeException>receive(
                texts::get, () -> headers.<@Nullable Bound, RuntimeException>receive(this::left, Bound::current));
    }

    private void receiveAgain() {
        Bound here = Bound.current();
        Bound.set(outside);
        try {
            bound = receive();
        } catch (CallRejectedException noTimeLeft) {
            // The stream has begun, and goes on. What was bound last ends no later than its sender's limit.
        } finally {
            Bound.restore(here);
        }
    }

    /** What holds when the call begins; null if nothing does, then or later. */
    @Nullable
    Bound atFirst() {
        return bound;
    }

    /**
     * What holds in a callback that begins now.
     *
     * @param atHalfClose the caller has sent all
     */
    @Nullable
    Bound now(boolean atHalfClose) {
        Runnable once = again;
        if (once != null) {
            once.run();
        }
        Bound holds = bound;
        return holds == null || isOfAttempt(atHalfClose) ? holds : holds.withoutAttempt();
    }

    /**
     * Whether what is done now is done again if the caller tries again. Only the opening and the first message of a stream of
     * requests are, which may last long after the attempt that opened it; and the end of one that is answered then.
     */
    private boolean isOfAttempt(boolean atHalfClose) {
        return !hasHandledOne || (atHalfClose && type == MethodType.CLIENT_STREAMING);
    }

    void messageHandled() {
        hasHandledOne = !type.clientSendsOneMessage();
    }

    private @Nullable String left(String name) {
        Deadline deadline = name.equalsIgnoreCase(Keys.GRPC_TIMEOUT) ? ofContext : null;
        return deadline == null ? null : text(deadline.timeRemaining(TimeUnit.NANOSECONDS));
    }

    private static String text(long nanos) {
        if (nanos <= MOST_DIGITS) {
            return Math.max(0, nanos) + "n";
        }
        long micros = nanos / 1_000;
        return micros <= MOST_DIGITS ? micros + "u" : Math.min(MOST_DIGITS, micros / 1_000_000) + "S";
    }
}
