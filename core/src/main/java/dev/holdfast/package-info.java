/* SPDX-License-Identifier: Apache-2.0 */
/** Pipelines of policies around outbound calls: what a service uses. */
@NullMarked
package dev.holdfast;

import org.jspecify.annotations.NullMarked;
