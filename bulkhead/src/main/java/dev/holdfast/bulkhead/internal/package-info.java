/* SPDX-License-Identifier: Apache-2.0 */
/** The section of a configuration file. Found by {@link java.util.ServiceLoader}. */
@NullMarked
package dev.holdfast.bulkhead.internal;

import org.jspecify.annotations.NullMarked;
