/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.internal.engine.Threads;
import java.util.concurrent.Executor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where pipelines hear that the response of a stream has begun. A thread of the transport must not run their observers. On a user's
 * executor this would wait for tasks of others, and the limit of a stream that is served would strike meanwhile.
 */
final class Begun {
    /** So many only if observers hang. */
    private static final int MOST_THREADS = 256;

    private static final AtomicInteger NUMBER = new AtomicInteger();

    /** Its threads are daemons, and end when they idle. */
    static final Executor THREADS = new ThreadPoolExecutor(
            0,
            MOST_THREADS,
            1,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            task -> Threads.daemon(task, "holdfast-grpc-" + NUMBER.incrementAndGet()));

    private Begun() {}
}
