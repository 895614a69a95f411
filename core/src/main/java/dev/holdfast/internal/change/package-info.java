/* SPDX-License-Identifier: Apache-2.0 */
/** What policies hand on when a pipeline changes. */
@NullMarked
package dev.holdfast.internal.change;

import org.jspecify.annotations.NullMarked;
