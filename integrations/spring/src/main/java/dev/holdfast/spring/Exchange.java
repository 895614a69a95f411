/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.http.AlreadySent;
import dev.holdfast.http.HttpCalls;
import dev.holdfast.internal.InterruptibleExchange;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpRequest;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpResponse;

/** The request of one blocking attempt. Factories say when it {@linkplain #waits waits}. */
final class Exchange extends InterruptibleExchange {
    private static final ThreadLocal<@Nullable Exchange> CURRENT = new ThreadLocal<>();
    private static final String ATTRIBUTE = Exchange.class.getName();

    /** Guarded by this. */
    private final List<Runnable> hooks = new ArrayList<>();

    private static final long EARLY_NANOS = 100_000;
    private static final long LONGEST_EARLY_NANOS = 1_000_000_000;

    private boolean cancelled;

    /** That of another pipeline around this one, which hears what this one hears. */
    private @Nullable Exchange outer;

    private @Nullable InputStream body;

    /** Whether a factory tells when something is sent. If not, it may have been, whatever fails. */
    private volatile boolean tells;

    /** Whether that of the last request of a factory was, and whether that of any was. */
    private volatile boolean sending;

    private volatile boolean sent;

    private volatile boolean sentAgain;

    private @Nullable HttpHeaders written;
    private @Nullable URI address;

    /** See {@link #telling}. */
    private final List<IntFunction<@Nullable List<Step>>> telling = new CopyOnWriteArrayList<>();

    /** The same of requests on this thread of which nobody knows whose they are. They count where no other one tells. */
    private final List<IntFunction<@Nullable List<Step>>> perhapsTelling = new CopyOnWriteArrayList<>();

    /** Of the last request; null: nobody tells. */
    private @Nullable List<Step> steps;

    /** Whether one of several requests of this attempt was, as far as somebody tells. */
    private boolean redirected;

    private @Nullable HttpRequest request;

    /** The one whose request this thread sends; null if none. For request factories. */
    static @Nullable Exchange current() {
        return CURRENT.get();
    }

    /** Spring hands the attributes of a request on to the one that its factory makes. */
    void writeTo(Map<String, Object> attributes) {
        outer = attributes.put(ATTRIBUTE, this) instanceof Exchange around ? around : null;
    }

    /** The one that has this request sent; null for one that an interceptor sends to another service. */
    static @Nullable Exchange of(HttpRequest request) {
        return request.getAttributes().get(ATTRIBUTE) instanceof Exchange exchange ? exchange : null;
    }

    /**
     * The same; and if its factory was not given the attributes, as those that Spring puts around others are not, the one of this
     * thread, if the request has its method and its path. Its host may be another one: interceptors balance the load of hosts.
     */
    static @Nullable Exchange perhapsOf(HttpRequest request) {
        Exchange own = of(request);
        Exchange here = current();
        return own == null && here != null && here.isLike(request) ? here : own;
    }

    private boolean isLike(HttpRequest other) {
        return request != null
                && other.getMethod().equals(request.getMethod())
                && Objects.equals(other.getURI().getRawPath(), request.getURI().getRawPath())
                && Objects.equals(other.getURI().getRawQuery(), request.getURI().getRawQuery());
    }

    /** What an attempt does with a response: it belongs to the attempt. */
    interface Reading<T> {
        T read(Exchange exchange, Received received) throws IOException;
    }

    <T> T execute(ClientHttpRequestExecution rest, HttpRequest request, byte[] body, Reading<T> reading)
            throws IOException {
        this.request = request;
        Exchange before = CURRENT.get();
        CURRENT.set(this);
        Received received = null;
        boolean whole = false;
        beginsHere();
        try {
            ClientHttpResponse response = rest.execute(request, body);
            waits();
            received = Received.of(response, this);
            if (telling.isEmpty()) {
                answeredBy(response);
            } else {
                steps = telling.get(telling.size() - 1).apply(received.status()); // the last one has the answer
                telling.subList(0, telling.size() - 1).forEach(this::noteRedirects);
            }
            if (steps == null) {
                perhapsTelling.forEach(this::noteRedirects);
            }
            T read = reading.read(this, received);
            whole = true;
            return read;
        } catch (Throwable e) {
            if (e instanceof IOException io && isInterrupt(io)) {
                throw interrupted(io);
            }
            if (mayHaveSent() && !mayBeDoneTwice(request)) {
                AlreadySent.mark(e);
            }
            throw e;
        } finally {
            CURRENT.set(before);
            if (outer != null && !tells) {
                outer.sending(); // as far as anybody knows
            }
            ended(received, whole);
        }
    }

    private void noteRedirects(IntFunction<@Nullable List<Step>> requests) {
        redirected |= requests.apply(Step.UNANSWERED) != null;
    }

    private void ended(@Nullable Received received, boolean whole) throws IOException {
        boolean keep = false;
        try {
            endsHere();
            keep = whole;
        } finally {
            if (!keep && received != null) {
                received.discard();
            }
        }
    }

    /** A client that has used a channel of its own on this thread has taken the interrupt from this one. */
    private static boolean isInterrupt(IOException e) {
        return Thread.currentThread().isInterrupted() && e.getCause() instanceof InterruptedException;
    }

