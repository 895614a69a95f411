/* SPDX-License-Identifier: Apache-2.0 */
/** The accessor that Micrometer's context propagation finds by {@link java.util.ServiceLoader}. */
@NullMarked
package dev.holdfast.internal.micrometer;

import org.jspecify.annotations.NullMarked;
