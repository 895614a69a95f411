/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.resilience4j;

import dev.holdfast.bulkhead.internal.engine.Permits;
import dev.holdfast.bulkhead.internal.engine.Ticket;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.Stripes;
import dev.holdfast.spi.TimeSource;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadFullException;
import io.github.resilience4j.bulkhead.event.BulkheadEvent;
import io.github.resilience4j.bulkhead.event.BulkheadOnCallFinishedEvent;
import io.github.resilience4j.bulkhead.event.BulkheadOnCallPermittedEvent;
import io.github.resilience4j.bulkhead.event.BulkheadOnCallRejectedEvent;
import io.github.resilience4j.core.EventConsumer;
import io.github.resilience4j.core.EventProcessor;
import io.github.resilience4j.core.exception.AcquirePermissionCancelledException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * A view of permits and queue for resilience4j's registries, binders and decorators. Its permissions have no token: the view
 * counts the permissions that it gives out, and takes back no more than those.
 */
final class Resilience4jBulkhead implements Bulkhead {
    private static final SafeLog LOG = SafeLog.of("dev.holdfast.bulkhead");
    private static final Duration LONGEST_WAIT = Duration.ofDays(1);

    private final String name;
    private final Map<String, String> tags;
    private final Views views;
    private final Permits permits;
    private final Events events = new Events();
    private final Metrics metrics = new Counts();
    private final AtomicBoolean consumerFailed = new AtomicBoolean();

    /** How many permissions the view has given out that have not come back. */
    private final AtomicInteger held = new AtomicInteger();

    private volatile BulkheadConfig config;

    Resilience4jBulkhead(String name, Map<String, String> tags, Views views) {
        this.name = name;
        this.tags = Map.copyOf(tags);
        this.views = views;
        permits = views.permits;
        config = views.options.config(views.limit.most());
    }

    @Override
    public boolean tryAcquirePermission() {
        boolean permitted =
                views.tryAcquire() || waitsFor(config.getMaxWaitDuration().toNanos());
        if (permitted) {
            held.getAndIncrement();
            views.permitted();
        } else {
            views.rejected();
        }
        return permitted;
    }

    /** Waits in the queue of the pipelines' calls. Parks the calling thread, as resilience4j's own bulkhead does. */
    private boolean waitsFor(long longest) {
        TimeSource time = views.time;
        Thread caller = Thread.currentThread();
        long start = time.nanos();
        boolean cannotWait = longest == 0 || time.isInterrupted(caller) || views.limit.pauseNanos(start) > longest;
        Ticket ticket = cannotWait ? null : permits.join(start);
        if (ticket == null) {
            return false;
        }
        long wait = ticket.waitNanos(longest, views.longestIfLateNanos());
        long left = ticket.register(() -> time.unpark(caller)) ? wait : 0;
        while (left > 0 && !ticket.isDone() && !time.isInterrupted(caller)) {
            long pause = views.limit.pauseNanos(time.nanos()); // nobody else may ask when it ends
            if (pause > left) {
                break;
            }
            if (!ticket.isDone()) {
                time.park(this, pause == 0 ? left : pause);
            }
            left = wait - (time.nanos() - start);
        }
        return !permits.withdraw(ticket);
    }

    @Override
    public void acquirePermission() {
        if (!tryAcquirePermission()) {
            if (views.time.isInterrupted(Thread.currentThread())) {
                throw new AcquirePermissionCancelledException();
            }
            throw BulkheadFullException.createBulkheadFullException(this);
        }
    }

    @Override
    public void releasePermission() {
        giveBack();
    }

    @Override
    public void onComplete() {
        if (giveBack()) {
            views.finished();
        }
    }

    private boolean giveBack() {
        while (true) {
            int seen = held.get();
            if (seen == 0) { // given back twice, or never given out: another caller's permit is not touched
                return false;
            }
            if (held.compareAndSet(seen, seen - 1)) {
                permits.release(Stripes.current());
                return true;
            }
        }
    }

    @Override
    public void changeConfig(BulkheadConfig newConfig) {
        Duration wait = newConfig.getMaxWaitDuration();
        int calls = newConfig.getMaxConcurrentCalls();
        int most = views.limit.most();
        check(
                wait.isZero() || permits.queueLimit() > 0,
                "maxWaitDuration",
                wait,
                "zero, since its policy lets none wait (maxWaitingCalls is 0)");
        check(wait.compareTo(LONGEST_WAIT) <= 0, "maxWaitDuration", wait, "one day at most");
        check(calls >= 1 && calls <= Permits.MOST, "maxConcurrentCalls", calls, "1 to 1,000,000");
        check(
                calls == most || views.adaptsBy == null,
                "maxConcurrentCalls",
                calls,
                "no change, since its limit adapts by " + views.adaptsBy);
        if (calls != most) {
            views.limit.most(calls);
        }
        config = newConfig;
    }

    private void check(boolean valid, String option, Object value, String expected) {
        if (!valid) {
            throw new IllegalArgumentException(
                    option + " of bulkhead '" + name + "' is " + value + ", expected " + expected);
        }
    }

    @Override
    public String getName() {
        return name;
    }

    @Override
    public BulkheadConfig getBulkheadConfig() {
        BulkheadConfig seen = config;
        int most = views.limit.most();
        return seen.getMaxConcurrentCalls() == most
                ? seen
                : BulkheadConfig.from(seen).maxConcurrentCalls(most).build();
    }

    @Override
    public Metrics getMetrics() {
        return metrics;
    }

    @Override
    public Map<String, String> getTags() {
        return tags;
    }

    @Override
    public EventPublisher getEventPublisher() {
        return events;
    }

    /** A consumer that throws breaks no call, neither of the view nor of a pipeline. */
    void publish(Function<String, BulkheadEvent> event) {
        if (!events.hasConsumers()) {
            return;
        }
        try {
            events.processEvent(event.apply(name));
        } catch (Throwable thrown) { // an Error too: it must not cost a permit
            if (consumerFailed.compareAndSet(false, true)) {
                LOG.warn("a consumer of events of bulkhead '" + name + "' threw; told once", thrown);
            }
        }
    }

    @Override
    public String toString() {
        return "Bulkhead '" + name + "'";
    }

    private final class Counts implements Metrics {
        @Override
        public int getAvailableConcurrentCalls() {
            return Math.max(0, permits.limit() - permits.inFlight());
        }

        @Override
        public int getMaxAllowedConcurrentCalls() {
            return permits.limit();
        }
    }

    private static final class Events extends EventProcessor<BulkheadEvent> implements EventPublisher {
        @Override
        public EventPublisher onCallRejected(EventConsumer<BulkheadOnCallRejectedEvent> consumer) {
            registerConsumer(BulkheadOnCallRejectedEvent.class.getName(), consumer);
            return this;
        }

        @Override
        public EventPublisher onCallPermitted(EventConsumer<BulkheadOnCallPermittedEvent> consumer) {
            registerConsumer(BulkheadOnCallPermittedEvent.class.getName(), consumer);
            return this;
        }

        @Override
        public EventPublisher onCallFinished(EventConsumer<BulkheadOnCallFinishedEvent> consumer) {
            registerConsumer(BulkheadOnCallFinishedEvent.class.getName(), consumer);
            return this;
        }
    }
}
