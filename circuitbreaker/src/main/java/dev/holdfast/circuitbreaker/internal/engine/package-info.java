/* SPDX-License-Identifier: Apache-2.0 */
/** The breaker itself: its states, windows and probes. Uses plain values and no other library. */
@NullMarked
package dev.holdfast.circuitbreaker.internal.engine;

import org.jspecify.annotations.NullMarked;
