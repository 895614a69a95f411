/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import dev.holdfast.Attempt;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.http.AlreadySent;
import dev.holdfast.http.CachedCall;
import dev.holdfast.http.HttpOperation;
import dev.holdfast.http.Kept;
import dev.holdfast.internal.Causes;
import dev.holdfast.internal.IoExceptions;
import dev.holdfast.internal.Once;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.context.Carried;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import kotlin.jvm.JvmClassMappingKt;
import kotlin.jvm.functions.Function0;
import kotlin.reflect.KClass;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.EventListener;
import okhttp3.Request;
import okhttp3.Response;
import okio.Timeout;
import org.jspecify.annotations.Nullable;

/** One call of OkHttp's, which is one call of a pipeline. Each attempt is a call of the client. */
final class HoldfastCall implements Call {
    private static final SafeLog LOG = SafeLog.of(HoldfastCallFactory.class.getName());
    private static final long LONGEST = Duration.ofDays(365).toNanos();
    private static final long NONE = Long.MAX_VALUE;

    private final HoldfastCallFactory factory;
    private final Request request;
    private final Timeout timeout = new Timeout();
    private final AtomicBoolean executed = new AtomicBoolean();

    // Few calls have any.
    private volatile @Nullable Map<Class<?>, Object> tags;
    private volatile @Nullable List<EventListener> listeners;

    /** Of all attempts: also the body of an answer that was delivered can be cancelled. Guarded by this. */
    private final List<Exchange> exchanges = new ArrayList<>(1);

    private volatile boolean cancelled;
    private volatile long endNanos = NONE;

    /** Who is in the pipeline with {@link #execute}, and whether it was interrupted from here. Guarded by this. */
    private @Nullable Thread caller;

    private boolean interrupted;

    /** What {@link #enqueue} waits for. Guarded by this. */
    private @Nullable CompletableFuture<?> answer;

    HoldfastCall(HoldfastCallFactory factory, Request request) {
        this.factory = factory;
        this.request = request;
        timeout.timeout(factory.timeoutMillis(), TimeUnit.MILLISECONDS);
    }

    // ---- blocking

    @Override
    public Response execute() throws IOException {
        return Exchange.inside(this, this::executed);
    }

    private Response executed() throws IOException {
        beOnlyOnce();
        if (!enter()) {
            throw asIOException(null);
        }
        Response response;
        try {
            HttpOperation<Request, Response> operation = factory.calls().operation(request);
            CachedCall<Response> cached = operation.cached(request);
            response = cached == null
                    ? limited(operation.call(request))
                            .call(attempt -> exchange(attempt).execute(this::read))
                    : Copies.response(
                            cached,
                            limited(cached.call())
                                    .reply(attempt -> exchange(attempt)
                                            .execute((exchange, answer) -> kept(cached, exchange, answer))),
                            request);
        } catch (IOException | CallRejectedException | CallTimeoutException | CancellationException e) {
            ended(e);
            Throwable thrown = AlreadySent.original(e);
            if (thrown != e && thrown instanceof RuntimeException own && !(own instanceof CallRejectedException)) {
                throw own;
            }
            throw asIOException(e);
        } finally {
            leave();
        }
        if (cancelled) {
            response.close();
            throw asIOException(null);
        }
        return response;
    }

    private synchronized boolean enter() {
        caller = Thread.currentThread();
        return !cancelled;
    }

    /** An interrupt that was meant for this call must not reach what the thread does next. */
    private synchronized void leave() {
        caller = null;
        if (interrupted) {
            Thread.interrupted();
        }
    }

    // ---- asynchronous

    @Override
    public void enqueue(Callback callback) {
        beOnlyOnce();
        if (cancelled) {
            enqueue(CompletableFuture.failedFuture(new CancellationException()), none -> null, callback);
            return;
        }
        try {
            HttpOperation<Request, Response> operation = factory.calls().operation(request);
            CachedCall<Response> cached = operation.cached(request);
            if (cached == null) {
                enqueue(
                        limited(operation.call(request))
                                .callAsync(attempt -> exchange(attempt).enqueue(this::read)),
                        response -> response,
                        callback);
            } else {
                enqueue(
                        limited(cached.call())
                                .replyAsync(attempt -> exchange(attempt)
                                        .enqueue((exchange, answer) -> kept(cached, exchange, answer))),
                        reply -> Copies.response(cached, reply, request),
                        callback);
            }
        } catch (Throwable e) {
            // A malformed address. A callback hears of every problem, since its caller hears of nothing else.
            enqueue(CompletableFuture.failedFuture(e), none -> null, callback);
        }
    }

    private <T> void enqueue(
            CompletableFuture<T> begun, Function<? super T, @Nullable Response> made, Callback callback) {
        Deadline.Binding here = Deadline.Binding.current();
        boolean tooLate;
        synchronized (this) {
            answer = begun;
            tooLate = cancelled;
        }
        if (tooLate) {
            begun.cancel(true);
        }
        var unused = begun.whenComplete((value, error) -> {
            // As the caller of this call would, also on a thread of the dispatcher's.
            Once told = Once.of(() -> Carried.inherit(here, () -> {
                tell(callback, value, made, error);
                return true;
            }));
            if (!told.isTakenBy(factory::executor)) {
                told.runOnce();
            }
        });
    }

    private <T> void tell(
            Callback callback,
            @Nullable T value,
            Function<? super T, @Nullable Response> made,
            @Nullable Throwable thrown) {
        Response response = null;
        Throwable error = thrown;
        if (thrown != null) {
            ended(thrown);
        }
        try {
            response = value == null ? null : made.apply(value);
        } catch (Throwable broken) {
            error = broken; // such as the value of a fallback that is no response
        }
        try {
            if (response == null || cancelled) {
                if (response != null) {
                    response.close();
                }
                callback.onFailure(this, asIOException(error));
            } else {
                callback.onResponse(this, response);
            }
        } catch (Throwable e) {
            LOG.warn("the callback of a call to " + request.url().redact() + " failed", e);
        }
    }

