/* SPDX-License-Identifier: Apache-2.0 */
/** What Spring Boot 3.5 has in other places than Spring Boot 4. */
@NullMarked
package dev.holdfast.springboot3;

import org.jspecify.annotations.NullMarked;
