/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.PolicyFactory.Option;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How many processes share what a policy limits: a number, or a function that says it anew each time. Never blocks, if the function
 * does not; any thread.
 */
public final class Replicas implements IntSupplier {
    public static final int MOST = 10_000;

    /** Each process has all for itself. */
    public static final Replicas ONE = of(1);

    private static final SafeLog LOG = SafeLog.of(Replicas.class.getName());

    /** By the function, since a reload makes new policies with the same one. */
    private static final Map<IntSupplier, Told> TOLD = Collections.synchronizedMap(new WeakHashMap<>());

    private final @Nullable IntSupplier live;
    private final Told told;

    /** The number; of a function, what it said last. */
    private static final class Told {
        final AtomicBoolean broken = new AtomicBoolean();
        volatile int last;

        Told(int last) {
            this.last = last;
        }
    }

    private Replicas(@Nullable IntSupplier live, Told told) {
        this.live = live;
        this.told = told;
    }

    /** Always so many. A number out of range is refused by the options' check. */
    public static Replicas of(int processes) {
        return new Replicas(null, new Told(processes));
    }

    /** As many as the function says. */
    public static Replicas of(IntSupplier processes) {
        Objects.requireNonNull(processes, "replicas");
        return processes instanceof Replicas replicas
                ? replicas
                : new Replicas(processes, TOLD.computeIfAbsent(processes, any -> new Told(1)));
    }

    public static <B> Option<B, IntSupplier> option(
            Function<? super B, ? extends @Nullable Replicas> getter,
            BiConsumer<? super B, ? super IntSupplier> setter) {
        return Option.<B, IntSupplier>of("replicas", IntSupplier.class, getter, setter)
                .range(of(1), of(MOST))
                .rangeIs("1 to 10,000, or a name bound in code");
    }

    public boolean isFixed() {
        return live == null;
    }

    /** The number now. Of a function, what is beyond the range counts as its nearest end; if it throws, the last number holds. */
    @Override
    public int getAsInt() {
        IntSupplier now = live;
        if (now == null) {
            return told.last;
        }
        try {
            told.last = Math.max(1, Math.min(MOST, now.getAsInt()));
        } catch (Throwable thrown) {
            // No call ends for this.
            if (told.broken.compareAndSet(false, true)) {
                LOG.warn("the number of replicas cannot be told; the last one holds; told once", thrown);
            }
        }
        return told.last;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Replicas replicas
                && (live == null
                        ? replicas.live == null && told.last == replicas.told.last
                        : live.equals(replicas.live));
    }

    @Override
    public int hashCode() {
        IntSupplier now = live;
        return now == null ? told.last : now.hashCode();
    }

    /** As a file has it, but for the name of a function. */
    @Override
    public String toString() {
        return live == null ? String.valueOf(told.last) : "live";
    }
}
