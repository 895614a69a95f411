/* SPDX-License-Identifier: Apache-2.0 */
/** Permits, their queue, and limits that adapt. Knows no settings, no policy and no resilience4j. */
@NullMarked
package dev.holdfast.bulkhead.internal.engine;

import org.jspecify.annotations.NullMarked;
