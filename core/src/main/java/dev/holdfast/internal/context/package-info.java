/* SPDX-License-Identifier: Apache-2.0 */
/** What goes with a call in the contexts of others, such as Reactor's. */
@NullMarked
package dev.holdfast.internal.context;

import org.jspecify.annotations.NullMarked;
