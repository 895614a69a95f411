/* SPDX-License-Identifier: Apache-2.0 */
/** Mono and Flux of Project Reactor with pipelines around them. */
@NullMarked
package dev.holdfast.reactor;

import org.jspecify.annotations.NullMarked;
