/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.Attempt;
import dev.holdfast.Call;
import dev.holdfast.internal.Once;
import dev.holdfast.internal.engine.Bound;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.spi.TimeSource.Timer;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.ReflectableMarshaller;
import io.grpc.Status;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A call of gRPC's that is a call of a pipeline: how it begins, who ends it, and what its listener hears where. */
abstract class PipelinedCall<Q, R> extends ClientCall<Q, R> implements Context.CancellationListener {
    private static final long LONGEST_NANOS = TimeUnit.DAYS.toNanos(365);

    /** Clocks of servers and of timers differ from the pipeline's by less. */
    private static final long CLOSE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    final HoldfastClientInterceptor interceptor;
    final MethodDescriptor<Q, R> method;
    final CallOptions options;
    final boolean idempotent;
    private final Channel next;
    private final Context context = Context.current();
    private final @Nullable Bound bound = Bound.current();

    final Object lock = new Object();

    // All of these are guarded by the lock.
    private @Nullable Listener<R> listener;
    private @Nullable Metadata headers;
    private @Nullable Status cancellation;
    /** The time of its context is over. */
    private @Nullable Status endOfContext;

    private boolean cancelledByCaller;
    private boolean begun;
    /** Set until it has begun. */
    private @Nullable Timer limit;

    private @Nullable CompletableFuture<?> future;
    private @Nullable Response<R> response;
    private long requested;
    private boolean toldHeaders;
    private int toldMessages;
    private boolean toldAll;
    private boolean telling;
    /** How many events of a stream the listener hears now: its end comes after them. */
    private int hearing;

    /** A thread that tells what a stream says: it is one on which the listener may hear of it. */
    volatile @Nullable Thread ofStream;

    PipelinedCall(
            HoldfastClientInterceptor interceptor,
            MethodDescriptor<Q, R> method,
            CallOptions options,
            Channel next,
            boolean idempotent) {
        this.interceptor = interceptor;
        this.method = method;
        this.options = options;
        this.next = next;
        this.idempotent = idempotent;
    }

    // ---- the beginning

    @Override
    public void start(Listener<R> told, Metadata given) {
        synchronized (lock) {
            check(listener == null, "Already started");
            check(cancellation == null, "call was cancelled");
            listener = Objects.requireNonNull(told, "listener");
            headers = Objects.requireNonNull(given, "headers");
        }
        context.addListener(this, Runnable::run);
        if (isOver()) {
            over(); // cancelled meanwhile
        }
    }

