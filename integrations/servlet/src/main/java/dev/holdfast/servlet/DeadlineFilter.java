/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.servlet;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Deadline;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.internal.Checks;
import dev.holdfast.spi.TimeSource;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterRegistration;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Binds the deadline, the number of the attempt and the priority that came with a request ({@link CallHeaders}) to the thread that
 * serves it. So pipelines that the servlet calls end within the time for which the caller still waits, and do not retry inside its
 * retry.
 *
 * <pre>{@code
 * DeadlineFilter.of(Duration.ofSeconds(30)).addTo(servletContext);
 * }</pre>
 *
 * <p>A request that comes in with no time left is answered with 504 and an empty body, and goes no further. The time of a request
 * begins when it reaches the filter. How long it stood in the queue of the container is known only if the container's threads come
 * through {@link CallHeaders#queued}; then it is taken off the time in the header, and not off the maximum.
 *
 * <p>With an asynchronous servlet, later dispatches of the request ({@code ASYNC}, {@code ERROR}) have what is left of the same
 * deadline. They always go on, also with no time left: there is an answer to be written. Listeners that the container calls ({@code
 * ReadListener}, {@code WriteListener}, {@code AsyncListener}), tasks of {@code AsyncContext.start} and threads of the servlet's own
 * have no deadline. {@link Deadline#fixed}, called in the servlet, and {@link Deadline#propagating} give them one.
 *
 * <p>Another filter inside of it, for some paths, can only shorten the time, with a shorter maximum or other {@link CallHeaders}.
 *
 * <p>The sender decides how long this service works, so receive from your own services only; see {@link CallHeaders}. Immutable; safe
 * for any number of threads. Exceptions of servlets and other filters come out as they are.
 */
public final class DeadlineFilter implements Filter {
    private static final AtomicLong FILTERS = new AtomicLong();
    private static final Duration SHORTEST = Duration.ofMillis(1);
    private static final Duration LONGEST = Duration.ofDays(365);

    /** The attribute of a request with what this filter has bound. Another filter has its own, and may shorten. */
    private final String bound = DeadlineFilter.class.getName() + ".bound." + FILTERS.incrementAndGet();

    private final Duration maxTimeout;
    private final CallHeaders headers;
    private final TimeSource time;

    private DeadlineFilter(Duration maxTimeout, CallHeaders headers, TimeSource time) {
        new Checks("deadline filter")
                .range("maxTimeout", Objects.requireNonNull(maxTimeout, "maxTimeout"), SHORTEST, LONGEST)
                .done();
        this.maxTimeout = maxTimeout;
        this.headers = Objects.requireNonNull(headers, "headers");
        this.time = Objects.requireNonNull(time, "time");
    }

    /**
     * With the default headers.
     *
     * @param maxTimeout holds for each request, also for one without a header, or with a longer time in it: 1 ms to 365 days
     * @throws dev.holdfast.spi.InvalidSettingsException if it is out of range
     */
    public static DeadlineFilter of(Duration maxTimeout) {
        return of(maxTimeout, CallHeaders.ofDefaults());
    }

    /** As {@link #of(Duration)}, with these headers. */
    public static DeadlineFilter of(Duration maxTimeout, CallHeaders headers) {
        return of(maxTimeout, headers, TimeSource.system());
    }

    /** As {@link #of(Duration, CallHeaders)}, on this source of time, which should be the headers' too. */
    public static DeadlineFilter of(Duration maxTimeout, CallHeaders headers, TimeSource time) {
        return new DeadlineFilter(maxTimeout, headers, time);
    }

    /**
     * Adds it for all paths, before the filters that are declared ({@code web.xml}, annotations), with support of asynchronous
     * servlets and for the dispatches {@code REQUEST}, {@code ASYNC} and {@code ERROR}. If you register it yourself, or a second one
     * for some paths, do it in the same way.
     *
     * @throws IllegalStateException if the context has been initialized, or has a filter of this class's name
     */
    public FilterRegistration.Dynamic addTo(ServletContext context) {
        String name = DeadlineFilter.class.getName();
        FilterRegistration.Dynamic added = context.addFilter(name, this);
        if (added == null) {
            throw new IllegalStateException("the servlet context has a filter of the name " + name + " already");
        }
        added.setAsyncSupported(true);
        added.addMappingForUrlPatterns(
                EnumSet.of(DispatcherType.REQUEST, DispatcherType.ASYNC, DispatcherType.ERROR), false, "/*");
        return added;
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        if (!(request instanceof HttpServletRequest http) || !(response instanceof HttpServletResponse answer)) {
            chain.doFilter(request, response);
            return;
        }
        Deadline.Binding ofRequest = (Deadline.Binding) request.getAttribute(bound);
        if (ofRequest == null) {
            try {
                ofRequest = received(http);
            } catch (CallRejectedException noTimeLeft) {
                if (request.getDispatcherType() == DispatcherType.REQUEST) {
                    refuse(answer);
                    return;
                }
                // This filter is only on the path of a later dispatch, as an error page may be: the work has begun.
                ofRequest = Deadline.within(time, Duration.ZERO, DeadlineFilter::insideOfADeadline);
            }
            request.setAttribute(bound, ofRequest);
        }
        Deadline.Binding before = Deadline.Binding.current();
        Deadline.Binding.set(ofRequest);
        try {
            chain.doFilter(request, response);
        } finally {
            Deadline.Binding.restore(before);
        }
    }

    private static void refuse(HttpServletResponse answer) {
        if (!answer.isCommitted()) {
            answer.setStatus(HttpServletResponse.SC_GATEWAY_TIMEOUT);
            answer.setContentLength(0);
        }
    }

    /** An instant and no duration: a later dispatch has less of it. */
    private Deadline.Binding received(HttpServletRequest request) {
        return Deadline.within(
                time, maxTimeout, () -> headers.receive(request::getHeader, DeadlineFilter::insideOfADeadline));
    }

    private static Deadline.Binding insideOfADeadline() {
        return Objects.requireNonNull(Deadline.Binding.current(), "binding");
    }
}
