/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.spi.CallObserver;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;

/** An observer that throws in every method, also in methods that are added later. */
final class ThrowingObserver {
    private final AtomicInteger told = new AtomicInteger();
    private final CallObserver observer = (CallObserver) Proxy.newProxyInstance(
            ThrowingObserver.class.getClassLoader(),
            new Class<?>[] {CallObserver.class},
            (proxy, method, arguments) -> {
                told.incrementAndGet();
                throw new ThrownOnPurpose("observer: " + method.getName());
            });

    CallObserver observer() {
        return observer;
    }

    int told() {
        return told.get();
    }
}
