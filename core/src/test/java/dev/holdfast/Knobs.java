/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.internal.engine.Engine;
import dev.holdfast.internal.engine.Watchdog;

/** What the tests of the engine set or look at, and a user cannot. */
public final class Knobs {
    private Knobs() {}

    public static Pipeline.Builder straightAfter(Pipeline.Builder builder, int calls) {
        return builder.straightAfter(calls);
    }

    public static Pipeline.Builder watchdog(Pipeline.Builder builder, Watchdog watchdog) {
        return builder.watchdog(watchdog);
    }

    public static Engine engine(Pipeline pipeline) {
        return pipeline.engine;
    }
}
