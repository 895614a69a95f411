/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Limits how many calls start in a time: smooth, with a burst, and with reservations that are given back if unused. Holds all calls
 * when the dependency asks for time.
 */
@NullMarked
package dev.holdfast.throttling;

import org.jspecify.annotations.NullMarked;
