/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import com.google.common.util.concurrent.Uninterruptibles;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.Pipeline;
import java.util.ArrayList;
import java.util.List;

/** Threads that make calls through a pipeline without a pause, limited ones, until it is closed. */
final class Load implements AutoCloseable {
    private final Pipeline pipeline =
            Pipeline.builder("load").policies(Policies.six()).build();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean ended;

    Load(int busyThreads) {
        CheckedSupplier<Boolean, RuntimeException> action = () -> ended;
        for (int i = 0; i < busyThreads; i++) {
            Thread thread = new Thread(() -> callUntilTrue(action), "load");
            thread.setDaemon(true);
            thread.start();
            threads.add(thread);
        }
    }

    private void callUntilTrue(CheckedSupplier<Boolean, RuntimeException> action) {
        while (!pipeline.call(action)) {
            Thread.onSpinWait();
        }
    }

    int threads() {
        return threads.size();
    }

    @Override
    public void close() {
        ended = true;
        threads.forEach(Uninterruptibles::joinUninterruptibly);
        pipeline.close();
    }
}
