/* SPDX-License-Identifier: Apache-2.0 */
/** Time that a test controls. */
@NullMarked
package dev.holdfast.time;

import org.jspecify.annotations.NullMarked;
