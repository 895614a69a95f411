/* SPDX-License-Identifier: Apache-2.0 */
/** The sections of a configuration file that core brings. Found by {@link java.util.ServiceLoader}. */
@NullMarked
package dev.holdfast.internal.factories;

import org.jspecify.annotations.NullMarked;