    static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }

    final Listener<R> listener() {
        synchronized (lock) {
            Listener<R> told = listener;
            check(told != null, "Not started");
            return Objects.requireNonNull(told);
        }
    }

    /**
     * Ends this call if it has not begun when the time is over that its options, the thread that made it or this thread leave it. Its
     * context has a timer of its own.
     */
    final void limitUntilBegun() {
        limitUntilBegun(Bound.current());
    }

    private void limitUntilBegun(@Nullable Bound whereStarted) {
        long left = leftUntilBegun(whereStarted);
        if (left >= LONGEST_NANOS) {
            return;
        }
        Timer set = TimeSource.system().schedule(left, () -> {
            Runnable over = () -> with(whereStarted, () -> limitIsOver(whereStarted));
            // Not on the timer's thread: functions of the user's choose the pipeline.
            try {
                interceptor.executor().execute(over);
            } catch (Throwable refused) {
                over.run();
            }
        });
        synchronized (lock) {
            if (!begun && cancellation == null) {
                limit = set;
                return;
            }
        }
        set.cancel();
    }

    private void limitIsOver(@Nullable Bound whereStarted) {
        if (leftUntilBegun(whereStarted) > 0) {
            limitUntilBegun(whereStarted); // its clock is slower than the timer's, as that of a test may be
        } else {
            turnAway(Status.DEADLINE_EXCEEDED);
        }
    }

    private long leftUntilBegun(@Nullable Bound whereStarted) {
        return Math.min(nanos(options.getDeadline()), Math.min(left(whereStarted), left(bound)));
    }

    /** The pipeline has the same limit, and says that it has struck: to a call that has not begun, by turning it away. */
    private void turnAway(Status otherwise) {
        begin(attempt -> CompletableFuture.failedFuture(otherwise.asRuntimeException()), true);
    }

    /** Goes into the pipeline. */
    final void begin(Function<Attempt, CompletionStage<Object>> action, boolean once) {
        Timer set;
        synchronized (lock) {
            if (cancellation != null || begun) {
                return;
            }
            begun = true;
            set = limit;
        }
        if (set != null) {
            set.cancel();
        }
        CompletableFuture<?> call;
        try {
            call = called(action, once);
        } catch (Throwable e) {
            // Whoever chooses the pipeline has failed. A listener hears of every problem, since it hears of nothing
            // else.
            call = CompletableFuture.failedFuture(e);
        }
        Status late;
        synchronized (lock) {
            future = call;
            late = cancellation;
        }
        var unused = call.whenComplete(this::ended);
        if (late != null) {
            giveUp(call, late);
        }
    }

    /**
     * With what was bound where this call was made, since another thread may start it, as an interceptor does that waits for a
     * token. With what is bound here if that leaves less time: a deadline inside another one shortens.
     */
    private CompletableFuture<?> called(Function<Attempt, CompletionStage<Object>> action, boolean once) {
        if (bound == null || Bound.remaining() < left(bound)) {
            return pipelined(once).callAsync(action);
        }
        Bound here = Bound.current();
        Bound.set(bound);
        try {
            return pipelined(once).callAsync(action);
        } finally {
            Bound.restore(here);
        }
    }

    private static void with(@Nullable Bound bound, Runnable task) {
        Bound here = Bound.current();
        Bound.set(bound);
        try {
            task.run();
        } finally {
            Bound.restore(here);
        }
    }

    private static long left(@Nullable Bound bound) {
        return bound == null ? Long.MAX_VALUE : bound.left();
    }

    private Call<@Nullable Object> pipelined(boolean once) {
        Call<@Nullable Object> call = interceptor.call(next.authority(), method, idempotent);
        long left = remainingNanos();
        if (left < LONGEST_NANOS) {
            call = call.deadline(Duration.ofNanos(left));
        }
        return once ? call.sentOnce() : call;
    }

    /** Until the caller's own limit. */
    private long remainingNanos() {
        return Math.min(nanos(options.getDeadline()), nanos(context.getDeadline()));
    }

    private static long nanos(@Nullable Deadline deadline) {
        return deadline == null ? Long.MAX_VALUE : deadline.timeRemaining(TimeUnit.NANOSECONDS);
    }

    /**
     * Whether this status only says that the time is over which the pipeline has given, or its caller: then the pipeline says so
     * itself, now. It has read the caller's limit a moment later than gRPC, which on a busy machine is not short.
     */
    final boolean isOfLimit(Status status, Attempt attempt) {
        return status.getCode() == Status.Code.DEADLINE_EXCEEDED
                && Math.min(attempt.remainingNanos(), remainingNanos()) <= CLOSE_NANOS;
    }

    /**
     * Starts a call of the channel as the caller would, with headers of its own.
     *
     * @param made gets the call before it is started
     * @param started gets it afterwards
     */
    final void startInside(
            CallOptions with, Listener<R> hears, Consumer<ClientCall<Q, R>> made, Consumer<ClientCall<Q, R>> started) {
        Metadata given;
        synchronized (lock) {
            given = Objects.requireNonNull(headers);
        }
        Context before = context.attach();
        ClientCall<Q, R> inside = null;
        try {
            inside = next.newCall(method, with);
            made.accept(inside);
            inside.start(hears, interceptor.headers(given, method));
            started.accept(inside);
        } catch (Throwable e) {
            if (inside != null) {
                inside.cancel("the request could not be sent: " + e, e);
            }
            throw e;
        } finally {
            context.detach(before);
        }
    }

    /** A blocking stub's executor runs nothing after the end of its call. But what is left has still to be cleared away. */
    final CallOptions elsewhereAfterTheEnd(CallOptions of) {
        Executor given = of.getExecutor();
        return given == null ? of : of.withExecutor(task -> (isOver() ? interceptor.executor() : given).execute(task));
    }

    // ---- the end

    private void ended(@Nullable Object value, @Nullable Throwable error) {
        if (error != null) {
            ended(Response.of(error));
        } else if (value != StreamCall.BEGUN) {
            Response<R> response;
            try {
                response = responseOf(value);
            } catch (Throwable e) {
                response = Response.of(e); // a marshaller of the user's, or a call of an interceptor of his
            }
            ended(response);
        }
    }

    @SuppressWarnings("unchecked") // values are of the call's type
    private Response<R> responseOf(@Nullable Object value) {
        if (value instanceof Exchange<?, ?> exchange) {
            return (Response<R>) exchange.response();
        }
        Status wrong = wrongType(value);
        return wrong == null ? Response.ofMessage((R) value) : Response.of(wrong);
    }

    /** Where the method knows the class of its messages, as those of protobuf do. */
    private @Nullable Status wrongType(@Nullable Object ofFallback) {
        if (ofFallback == null
                || !(method.getResponseMarshaller() instanceof ReflectableMarshaller<?> marshaller)
                || marshaller.getMessageClass().isInstance(ofFallback)) {
            return null;
        }
        return Status.INTERNAL.withDescription("the fallback of " + method.getFullMethodName() + " gave a "
                + ofFallback.getClass().getName() + "; expected a "
                + marshaller.getMessageClass().getName());
    }

    /** The pipeline has ended with this. */
    abstract void ended(Response<R> with);

    /** The listener hears this, or that its call was cancelled before it came. What comes second is not heard. */
    final void tell(Response<R> all) {
        synchronized (lock) {
            if (response != null) {
                return;
            }
            if (cancellation != null) {
                response = Response.of(cancellation);
            } else if (endOfContext != null
                    && all.status().isOk()
                    && requested < all.messages().size()) {
                response = Response.of(endOfContext);
            } else {
                response = all;
            }
        }
        tellMore();
    }

    /** Whether the listener may hear an event of a stream: its end has not been decided. If so, {@link #heard} has to follow. */
    final boolean hears() {
        synchronized (lock) {
            if (response != null) {
                return false;
            }
            hearing++;
            return true;
        }
    }

    /** The listener has heard an event of a stream. An end that was decided meanwhile comes on the same thread. */
    final void heard() {
        synchronized (lock) {
            hearing--;
            if (response == null) {
                return;
            }
        }
        ofStream = Thread.currentThread();
        tellMore();
        ofStream = null;
    }

    /** Whether its caller asks for no message now. */
    final boolean asksNothing() {
        synchronized (lock) {
            return requested == 0;
        }
    }

    /** The listener has heard the headers of a response already. */
    final void headersTold() {
        synchronized (lock) {
            toldHeaders = true;
        }
    }

    /** The listener hears nothing else from here. */
    final void over() {
        context.removeListener(this);
    }

    private void tellMore() {
        synchronized (lock) {
            if (telling || toldAll || response == null || hearing > 0) {
                return;
            }
            telling = true;
        }
        if (Thread.currentThread() == ofStream) {
            as(this::tellAll);
            return;
        }
        Executor given = options.getExecutor();
        Executor executor = given == null ? interceptor.executor() : given;
        Once told = Once.of(() -> as(this::tellAll));
        if (!told.isTakenBy(() -> executor)) {
            told.runOnce();
        }
    }

    /** As the caller of this call would. */
    final void as(Runnable task) {
        Context before = context.attach();
        try {
            with(bound, task);
        } finally {
            context.detach(before);
        }
    }

    private void tellAll() {
        Listener<R> hears = listener();
        for (Consumer<Listener<R>> event = nextEvent(); event != null; event = nextEvent()) {
            try {
                event.accept(hears);
            } catch (Throwable e) {
                if (isOver()) {
                    HoldfastClientInterceptor.LOG.warn(
                            "a listener failed at the end of " + method.getFullMethodName(), e);
                } else {
                    replaced(failed(e));
                }
            }
        }
    }

    /** The end of a listener that threw this. */
    static Status failed(Throwable e) {
        return Status.CANCELLED.withDescription("the listener failed").withCause(e);
    }

    private @Nullable Consumer<Listener<R>> nextEvent() {
        synchronized (lock) {
            Response<R> all = Objects.requireNonNull(response);
            Metadata of = all.headers();
            if (!toldHeaders && of != null && !toldAll) {
                toldHeaders = true;
                return hears -> hears.onHeaders(of);
            }
            boolean more = hasMessagesLeft(all);
            if (toldAll || (more && requested == 0)) {
                telling = false;
                return null;
            }
            if (more) {
                requested--;
                R message = all.messages().get(toldMessages++);
                return hears -> hears.onMessage(message);
            }
            toldAll = true;
            return hears -> {
                over();
                hears.onClose(all.status(), all.trailers());
            };
        }
    }

    /** Whether the listener has heard the end. */
    final boolean isOver() {
        synchronized (lock) {
            return toldAll;
        }
    }

    /** Whether its caller has called {@link #cancel}. */
    final boolean isCancelledByCaller() {
        synchronized (lock) {
            return cancelledByCaller;
        }
    }

    /** What its caller or its caller's context has cancelled it with, or null. */
    final @Nullable Status cancellation() {
        synchronized (lock) {
            return cancellation;
        }
    }

    /** If there is a response. */
    final void replaced(Status status) {
        synchronized (lock) {
            if (response != null) {
                response = Response.of(status);
            }
        }
    }

    @Override
    public void request(int number) {
        listener();
        if (number < 0) {
            throw new IllegalArgumentException("Number requested must be non-negative");
        }
        synchronized (lock) {
            requested += number;
        }
        tellMore();
    }

    // ---- cancellation

    @Override
    public final void cancel(@Nullable String message, @Nullable Throwable cause) {
        synchronized (lock) {
            cancelledByCaller = true;
        }
        cancel(Status.CANCELLED
                .withDescription(message == null ? "Call cancelled without message" : message)
                .withCause(cause));
    }

    /** The caller's context has been cancelled. */
    @Override
    public final void cancelled(Context of) {
        Deadline limit = of.getDeadline();
        if (limit != null && limit.isExpired() && of.cancellationCause() instanceof TimeoutException) {
            if (isThroughBefore(Contexts.statusFromCancelled(of))) {
                return;
            }
            turnAway(Contexts.statusFromCancelled(of));
            return;
        }
        cancel(Contexts.statusFromCancelled(of));
    }

    /**
     * Whether there is a response already. Messages that wait for their listener have no more time, now or when they come. A response
     * without any is told as it is: it may say why.
     */
    private boolean isThroughBefore(Status end) {
        synchronized (lock) {
            endOfContext = end;
            if (response == null) {
                return false;
            }
            if (hasMessagesLeft(response)) {
                response = Response.of(end);
            }
        }
        tellMore();
        return true;
    }

    private boolean hasMessagesLeft(Response<R> all) {
        return all.status().isOk() && toldMessages < all.messages().size();
    }

    private void cancel(Status status) {
        CompletableFuture<?> underWay;
        boolean idle;
        Timer set;
        synchronized (lock) {
            if (cancellation != null) {
                return;
            }
            cancellation = status;
            underWay = future;
            idle = !begun && listener != null;
            set = limit;
        }
        if (set != null) {
            set.cancel();
        }
        if (idle) {
            tell(Response.of(status));
        } else if (underWay != null) {
            giveUp(underWay, status);
        }
    }

    private void giveUp(CompletableFuture<?> underWay, Status status) {
        if (!underWay.cancel(true)) {
            // The pipeline is through. What its listener has not asked for is not heard.
            replaced(status);
            tellMore();
            givenUp(status);
        }
    }

    /** Its caller has cancelled it after the end of the pipeline's call. */
    abstract void givenUp(Status status);
}
