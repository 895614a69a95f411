/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.CheckedSupplier;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import java.util.concurrent.Callable;

/** A pipeline without any policy of its own, whose calls are made in something that may limit them. */
final class InnerGuard implements Guard {

    /** What the call is made in. */
    private interface Surroundings {
        Object call(CheckedSupplier<String, RuntimeException> inner);
    }

    private final Pipeline pipeline = Pipeline.of("inventory");
    private final Surroundings surroundings;

    private InnerGuard(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /** In a deadline of the thread's. */
    static InnerGuard within() {
        return new InnerGuard(inner -> Deadline.within(Policies.DEADLINE, inner));
    }

    /** In the call of another pipeline, which has these policies. */
    static InnerGuard nested(Policy... policies) {
        return new InnerGuard(Pipeline.of("shop", policies)::call);
    }

    @Override
    public Callable<?> around(Caller caller) {
        CheckedSupplier<String, RuntimeException> action = caller::answer;
        CheckedSupplier<String, RuntimeException> call = () -> pipeline.call(action);
        return () -> surroundings.call(call);
    }
}
