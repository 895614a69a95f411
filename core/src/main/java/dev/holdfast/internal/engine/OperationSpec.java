/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Classifier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a call must know of its operation. A call with options of its own may have one of its own. Weight and priority are here
 * and not in {@link CallSpec}, because that is made for every call with a key.
 *
 * @param name null for a call that belongs to none
 * @param discard what is done with a value that nobody gets
 * @param weight how many turns of a throttle an attempt takes
 * @param priority the rank of a {@link dev.holdfast.Call.Priority}; {@link Bound#UNSAID}
 */
public record OperationSpec(
        @Nullable String name, Meaning meaning, @Nullable Consumer<Object> discard, int weight, int priority) {
    Classifier classifier() {
        return meaning.classifier();
    }
}
