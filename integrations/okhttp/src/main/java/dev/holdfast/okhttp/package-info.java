/* SPDX-License-Identifier: Apache-2.0 */
/** OkHttp with pipelines around it. */
@NullMarked
package dev.holdfast.okhttp;

import org.jspecify.annotations.NullMarked;
