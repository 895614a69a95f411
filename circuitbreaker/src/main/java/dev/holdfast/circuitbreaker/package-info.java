/* SPDX-License-Identifier: Apache-2.0 */
/** The circuit breaker: stops calling a dependency from which nearly nothing comes back. */
@NullMarked
package dev.holdfast.circuitbreaker;

import org.jspecify.annotations.NullMarked;
