/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import java.util.concurrent.Callable;

/** What one library puts around calls; all callers share it. */
interface Guard extends AutoCloseable {

    /** This caller's call, protected. Made once and run often; what it returns is consumed. */
    Callable<?> around(Caller caller);

    /** Ends the threads that it has. */
    @Override
    default void close() {}
}
