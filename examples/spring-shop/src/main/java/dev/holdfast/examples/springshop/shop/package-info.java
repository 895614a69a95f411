/* SPDX-License-Identifier: Apache-2.0 */
/** The shop. */
@NullMarked
package dev.holdfast.examples.springshop.shop;

import org.jspecify.annotations.NullMarked;
