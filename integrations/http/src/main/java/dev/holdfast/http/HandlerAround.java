/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;

/** A handler that looks at an answer before another one reads its body. A client inside this one asks where the body goes. */
record HandlerAround<T>(BodyHandler<T> inside, BodyHandler<T> looking) implements BodyHandler<T> {
    @Override
    public BodySubscriber<T> apply(ResponseInfo info) {
        return looking.apply(info);
    }

    /** The handler that reads the body. */
    static BodyHandler<?> innermost(BodyHandler<?> handler) {
        BodyHandler<?> own = handler;
        while (own instanceof HandlerAround<?> around) {
            own = around.inside();
        }
        return own;
    }
}
