/* SPDX-License-Identifier: Apache-2.0 */
/** Views of the engine for resilience4j's classes, and resilience4j's breakers as policies. */
@NullMarked
package dev.holdfast.circuitbreaker.internal.resilience4j;

import org.jspecify.annotations.NullMarked;
