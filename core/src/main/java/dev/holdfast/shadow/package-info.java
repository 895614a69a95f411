/* SPDX-License-Identifier: Apache-2.0 */
/** Policies that decide and count, and change nothing. */
@NullMarked
package dev.holdfast.shadow;

import org.jspecify.annotations.NullMarked;
