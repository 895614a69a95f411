/* SPDX-License-Identifier: Apache-2.0 */
/** What an extender writes: policies, their factories, observers and sources of time. */
@NullMarked
package dev.holdfast.spi;

import org.jspecify.annotations.NullMarked;
