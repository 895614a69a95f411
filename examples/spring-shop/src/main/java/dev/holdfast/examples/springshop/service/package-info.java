/* SPDX-License-Identifier: Apache-2.0 */
/** A service that gets ill at a click. */
@NullMarked
package dev.holdfast.examples.springshop.service;

import org.jspecify.annotations.NullMarked;
