/* SPDX-License-Identifier: Apache-2.0 */
/** Simulations of outages that outlive their cause, on virtual time and with the real policies. */
@NullMarked
package dev.holdfast.examples.collapse;

import org.jspecify.annotations.NullMarked;