    private static IOException interrupted(IOException e) {
        IOException interrupted = new ClosedByInterruptException();
        interrupted.initCause(e);
        return interrupted;
    }

    /** Of one that may, nobody asks whether it was sent; and where no factory tells, the mark would say nothing. */
    private static boolean mayBeDoneTwice(HttpRequest request) {
        return !CallAttributes.isSentOnce(request.getAttributes())
                && switch (request.getMethod().name()) {
                    case "GET", "HEAD", "OPTIONS", "TRACE", "DELETE" -> true;
                    default -> false;
                };
    }

    boolean mayHaveSent() {
        return !tells || sent;
    }

    /** From now on {@link #sending} tells when this request is sent. */
    void notSent() {
        tells = true;
        sending = false;
        if (outer != null) {
            outer.notSent();
        }
    }

    void sending() {
        if (sending) {
            sentAgain = true;
        }
        sending = true;
        sent = true;
        if (outer != null) {
            outer.sending();
        }
    }

    /** To this address with these headers, which interceptors do not change any more. */
    void writing(HttpHeaders headers, URI to) {
        written = headers;
        address = to;
    }

    /**
     * A client that tells of the requests that it has sent, the last one first, given the status of the last answer. Of {@link
     * Step#UNANSWERED}, only if there was a redirect. An interceptor may have several sent.
     */
    void telling(IntFunction<@Nullable List<Step>> requests) {
        telling.add(requests);
    }

    /** The same, of a request that may also be one to another service. */
    void perhapsTelling(IntFunction<@Nullable List<Step>> requests) {
        perhapsTelling.add(requests);
    }

    /** The same, of a response that tells, unless an interceptor has wrapped it. */
    void answeredBy(ClientHttpResponse response) {
        List<Step> seen = Step.before(response);
        if (seen != null) {
            // Of several that an interceptor has asked for, the last one is the answer.
            steps = seen;
            redirected |= Step.isRedirected(seen);
        }
    }

    boolean seesRedirects() {
        return steps != null;
    }

    /** As far as anybody knows: a body that was sent twice went to two servers. */
    boolean wasRedirected() {
        List<Step> all = steps;
        return redirected || (all == null ? sentAgain : Step.isRedirected(all));
    }

    /** Where the last request went. */
    URI sentTo(HttpRequest request) {
        if (steps != null) {
            return steps.get(0).uri();
        }
        return address == null ? request.getURI() : address;
    }

    /** Notes the answers to a request and to all that its redirects have made of it. */
    void answered(HttpCalls<HttpRequest, ?> calls, HttpRequest request, int status) {
        calls.answered(request, status);
        if (wasRedirected()) {
            calls.answered(request, Step.FOLLOWED);
        }
        if (steps != null) {
            steps.forEach(step -> calls.answered(step.method(), step.uri(), step.status()));
        }
    }

    /** The same where it may have been sent and the last of them got no answer. */
    void failed(HttpCalls<HttpRequest, ?> calls, HttpRequest request) {
        calls.unanswered(request);
        for (IntFunction<@Nullable List<Step>> each : telling.isEmpty() ? perhapsTelling : telling) {
            List<Step> sent = each.apply(Step.UNANSWERED);
            if (sent != null) {
                calls.answered(request, Step.FOLLOWED);
                sent.forEach(step -> calls.answered(step.method(), step.uri(), step.status()));
            }
        }
    }

    /** The headers that were sent, as far as anybody knows. */
    HttpHeaders sent(HttpRequest request) {
        return written == null ? request.getHeaders() : written;
    }

    // ---- to cancel it

    /** Runs when the exchange is cancelled; at once if it is. Must be quick: it may run on the thread that interrupts this one. */
    void onCancel(Runnable hook) {
        synchronized (this) {
            if (!cancelled) {
                hooks.add(hook);
                return;
            }
        }
        hook.run();
    }

    /** What a cancelled exchange closes, too. */
    void reading(InputStream content) {
        synchronized (this) {
            body = content;
            if (!cancelled) {
                return;
            }
        }
        close(content);
    }

    /** To close a body may take long: some clients read the rest. So it is not done where only the thread is interrupted. */
    void cancel() {
        implCloseChannel();
        InputStream content;
        synchronized (this) {
            content = body;
        }
        if (content != null) {
            close(content);
        }
    }

    private static void close(InputStream content) {
        long start = System.nanoTime();
        while (true) {
            try {
                content.close();
                return;
            } catch (IOException e) {
                return; // nobody reads it
            } catch (IllegalStateException early) {
                // That of Reactor Netty has no subscription yet, which another thread is about to make. Without one it
                // cannot be
                // closed, and its connection would never come back to the pool.
                if (System.nanoTime() - start > LONGEST_EARLY_NANOS) {
                    throw early;
                }
                LockSupport.parkNanos(EARLY_NANOS);
            }
        }
    }

    @Override
    protected void implCloseChannel() {
        List<Runnable> now;
        synchronized (this) {
            cancelled = true;
            now = List.copyOf(hooks);
            hooks.clear();
        }
        now.forEach(Runnable::run);
    }
}