    // ---- both

    /** To be called before the caller learns of it. */
    private void ended(Throwable error) {
        synchronized (this) {
            if (exchanges.isEmpty()) {
                return; // nothing was sent
            }
        }
        factory.calls().ended(request, error);
        synchronized (this) {
            exchanges.forEach(Exchange::over);
        }
    }

    private void beOnlyOnce() {
        if (!executed.compareAndSet(false, true)) {
            throw new IllegalStateException("Already Executed");
        }
    }

    private <T> dev.holdfast.Call<T> limited(dev.holdfast.Call<T> call) {
        long limit = Math.min(LONGEST, timeout.timeoutNanos() > 0 ? timeout.timeoutNanos() : NONE);
        long now = System.nanoTime();
        if (timeout.hasDeadline()) {
            limit = Math.min(limit, timeout.deadlineNanoTime() - now);
        }
        if (limit == LONGEST) {
            return call;
        }
        endNanos = now + limit;
        return call.deadline(Duration.ofNanos(limit));
    }

    private Response read(Exchange exchange, Response response) throws IOException {
        factory.calls().answered(request, response.code());
        return exchange.read(response);
    }

    private Kept<Response> kept(CachedCall<Response> cached, Exchange exchange, Response response) throws IOException {
        factory.calls().answered(request, response.code());
        return Copies.kept(cached, exchange, response);
    }

    /** A refresh has nothing of this call but its request. */
    private Exchange exchange(Attempt attempt) {
        Exchange exchange = factory.exchange(request);
        Call call = exchange.call();
        attempt.onCancel(() -> {
            exchange.unanswered();
            call.cancel();
        });
        if (attempt.isRefresh()) {
            return exchange;
        }
        Map<Class<?>, Object> own = tags;
        if (own != null) {
            own.forEach((type, value) -> tag(call, type, value));
        }
        List<EventListener> hearing = listeners;
        if (hearing != null) {
            hearing.forEach(call::addEventListener);
        }
        if (endNanos != NONE) {
            // For a body that is read after the call.
            call.timeout().deadlineNanoTime(endNanos);
        }
        synchronized (this) {
            exchanges.add(exchange);
        }
        if (cancelled) {
            call.cancel();
        }
        return exchange;
    }

    @SuppressWarnings("unchecked") // the value is of the type
    private static <T> void tag(Call call, Class<T> type, Object value) {
        call.tag(type, () -> (T) value);
    }

    private IOException asIOException(@Nullable Throwable thrown) {
        Throwable error = thrown;
        if (error instanceof CompletionException) {
            error = Causes.of(error);
        }
        if (error != null) {
            error = AlreadySent.original(error);
        }
        if (cancelled || error == null || error instanceof CancellationException) {
            return new IOException("Canceled", error);
        }
        return IoExceptions.of(error);
    }

    @Override
    public void cancel() {
        CompletableFuture<?> waiting;
        List<Exchange> begun;
        synchronized (this) {
            if (cancelled) {
                return;
            }
            cancelled = true;
            waiting = answer;
            begun = List.copyOf(exchanges);
            if (caller != null) {
                // It may wait for a permit, or before the next attempt.
                interrupted = true;
                caller.interrupt();
            }
        }
        if (waiting != null) {
            waiting.cancel(true);
        }
        begun.forEach(exchange -> exchange.call().cancel());
    }

    @Override
    public boolean isCanceled() {
        return cancelled;
    }

    @Override
    public boolean isExecuted() {
        return executed.get();
    }

    @Override
    public Request request() {
        return request;
    }

    @Override
    public Timeout timeout() {
        return timeout;
    }

    /** Of each attempt. */
    @Override
    public void addEventListener(EventListener listener) {
        synchronized (this) {
            if (listeners == null) {
                listeners = new CopyOnWriteArrayList<>();
            }
        }
        Objects.requireNonNull(listeners).add(listener);
    }

    @Override
    public <T> @Nullable T tag(KClass<T> type) {
        return tag(JvmClassMappingKt.getJavaObjectType(type));
    }

    @Override
    public <T> @Nullable T tag(Class<? extends T> type) {
        Map<Class<?>, Object> all = tags;
        Object own = all == null ? null : all.get(type);
        return own == null ? request.tag(type) : type.cast(own);
    }

    @Override
    public <T> T tag(KClass<T> type, Function0<? extends T> make) {
        return tag(JvmClassMappingKt.getJavaObjectType(type), make);
    }

    /** An attempt that begins after this has the tag, too. */
    @Override
    public <T> T tag(Class<T> type, Function0<? extends T> make) {
        Map<Class<?>, Object> all;
        synchronized (this) {
            if (tags == null) {
                tags = new ConcurrentHashMap<>();
            }
            all = tags;
        }
        Object own = all.get(type);
        if (own == null) {
            T ofRequest = request.tag(type);
            // Not within computeIfAbsent, which has a monitor: the function is the caller's, and may wait.
            T made = ofRequest == null ? make.invoke() : ofRequest;
            Object before = all.putIfAbsent(type, made);
            own = before == null ? made : before;
        }
        return type.cast(own);
    }

    @Override
    @SuppressWarnings("MethodDoesntCallSuperMethod") // a new call, as OkHttp's own
    public Call clone() {
        return new HoldfastCall(factory, request);
    }
}
