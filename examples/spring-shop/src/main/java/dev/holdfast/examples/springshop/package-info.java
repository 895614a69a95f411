/* SPDX-License-Identifier: Apache-2.0 */
/** A shop with Spring Boot. */
@NullMarked
package dev.holdfast.examples.springshop;

import org.jspecify.annotations.NullMarked;
