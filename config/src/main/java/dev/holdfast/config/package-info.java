/* SPDX-License-Identifier: Apache-2.0 */
/** Pipelines from a YAML file: what stands in the file, what is bound in code, and all that is wrong with either. */
@NullMarked
package dev.holdfast.config;

import org.jspecify.annotations.NullMarked;
