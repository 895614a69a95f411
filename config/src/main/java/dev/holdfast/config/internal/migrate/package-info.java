/* SPDX-License-Identifier: Apache-2.0 */
/** Makes a file of pipelines of resilience4j's settings for Spring Boot, and says of each setting what became of it. */
@NullMarked
package dev.holdfast.config.internal.migrate;

import org.jspecify.annotations.NullMarked;
