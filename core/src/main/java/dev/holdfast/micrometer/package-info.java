/* SPDX-License-Identifier: Apache-2.0 */
/** The metrics of pipelines as Micrometer meters. */
@NullMarked
package dev.holdfast.micrometer;

import org.jspecify.annotations.NullMarked;
