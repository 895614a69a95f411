/* SPDX-License-Identifier: Apache-2.0 */
/** The connection to resilience4j: its bulkheads as policies, its configs, and views of the engine. */
@NullMarked
package dev.holdfast.bulkhead.internal.resilience4j;

import org.jspecify.annotations.NullMarked;
