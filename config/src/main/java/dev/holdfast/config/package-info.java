/* SPDX-License-Identifier: Apache-2.0 */
/** Pipelines from a YAML file, with objects that code binds. All problems of a file are reported together. */
@NullMarked
package dev.holdfast.config;

import org.jspecify.annotations.NullMarked;
