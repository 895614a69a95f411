/* SPDX-License-Identifier: Apache-2.0 */
/** Holdfast in a Spring Boot application. */
@NullMarked
package dev.holdfast.springboot;

import org.jspecify.annotations.NullMarked;
