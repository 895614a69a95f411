/* SPDX-License-Identifier: Apache-2.0 */
/** The types for extensions: policies, their factories, observers and sources of time. */
@NullMarked
package dev.holdfast.spi;

import org.jspecify.annotations.NullMarked;
