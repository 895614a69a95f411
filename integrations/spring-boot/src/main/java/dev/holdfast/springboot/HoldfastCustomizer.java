/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;

/** A bean of this type says what properties cannot: further names to bind, an executor, contexts. Called once, at the start. */
@FunctionalInterface
public interface HoldfastCustomizer {
    /** Changes the builder. */
    void customize(Holdfast.Builder builder);
}
