/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Classifier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a call must know of its operation.
 *
 * @param name null for a call that belongs to none
 * @param discard what is done with a value that nobody gets
 */
public record OperationSpec(
        @Nullable String name, Meaning meaning, @Nullable Consumer<Object> discard) {
    Classifier classifier() {
        return meaning.classifier();
    }
}
