/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

/**
 * The tag of a request that may be done twice although its method does not say so.
 *
 * <pre>{@code
 * new Request.Builder().url(search).post(query).tag(Idempotent.class, Idempotent.YES).build()
 * }</pre>
 */
public enum Idempotent {
    /** It may be done twice. */
    YES
}
