/* SPDX-License-Identifier: Apache-2.0 */
/** The circuit breaker: stops calling a dependency that answers nearly nothing. */
@NullMarked
package dev.holdfast.circuitbreaker;

import org.jspecify.annotations.NullMarked;
