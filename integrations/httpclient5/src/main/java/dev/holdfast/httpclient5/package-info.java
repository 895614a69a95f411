/* SPDX-License-Identifier: Apache-2.0 */
/** Apache HttpClient 5 with pipelines around its requests. */
@NullMarked
package dev.holdfast.httpclient5;

import org.jspecify.annotations.NullMarked;
