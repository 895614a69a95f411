/* SPDX-License-Identifier: Apache-2.0 */
/** Limits how many calls run at once: permits, and a bounded waiting queue in front of them. */
@NullMarked
package dev.holdfast.bulkhead;

import org.jspecify.annotations.NullMarked;
