/* SPDX-License-Identifier: Apache-2.0 */
/** What HTTP means to the policies of a pipeline, and {@code java.net.http} with pipelines around it. */
@NullMarked
package dev.holdfast.http;

import org.jspecify.annotations.NullMarked;
