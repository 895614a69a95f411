/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.List;

/**
 * What came out of an experiment.
 *
 * @param lines a table, and what follows from it
 */
record Findings(List<String> lines, Picture picture) {}
