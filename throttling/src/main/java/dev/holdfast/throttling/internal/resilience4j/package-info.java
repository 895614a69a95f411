/* SPDX-License-Identifier: Apache-2.0 */
/** Rate limiters of resilience4j as policies. */
@NullMarked
package dev.holdfast.throttling.internal.resilience4j;

import org.jspecify.annotations.NullMarked;
