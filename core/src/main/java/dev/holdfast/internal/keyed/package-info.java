/* SPDX-License-Identifier: Apache-2.0 */
/** Instances by keys, of which those go that nobody uses. */
@NullMarked
package dev.holdfast.internal.keyed;

import org.jspecify.annotations.NullMarked;
