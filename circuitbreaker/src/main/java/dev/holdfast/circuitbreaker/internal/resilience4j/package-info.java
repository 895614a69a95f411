/* SPDX-License-Identifier: Apache-2.0 */
/** The engine as resilience4j's classes see it, and resilience4j's breakers as policies. */
@NullMarked
package dev.holdfast.circuitbreaker.internal.resilience4j;

import org.jspecify.annotations.NullMarked;
