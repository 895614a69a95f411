/* SPDX-License-Identifier: Apache-2.0 */
/** What a pipeline costs, measured with JMH beside resilience4j's decorators for the same work. */
@NullMarked
package dev.holdfast.benchmarks;

import org.jspecify.annotations.NullMarked;
