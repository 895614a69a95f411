/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.resilience4j;

import dev.holdfast.bulkhead.internal.engine.Permits;
import dev.holdfast.internal.Stripes;
import dev.holdfast.spi.TimeSource;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.event.BulkheadEvent;
import io.github.resilience4j.bulkhead.event.BulkheadOnCallFinishedEvent;
import io.github.resilience4j.bulkhead.event.BulkheadOnCallPermittedEvent;
import io.github.resilience4j.bulkhead.event.BulkheadOnCallRejectedEvent;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The views of one bulkhead, and their common parts. Gets the events of every call; without a view this costs a call one
 * read. Safe for any number of threads.
 */
public final class Views {
    /** The limit of a bulkhead, as views see it. */
    public interface Limit {
        /** What can be changed: the fixed limit, or the maximum of one that adapts. */
        int most();

        /** Changes it. */
        void most(int calls);

        /** How long there are no permits because of a pause; 0: there is none, or it is over and the permits are there. */
        long pauseNanos(long now);
    }

    final Permits permits;
    final Resilience4jOptions options;
    private volatile long longestIfLateNanos;
    final @Nullable String adaptsBy;
    final Limit limit;

    /** The time source of the pipeline that was built last with this bulkhead. Callers of views wait by it. */
    volatile TimeSource time = TimeSource.system();

    private @Nullable String name;
    private volatile Resilience4jBulkhead[] all = {};

    /**
     * No views yet.
     *
     * @param longestIfLateNanos the longest wait of a caller of a view if its ticket is late
     * @param adaptsBy the algorithm that changes the limit, if nobody else may change it; else null
     * @param limit the limit of the bulkhead
     */
    public Views(
            Permits permits,
            Resilience4jOptions options,
            long longestIfLateNanos,
            @Nullable String adaptsBy,
            Limit limit) {
        this.permits = permits;
        this.options = options;
        this.longestIfLateNanos = longestIfLateNanos;
        this.adaptsBy = adaptsBy;
        this.limit = limit;
    }

    /** The longest wait of a caller of a view if its ticket is late. */
    long longestIfLateNanos() {
        return longestIfLateNanos;
    }

    /** From now on it is this long. */
    public void longestIfLate(long nanos) {
        longestIfLateNanos = nanos;
    }

    boolean tryAcquire() {
        int stripe = Stripes.current();
        return permits.tryAcquire(stripe)
                || (permits.limit() == 0 && limit.pauseNanos(time.nanos()) == 0 && permits.tryAcquire(stripe));
    }

    /** The time source of the pipeline that was built last. */
    public TimeSource time() {
        return time;
    }

    /** Sets the time source for callers of views, and the name: that of the first pipeline. */
    public synchronized void bind(String pipeline, TimeSource newTime) {
        time = newTime;
        if (name == null) {
            name = pipeline;
        }
    }

    /** The name of the first pipeline; {@code unbound} if there is none yet. */
    public synchronized String name(String unbound) {
        return name == null ? unbound : name;
    }

    /**
     * The view of this name; made if there is none.
     *
     * @throws IllegalArgumentException if there is one with other tags
     */
    public synchronized Bulkhead view(String name, Map<String, String> tags) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(tags, "tags");
        for (Resilience4jBulkhead view : all) {
            if (view.getName().equals(name)) {
                if (!view.getTags().equals(tags)) {
                    throw new IllegalArgumentException(
                            "view '" + name + "' has the tags " + view.getTags() + " and not " + tags);
                }
                return view;
            }
        }
        Resilience4jBulkhead[] more = Arrays.copyOf(all, all.length + 1);
        Resilience4jBulkhead view = new Resilience4jBulkhead(name, tags, this);
        more[all.length] = view;
        all = more;
        return view;
    }

    public void permitted() {
        tell(BulkheadOnCallPermittedEvent::new);
    }

    public void rejected() {
        tell(BulkheadOnCallRejectedEvent::new);
    }

    public void finished() {
        tell(BulkheadOnCallFinishedEvent::new);
    }

    private void tell(Function<String, BulkheadEvent> event) {
        for (Resilience4jBulkhead view : all) {
            view.publish(event);
        }
    }
}
