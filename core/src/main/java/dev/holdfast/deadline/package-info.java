/* SPDX-License-Identifier: Apache-2.0 */
/** Limits the time of a whole call. */
@NullMarked
package dev.holdfast.deadline;

import org.jspecify.annotations.NullMarked;
