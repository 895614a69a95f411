/* SPDX-License-Identifier: Apache-2.0 */
/** One throttle for two processes, with a real Valkey, and what must hold when the server stops, stands still and comes back. */
@NullMarked
package dev.holdfast.examples.shared;

import org.jspecify.annotations.NullMarked;
