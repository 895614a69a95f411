/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import dev.holdfast.spi.Perishable;
import java.net.http.HttpResponse;

/**
 * A response that a stale cache may keep.
 *
 * @param response its body is {@link BoundedBody.Bytes}, which can be read any number of times; or it is what the handler of the
 *     one caller made of it, whose call brought it
 */
record Held(HttpResponse<?> response, Freshness freshness) implements Perishable {
    boolean isWhole() {
        return response.body() instanceof BoundedBody.Bytes;
    }
}
