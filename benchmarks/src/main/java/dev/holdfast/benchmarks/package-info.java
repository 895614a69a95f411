/* SPDX-License-Identifier: Apache-2.0 */
/** What a pipeline costs, measured with JMH beside what its peers cost for the same work. */
@NullMarked
package dev.holdfast.benchmarks;

import org.jspecify.annotations.NullMarked;
