/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.util.function.Supplier;

/**
 * An object that code binds to a name, and that is made when a configuration names it.
 *
 * @param type what it will be an instance of
 * @param value the same object each time
 */
public record Lazily(Class<?> type, Supplier<?> value) {}
