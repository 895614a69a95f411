/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.keyed;

import dev.holdfast.internal.HoldsNothing;
import dev.holdfast.internal.OfKeys;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.CallObserver.Keys;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Counts the calls that are in an instance of a pipeline, so that none with calls goes. Work that was written off is no call. */
public final class InUse extends Policy implements HoldsNothing, OfKeys {
    /** As a bulkhead has by default, where there is none. */
    private static final long LEASE = Duration.ofMinutes(1).toNanos();

    private final @Nullable Keys keys;
    private final LongAdder inside = new LongAdder();

    /** Since the last look. Written only if it changes, because all threads read it. */
    private volatile boolean used = true;

    private volatile List<Policy> beside = List.of();

    /** Of an instance of these keys; null: observers are not told. */
    public InUse(@Nullable Keys keys) {
        super("keyed", ENTER | ENDED);
        this.keys = keys;
    }

    @Override
    public @Nullable Keys keys() {
        return keys;
    }

    /** Where it belongs among these policies: outermost, but inside a deadline. */
    public static int place(List<? extends Policy> policies) {
        int inside = 0;
        while (inside < policies.size()
                && ShadowPolicy.inside(policies.get(inside)).name().equals("deadline")) {
            inside++;
        }
        return inside;
    }

    @Override
    public Timing timing() {
        return Timing.NONE;
    }

    @Override
    public int enter(Passage passage) {
        inside.increment();
        touch();
        return PROCEED;
    }

    @Override
    public void ended(Passage passage) {
        // First: a look that counts the call no more must see that it has been there.
        touch();
        inside.decrement();
    }

    @Override
    public void beside(String pipeline, List<Policy> policies) {
        beside = policies;
    }

    /** The longest of the others: until then one of them holds something for the work. */
    @Override
    public long lease() {
        return beside.stream()
                .filter(policy -> policy != this)
                .mapToLong(InUse::lease)
                .filter(lease -> lease != Long.MAX_VALUE)
                .max()
                .orElse(LEASE);
    }

    /** That a policy of the user's throws is logged when its own entry is to end. */
    private static long lease(Policy policy) {
        try {
            return policy.lease();
        } catch (Throwable broken) {
            return Long.MAX_VALUE;
        }
    }

    /** Somebody has asked for the instance, or a call of it has ended. */
    public void touch() {
        if (!used) {
            used = true;
        }
    }

    /** Whether nobody has used it since the last look, nor does now. */
    public boolean isIdle() {
        boolean empty = inside.sum() == 0;
        if (used) {
            used = false;
            return false;
        }
        return empty;
    }
}
