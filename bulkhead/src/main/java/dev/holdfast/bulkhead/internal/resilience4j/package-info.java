/* SPDX-License-Identifier: Apache-2.0 */
/** All that is known of resilience4j: its bulkheads as policies, its configs, and the engine as one of its bulkheads. */
@NullMarked
package dev.holdfast.bulkhead.internal.resilience4j;

import org.jspecify.annotations.NullMarked;
