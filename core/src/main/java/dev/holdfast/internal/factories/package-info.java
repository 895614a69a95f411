/* SPDX-License-Identifier: Apache-2.0 */
/** Factories of the sections of a configuration file that core has. Found by {@link java.util.ServiceLoader}. */
@NullMarked
package dev.holdfast.internal.factories;

import org.jspecify.annotations.NullMarked;
