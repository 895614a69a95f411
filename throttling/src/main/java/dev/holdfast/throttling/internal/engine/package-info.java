/* SPDX-License-Identifier: Apache-2.0 */
/** Places on a line of time. Knows no settings, no policy and no resilience4j. */
@NullMarked
package dev.holdfast.throttling.internal.engine;

import org.jspecify.annotations.NullMarked;
